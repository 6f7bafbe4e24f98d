package checks

import (
	"fmt"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// addRunning fills in what the field of a finding really is in the cluster: the live object's value, for a workload's
// template its ReplicaSet's and its Pods', and how many Pods carry the expected value. Without a cluster, or where the
// object was not read, it changes nothing.
func addRunning(f *analysis.Facts, x *finding.Finding, expected any) {
	if f.Live == nil || x.Object == nil || x.Field == "" {
		return
	}
	o := namespaced(f, *x.Object)
	if w := drift.Running(f.Live, o); w != nil {
		seen := w.Value(x.Field, expected)
		x.Actual, x.Pods = plainValue(o.Kind, x.Field, seen.Live), seen.Pods
		x.Facts = append(x.Facts, running(w, o.Kind, x.Field, seen)...)
		return
	}
	for _, r := range stored(f) {
		if r.Object != *x.Object {
			continue
		}
		if live := drift.Live(f.Live, r, f.Release.Namespace); live != nil {
			v := lookup(live.Object, x.Field)
			x.Actual = plainValue(o.Kind, x.Field, v)
			x.Facts = append(x.Facts, finding.Fact{Label: "running", Text: shown(o.Kind, x.Field, v) + "     in the live " + o.Kind})
		}
	}
}

func lookup(content map[string]any, field string) any {
	if v, found := rendering.Lookup(content, field); found {
		return v
	}
	return rendering.Absent{}
}

// running says where which value is: one line where all agree, else one for the workload and one for each that does
// not agree with it.
func running(w *drift.Workload, kind, field string, seen drift.Seen) []finding.Fact {
	same := func(v any) bool { return drift.Same(w.Object.GetAPIVersion(), kind, field, seen.Live, v) }
	places := []string{"the " + kind}
	var others []finding.Fact
	if seen.ReplicaSet != nil {
		if same(seen.ReplicaSet) {
			places = append(places, "its ReplicaSet")
		} else {
			others = append(others, finding.Fact{Label: "running", Text: shown(kind, field, seen.ReplicaSet) + "     in its ReplicaSet " + w.ReplicaSet.GetName()})
		}
	}
	if seen.Pods != nil {
		total := plural(seen.Pods.Total, "pod", "pods")
		for _, v := range w.PodValues(field) {
			if same(v.Value) {
				places = append(places, fmt.Sprintf("%d of %s", v.Pods, total))
			} else {
				others = append(others, finding.Fact{Label: "running", Text: fmt.Sprintf("%s     in %d of %s", shown(kind, field, v.Value), v.Pods, total)})
			}
		}
		if seen.Pods.Total == 0 {
			others = append(others, finding.Fact{Label: "running", Text: "no pods"})
		}
	}
	line := finding.Fact{Label: "running", Text: shown(kind, field, seen.Live) + "     in " + strings.Join(places, ", ")}
	return append([]finding.Fact{line}, others...)
}

// liveMismatch lists the fields that a value decides and that do not run as rendered: the live object has another
// value, or some Pod has. Nil without a cluster.
func liveMismatch(f *analysis.Facts, e causality.Effect) []finding.Field {
	if f.Live == nil {
		return nil
	}
	var out []finding.Field
	for _, c := range e.Removed {
		for _, o := range stored(f) {
			if o.Object == c.Object && c.Field.Field != "" && !runs(f, o, c.Field.Field) {
				out = append(out, c.Field)
			}
		}
	}
	return out
}

// runs says whether the live object, and all Pods that were read, carry a rendered field.
func runs(f *analysis.Facts, o rendering.Object, field string) bool {
	live := drift.Live(f.Live, o, f.Release.Namespace)
	want, found := rendering.Lookup(o.Content, field)
	if live == nil || !found || want == nil {
		return true // not read, or not asked for: nothing is known to be wrong
	}
	if !drift.Same(o.APIVersion, o.Kind, field, want, lookup(live.Object, field)) {
		return false
	}
	w := drift.Running(f.Live, namespaced(f, o.Object))
	if w == nil {
		return true
	}
	pods := w.Value(field, want).Pods
	return pods == nil || pods.Total == pods.Matching
}
