package drift

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// PodEdit is one field that somebody changed in Pods that were there already: by kubectl set, edit or debug, by a
// resize in place. It lasts until the Pod is replaced.
type PodEdit struct {
	Field      string // as in the workload: spec.template.spec.…
	Want, Live any
	Pods       []string
	Writer
	By string // who that is, in words
}

// Edited lists what was changed in the Pods of the template in charge after they were made. The Pods' managed fields
// tell it; without them nothing is known.
func Edited(w *Workload) []PodEdit {
	var out []PodEdit
	add := func(p *unstructured.Unstructured, field string, want, live any, by Writer) {
		e := PodEdit{Field: "spec.template." + field, Want: want, Live: live, Pods: []string{p.GetName()}, Writer: by}
		e.By, _ = (&sights{Snapshot: w.snap}).whose(by, nil)
		if e.By == "kubectl" && by.Subresource == "ephemeralcontainers" {
			e.By = "kubectl debug"
		}
		for i := range out {
			if o := &out[i]; o.Field == e.Field && o.Manager == by.Manager && rendering.Equal(o.Live, live) {
				o.Pods, o.Time = append(o.Pods, p.GetName()), min(o.Time, by.Time)
				return
			}
		}
		out = append(out, e)
	}
	w.eachChange(func(u unlike, p *unstructured.Unstructured, _ map[string]any) {
		if by, edited := editor(p, u.field); edited {
			add(p, u.field, u.want, u.live, by)
		}
	})
	if w != nil {
		for _, p := range w.Pods {
			eachDebugger(p, func(field string, c any, by Writer) { add(p, field, rendering.Absent{}, c, by) })
		}
	}
	slices.SortStableFunc(out, func(a, b PodEdit) int {
		return cmp.Or(strings.Compare(a.Time, b.Time), strings.Compare(a.Field, b.Field))
	})
	return out
}

// eachDebugger visits the ephemeral containers of a Pod.
func eachDebugger(p *unstructured.Unstructured, visit func(field string, c any, by Writer)) {
	list, _, _ := unstructured.NestedSlice(p.Object, "spec", "ephemeralContainers")
	for i, name := range rendering.ItemNames(list) {
		field := "spec.ephemeralContainers[" + name + "]"
		by, _ := editor(p, field)
		visit(field, list[i], by)
	}
}

// editor is who wrote a field of a Pod after it was made; edited is false if nobody but its maker did, or nothing is
// known. Who changes a field takes it from its maker; who only says the same has it together with him.
func editor(p *unstructured.Unstructured, field string) (by Writer, edited bool) {
	made := maker(p.GetManagedFields())
	all := Writers(p, field)
	if made == nil || len(all) == 0 || slices.ContainsFunc(all, func(w Writer) bool {
		return w.Manager == made.Manager && w.Operation == string(made.Operation) && w.Subresource == made.Subresource
	}) {
		return Writer{}, false
	}
	return all[0], true
}

// maker is the manager that made an object: it owns the reference to the owner, or it is the oldest.
func maker(all []metav1.ManagedFieldsEntry) *metav1.ManagedFieldsEntry {
	var oldest *metav1.ManagedFieldsEntry
	for i := range all {
		m := &all[i]
		if m.Subresource != "" || m.FieldsV1 == nil {
			continue
		}
		if set, err := fieldSet(*m); err == nil {
			meta, _ := set["f:metadata"].(map[string]any)
			if _, owner := meta["f:ownerReferences"]; owner {
				return m
			}
		}
		if oldest == nil || m.Time != nil && oldest.Time != nil && m.Time.Before(oldest.Time) {
			oldest = m
		}
	}
	return oldest
}

// Added says whether the template says nothing of the field.
func (e PodEdit) Added() bool { return e.Want == any(rendering.Absent{}) }
