package drift

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// PodDifference is one field that Pods have otherwise than the template they were made from.
type PodDifference struct {
	Field      string // as in the workload: spec.template.spec.…
	Want, Live any    // in the template; in the first of the Pods
	Pods       []string
	Since      string // when the first of the Pods was made so, RFC 3339
	Blame
}

// Admission lists what admission changed in the Pods of the template in charge, beyond what the API server, the
// scheduler and the service account always add, and what somebody changed in a Pod that was there. One difference holds
// all Pods that have the same.
func Admission(w *Workload) []PodDifference {
	var out []PodDifference
	w.eachChange(func(u unlike, p *unstructured.Unstructured, template map[string]any) {
		if _, edited := editor(p, u.field); !edited {
			out = w.note(out, u, p, template)
		}
	})
	slices.SortStableFunc(out, func(a, b PodDifference) int {
		return cmp.Or(strings.Compare(a.Culprit, b.Culprit), strings.Compare(a.Field, b.Field))
	})
	return out
}

// eachChange visits what the Pods of the template in charge have otherwise than it.
func (w *Workload) eachChange(visit func(u unlike, p *unstructured.Unstructured, template map[string]any)) {
	if w == nil {
		return
	}
	from := w.Object
	if w.ReplicaSet != nil {
		from = w.ReplicaSet
	} else if w.Object.GetKind() == "Deployment" {
		return // the Pods of which ReplicaSet are meant is not known
	}
	template, _, _ := unstructured.NestedMap(from.Object, "spec", "template")
	claims, _, _ := unstructured.NestedSlice(w.Object.Object, "spec", "volumeClaimTemplates")
	for _, p := range w.Current {
		for _, u := range podChanges(template, p) {
			if !claimed(claims, u.field) {
				visit(u, p, template)
			}
		}
	}
}

// claimed says whether a volume is one that a StatefulSet gives each of its Pods.
func claimed(claims []any, field string) bool {
	return slices.ContainsFunc(claims, func(c any) bool {
		m, _ := c.(map[string]any)
		name, _, _ := unstructured.NestedString(m, "metadata", "name")
		return under(field, "spec.volumes["+name+"]")
	})
}

func (w *Workload) note(out []PodDifference, u unlike, p *unstructured.Unstructured, template map[string]any) []PodDifference {
	since := made(p)
	d := PodDifference{Field: "spec.template." + u.field, Want: u.want, Live: u.live, Pods: []string{p.GetName()}, Since: since, Blame: w.blame(u, p, template)}
	for i := range out {
		if o := &out[i]; o.Field == d.Field && o.Culprit == d.Culprit && rendering.Equal(o.Live, u.live) {
			o.Pods = append(o.Pods, p.GetName())
			if since != "" && (o.Since == "" || since < o.Since) {
				o.Since = since
			}
			return out
		}
	}
	return append(out, d)
}

// podChanges lists the fields of a Pod that its template has otherwise, or does not have. Labels and annotations that
// are only in the Pod are nobody's business: the network, the scheduler and others keep notes there.
func podChanges(template map[string]any, p *unstructured.Unstructured) []unlike {
	wanted, _ := template["spec"].(map[string]any)
	spec, _, _ := unstructured.NestedMap(p.Object, "spec")
	s := schemaOf("v1", "Pod")
	all := compare("spec", s.at("spec"), wanted, spec)
	for _, u := range compare("spec", s.at("spec"), spec, wanted) {
		if u.live == any(rendering.Absent{}) && u.want != nil {
			all = append(all, parts(unlike{field: u.field, want: u.live, live: u.want})...)
		}
	}
	for _, u := range compare("metadata", s.at("metadata"), marks(template), marks(p.Object)) {
		if u.live != any(rendering.Absent{}) { // where one is missing, the Pod may have been written down without it
			all = append(all, u)
		}
	}
	given := map[string]any{"spec": wanted}
	return slices.DeleteFunc(all, func(u unlike) bool { return usual(u) || byDefault(u, given, spec) || covered(all, u) })
}

// covered says whether a difference is told by another one: a list that differs as a whole.
func covered(all []unlike, u unlike) bool {
	return slices.ContainsFunc(all, func(o unlike) bool { return o.field != u.field && under(u.field, o.field) })
}

// Added says whether the template says nothing of the field.
func (d PodDifference) Added() bool { return d.Want == any(rendering.Absent{}) }
