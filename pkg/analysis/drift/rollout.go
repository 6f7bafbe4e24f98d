package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

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
	Pod                                   string // that shows the reason; empty if none does
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
		r.Since = w.condition("Progressing").since
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

// stalled looks for what keeps the rollout from going on, the nearest cause first: Pods that cannot be made, Pods that
// cannot run, a deadline that has passed.
func (w *Workload) stalled(r *Rollout) {
	for _, o := range []*unstructured.Unstructured{w.ReplicaSet, w.Object} {
		if o == nil {
			continue
		}
		if c := conditionOf(o, "ReplicaFailure"); c.status == "True" {
			r.State, r.Reason, r.Message, r.Since = Stalled, c.reason, c.message, c.since
			return
		}
	}
	if w.failedCreate(r) {
		return
	}
	for _, p := range w.Current {
		if reason, message := podTrouble(p); reason != "" && !w.young(p) {
			r.State, r.Reason, r.Message, r.Pod = Stalled, reason, cmp.Or(message, w.event(p)), p.GetName()
			r.Since = p.GetCreationTimestamp().UTC().Format("2006-01-02T15:04:05Z")
			return
		}
	}
	if c := w.condition("Progressing"); c.status == "False" {
		r.State, r.Reason, r.Message, r.Since = Stalled, c.reason, c.message, c.since
		if p, why := w.unready(); p != "" {
			r.Pod, r.Message = p, r.Message+"; "+why
		}
		return
	}
	if p, why := w.unready(); p != "" {
		r.Pod, r.Message = p, cmp.Or(r.Message, why)
	}
	if r.Since == "" {
		r.Since = w.condition("Progressing").since
	}
}

// young says whether a Pod was made in the last seconds before the snapshot was taken: its volumes are perhaps just
// being made, its node just being added.
func (w *Workload) young(p *unstructured.Unstructured) bool {
	taken, err := time.Parse(time.RFC3339, w.snap.Header.TakenAt)
	made := p.GetCreationTimestamp()
	return err == nil && !made.IsZero() && taken.Sub(made.Time) < patience &&
		conditionOf(p, "PodScheduled").status == "False"
}

// patience is how long a Pod may wait for a node before that is worth telling.
const patience = 15 * time.Second

// failedCreate is for StatefulSets and DaemonSets, whose status does not say why a Pod cannot be made.
func (w *Workload) failedCreate(r *Rollout) bool {
	if w.Object.GetKind() == "Deployment" || len(w.Pods) > 0 {
		return false
	}
	e := w.newestEvent(w.Object, "FailedCreate")
	if e == nil {
		return false
	}
	r.State, r.Reason = Stalled, "FailedCreate"
	r.Message, _, _ = unstructured.NestedString(e.Object, "message")
	return true
}

// troubles are the reasons of a waiting container that do not pass by themselves.
var troubles = []string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable",
	"CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError"}

// podTrouble says why a Pod does not run; nothing if it runs, or only needs time.
func podTrouble(p *unstructured.Unstructured) (reason, message string) {
	if c := conditionOf(p, "PodScheduled"); c.status == "False" {
		return cmp.Or(c.reason, "Unschedulable"), c.message
	}
	for _, kind := range []string{"initContainerStatuses", "containerStatuses"} {
		list, _, _ := unstructured.NestedSlice(p.Object, "status", kind)
		for _, s := range list {
			m, _ := s.(map[string]any)
			if reason, message := containerTrouble(m); reason != "" {
				return reason, message
			}
		}
	}
	return "", ""
}

func containerTrouble(status map[string]any) (reason, message string) {
	name, _ := status["name"].(string)
	waiting, _, _ := unstructured.NestedStringMap(status, "state", "waiting")
	if !slices.Contains(troubles, waiting["reason"]) {
		return "", ""
	}
	parts := []string{"container " + name}
	if waiting["message"] != "" {
		parts = append(parts, waiting["message"])
	}
	if last, _, _ := unstructured.NestedMap(status, "lastState", "terminated"); last != nil {
		parts = append(parts, fmt.Sprintf("it ended with exit code %v (%v)", last["exitCode"], last["reason"]))
	}
	return waiting["reason"], strings.Join(parts, ": ")
}

// unready names the first Pod of the template that is not ready, and why: its condition, and its newest warning.
func (w *Workload) unready() (pod, why string) {
	for _, p := range w.Current {
		c := conditionOf(p, "Ready")
		if c.status == "True" {
			continue
		}
		why = "Pod " + p.GetName() + " is not ready"
		for _, more := range []string{c.message, w.event(p)} {
			if more != "" {
				why += ": " + more
			}
		}
		return p.GetName(), why
	}
	return "", ""
}

// event gives the newest warning about an object.
func (w *Workload) event(o *unstructured.Unstructured) string {
	e := w.newestEvent(o, "")
	if e == nil {
		return ""
	}
	message, _, _ := unstructured.NestedString(e.Object, "message")
	return message
}

func (w *Workload) newestEvent(o *unstructured.Unstructured, reason string) *unstructured.Unstructured {
	var newest *unstructured.Unstructured
	for _, e := range w.snap.Kind("Event") {
		about, _, _ := unstructured.NestedMap(e.Object, "involvedObject")
		if about == nil {
			about, _, _ = unstructured.NestedMap(e.Object, "regarding")
		}
		why, _, _ := unstructured.NestedString(e.Object, "reason")
		kind, _, _ := unstructured.NestedString(e.Object, "type")
		match := about["name"] == any(o.GetName()) && about["kind"] == any(o.GetKind()) && e.GetNamespace() == o.GetNamespace()
		if match && kind == "Warning" && (reason == "" || why == reason) && (newest == nil || eventTime(e) >= eventTime(newest)) {
			newest = e
		}
	}
	return newest
}

func eventTime(e *unstructured.Unstructured) string {
	for _, k := range []string{"lastTimestamp", "eventTime"} {
		if t, _, _ := unstructured.NestedString(e.Object, k); t != "" {
			return t
		}
	}
	return e.GetCreationTimestamp().UTC().Format("2006-01-02T15:04:05Z")
}
