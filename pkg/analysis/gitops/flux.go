package gitops

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/strvals"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

func fluxOwner(snap *snapshot.Snapshot, mark Mark, config map[string]any) *Owner {
	if x := snap.Get(HelmRelease, mark.Namespace, mark.Name); x != nil {
		o := readHelmRelease(snap, x, config)
		o.By = mark.By
		return o
	}
	return absent(snap, &Owner{Tool: Flux, By: mark.By, Object: finding.Object{Kind: "HelmRelease", Name: mark.Name, Namespace: mark.Namespace}})
}

// readHelmRelease reads v2, v2beta2 and v2beta1 of a HelmRelease, which agree in all that is read. The values of the
// release's record show in which order targetPath and spec.values were merged.
func readHelmRelease(snap *snapshot.Snapshot, x *unstructured.Unstructured, config map[string]any) *Owner {
	o := &Owner{Tool: Flux, Object: finding.Object{Kind: "HelmRelease", Name: x.GetName(), Namespace: x.GetNamespace()}, content: x, Keeper: keeper(x)}
	o.Release, o.Namespace = fluxRelease(x)
	refs, _, _ := unstructured.NestedSlice(x.Object, "spec", "valuesFrom")
	for _, r := range refs {
		ref, _ := r.(map[string]any)
		l, gap := reference(snap, x.GetNamespace(), ref)
		if gap != nil {
			o.Gaps = append(o.Gaps, *gap)
		} else if l != nil {
			o.Layers = append(o.Layers, *l)
		}
	}
	inline, _, _ := unstructured.NestedMap(x.Object, "spec", "values")
	o.Layers = append(o.Layers, Layer{Place: specValues, Object: o.Object, Values: inline})
	if config != nil && !same(o.Values(), config) {
		o.inlineLast = same(fluxValues(o.Layers, true), config)
	}
	return o
}

const specValues = "spec.values"

// fluxRelease gives the name and the namespace of the release that a HelmRelease makes.
// Source: fluxcd/helm-controller api/v2/helmrelease_types.go, GetReleaseName; internal/release/name.go, ShortenName.
func fluxRelease(x *unstructured.Unstructured) (name, namespace string) {
	spec := func(key string) string { s, _, _ := unstructured.NestedString(x.Object, "spec", key); return s }
	name, namespace = cmp.Or(spec("releaseName"), x.GetName()), cmp.Or(spec("targetNamespace"), x.GetNamespace())
	if spec("releaseName") == "" && spec("targetNamespace") != "" {
		name = namespace + "-" + name
	}
	if len(name) > 53 {
		name = name[:40] + "-" + fmt.Sprintf("%x", sha256.Sum256([]byte(name)))[:12]
	}
	return name, namespace
}

// storage is the namespace of the release's records.
func storage(x *unstructured.Unstructured) string {
	s, _, _ := unstructured.NestedString(x.Object, "spec", "storageNamespace")
	return cmp.Or(s, x.GetNamespace())
}

// reference reads one entry of spec.valuesFrom; both are nil for an optional one that is not there.
func reference(snap *snapshot.Snapshot, namespace string, ref map[string]any) (*Layer, *Gap) {
	text := func(key string) string { s, _ := ref[key].(string); return s }
	held := finding.Object{Kind: text("kind"), Name: text("name"), Namespace: namespace}
	key := cmp.Or(text("valuesKey"), "values.yaml")
	l := &Layer{Place: fmt.Sprintf("key %s of %s %s/%s", key, held.Kind, namespace, held.Name), Object: held}
	if path := text("targetPath"); path != "" {
		l.Place += ", targetPath " + path
	}
	x := snap.Get(held.Kind+".", namespace, held.Name)
	optional, _ := ref["optional"].(bool)
	if x == nil {
		return nil, unread(snap, held, l.Place, optional)
	}
	data, found := entry(x, key)
	if !found {
		if optional {
			return nil, nil
		}
		return nil, &Gap{Place: l.Place, Why: "the object has no such key"}
	}
	literal, _ := ref["literal"].(bool)
	if err := l.fill(text("targetPath"), data, literal); err != nil {
		return nil, &Gap{Place: l.Place, Why: err.Error()}
	}
	return l, nil
}

func unread(snap *snapshot.Snapshot, held finding.Object, place string, optional bool) *Gap {
	g := snap.Unread(held.Kind, held.Namespace, held.Name)
	switch {
	case g != nil:
		return &Gap{Place: place, Why: g.Why, Remedy: g.Remedy}
	case optional && snap.Header.TakenAt != "":
		return nil
	case snap.Header.TakenAt != "":
		return &Gap{Place: place, Why: "it is not in the cluster"}
	}
	return &Gap{Place: place, Why: "the snapshot does not hold it"}
}

// entry reads one key of a Secret or ConfigMap.
func entry(x *unstructured.Unstructured, key string) (string, bool) {
	text, found, _ := unstructured.NestedString(x.Object, "data", key)
	if x.GetKind() != "Secret" {
		return text, found
	}
	if plain, ok, _ := unstructured.NestedString(x.Object, "stringData", key); ok {
		return plain, true
	}
	b, err := base64.StdEncoding.DecodeString(text)
	return string(b), found && err == nil
}

// fill reads the text of a reference: a file of values, or one value for a path, as --set, --set-string (in quotes) or
// --set-literal takes it.
// Source: fluxcd/pkg chartutil/values.go, ReplacePathValue.
func (l *Layer) fill(path, text string, literal bool) error {
	if path == "" {
		return yaml.Unmarshal([]byte(text), &l.Values)
	}
	parse := strvals.ParseInto
	if literal {
		parse = strvals.ParseLiteralInto
	} else if quoted(text, "'") || quoted(text, `"`) {
		parse, text = strvals.ParseIntoString, strings.Trim(text, `'"`)
	}
	l.set = func(into map[string]any) error { return parse(path+"="+text, into) }
	l.Values = map[string]any{}
	return l.set(l.Values)
}

func quoted(text, mark string) bool {
	return strings.HasPrefix(text, mark) && strings.HasSuffix(text, mark)
}

// fluxValues merges as Flux does: the references in their order, spec.values over them, and what has a targetPath over
// those that come before it and over spec.values. The last merge puts spec.values on top once more; what a targetPath
// wrote into a table that only spec.values has stays, since that table is shared. inlineLast is the order of Flux before
// 2.4.
// Source: fluxcd/pkg chartutil/values.go, ChartValuesFromReferences; fluxcd/helm-controller pull request 1060.
func fluxValues(layers []Layer, inlineLast bool) map[string]any {
	inline := map[string]any{}
	if n := len(layers); n > 0 {
		inline = values.Copy(layers[n-1].Values)
		layers = layers[:n-1]
	}
	out := map[string]any{}
	for _, l := range layers {
		if l.set == nil {
			out = over(out, values.Copy(l.Values))
			continue
		}
		if !inlineLast {
			out = over(out, inline)
		}
		_ = l.set(out) // it was parsed before
	}
	return over(out, inline)
}

// over merges b over a as Flux and Helm's -f do: tables are merged, all else is replaced, null stays null.
// Source: helm.sh/helm/v3 pkg/cli/values/options.go, mergeMaps.
func over(a, b map[string]any) map[string]any {
	out := make(map[string]any, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		below, isTable := out[k].(map[string]any)
		if above, both := v.(map[string]any); isTable && both {
			v = over(below, above)
		}
		out[k] = v
	}
	return out
}
