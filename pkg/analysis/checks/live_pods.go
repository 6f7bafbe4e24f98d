package checks

import (
	"fmt"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// running workload of the release, with its name as rendered.
type runningWorkload struct {
	*drift.Workload
	object, rendered finding.Object
}

// workloads are the release's workloads that the snapshot holds.
func workloads(f *analysis.Facts) []runningWorkload {
	if f.Mode != analysis.Installed || f.Live == nil {
		return nil
	}
	var out []runningWorkload
	for _, o := range stored(f) {
		if !drift.IsWorkload(o.Kind) {
			continue
		}
		name := namespaced(f, o.Object)
		if w := drift.Running(f.Live, name); w != nil {
			out = append(out, runningWorkload{w, name, o.Object})
		}
	}
	return out
}

// Rollout tells of rollouts that are not complete.
var Rollout = &analysis.Check{
	Code: "KGW3001",
	Name: "rollout",
	Doc: analysis.Doc{
		Title: "the rollout is not complete",
		Text: `The Deployment, StatefulSet or DaemonSet carries the new template, but not all its Pods do, or they are not
available. The finding names the reason, from conditions and events: paused by somebody, Pods that cannot be made (the
quota, webhook or policy that refuses them is named), cannot be placed, cannot pull their image, crash, cannot mount a
volume, or fail a probe; which older Pods still serve; and what happened in which order.

A Pod may wait 15 seconds for a node, and a minute for a volume or a probe, before that counts as stalled.

An error if it is stalled, a warning if it is paused, information while it goes on.`,
		Before: "--set image.tag=no-such-tag   # ImagePullBackOff; the old Pods go on serving",
		After:  "--set image.tag=v2.0.0",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, w := range workloads(f) {
			if r := w.Rollout(); r.State != drift.Complete {
				out = append(out, unrolled(f, w, r))
			}
		}
		return out, nil
	},
}

func unrolled(f *analysis.Facts, w runningWorkload, r drift.Rollout) finding.Finding {
	x := finding.Finding{Severity: finding.Info, Object: &w.object, Since: r.Since}
	x.Message = fmt.Sprintf("the rollout of %s goes on: %d of %s updated, %d available", w.object, r.Updated, plural(int(r.Desired), "Pod", "Pods"), r.Available)
	switch r.State {
	case drift.Paused:
		x.Severity = finding.Warning
		x.Message = fmt.Sprintf("the rollout of %s is paused: its newest template does not reach its Pods", w.object)
		x.Field = "spec.paused"
		x.Steps = []string{kubectl("rollout resume", w.object)}
	case drift.Stalled:
		x.Severity = finding.Error
		x.Message = fmt.Sprintf("the rollout of %s is stalled: %s", w.object, r.Reason)
		x.Field = blocking(w, r)
		x.Steps = unblock(w, r)
	}
	fact := func(label, text string) {
		if text != "" {
			x.Facts = append(x.Facts, finding.Fact{Label: label, Text: text})
		}
	}
	fact("pods", fmt.Sprintf("%d wanted, %d updated, %d available", r.Desired, r.Updated, r.Available))
	fact("reason", strings.Trim(r.Reason+": "+r.Message, ": "))
	fact("culprit", blocker(w, r))
	if r.Pod != "" {
		fact("seen in", "Pod/"+r.Pod)
	}
	fact("since", r.Since)
	x.Facts = append(x.Facts, serving(w)...)
	for _, m := range w.History() {
		fact("happened", m.Time+"  "+m.What)
	}
	var fields []finding.Field
	for _, field := range w.Behind() {
		fields = append(fields, finding.Field{Object: w.rendered, Field: field})
	}
	if !decidedBy(f, &x, fields...) {
		askedFor(f, &x, finding.Field{Object: w.rendered, Field: x.Field})
	}
	return x
}

// serving lists the older templates that still have Pods.
func serving(w runningWorkload) []finding.Fact {
	var out []finding.Fact
	for _, old := range w.Old {
		text := plural(len(old.Pods), "Pod", "Pods") + " of revision " + old.Revision
		if n := old.Ready(); n == len(old.Pods) {
			text += ", still serving"
		} else if n > 0 {
			text += fmt.Sprintf(", %d still serving", n)
		}
		if old.Name != "" {
			text += ", ReplicaSet/" + old.Name
		}
		out = append(out, finding.Fact{Label: "older", Text: text})
	}
	return out
}

// OldPods tells of Pods of an older template that stay although no rollout goes on.
var OldPods = &analysis.Check{
	Code: "KGW3003",
	Name: "old pods",
	Doc: analysis.Doc{
		Title: "Pods of an older template still run",
		Text: `The controller considers its work done, and yet Pods run that were made from an older template: the update
strategy is OnDelete or has a partition, or a ReplicaSet of an older revision was scaled by hand. What the newest
template says does not hold for them.`,
		Before: "updateStrategy: {type: OnDelete}   # Pods are replaced only when somebody deletes them",
		After:  "kubectl delete pod NAME",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, w := range workloads(f) {
			if r := w.Rollout(); r.State == drift.Complete && len(w.Old) > 0 {
				out = append(out, oldPods(f, w))
			}
		}
		return out, nil
	},
}

func oldPods(f *analysis.Facts, w runningWorkload) finding.Finding {
	n := len(w.Pods) - len(w.Current)
	x := finding.Finding{
		Severity: finding.Warning, Object: &w.object, Pods: &finding.Pods{Total: len(w.Pods), Matching: len(w.Current)},
		Message: fmt.Sprintf("%d of %s of %s run an older template", n, plural(len(w.Pods), "Pod", "Pods"), w.object),
		Facts:   serving(w), Since: w.Newest(),
	}
	var fields []finding.Field
	for _, field := range w.Behind() {
		fields = append(fields, finding.Field{Object: w.rendered, Field: field})
	}
	decidedBy(f, &x, fields...)
	for _, old := range w.Old {
		for _, p := range old.Pods {
			x.Steps = append(x.Steps, kubectl("delete", finding.Object{Kind: "Pod", Name: p.GetName(), Namespace: p.GetNamespace()}))
		}
	}
	if len(x.Steps) > 5 {
		x.Steps = x.Steps[:5]
	}
	return x
}
