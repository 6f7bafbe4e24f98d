package drift

import (
	"cmp"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// event gives the words of the newest warning about an object.
func (w *Workload) event(o *unstructured.Unstructured) string {
	if e := w.newestEvent(o, ""); e != nil {
		return eventText(e)
	}
	return ""
}

// newestEvent gives the newest warning about an object, of one reason or with "" of any; nil if there is none.
func (w *Workload) newestEvent(o *unstructured.Unstructured, reason string) *unstructured.Unstructured {
	var newest *unstructured.Unstructured
	for _, e := range w.eventsOf(o) {
		why, _, _ := unstructured.NestedString(e.Object, "reason")
		if (reason == "" || why == reason) && (newest == nil || eventTime(e) >= eventTime(newest)) {
			newest = e
		}
	}
	return newest
}

// eventsOf lists the warnings about an object, of both API groups.
func (w *Workload) eventsOf(o *unstructured.Unstructured) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, e := range w.snap.Kind("Event") {
		about, found, _ := unstructured.NestedMap(e.Object, "involvedObject")
		if !found {
			about, _, _ = unstructured.NestedMap(e.Object, "regarding")
		}
		kind, _, _ := unstructured.NestedString(e.Object, "type")
		if kind == "Warning" && about["name"] == any(o.GetName()) && about["kind"] == any(o.GetKind()) && e.GetNamespace() == o.GetNamespace() {
			out = append(out, e)
		}
	}
	return out
}

func eventText(e *unstructured.Unstructured) string {
	message, _, _ := unstructured.NestedString(e.Object, "message")
	note, _, _ := unstructured.NestedString(e.Object, "note") // events.k8s.io
	return cmp.Or(message, note)
}

// eventTime is when an event was seen last.
func eventTime(e *unstructured.Unstructured) string {
	for _, k := range []string{"lastTimestamp", "eventTime"} {
		text, _, _ := unstructured.NestedString(e.Object, k)
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t.UTC().Format(time.RFC3339) // eventTime has microseconds
		}
	}
	return made(e)
}

// made is when an object was made, RFC 3339; empty where that is not known.
func made(o *unstructured.Unstructured) string {
	if t := o.GetCreationTimestamp(); !t.IsZero() {
		return t.UTC().Format(time.RFC3339)
	}
	return ""
}
