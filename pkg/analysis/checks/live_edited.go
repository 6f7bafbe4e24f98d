package checks

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// PodsEdited tells of Pods that somebody changed after they were made.
var PodsEdited = &analysis.Check{
	Code: "KGW3004",
	Name: "pods edited",
	Doc: analysis.Doc{
		Title: "Pods were changed after they were made",
		Text: `Somebody changed Pods that were there already: kubectl set image or edit on the Pod, a resize in place, kubectl
debug. Their template says otherwise, and the Deployment and its ReplicaSet show nothing of it. The Pods' managed fields
name who it was, and when. It lasts until the Pod is replaced, by whatever cause.

A warning, an error if a value that was given decides the field; what was added, such as the container of kubectl
debug, is information.`,
		Before: "kubectl set image pod/kgateway-6c9f kgateway=registry.example/kgateway:test",
		After:  "kubectl delete pod kgateway-6c9f   # its ReplicaSet makes one from the template",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, w := range workloads(f) {
			for _, e := range drift.Edited(w.Workload) {
				out = append(out, podEdited(f, w, e))
			}
		}
		return out, nil
	},
}

func podEdited(f *analysis.Facts, w runningWorkload, e drift.PodEdit) finding.Finding {
	kind := w.object.Kind
	x := finding.Finding{
		Severity: finding.Warning, Object: &w.object, Field: e.Field, Since: e.Time, Pods: w.Value(e.Field, e.Want).Pods,
		Expected: plainValue(kind, e.Field, e.Want), Actual: plainValue(kind, e.Field, e.Live),
		Message: editedBy(w, e),
		Facts: []finding.Fact{
			{Label: "field", Text: fmt.Sprintf("%s: %s in the template, %s in %s", e.Field, shown(kind, e.Field, e.Want), brief(kind, e.Field, e.Live), few(e.Pods))},
			{Label: "writer", Text: writer(drift.Difference{Writer: e.Writer, By: e.By, Live: e.Live})},
			{Label: "next", Text: "it lasts until the Pod is replaced, which brings the template's value back"},
		},
	}
	switch {
	case e.Added():
		x.Severity = finding.Info
	case decidedBy(f, &x, finding.Field{Object: w.rendered, Field: e.Field}):
		x.Severity = finding.Error
	}
	for _, p := range e.Pods[:min(len(e.Pods), 5)] {
		x.Steps = append(x.Steps, kubectl("delete", finding.Object{Kind: "Pod", Name: p, Namespace: w.object.Namespace}))
	}
	return x
}

// editedBy says in how many Pods who did what.
func editedBy(w runningWorkload, e drift.PodEdit) string {
	are, verb := "are not as they were made", "changed"
	if len(e.Pods) == 1 {
		are = "is not as it was made"
	}
	if e.Added() {
		verb = "added"
	}
	return fmt.Sprintf("%s of %s %s: %s %s %s", plural(len(e.Pods), "Pod", "Pods"), w.object, are, cmp.Or(e.By, "somebody"), verb, strings.TrimPrefix(e.Field, "spec.template."))
}
