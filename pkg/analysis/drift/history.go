package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Moment is one thing that happened to a workload.
type Moment struct {
	Time string // RFC 3339
	What string
}

// longHistory is how many moments are told: the latest.
const longHistory = 8

// History is what happened to a workload since its newest template was written, oldest first: who wrote it, which
// ReplicaSet and Pods were made, what went wrong. Things of the same second may be told in either order.
func (w *Workload) History() []Moment {
	out := w.written()
	if rs := w.ReplicaSet; rs != nil && made(rs) != "" {
		out = append(out, Moment{made(rs), fmt.Sprintf("ReplicaSet/%s was made, revision %s", rs.GetName(), cmp.Or(rs.GetAnnotations()[revisionKey], "not known"))})
	}
	if first := w.firstPod(); first != nil {
		out = append(out, Moment{made(first), "the first Pod of the newest template was made: " + first.GetName()})
	}
	for _, kind := range []string{"ReplicaFailure", "Progressing"} {
		c := w.condition(kind)
		if c.since != "" && (c.status == "True") == (kind == "ReplicaFailure") {
			out = append(out, Moment{c.since, "the controller gave " + c.reason})
		}
	}
	out = append(out, w.warnings()...)
	slices.SortStableFunc(out, func(a, b Moment) int { return strings.Compare(a.Time, b.Time) })
	return out[max(0, len(out)-longHistory):]
}

// written tells who wrote the workload last, of each manager once; the controllers' status is not meant.
func (w *Workload) written() []Moment {
	var out []Moment
	for _, m := range w.Object.GetManagedFields() {
		set := specOf(m)
		if m.Time == nil || set == nil {
			continue
		}
		writer := Writer{Manager: m.Manager, Operation: string(m.Operation), Subresource: m.Subresource, Helm: helms(m, set)}
		by, _ := (&sights{Snapshot: w.snap}).whose(writer, nil)
		if writer.Helm {
			by = "Helm"
		}
		out = append(out, Moment{m.Time.UTC().Format(time.RFC3339), by + " wrote " + w.Object.GetKind() + "/" + w.Object.GetName()})
	}
	return out
}

// specOf is what a manager owns, if any of it is in the spec.
func specOf(m metav1.ManagedFieldsEntry) map[string]any {
	if m.FieldsV1 == nil || m.Subresource == "status" {
		return nil
	}
	set, err := fieldSet(m)
	if err != nil || set["f:spec"] == nil {
		return nil
	}
	return set
}

func (w *Workload) firstPod() *unstructured.Unstructured {
	var first *unstructured.Unstructured
	for _, p := range w.Current {
		if made(p) != "" && (first == nil || made(p) < made(first)) {
			first = p
		}
	}
	return first
}

// warnings are the newest events of each reason about the workload, its ReplicaSet and its Pods.
func (w *Workload) warnings() []Moment {
	about := append([]*unstructured.Unstructured{w.Object}, w.Current...)
	if w.ReplicaSet != nil {
		about = append(about, w.ReplicaSet)
	}
	newest := map[string]Moment{}
	for _, o := range about {
		for _, e := range w.eventsOf(o) {
			reason, _, _ := unstructured.NestedString(e.Object, "reason")
			m := Moment{eventTime(e), fmt.Sprintf("%s of %s/%s", reason, o.GetKind(), o.GetName())}
			if n := number(e, "count"); n > 1 {
				m.What += fmt.Sprintf(", %d times", n)
			}
			if m.Time > newest[reason].Time {
				newest[reason] = m
			}
		}
	}
	var out []Moment
	for _, m := range newest {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Moment) int { return strings.Compare(a.What, b.What) })
	return out
}
