package checks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Admitted tells of Pods that admission changed.
var Admitted = &analysis.Check{
	Code: "KGW3002",
	Name: "admission",
	Doc: analysis.Doc{
		Title: "Pods are not what their template says",
		Text: `The Pods differ from the template that they were made from: an admission plugin, webhook or policy changed them on
their way into the cluster. The Deployment and its ReplicaSet show nothing of it.

The culprit is named where it can be known. The Pods themselves tell of LimitRanger (and the LimitRange that gives the
value is named), of Kyverno (policy and rule), of VerticalPodAutoscaler and of well-known sidecar injectors: by their
annotations, labels and what they add. AlwaysPullImages is known by its signature: every container pulls always,
although the template says otherwise. A MutatingAdmissionPolicy or Kyverno rule is named if it matches the Pods and
its own text gives the field this value. A webhook is named if it is the only one that matches and could have done it.

Otherwise all that match the Pods are listed: by rules, namespace and object selectors, bindings and parameters. Match
conditions are not evaluated: such a one "may match". What every Pod gets (service account token, tolerations,
priority, defaults) is no difference.

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

// admitted gives one finding for each culprit, and one for each set of suspects.
func admitted(f *analysis.Facts, w runningWorkload) []finding.Finding {
	var out []finding.Finding
	who := func(d drift.PodDifference) string { return d.Culprit + "\x00" + strings.Join(d.Suspects, "\x00") }
	groups := map[string][]drift.PodDifference{}
	var order []string
	for _, d := range drift.Admission(w.Workload) {
		if groups[who(d)] == nil {
			order = append(order, who(d))
		}
		groups[who(d)] = append(groups[who(d)], d)
	}
	for _, id := range order {
		out = append(out, overruled(f, w, groups[id]))
	}
	return out
}

// shownDifferences is how many fields of one culprit are listed.
const shownDifferences = 8

func overruled(f *analysis.Facts, w runningWorkload, group []drift.PodDifference) finding.Finding {
	d := group[0]
	if i := slices.IndexFunc(group, func(g drift.PodDifference) bool { return !g.Added() }); i >= 0 {
		d = group[i] // a field that the template has says more than one that was added
	}
	kind := w.object.Kind
	x := finding.Finding{
		Severity: finding.Info, Object: &w.object, Field: d.Field, Pods: w.Value(d.Field, d.Want).Pods, Since: d.Since,
		Expected: plainValue(kind, d.Field, d.Want), Actual: plainValue(kind, d.Field, d.Live),
		Message: cmp.Or(d.Culprit, "admission (a plugin, webhook or policy)") + " adds to the Pods of " + w.object.String(),
		Steps:   investigate(d.Blame, w.object.Namespace),
	}
	if !d.Added() {
		x.Severity, x.Message = finding.Warning, strings.Replace(x.Message, " adds to the Pods", " changes the Pods", 1)
	}
	x.Facts = slices.Concat(overruledFields(kind, group), blamed(d.Blame, "the Pods"), admittedWhen(w, d))
	if next := remedyOf(d.Culprit); next != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "next", Text: next + "; Pods that are there stay as they are until they are replaced"})
	}
	var fields []finding.Field
	for _, g := range group {
		fields = append(fields, finding.Field{Object: w.rendered, Field: g.Field})
	}
	if decidedBy(f, &x, fields...) && x.Severity == finding.Warning {
		x.Severity = finding.Error
	}
	return x
}

// overruledFields lists what was changed, and in how many Pods.
func overruledFields(kind string, group []drift.PodDifference) []finding.Fact {
	var out []finding.Fact
	for _, g := range group[:min(len(group), shownDifferences)] {
		out = append(out, finding.Fact{Label: "field", Text: fmt.Sprintf("%s: %s in the template, %s in %s",
			g.Field, shown(kind, g.Field, g.Want), brief(kind, g.Field, g.Live), plural(len(g.Pods), "Pod", "Pods"))})
	}
	if more := len(group) - shownDifferences; more > 0 {
		out = append(out, finding.Fact{Label: "field", Text: fmt.Sprintf("and %d more", more)})
	}
	return out
}

// admittedWhen tells in which order the culprit, the template and the Pods came into being.
func admittedWhen(w runningWorkload, d drift.PodDifference) []finding.Fact {
	var out []finding.Fact
	for _, m := range []drift.Moment{{Time: d.Made, What: "the culprit was made"}, {Time: w.Newest(), What: "the ReplicaSet was made"},
		{Time: d.Since, What: "the first of the Pods was made"}} {
		if m.Time != "" {
			out = append(out, finding.Fact{Label: "happened", Text: m.Time + "  " + m.What})
		}
	}
	return out
}

// brief shows a value; of a container that was added, its image says enough.
func brief(kind, field string, v any) string {
	if m, _ := v.(map[string]any); m["image"] != nil {
		return "a container with the image " + shown(kind, field+".image", m["image"])
	}
	return shown(kind, field, v)
}

// blamed says who changed something at admission and how that is known, or who it may have been.
func blamed(b drift.Blame, what string) []finding.Fact {
	switch {
	case b.Culprit != "":
		return []finding.Fact{{Label: "culprit", Text: b.Culprit + ": " + b.How}}
	case len(b.Suspects) > 0:
		text := "cannot be told for sure; one of those that match " + what
		if b.Unseen {
			text += ", or one that was not read"
		}
		out := []finding.Fact{{Label: "culprit", Text: text}}
		for _, s := range b.Suspects {
			out = append(out, finding.Fact{Label: "suspect", Text: s})
		}
		return out
	case b.Unseen:
		return []finding.Fact{{Label: "culprit", Text: "not known: nothing in " + what + " says who it was, and the cluster's webhooks and policies were not all read"}}
	}
	return []finding.Fact{{Label: "culprit", Text: "not known: nothing in " + what + " says who it was, and no webhook or policy that is there now matches"}}
}

// remedies say what becomes of a culprit's work, or what to do about it.
var remedies = []struct{ culprit, next string }{
	{"AlwaysPullImages", "no value of the chart changes it: the API server runs with this plugin"},
	{"LimitRange", "give the chart's containers resources of their own: a default is only for what is left open"},
	{"MutatingWebhookConfiguration/", "ask for the value that it sets, or keep the object out of what it matches"},
	{"MutatingAdmissionPolicy/", "ask for the value that it sets, or keep the object out of what it matches"},
	{"Kyverno", "ask for the value that it sets, or write a PolicyException"},
	{"VerticalPodAutoscaler", "resources are its to decide: change its resourcePolicy or updateMode instead of the chart's values"},
	{"Namespace/", "change the annotation"},
}

func remedyOf(culprit string) string {
	for _, r := range remedies {
		if strings.HasPrefix(culprit, r.culprit) {
			return r.next
		}
	}
	return ""
}

// investigate is a command that shows the culprit, or those who match.
func investigate(b drift.Blame, namespace string) []string {
	name, _, _ := strings.Cut(b.Culprit, ",")
	name, _, _ = strings.Cut(name, " ")
	kind, object, found := strings.Cut(name, "/")
	at := " --namespace " + quote(namespace)
	switch {
	case b.Culprit == "AlwaysPullImages":
		return nil // set by whoever runs the API server
	case b.Culprit == "LimitRanger":
		return []string{"kubectl get limitranges" + at + " --output yaml"}
	case strings.HasPrefix(b.Culprit, "Kyverno"):
		return []string{"kubectl get clusterpolicies.kyverno.io,policies.kyverno.io" + at}
	case found && (kind == "LimitRange" || kind == "VerticalPodAutoscaler"):
		return []string{"kubectl get " + quote(strings.ToLower(kind)+"/"+object) + at + " --output yaml"}
	case found:
		return []string{"kubectl get " + quote(strings.ToLower(kind)+"/"+object) + " --output yaml"}
	case b.Culprit == "":
		return []string{"kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies --output yaml"}
	}
	return nil
}
