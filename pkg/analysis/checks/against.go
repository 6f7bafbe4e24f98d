package checks

import (
	"fmt"
	"slices"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Gone tells of paths that an older chart declared and that do nothing in this one.
var Gone = &analysis.Check{
	Code: "KGW1105",
	Name: "gone or moved",
	Doc: analysis.Doc{
		Title: "a path of the older chart does nothing any more",
		Text: `With audit --against: the older chart declares the path, this one neither declares nor reads it. Whoever upgrades
with --reuse-values or the old values file keeps a value that silently does nothing.

Where it went was found by rendering: another value at the new path changes the field that the old path changed in the
older chart.`,
		Before: "agentGateway:\n  enabled: true   # the older chart",
		After:  "agentgateway:\n  enabled: true   # this chart",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: ofChart(func(f *analysis.Facts) ([]finding.Finding, error) {
		old := f.Older
		if old == nil {
			return nil, nil
		}
		var out []finding.Finding
		done := map[string]bool{}
		for _, l := range known(old) {
			if _, still := values.Get(f.World.Defaults(), l.Path); still || alive(f.World, l) {
				continue
			}
			root := goneRoot(f.World.Defaults(), l.Path)
			before := decided(old, l)
			if len(before) == 0 && done[root.String()] {
				continue
			}
			done[root.String()] = true
			out = append(out, goneFrom(f, l, before))
		}
		return out, nil
	}),
}

// known lists the paths of a chart: those that it declares, and those that its templates read without.
func known(w *rendering.World) []values.Leaf {
	out := values.Leaves(w.Defaults())
	for _, p := range chart.ReadTemplates(w).Paths() {
		if undeclared(w.Defaults(), p) {
			out = append(out, values.Leaf{Path: p})
		}
	}
	return out
}

// goneRoot is the first part of a path that the defaults do not have.
func goneRoot(defaults map[string]any, p values.Path) values.Path {
	for i := 1; i < len(p); i++ {
		if _, found := values.Get(defaults, p[:i]); !found {
			return p[:i]
		}
	}
	return p
}

// probes gives values to put at a leaf to see what it decides.
func probes(l values.Leaf) []any {
	switch t := l.Value.(type) {
	case bool:
		return []any{!t}
	case float64:
		return []any{t + 7}
	case string:
		return []any{"kgw-doctor-other"}
	case map[string]any:
		return []any{map[string]any{"kgw-doctor": "other"}}
	case []any:
		return []any{[]any{map[string]any{"name": "kgw-doctor"}}, []any{"kgw-doctor"}}
	}
	return []any{int64(7), "kgw-doctor-other", true, map[string]any{"kgw-doctor": "other"}}
}

// alive says whether a path that is not declared still does something, or stops the chart.
func alive(w *rendering.World, l values.Leaf) bool {
	for _, v := range probes(l) {
		o := w.Try(values.Set(l.Path, v))
		if o.Err != nil || !rendering.Same(o, w.Baseline()) {
			return true
		}
	}
	return false
}

// decided lists the fields that another value at the leaf changes.
func decided(w *rendering.World, l values.Leaf) []rendering.Change {
	for _, v := range probes(l) {
		if o := w.Try(values.Set(l.Path, v)); o.Err == nil {
			if d := rendering.Diff(w.Baseline(), o); len(d) > 0 {
				return d
			}
		}
	}
	return nil
}

func goneFrom(f *analysis.Facts, l values.Leaf, before []rendering.Change) finding.Finding {
	x := finding.Finding{
		ValuePath: l.Path.String(), Severity: finding.Warning,
		Message: fmt.Sprintf("%s of the older chart does nothing any more", l.Path),
	}
	if len(before) == 0 {
		x.Severity = finding.Info
		x.Message = fmt.Sprintf("%s is gone; it did nothing by itself in the older chart", l.Path)
		return x
	}
	o := before[0].Object
	x.Object, x.Field = &o, before[0].Field.Field
	x.Facts = append(x.Facts, finding.Fact{Label: "decided", Text: o.String() + " " + before[0].Field.Field})
	for _, s := range f.Reading.Nearest(l.Path, f.World.Defaults()) {
		now := decided(f.World, values.Leaf{Path: s.Path, Value: l.Value})
		for _, c := range now {
			if slices.ContainsFunc(before, func(b rendering.Change) bool { return b.Field == c.Field }) {
				x.Message = fmt.Sprintf("%s of the older chart moved to %s", l.Path, s.Path)
				x.Facts = append(x.Facts, finding.Fact{Label: "now", Text: fmt.Sprintf("%s decides the same field", s.Path)})
				return x
			}
		}
	}
	return x
}

// DefaultChanged tells of defaults that differ from the older chart's.
var DefaultChanged = &analysis.Check{
	Code: "KGW1106",
	Name: "default changed",
	Doc: analysis.Doc{
		Title:  "a default differs from the older chart's",
		Text:   `With audit --against: whoever did not set the value gets something else after the upgrade.`,
		Before: "logLevel: info    # the older chart",
		After:  "logLevel: error   # this chart",
		Since:  "0.1.0", Severity: finding.Info,
	},
	Run: ofChart(func(f *analysis.Facts) ([]finding.Finding, error) {
		old := f.Older
		if old == nil {
			return nil, nil
		}
		var out []finding.Finding
		for _, l := range values.Leaves(old.Defaults()) {
			now, found := values.Get(f.World.Defaults(), l.Path)
			if !found || rendering.Equal(now, l.Value) {
				continue
			}
			out = append(out, finding.Finding{
				ValuePath: l.Path.String(), Severity: finding.Info,
				Message: fmt.Sprintf("the default of %s was %s and is %s", l.Path, rendering.Show(l.Value), rendering.Show(now)),
			})
		}
		return out, nil
	}),
}
