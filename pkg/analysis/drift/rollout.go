package drift

import (
	"cmp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// State is how far a rollout has come.
type State string

// Complete: all Pods run the template and are available. Progressing: they are on the way. Paused: somebody stopped
// it. Stalled: something keeps it from going on.
const (
	Complete    State = "complete"
	Progressing State = "progressing"
	Paused      State = "paused"
	Stalled     State = "stalled"
)

// Rollout is the state of a workload's rollout. Reason and Message are the cluster's words.
type Rollout struct {
	State                                 State
	Reason, Message                       string
	By                                    string // the object or person that keeps it from going on; empty: none is known
	Pod                                   string // that shows the reason; empty if none does
	Container                             string // of it; empty: none in particular
	Since                                 string // RFC 3339
	Desired, Updated, Available, Existing int64
}

// Rollout reads the workload's status, and where it is not complete the reason from conditions, Pods and events.
func (w *Workload) Rollout() Rollout {
	r := Rollout{State: Complete}
	status, _, _ := unstructured.NestedMap(w.Object.Object, "status")
	if status == nil {
		return r // a snapshot made by hand: nothing is known, and nothing said
	}
	switch w.Object.GetKind() {
	case "DaemonSet":
		r.Desired, r.Updated = number(w.Object, "status", "desiredNumberScheduled"), number(w.Object, "status", "updatedNumberScheduled")
		r.Available, r.Existing = number(w.Object, "status", "numberAvailable"), number(w.Object, "status", "currentNumberScheduled")
	default:
		r.Desired = 1
		if _, found, _ := unstructured.NestedFieldNoCopy(w.Object.Object, "spec", "replicas"); found {
			r.Desired = number(w.Object, "spec", "replicas")
		}
		r.Updated, r.Existing = number(w.Object, "status", "updatedReplicas"), number(w.Object, "status", "replicas")
		r.Available = number(w.Object, "status", "availableReplicas")
	}
	observed := number(w.Object, "status", "observedGeneration") >= w.Object.GetGeneration()
	if paused, _, _ := unstructured.NestedBool(w.Object.Object, "spec", "paused"); paused && w.behind(r) {
		r.State, r.Reason = Paused, "DeploymentPaused"
		by := author(w.Object, "spec.paused")
		r.By, _ = (&sights{Snapshot: w.snap}).whose(by, nil)
		r.Since = cmp.Or(by.Time, w.condition("Progressing").since)
		return r
	}
	if w.onDelete() || observed && r.Updated >= r.Desired-w.partition() && r.Available >= r.Desired && r.Existing <= max(r.Updated, r.Desired) {
		return r
	}
	r.State = Progressing
	if !observed {
		r.Reason, r.Message = "NotObserved", "the controller has not seen the newest change yet"
	}
	w.stalled(&r)
	return r
}

// partition is how many Pods of a StatefulSet are to keep the older template.
func (w *Workload) partition() int64 {
	return number(w.Object, "spec", "updateStrategy", "rollingUpdate", "partition")
}

// onDelete says whether Pods are only replaced when somebody deletes them: an old one is no sign of a rollout.
func (w *Workload) onDelete() bool {
	t, _, _ := unstructured.NestedString(w.Object.Object, "spec", "updateStrategy", "type")
	return t == "OnDelete"
}

// behind says whether a paused Deployment keeps something back: a template that no ReplicaSet has, or Pods.
func (w *Workload) behind(r Rollout) bool {
	if r.Updated < r.Desired || w.ReplicaSet == nil {
		return true
	}
	return len(w.templateBehind()) > 0
}

// templateBehind lists the fields of the template that the ReplicaSet in charge does not carry.
func (w *Workload) templateBehind() []unlike {
	if w.ReplicaSet == nil {
		return nil
	}
	template, _, _ := unstructured.NestedMap(w.Object.Object, "spec", "template")
	s := schemaOf("apps/v1", w.Object.GetKind()).at("spec.template")
	theirs, _, _ := unstructured.NestedMap(w.ReplicaSet.Object, "spec", "template")
	return compare("spec.template", s, template, theirs)
}

type condition struct{ status, reason, message, since string }

func (w *Workload) condition(kind string) condition { return conditionOf(w.Object, kind) }

func conditionOf(o *unstructured.Unstructured, kind string) condition {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range list {
		m, _ := c.(map[string]any)
		if m["type"] == any(kind) {
			get := func(k string) string { s, _ := m[k].(string); return s }
			return condition{get("status"), get("reason"), get("message"), get("lastTransitionTime")}
		}
	}
	return condition{}
}
