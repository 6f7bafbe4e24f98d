package gitops

import (
	"cmp"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/strvals"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// ArgoNamespace is where Applications are unless Argo CD was told otherwise.
const ArgoNamespace = "argocd"

func argoOwner(snap *snapshot.Snapshot, mark Mark) *Owner {
	for _, x := range snap.Kind(Application) {
		if x.GetName() != mark.Name || mark.Namespace != "" && x.GetNamespace() != mark.Namespace {
			continue
		}
		if o := readApplication(x); o != nil {
			o.By = mark.By
			return o
		}
	}
	object := finding.Object{Kind: "Application", Name: mark.Name, Namespace: cmp.Or(mark.Namespace, ArgoNamespace)}
	o := &Owner{Tool: ArgoCD, By: mark.By, Object: object, source: -1}
	if found := absent(snap, o); found != nil {
		return found
	}
	// Argo CD often keeps its Applications in another cluster than the one that it deploys to.
	o.Unread = "it is not in this cluster: Argo CD may run in another one"
	return o
}

// readApplication reads an Application whose source is a chart; nil if it has none.
func readApplication(x *unstructured.Unstructured) *Owner {
	o := &Owner{Tool: ArgoCD, Object: finding.Object{Kind: "Application", Name: x.GetName(), Namespace: x.GetNamespace()}, content: x, Keeper: keeper(x)}
	kind, _, _ := unstructured.NestedString(x.Object, "status", "sourceType") // what Argo CD found at the path in Git
	spec, _, _ := unstructured.NestedMap(x.Object, "spec")
	source, at := chartSource(spec, kind == "Helm")
	if source == nil {
		return nil
	}
	o.source = at
	o.Namespace, _, _ = unstructured.NestedString(x.Object, "spec", "destination", "namespace")
	release, _, _ := unstructured.NestedString(source, "helm", "releaseName")
	o.Release = cmp.Or(release, x.GetName())
	o.Layers, o.Gaps = o.sourceLayers(source)
	return o
}

// chartSource finds the source that is a chart among source and sources. Of several it is the one with chart: or helm:,
// the others hold value files. Its place is -1 for the only source, which is one of a chart if Argo CD says so.
func chartSource(of map[string]any, helm bool) (map[string]any, int) {
	isChart := func(s map[string]any) bool { return s["chart"] != nil || s["helm"] != nil }
	all, _ := of["sources"].([]any)
	for i, s := range all {
		if source, _ := s.(map[string]any); isChart(source) {
			return source, i
		}
	}
	if source, _ := of["source"].(map[string]any); len(all) == 0 && (isChart(source) || helm && source != nil) {
		return source, -1
	}
	return nil, -1
}

// place is where the chart's helm options stand.
func (o *Owner) place() string {
	if o.source >= 0 {
		return fmt.Sprintf("spec.sources[%d].helm", o.source)
	}
	return "spec.source.helm"
}

// sourceLayers reads what a source gives a chart. Value files stand in Git, below all else.
//
// Source: argo-cd docs/user-guide/helm.md, "parameters > valuesObject > values > valueFiles"; reposerver/repository/
// repository.go, helmTemplate: values and valuesObject are one file, and valuesObject takes the place of values.
func (o *Owner) sourceLayers(source map[string]any) ([]Layer, []Gap) {
	var layers []Layer
	var gaps []Gap
	helm, _ := source["helm"].(map[string]any)
	at := o.place()
	for _, list := range []string{"valueFiles", "fileParameters"} {
		if files, _ := helm[list].([]any); len(files) > 0 {
			gaps = append(gaps, Gap{Place: at + "." + list, Why: "the files stand in Git, not in the cluster: " + fileNames(files)})
		}
	}
	object, _ := helm["valuesObject"].(map[string]any)
	if text, _ := helm["values"].(string); text != "" {
		l := Layer{Place: at + ".values", Object: o.Object, Ignored: helm["valuesObject"] != nil}
		if err := yaml.Unmarshal([]byte(text), &l.Values); err != nil {
			gaps = append(gaps, Gap{Place: l.Place, Why: err.Error()})
		} else {
			layers = append(layers, l)
		}
	}
	if helm["valuesObject"] != nil {
		layers = append(layers, Layer{Place: at + ".valuesObject", Object: o.Object, Values: object})
	}
	l, bad := o.parameters(helm)
	if l != nil {
		layers = append(layers, *l)
	}
	return layers, append(gaps, bad...)
}

func fileNames(files []any) string {
	var names []string
	for _, f := range files {
		if m, isTable := f.(map[string]any); isTable {
			f = m["path"]
		}
		names = append(names, fmt.Sprint(f))
	}
	return strings.Join(names, ", ")
}

// parameter is one entry of helm.parameters.
type parameter struct {
	name, value string
	force       bool // forceString
}

func parametersOf(helm map[string]any) []parameter {
	list, _ := helm["parameters"].([]any)
	var out []parameter
	for _, x := range list {
		m, _ := x.(map[string]any)
		p := parameter{}
		p.name, _ = m["name"].(string)
		p.value, _ = m["value"].(string)
		p.force, _ = m["forceString"].(bool)
		out = append(out, p)
	}
	return out
}

// parameters are --set, then --set-string. A $ in them is a variable of Argo CD's build environment, which only it knows.
func (o *Owner) parameters(helm map[string]any) (*Layer, []Gap) {
	all := parametersOf(helm)
	if len(all) == 0 {
		return nil, nil
	}
	l := &Layer{Place: o.place() + ".parameters", Object: o.Object, Values: map[string]any{}}
	l.set = func(into map[string]any) error {
		for _, force := range []bool{false, true} {
			for _, p := range all {
				if p.force == force {
					if err := p.into(into); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
	var gaps []Gap
	if err := l.set(l.Values); err != nil {
		return nil, []Gap{{Place: l.Place, Why: err.Error()}}
	}
	for _, p := range all {
		if strings.Contains(p.value, "$") {
			gaps = append(gaps, Gap{Place: l.Place + " " + p.name, Why: "its value holds a variable of Argo CD's build environment"})
		}
	}
	return l, gaps
}

// into merges a parameter as Argo CD has Helm do it.
// Source: argo-cd util/helm/cmd.go, template and cleanSetParameters.
func (p parameter) into(tree map[string]any) error {
	text := p.value
	if !(strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}")) {
		text = escapeCommas(text)
	}
	if p.force {
		return strvals.ParseIntoString(p.name+"="+text, tree)
	}
	return strvals.ParseInto(p.name+"="+text, tree)
}

func escapeCommas(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if text[i] == ',' && (i == 0 || text[i-1] != '\\') {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func argoValues(layers []Layer) map[string]any {
	out := map[string]any{}
	for _, l := range layers {
		switch {
		case l.Ignored:
		case l.set != nil:
			_ = l.set(out) // it was parsed before
		default:
			out = over(out, values.Copy(l.Values))
		}
	}
	return out
}

// AppliedObject is one object that Argo CD compared with the cluster.
type AppliedObject struct {
	GVK             schema.GroupVersionKind
	Namespace, Name string
}

// Applied lists the objects of an Application, as its status has them. Hooks are left out.
func Applied(x *unstructured.Unstructured) []AppliedObject {
	list, _, _ := unstructured.NestedSlice(x.Object, "status", "resources")
	var out []AppliedObject
	for _, r := range list {
		m, _ := r.(map[string]any)
		text := func(key string) string { s, _ := m[key].(string); return s }
		if hook, _ := m["hook"].(bool); hook || text("name") == "" {
			continue
		}
		gvk := schema.GroupVersionKind{Group: text("group"), Version: text("version"), Kind: text("kind")}
		out = append(out, AppliedObject{gvk, text("namespace"), text("name")})
	}
	return out
}
