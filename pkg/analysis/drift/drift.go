// Package drift is rendered objects against live ones: what differs, who wrote it, and what the Pods really run.
//
// It compares only what is rendered, as the API server understands it, and says nothing of what the snapshot did not
// look at.
package drift

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Kind says in which way a live object is not what is rendered.
type Kind string

// Differs: the field has another value, or is gone. Missing: there is no such object. Foreign: it belongs to another
// release. Dropped: the API server does not know the field, so it was never stored.
const (
	Differs Kind = "differs"
	Missing Kind = "missing"
	Foreign Kind = "foreign"
	Dropped Kind = "dropped"
)

// Difference is one field of a rendered object that the live object does not carry. Field "" is the object itself.
type Difference struct {
	finding.Field                // the object with the namespace it lives in
	Rendered      finding.Object // as rendered, where the namespace may be left to Helm
	APIVersion    string
	Kind          Kind
	Want, Live    any // rendering.Absent{} where there is none; for Foreign: the owner's name
	Writer
	By      string      // who that is, in words; "" if nobody can be named
	Returns bool        // a controller writes it, and will again
	File    string      // the template
	Scaler  *Autoscaler // of a workload whose replicas differ; nil: none
	Blame               // who changed it at admission, where Helm alone owns the field and the value is not Helm's
}

// Compare lists what of the rendered objects is not so in the cluster, in their order and then by field. Hooks are
// left out: Helm makes and removes them as it goes.
func Compare(want []rendering.Object, live *snapshot.Snapshot, releaseNamespace string) []Difference {
	if live == nil {
		return nil
	}
	all := newSights(live, want, releaseNamespace)
	last := map[finding.Object]int{} // of an object that is rendered twice the last one stands
	for i, o := range want {
		last[o.Object] = i
	}
	var out []Difference
	for i, o := range want {
		if o.Hook || o.Name == "" || strings.HasSuffix(o.Name, "*") || last[o.Object] != i {
			continue
		}
		out = append(out, all.object(o)...)
	}
	return out
}

// sights is what the snapshot can be asked.
type sights struct {
	*snapshot.Snapshot
	namespace string
	rendered  map[string]bool // snapshot.ObjectName of what the release renders
	release   string          // its name, as most objects have it
}

func newSights(live *snapshot.Snapshot, want []rendering.Object, namespace string) *sights {
	s := &sights{Snapshot: live, namespace: namespace, rendered: map[string]bool{}}
	count := map[string]int{}
	for _, o := range want {
		s.rendered[snapshot.ObjectName(o.Kind, cmp.Or(o.Namespace, namespace), o.Name)] = true
		s.rendered[snapshot.ObjectName(o.Kind, "", o.Name)] = true
		if x := s.find(o); x != nil {
			count[x.GetAnnotations()[releaseName]]++
		}
	}
	for _, n := range slices.Sorted(maps.Keys(count)) {
		if n != "" && count[n] > count[s.release] {
			s.release = n
		}
	}
	return s
}

const (
	releaseName      = "meta.helm.sh/release-name"
	releaseNamespace = "meta.helm.sh/release-namespace"
)

// find gets the live object; a namespace that is not rendered is the release's, or none.
func (s *sights) find(o rendering.Object) *unstructured.Unstructured {
	return Live(s.Snapshot, o, s.namespace)
}

// Live finds the live object of a rendered one; nil if the snapshot does not hold it.
func Live(snap *snapshot.Snapshot, o rendering.Object, releaseNamespace string) *unstructured.Unstructured {
	group, _, found := strings.Cut(o.APIVersion, "/")
	if !found {
		group = ""
	}
	kind := o.Kind + "." + group
	if x := snap.Get(kind, cmp.Or(o.Namespace, releaseNamespace), o.Name); x != nil {
		return x
	}
	return snap.Get(kind, "", o.Name)
}

func (s *sights) object(o rendering.Object) []Difference {
	base := Difference{Field: finding.Field{Object: o.Object}, Rendered: o.Object, APIVersion: o.APIVersion, File: o.File}
	x := s.find(o)
	if x == nil {
		if !s.looked(o) || vanishes(o) {
			return nil
		}
		if !clusterScoped[o.Kind] {
			base.Namespace = cmp.Or(o.Namespace, s.namespace)
		}
		base.Kind, base.Want, base.Live = Missing, o.Content, rendering.Absent{}
		return []Difference{base}
	}
	base.Namespace = x.GetNamespace()
	if owner := s.foreign(x); owner != "" {
		base.Kind, base.Want, base.Live = Foreign, s.release, owner
		base.Writer = author(x, `metadata.annotations["`+releaseName+`"]`)
		if !base.Helm {
			base.By, _ = s.whose(base.Writer, nil)
		}
		return []Difference{base}
	}
	return s.fields(base, o, x)
}

// clusterScoped are kinds that charts render and that stand in no namespace.
var clusterScoped = map[string]bool{"Namespace": true, "ClusterRole": true, "ClusterRoleBinding": true, "CustomResourceDefinition": true,
	"MutatingWebhookConfiguration": true, "ValidatingWebhookConfiguration": true, "PriorityClass": true, "StorageClass": true,
	"GatewayClass": true, "APIService": true, "IngressClass": true, "PersistentVolume": true, "RuntimeClass": true}

// vanishes says whether the object goes away by itself when its work is done.
func vanishes(o rendering.Object) bool {
	_, found := rendering.Lookup(o.Content, "spec.ttlSecondsAfterFinished")
	return o.Kind == "Job" && found
}

// foreign names the release that owns the object, if it is not this one. An object without Helm's annotations was
// made before Helm wrote them, or lost them: it belongs to nobody else.
func (s *sights) foreign(x *unstructured.Unstructured) string {
	a := x.GetAnnotations()
	name, namespace := a[releaseName], cmp.Or(a[releaseNamespace], s.namespace)
	if name == "" || s.release == "" || name == s.release && namespace == s.namespace {
		return ""
	}
	return namespace + "/" + name
}

// looked says whether the absence of an object from the snapshot is its absence from the cluster.
func (s *sights) looked(o rendering.Object) bool {
	namespace := cmp.Or(o.Namespace, s.namespace)
	if s.Unread(o.Kind, namespace, o.Name) != nil || s.Unread(o.Kind, "", o.Name) != nil || s.listFailed(o.Kind) {
		return false
	}
	if s.Header.TakenAt != "" {
		return s.Header.Namespace == "" || s.Header.Namespace == namespace || clusterScoped[o.Kind]
	}
	// Made with kubectl: others of the kind, which are not the release's, show that the kind was listed.
	return slices.ContainsFunc(s.Kind(o.Kind), func(x *unstructured.Unstructured) bool {
		return !s.rendered[snapshot.ObjectName(x.GetKind(), x.GetNamespace(), x.GetName())]
	})
}

// listFailed says whether a gap speaks of a whole kind, as "deployments in namespace x" does.
func (s *sights) listFailed(kind string) bool {
	word := plural(kind)
	return slices.ContainsFunc(s.Header.Gaps, func(g snapshot.Gap) bool {
		first, _, _ := strings.Cut(g.What, " ")
		return first == word || g.What == "API versions of the cluster"
	})
}

func plural(kind string) string {
	k := strings.ToLower(kind)
	switch {
	case strings.HasSuffix(k, "s"):
		return k + "es"
	case strings.HasSuffix(k, "y") && !strings.HasSuffix(k, "ay"):
		return strings.TrimSuffix(k, "y") + "ies"
	}
	return k + "s"
}

// fields compares one object with its live form.
func (s *sights) fields(base Difference, o rendering.Object, x *unstructured.Unstructured) []Difference {
	var out []Difference
	moved := o.APIVersion != x.GetAPIVersion() // read in another version, where fields may have other names
	for _, u := range compare("", schemaOf(o.APIVersion, o.Kind), wanted(o), x.Object) {
		if isOwned(o.Kind, u.field) || aggregated(x, u.field) || moved && u.live == any(rendering.Absent{}) {
			continue
		}
		d := base
		d.Field.Field, d.Want, d.Live, d.Kind = u.field, u.want, u.live, Differs
		d.Writer = author(x, u.field)
		if u.field == "spec.replicas" {
			d.Scaler = Scaler(x, s.Snapshot)
		}
		d.By, d.Returns = s.whose(d.Writer, d.Scaler)
		if u.defaulted && (d.Manager == "" || d.Helm) {
			continue // nothing was asked for, and the API server put its default
		}
		if u.unknown || u.live == any(rendering.Absent{}) && (s.unknownToCRD(x, u.field) || neverStored(u, x)) {
			d.Kind = Dropped
		}
		if d.admitted() {
			d.Blame = s.blame(d, o, x)
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Difference) int { return strings.Compare(a.Field.Field, b.Field.Field) })
	return out
}

// neverStored says whether a field that is gone cannot have been taken away: nothing was ever changed.
func neverStored(u unlike, x *unstructured.Unstructured) bool {
	return x.GetGeneration() == 1 && !under(u.field, "metadata") && len(x.GetManagedFields()) > 0
}

// wanted is the content as the API server takes it: the stringData of a Secret goes into its data.
func wanted(o rendering.Object) map[string]any {
	plain, _ := o.Content["stringData"].(map[string]any)
	if o.Kind != "Secret" || len(plain) == 0 {
		return o.Content
	}
	out := maps.Clone(o.Content)
	delete(out, "stringData")
	data, _ := out["data"].(map[string]any)
	data = maps.Clone(data)
	if data == nil {
		data = map[string]any{}
	}
	for k, v := range plain {
		data[k] = base64.StdEncoding.EncodeToString([]byte(fmt.Sprint(v)))
	}
	out["data"] = data
	return out
}

// unknownToCRD says whether the CustomResourceDefinition of a live object, if it is in the snapshot, has no such
// field.
func (s *sights) unknownToCRD(x *unstructured.Unstructured, field string) bool {
	group, version, _ := strings.Cut(x.GetAPIVersion(), "/")
	for _, crd := range s.Kind("CustomResourceDefinition.apiextensions.k8s.io") {
		g, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
		k, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
		if g != group || k != x.GetKind() {
			continue
		}
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		for _, v := range versions {
			m, _ := v.(map[string]any)
			root, _, _ := unstructured.NestedMap(m, "schema", "openAPIV3Schema")
			if m["name"] == any(version) && root != nil {
				return !declared(root, parseField(field))
			}
		}
	}
	return false
}

// declared walks an OpenAPI schema along a field. Metadata is everybody's.
func declared(at map[string]any, steps []step) bool {
	for i, s := range steps {
		if keep, _ := at["x-kubernetes-preserve-unknown-fields"].(bool); keep || i == 0 && s.key == "metadata" {
			return true
		}
		var next any
		if s.item {
			next = at["items"]
		} else {
			properties, _ := at["properties"].(map[string]any)
			next = properties[s.key]
			if next == nil {
				next = at["additionalProperties"]
			}
		}
		if next == any(true) {
			return true
		}
		table, ok := next.(map[string]any)
		if !ok {
			return false
		}
		at = table
	}
	return true
}
