package checks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Drifted tells of live objects that somebody changed.
var Drifted = &analysis.Check{
	Code: "KGW2002",
	Name: "drift",
	Doc: analysis.Doc{
		Title: "the live object is not what was rendered",
		Text: `A field that the release renders has another value in the cluster, or is gone. The finding names who wrote it
(the field manager, and kubectl edit, kubectl scale, a HorizontalPodAutoscaler, Argo CD … where that can be known),
when, and whether it will be written again by a controller.

Only rendered fields are compared, as the API server understands them: 1000m is 1, and defaults are no drift.

Helm compares the manifest with the live object when it upgrades or rolls back, so that even a rollback to the same
revision puts the field back. Not so for custom resources: there Helm 3 compares only the old manifest with the new
one, and a field that did not change between them stays as somebody left it.

An error if a value that was given decides the field: it is not in force. Otherwise a warning. Replicas that an
autoscaler decides are information.`,
		Before: "kubectl edit deployment kgateway   # imagePullPolicy: Never",
		After:  "helm rollback kgateway 3   # the revision that is deployed",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, group := range grouped(only(differences(f), drift.Differs)) {
			out = append(out, drifted(f, group))
		}
		return out, nil
	},
}

func only(all []drift.Difference, kinds ...drift.Kind) []drift.Difference {
	return slices.DeleteFunc(all, func(d drift.Difference) bool { return !slices.Contains(kinds, d.Kind) })
}

// together is from how many fields of one object and one writer on they are told as one.
const together = 4

// grouped puts differences of one object and one writer together where there are many.
func grouped(all []drift.Difference) [][]drift.Difference {
	id := func(d drift.Difference) string {
		return strings.Join(append([]string{d.Object.Kind, d.Namespace, d.Name, d.Manager, d.By, d.Culprit}, d.Suspects...), "\x00")
	}
	count := map[string]int{}
	for _, d := range all {
		count[id(d)]++
	}
	var out [][]drift.Difference
	at := map[string]int{}
	for _, d := range all {
		if count[id(d)] < together {
			out = append(out, []drift.Difference{d})
			continue
		}
		if i, found := at[id(d)]; found {
			out[i] = append(out[i], d)
			continue
		}
		at[id(d)] = len(out)
		out = append(out, []drift.Difference{d})
	}
	return out
}

func drifted(f *analysis.Facts, group []drift.Difference) finding.Finding {
	d := group[0]
	kind := d.Object.Kind
	x := finding.Finding{
		Severity: finding.Warning, Object: &d.Object, Field: d.Field.Field, Since: d.Time,
		Expected: plainValue(kind, d.Field.Field, d.Want), Actual: plainValue(kind, d.Field.Field, d.Live),
		Message: fmt.Sprintf("%s runs %s=%s, the release renders %s", d.Object, d.Field.Field, shown(kind, d.Field.Field, d.Live), shown(kind, d.Field.Field, d.Want)),
	}
	if gone(d) {
		x.Message = fmt.Sprintf("%s has no %s, the release renders %s", d.Object, d.Field.Field, shown(kind, d.Field.Field, d.Want))
	}
	if len(group) > 1 {
		x.Message = fmt.Sprintf("%s differs from what the release renders in %d fields", d.Object, len(group))
	}
	for _, g := range group {
		x.Facts = append(x.Facts,
			finding.Fact{Label: "field", Text: g.Field.Field},
			finding.Fact{Label: "rendered", Text: shown(kind, g.Field.Field, g.Want)})
		if w := drift.Running(f.Live, g.Object); w != nil {
			seen := w.Value(g.Field.Field, g.Want)
			x.Facts = append(x.Facts, running(w, kind, g.Field.Field, seen)...)
			if x.Pods == nil {
				x.Pods = seen.Pods
			}
		} else {
			x.Facts = append(x.Facts, finding.Fact{Label: "running", Text: shown(kind, g.Field.Field, g.Live)})
		}
	}
	x.Facts = append(x.Facts, finding.Fact{Label: "writer", Text: writer(d)})
	if d.Culprit != "" || len(d.Suspects) > 0 || d.Unseen {
		x.Facts = append(x.Facts, blamed(d.Blame, "the "+kind)...)
	}
	x.Facts = append(x.Facts, order(f, d)...)
	if next := remedyOf(d.Culprit); next != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "next", Text: next})
	}
	x.Facts = append(x.Facts, finding.Fact{Label: "next", Text: future(f, d)})
	if decidedBy(f, &x, fieldsOf(group)...) {
		x.Severity = finding.Error
	}
	if d.Autoscaled() {
		x.Severity = finding.Info
		x.Message = fmt.Sprintf("%s decides the replicas of %s: %s, the release renders %s", d.Scaler, d.Object, shown(kind, d.Field.Field, d.Live), shown(kind, d.Field.Field, d.Want))
	} else if d.Scaler != nil {
		x.Facts = append(x.Facts, finding.Fact{Label: "scaler", Text: fmt.Sprintf("%s does not act: %s", d.Scaler, d.Scaler.Idle)})
	}
	x.Steps = restore(f, d, len(group) == 1)
	return x
}

// fieldsOf names the fields as rendered.
func fieldsOf(group []drift.Difference) []finding.Field {
	var out []finding.Field
	for _, d := range group {
		out = append(out, finding.Field{Object: d.Rendered, Field: d.Field.Field})
	}
	return out
}

// future says what becomes of the difference.
func future(f *analysis.Facts, d drift.Difference) string {
	switch {
	case d.Autoscaled():
		return fmt.Sprintf("%s sets %s again, and then %s decides: the rendered number never lasts", applies(f), rendering.Show(d.Want), d.Scaler)
	case f.Owner != nil:
		return keptFuture(f, d)
	case disputed(f, d):
		text := fmt.Sprintf("the release is applied server-side, so that the next helm upgrade fails on this field: %s owns it. Give --force-conflicts, or let %s give the field up", d.Manager, d.Manager)
		if d.Returns {
			text += "; it is a controller, and takes a field that is forced back again"
		}
		return text
	case d.Returns:
		return "it comes back: " + d.By + " writes the field again when somebody puts it back, and must let go of it first"
	case !typed(d.APIVersion) && gone(d):
		return "it stays: Helm 3 does not compare custom resources with the live object; if the kind has no such field, the API server drops it every time"
	case d.Helm && d.Operation == "Update" && !gone(d):
		return "the next helm upgrade or rollback asks for the rendered value again; what changed it at admission may do so again"
	case !typed(d.APIVersion):
		return "it stays: Helm 3 does not compare custom resources with the live object, so that an upgrade leaves it"
	}
	return "it stays until the next helm upgrade or rollback, which puts the rendered value back"
}

func gone(d drift.Difference) bool {
	_, is := d.Live.(rendering.Absent)
	return is
}

// typed says whether Helm knows the kind and compares it with the live object; the others are custom resources.
// Source: helm.sh/helm/v3 pkg/kube/client.go, createPatch.
func typed(apiVersion string) bool {
	group, _, found := strings.Cut(apiVersion, "/")
	return !found || !strings.Contains(group, ".") || slices.Contains(kubernetesGroups, group)
}

var kubernetesGroups = []string{"admissionregistration.k8s.io", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
	"flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io"}

// restore is what to do about a difference.
func restore(f *analysis.Facts, d drift.Difference, alone bool) []string {
	look := kubectl("get", d.Object) + " --output yaml --show-managed-fields"
	switch {
	case d.Autoscaled():
		return nil
	case f.Owner != nil:
		return putBack(f)
	case d.Returns && disputed(f, d):
		return []string{look, rollback(f, f.Record.Revision) + " --force-conflicts"}
	case d.Returns:
		return []string{look, rollback(f, f.Record.Revision)}
	case !typed(d.APIVersion):
		if patch := mergePatch(d); patch != "" && alone {
			return []string{kubectl("patch", d.Object) + " --type merge --patch " + quote(patch)}
		}
		return []string{fmt.Sprintf("helm get manifest %s --namespace %s | kubectl apply --namespace %s --server-side --force-conflicts --field-manager=helm --filename -",
			quote(f.Release.Name), quote(f.Release.Namespace), quote(f.Release.Namespace))}
	case d.Culprit != "" || len(d.Suspects) > 0:
		return append(investigate(d.Blame, d.Namespace), rollback(f, f.Record.Revision))
	case d.Helm && d.Operation == "Update" && d.By != "":
		return []string{look, rollback(f, f.Record.Revision)}
	case disputed(f, d):
		return []string{rollback(f, f.Record.Revision) + " --force-conflicts"}
	}
	return []string{rollback(f, f.Record.Revision)}
}

// mergePatch is the JSON that puts one field back; empty for an item of a list, which such a patch cannot reach, and
// for what is secret-like.
func mergePatch(d drift.Difference) string {
	field, kind := d.Field.Field, d.Object.Kind
	if strings.ContainsRune(field, '[') || !rendering.Equal(hide(append([]string{kind}, strings.Split(field, ".")...), d.Want), d.Want) {
		return ""
	}
	v := d.Want
	keys := strings.Split(field, ".")
	for _, k := range slices.Backward(keys) {
		v = map[string]any{k: v}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// Missing tells of objects that are not there, or that another release has taken.
var Missing = &analysis.Check{
	Code: "KGW2003",
	Name: "missing",
	Doc: analysis.Doc{
		Title: "a rendered object is missing or belongs to another release",
		Text: `The manifest of the deployed revision holds an object that is not in the cluster: somebody deleted it, or its
kind is gone. Or the object is there and its annotations (meta.helm.sh/release-name, -namespace) name another release:
two releases render an object of the same name, and the last one wins.

An object that could not be read is no finding; it stands in the report's list of what is incomplete.`,
		Before: "kubectl delete serviceaccount kgateway",
		After:  "helm rollback kgateway 3   # the revision that is deployed: makes missing objects again",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, d := range only(differences(f), drift.Missing, drift.Foreign) {
			out = append(out, absent(f, d))
		}
		return out, nil
	},
}

func absent(f *analysis.Facts, d drift.Difference) finding.Finding {
	x := finding.Finding{Severity: finding.Error, Object: &d.Object}
	if d.Kind == drift.Foreign {
		x.Since = d.Time
		x.Message = fmt.Sprintf("%s belongs to release %s, and is rendered by %s/%s too", d.Object, d.Live, f.Release.Namespace, f.Release.Name)
		x.Facts = []finding.Fact{{Label: "writer", Text: writer(d)}, {Label: "next", Text: "one of the two releases must give the object another name"}}
		x.Steps = []string{kubectl("get", d.Object) + " --output yaml --show-managed-fields"}
		return x
	}
	x.Message = d.Object.String() + " is rendered, and is not in the cluster"
	if d.File != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "template", Text: d.File})
	}
	if known := f.Live.Header.APIVersions; len(known) > 0 && !slices.Contains(known, d.APIVersion+"/"+d.Object.Kind) {
		x.Facts = append(x.Facts, finding.Fact{Label: "because", Text: fmt.Sprintf("the API server knows no kind %s of %s: its CustomResourceDefinition is not there", d.Object.Kind, d.APIVersion)})
		x.Steps = []string{"kubectl get customresourcedefinitions"}
		return x
	}
	if at := updated(f.Record); at != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "order", Text: fmt.Sprintf("%s revision %d %s; gone since then, and nobody records when", at, f.Record.Revision, f.Record.Status)})
	}
	x.Steps = putBack(f)
	if f.Owner != nil {
		x.Facts = append(x.Facts, finding.Fact{Label: "next", Text: keptFuture(f, d)})
		return x
	}
	x.Facts = append(x.Facts, finding.Fact{Label: "next", Text: "a rollback to the deployed revision makes it again"})
	return x
}

// Dropped tells of fields that the API server does not know.
var Dropped = &analysis.Check{
	Code: "KGW2005",
	Name: "dropped field",
	Doc: analysis.Doc{
		Title: "the API server does not know a rendered field",
		Text: `The release renders a field that the kind does not have, so that the API server never stored it: misspelt in the
template, at the wrong level, of a newer Kubernetes than the cluster's, or behind a feature gate that is off. Helm
says nothing about it.

An error if a value that was given decides the field.`,
		Before: "template:\n  spec:\n    imagePullSecret: …   # it is imagePullSecrets, a list",
		After:  "the right field, in the chart's template",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, d := range only(differences(f), drift.Dropped) {
			kind := d.Object.Kind
			x := finding.Finding{
				Severity: finding.Warning, Object: &d.Object, Field: d.Field.Field, Expected: plainValue(kind, d.Field.Field, d.Want),
				Message: fmt.Sprintf("the API server dropped %s of %s", d.Field.Field, d.Object),
				Facts:   []finding.Fact{{Label: "rendered", Text: shown(kind, d.Field.Field, d.Want)}, {Label: "running", Text: "absent in the live " + kind}},
			}
			if d.File != "" {
				x.Facts = append(x.Facts, finding.Fact{Label: "template", Text: d.File})
			}
			if decidedBy(f, &x, fieldsOf([]drift.Difference{d})...) {
				x.Severity = finding.Error
			}
			x.Steps = []string{"kubectl explain " + quote(strings.ToLower(kind)+explained(d.Field.Field))}
			out = append(out, x)
		}
		return out, nil
	},
}

// explained is the parent of a field, as kubectl explain takes it: without list items.
func explained(field string) string {
	var b strings.Builder
	depth := 0
	for _, r := range field {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	parent := b.String()
	i := strings.LastIndexByte(parent, '.')
	if i < 0 {
		return ""
	}
	return "." + parent[:i]
}
