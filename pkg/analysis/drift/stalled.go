package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// stalled looks for what keeps the rollout from going on, the nearest cause first: Pods that cannot be made, Pods that
// cannot run, a deadline that has passed.
func (w *Workload) stalled(r *Rollout) {
	if w.refused(r) || w.stuck(r) {
		return
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
	r.Since = cmp.Or(r.Since, w.condition("Progressing").since)
}

// refused says whether Pods cannot be made: the ReplicaSet's condition tells it, or for StatefulSets and DaemonSets,
// whose status does not, an event.
func (w *Workload) refused(r *Rollout) bool {
	for _, o := range []*unstructured.Unstructured{w.ReplicaSet, w.Object} {
		if o == nil {
			continue
		}
		if c := conditionOf(o, "ReplicaFailure"); c.status == "True" {
			r.State, r.Reason, r.Message, r.Since = Stalled, c.reason, c.message, c.since
			r.By = refuser(r.Message)
			return true
		}
	}
	if w.Object.GetKind() == "Deployment" || int64(len(w.Current)) >= r.Desired {
		return false
	}
	e := w.newestEvent(w.Object, "FailedCreate")
	if e == nil {
		return false
	}
	r.State, r.Reason, r.Since = Stalled, "FailedCreate", eventTime(e)
	r.Message = eventText(e)
	r.By = refuser(r.Message)
	return true
}

// stuck says whether a Pod of the newest template cannot run, or is not ready and will not become so by waiting.
func (w *Workload) stuck(r *Rollout) bool {
	for _, p := range w.Current {
		t := podTrouble(p)
		if t.reason == "" || w.young(p) {
			t = w.fruitless(p)
		}
		if t.reason == "" {
			continue
		}
		r.State, r.Reason, r.Message = Stalled, t.reason, cmp.Or(t.message, w.event(p))
		r.Pod, r.Container, r.Since = p.GetName(), t.container, t.since
		return true
	}
	return false
}

// young says whether a Pod was made in the last seconds before the snapshot was taken: its volumes are perhaps just
// being made, its node just being added.
func (w *Workload) young(p *unstructured.Unstructured) bool {
	return conditionOf(p, "PodScheduled").status == "False" && !w.longAgo(p.GetCreationTimestamp().Time, placing)
}

// longAgo says whether something was longer ago than that when the snapshot was taken; what is not known was.
func (w *Workload) longAgo(at time.Time, than time.Duration) bool {
	taken, err := time.Parse(time.RFC3339, w.snap.Header.TakenAt)
	return err != nil || at.IsZero() || taken.Sub(at) >= than
}

// How long a Pod may wait for a node, and may try in vain what usually comes right by itself, before that is worth
// telling.
const (
	placing  = 15 * time.Second
	patience = time.Minute
)

// trouble is why a Pod does not run.
type trouble struct{ reason, message, container, since string }

// troubles are the reasons of a waiting container that do not pass by themselves.
var troubles = []string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable",
	"CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError"}

// podTrouble says why a Pod does not run; nothing if it runs, or only needs time.
func podTrouble(p *unstructured.Unstructured) trouble {
	if c := conditionOf(p, "PodScheduled"); c.status == "False" {
		return trouble{cmp.Or(c.reason, "Unschedulable"), c.message, "", cmp.Or(c.since, made(p))}
	}
	for _, kind := range []string{"initContainerStatuses", "containerStatuses"} {
		list, _, _ := unstructured.NestedSlice(p.Object, "status", kind)
		for _, s := range list {
			m, _ := s.(map[string]any)
			if t := containerTrouble(m); t.reason != "" {
				t.since = cmp.Or(t.since, made(p))
				return t
			}
		}
	}
	return trouble{}
}

func containerTrouble(status map[string]any) trouble {
	name, _ := status["name"].(string)
	waiting, _, _ := unstructured.NestedStringMap(status, "state", "waiting")
	if !slices.Contains(troubles, waiting["reason"]) {
		return trouble{}
	}
	parts := []string{"container " + name}
	if waiting["message"] != "" {
		parts = append(parts, waiting["message"])
	}
	since := ""
	if last, _, _ := unstructured.NestedMap(status, "lastState", "terminated"); last != nil {
		parts = append(parts, fmt.Sprintf("it ended with exit code %v (%v)", last["exitCode"], last["reason"]))
		since, _ = last["finishedAt"].(string)
	}
	return trouble{waiting["reason"], strings.Join(parts, ": "), name, since}
}

// fruitless is for a Pod that tries in vain what the kubelet goes on trying: a probe that fails, a volume that cannot
// be mounted. Only its events tell, and only after a while they mean something.
func (w *Workload) fruitless(p *unstructured.Unstructured) trouble {
	if conditionOf(p, "Ready").status == "True" {
		return trouble{}
	}
	for _, reason := range []string{"FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "Unhealthy"} {
		e := w.newestEvent(p, reason)
		if e == nil {
			continue
		}
		since := p.GetCreationTimestamp().Time
		first, _, _ := unstructured.NestedString(e.Object, "firstTimestamp")
		t := trouble{reason, eventText(e), eventContainer(e), cmp.Or(first, made(p))}
		if reason == "Unhealthy" {
			since = started(p, t.container).Add(firstProbe(p, t.container))
		}
		if w.longAgo(since, patience) {
			return t
		}
	}
	return trouble{}
}

// eventContainer is the container that an event about a Pod is about: its fieldPath is spec.containers{name}.
func eventContainer(e *unstructured.Unstructured) string {
	path, _, _ := unstructured.NestedString(e.Object, "involvedObject", "fieldPath")
	_, name, _ := strings.Cut(strings.TrimSuffix(path, "}"), "{")
	return name
}

// started is when a container began to run; the Pod's beginning where that is not known.
func started(p *unstructured.Unstructured, container string) time.Time {
	list, _, _ := unstructured.NestedSlice(p.Object, "status", "containerStatuses")
	for _, s := range list {
		m, _ := s.(map[string]any)
		text, _, _ := unstructured.NestedString(m, "state", "running", "startedAt")
		if at, err := time.Parse(time.RFC3339, text); err == nil && m["name"] == any(container) {
			return at
		}
	}
	return p.GetCreationTimestamp().Time
}

// firstProbe is how long a container's probes wait before they begin.
func firstProbe(p *unstructured.Unstructured, container string) time.Duration {
	longest := int64(0)
	list, _, _ := unstructured.NestedSlice(p.Object, "spec", "containers")
	for _, c := range list {
		m, _ := c.(map[string]any)
		if m["name"] != any(container) {
			continue
		}
		for _, probe := range []string{"startupProbe", "readinessProbe"} {
			table, _ := m[probe].(map[string]any)
			longest = max(longest, number(&unstructured.Unstructured{Object: table}, "initialDelaySeconds"))
		}
	}
	return time.Duration(longest) * time.Second
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
