package checks

import (
	"fmt"
	"slices"
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
available. The finding names the reason: paused by somebody, Pods that cannot be made (quota, a webhook that refuses
them), cannot be placed, cannot pull their image, crash, or are not ready; and which older Pods still serve.

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
		if r.Pod != "" {
			x.Steps = append(x.Steps, kubectl("describe", finding.Object{Kind: "Pod", Name: r.Pod, Namespace: w.object.Namespace}))
		} else {
			x.Steps = append(x.Steps, kubectl("describe", w.object))
		}
	}
	x.Facts = append(x.Facts, finding.Fact{Label: "pods", Text: fmt.Sprintf("%d wanted, %d updated, %d available", r.Desired, r.Updated, r.Available)})
	if why := strings.TrimSpace(r.Reason + ": " + r.Message); r.Reason != "" && r.Message != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "reason", Text: why})
	} else if r.Reason+r.Message != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "reason", Text: r.Reason + r.Message})
	}
	if r.Pod != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "seen in", Text: "Pod/" + r.Pod})
	}
	if r.Since != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "since", Text: r.Since})
	}
	x.Facts = append(x.Facts, serving(w)...)
	var fields []finding.Field
	for _, field := range w.Behind() {
		fields = append(fields, finding.Field{Object: w.rendered, Field: field})
	}
	decidedBy(f, &x, fields...)
	return x
}

// serving lists the older templates that still have Pods.
func serving(w runningWorkload) []finding.Fact {
	var out []finding.Fact
	for _, old := range w.Old {
		text := plural(len(old.Pods), "Pod", "Pods") + " of revision " + old.Revision
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
		Facts:   serving(w),
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

// Admitted tells of Pods that admission changed.
var Admitted = &analysis.Check{
	Code: "KGW3002",
	Name: "admission",
	Doc: analysis.Doc{
		Title: "Pods are not what their template says",
		Text: `The Pods differ from the template that they were made from: an admission plugin, webhook or policy changed them on
their way into the cluster. The Deployment and its ReplicaSet show nothing of it.

The culprit is named where it leaves a signature: AlwaysPullImages (every container pulls always), LimitRanger,
sidecar injectors and Kyverno (annotations). Otherwise the mutating webhooks and policies that match the Pods are
listed. What every Pod gets (service account token, tolerations, defaults) is no difference.

A warning if the template's own value was overruled, an error if a value that was given decides it. Additions, such as
a sidecar, are information.`,
		Before: "kube-apiserver --enable-admission-plugins=AlwaysPullImages   # imagePullPolicy is Always in every Pod",
		After:  "the value that the plugin sets, or an exception from it",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, w := range workloads(f) {
			out = append(out, admitted(f, w)...)
		}
		return out, nil
	},
}

// admitted gives one finding for each culprit.
func admitted(f *analysis.Facts, w runningWorkload) []finding.Finding {
	var out []finding.Finding
	all := drift.Admission(w.Workload)
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(d drift.PodDifference) bool { return d.Culprit != all[0].Culprit })
		if n < 0 {
			n = len(all)
		}
		out = append(out, overruled(f, w, all[:n]))
		all = all[n:]
	}
	return out
}

func overruled(f *analysis.Facts, w runningWorkload, group []drift.PodDifference) finding.Finding {
	d := group[0]
	for _, g := range group {
		if !g.Added() { // a field that the template has says more than one that was added
			d = g
			break
		}
	}
	kind := w.object.Kind
	want := w.Value(d.Field, d.Want)
	x := finding.Finding{
		Severity: finding.Info, Object: &w.object, Field: d.Field, Pods: want.Pods,
		Expected: plainValue(kind, d.Field, d.Want), Actual: plainValue(kind, d.Field, d.Live),
	}
	who := d.Culprit
	if who == "" {
		who = "admission (a plugin, webhook or policy)"
	}
	verb := " adds to the Pods of "
	var fields []finding.Field
	for _, g := range group {
		if !g.Added() {
			x.Severity, verb = finding.Warning, " changes the Pods of "
		}
		fields = append(fields, finding.Field{Object: w.rendered, Field: g.Field})
	}
	x.Message = who + verb + w.object.String()
	for i, g := range group {
		if i == 8 {
			x.Facts = append(x.Facts, finding.Fact{Label: "field", Text: fmt.Sprintf("and %d more", len(group)-i)})
			break
		}
		x.Facts = append(x.Facts, finding.Fact{Label: "field", Text: fmt.Sprintf("%s: %s in the template, %s in %s",
			g.Field, shown(kind, g.Field, g.Want), shown(kind, g.Field, g.Live), plural(len(g.Pods), "Pod", "Pods"))})
	}
	x.Facts = append(x.Facts, finding.Fact{Label: "culprit", Text: suspected(d)})
	if d.Culprit == "AlwaysPullImages" {
		x.Facts = append(x.Facts, finding.Fact{Label: "next", Text: "the API server runs with this plugin: no value of the chart changes it"})
	}
	if decidedBy(f, &x, fields...) && x.Severity == finding.Warning {
		x.Severity = finding.Error
	}
	x.Steps = investigate(d, w.object.Namespace)
	return x
}

func suspected(d drift.PodDifference) string {
	switch {
	case d.Culprit != "":
		return d.Culprit + ", by its signature"
	case len(d.Suspects) > 0:
		return "one of those that match the Pods: " + few(d.Suspects)
	}
	return "not known: nothing in the Pods says who it was"
}

func investigate(d drift.PodDifference, namespace string) []string {
	switch d.Culprit {
	case "LimitRanger":
		return []string{"kubectl get limitranges --namespace " + quote(namespace) + " --output yaml"}
	case "AlwaysPullImages":
		return nil // set by whoever runs the API server
	case "":
		return []string{"kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies"}
	}
	return nil
}
