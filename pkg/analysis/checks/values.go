package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Shadowed tells of values that lose a field, or all of them, to another value.
var Shadowed = &analysis.Check{
	Code: "KGW1001",
	Name: "shadowed",
	Doc: analysis.Doc{
		Title: "another value decides instead",
		Text: `The value is read, but the template asks another path first, and that path is set: by the chart's own
values.yaml, or by the user. Helm records the value, reports the release as deployed, and the field stays what the
other path says.

The winner was found by rendering: with it emptied, the value decides the field; with it in place, no value does.
A value that decides some fields and loses others is reported for those that it loses.

An error if the chart presets the winner. A warning if the user gave the winner too and the value does nothing at all.
Information if it merely gives way to a more special value that the user gave as well.`,
		Before: "--set image.pullPolicy=Always   # the chart presets controller.image.pullPolicy: IfNotPresent",
		After:  "--set controller.image.pullPolicy=Always",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: ofValues(func(e causality.Effect) bool {
		return (e.Verdict == finding.Shadowed || e.Verdict == finding.Partial) && len(e.Misses) > 0
	}, shadowed),
}

func shadowed(f *analysis.Facts, e causality.Effect) (finding.Finding, bool) {
	m := mainMiss(e.Misses)
	x := about(f, e, m)
	x.Severity = finding.Error
	x.Message = fmt.Sprintf("%s does not reach %s", show(e.Path, e.Value), objects(e.Misses))
	if e.Verdict == finding.Partial {
		x.Title = "value loses a field to another value"
	}
	if !slices.ContainsFunc(e.Winners, func(c causality.Cause) bool { return !c.Supplied }) {
		x.Severity = finding.Warning
		if e.Verdict == finding.Partial {
			x.Severity = finding.Info
		}
	}
	for _, c := range e.Winners {
		x.Facts = append(x.Facts, finding.Fact{Label: "winner", Text: because(c, "asks it first")})
	}
	x.Facts = append(x.Facts, proof(e)...)
	x.Remedies = overrule(e)
	return x, true
}

// about begins the finding of a value that misses fields.
func about(f *analysis.Facts, e causality.Effect, m causality.Miss) finding.Finding {
	o := m.Object
	x := finding.Finding{
		ValuePath: e.Path.String(), Object: &o, Field: m.Field.Field,
		Expected: absentToNil(m.Then), Evidence: e.Evidence,
	}
	if m.Field.Field != "" {
		text := m.Object.String() + " " + m.Field.Field
		if n := len(e.Misses) - 1; n > 0 {
			text += fmt.Sprintf(", and %d more", n)
		}
		x.Facts = append(x.Facts, finding.Fact{Label: "field", Text: text})
	}
	x.Facts = append(x.Facts, asked(f, e))
	if f.Live != nil {
		addRunning(f, &x, m.Then)
	} else {
		x.Facts = append(x.Facts, finding.Fact{Label: "renders", Text: rendering.Show(m.Now)})
	}
	return x
}

func objects(misses []causality.Miss) string {
	var names []string
	for _, m := range misses {
		if n := m.Object.String(); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) > 3 {
		return strings.Join(names[:2], ", ") + fmt.Sprintf(" and %d more objects", len(names)-2)
	}
	return strings.Join(names, ", ")
}

// overrule gives the remedies against winners: to let them say the same, or to empty them; all of them, or each alone.
func overrule(e causality.Effect) []finding.Remedy {
	var all, empty []values.Edit
	var one []finding.Remedy
	for _, c := range e.Winners {
		set := values.Set(c.Path, e.Value)
		all = append(all, set)
		empty = append(empty, c.Opens)
		if len(e.Winners) > 1 {
			one = append(one, meaning(e, finding.Remedy{Summary: "set " + c.Path.String() + ", which is asked first", Edits: []values.Edit{set}}))
		}
	}
	// The first of a chain often does alone what all of them do.
	out := append(slices.Clone(one[:min(1, len(one))]), []finding.Remedy{
		meaning(e, finding.Remedy{Summary: "set " + names(e.Winners) + ", which is asked first", Edits: all}),
		meaning(e, finding.Remedy{Summary: "empty " + names(e.Winners) + ", so that " + e.Path.String() + " decides", Edits: empty}),
	}...)
	return append(out, one[min(1, len(one)):]...)
}

func names(causes []causality.Cause) string {
	var out []string
	for _, c := range causes {
		out = append(out, c.Path.String())
	}
	return strings.Join(out, ", ")
}

// meaning says of a remedy what it is for: the fields that the value lost, with what they would have.
func meaning(e causality.Effect, r finding.Remedy) finding.Remedy {
	r.Value = e.Value
	for _, m := range e.Misses {
		r.Meant = append(r.Meant, m.Field)
		r.Then = append(r.Then, m.Then)
	}
	return r
}

// Gated tells of values whose part of the chart is switched off by another.
var Gated = &analysis.Check{
	Code: "KGW1002",
	Name: "gated",
	Doc: analysis.Doc{
		Title: "another value switches this part off",
		Text: `The value is read only under a condition that does not hold: a switch is off (or on), a type is another one,
a table that must not be empty is, or the cluster lacks an API that the template asks for. Until the gate opens the
value does nothing.

The gate was found by rendering: with it switched, the value decides a field. Where several gates were confirmed, all
are named, the one with the smallest other effect first.

A warning: values for a part that is not used are often kept on purpose.`,
		Before: "--set controller.replicaCount=5   # with controller.autoscaling.enabled=true no replicas are rendered",
		After:  "--set controller.replicaCount=5,controller.autoscaling.enabled=false",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: ofValues(func(e causality.Effect) bool { return e.Verdict == finding.Gated }, gated),
}

func gated(f *analysis.Facts, e causality.Effect) (finding.Finding, bool) {
	x := finding.Finding{ValuePath: e.Path.String(), Evidence: e.Evidence, Facts: []finding.Fact{asked(f, e)}}
	if len(e.Misses) > 0 {
		x = about(f, e, mainMiss(e.Misses))
	}
	x.Severity = finding.Warning
	x.Message = show(e.Path, e.Value) + " does nothing"
	if len(e.Gates) > 0 {
		x.Message += " while " + states(e.Gates)
	}
	for _, c := range e.Gates {
		x.Facts = append(x.Facts, finding.Fact{Label: "gate", Text: because(c, "asks it")})
	}
	if e.Reason != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "because", Text: e.Reason})
	}
	x.Facts = append(x.Facts, proof(e)...)
	x.Remedies = open(e)
	return x, true
}

func states(gates []causality.Cause) string {
	var out []string
	for i, g := range gates {
		if i == 3 {
			out = append(out, fmt.Sprintf("%d more", len(gates)-i))
			break
		}
		if g.Value == nil {
			out = append(out, g.Path.String()+" is not set")
			continue
		}
		out = append(out, show(g.Path, g.Value))
	}
	return strings.Join(out, ", ")
}

// open gives the remedies against gates: each confirmed way of its own.
func open(e causality.Effect) []finding.Remedy {
	var out []finding.Remedy
	for _, way := range e.Ways {
		var edits []values.Edit
		var names []string
		usable := true
		for _, edit := range way.Edits {
			edit, ok := presentable(edit)
			usable = usable && ok
			edits = append(edits, edit)
			names = append(names, edit.Path.String())
		}
		if usable {
			opened := e
			opened.Misses = way.Misses
			out = append(out, meaning(opened, finding.Remedy{Summary: "switch " + strings.Join(names, ", "), Edits: edits}))
		}
	}
	return out
}

// presentable replaces what was put somewhere only to see an effect. Into annotations and labels a harmless entry can
// go; any other text has to come from the user.
func presentable(e values.Edit) (values.Edit, bool) {
	m, isTable := e.Value.(map[string]any)
	if isTable && len(m) == 1 {
		for k := range m {
			if !causality.IsProbe(k) {
				return e, true
			}
		}
		if last := strings.ToLower(e.Path.Last()); strings.HasSuffix(last, "annotations") || strings.HasSuffix(last, "labels") {
			return values.Set(e.Path, map[string]any{"kgw-doctor": "opened"}), true
		}
		return e, false
	}
	return e, !causality.IsProbe(e.Value)
}

// Discarded tells of values that the template or Helm drops.
var Discarded = &analysis.Check{
	Code: "KGW1003",
	Name: "discarded",
	Doc: analysis.Doc{
		Title: "the value is dropped",
		Text: `The path is read and another value there would show, but this one is taken for nothing: false, 0 or "" are empty
to "default", "or", "with" and "if", so the fallback stands.

A value that a template writes by its text can be given as a string: "false" is not empty.`,
		Before: "--set sendRawData=false          # the template says {{ .Values.sendRawData | default true }}",
		After:  "--set-string sendRawData=false",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: ofValues(func(e causality.Effect) bool { return e.Verdict == finding.Discarded }, discarded),
}

func discarded(f *analysis.Facts, e causality.Effect) (finding.Finding, bool) {
	x := finding.Finding{ValuePath: e.Path.String(), Evidence: e.Evidence}
	if len(e.Misses) > 0 {
		x = about(f, e, mainMiss(e.Misses))
	}
	x.Severity = finding.Error
	x.Message = show(e.Path, e.Value) + " is dropped"
	x.Facts = append(x.Facts, finding.Fact{Label: "because", Text: e.Reason}, finding.Fact{Label: "read at", Text: template(e.Site)})
	x.Facts = append(x.Facts, proof(e)...)
	switch e.Value.(type) {
	case string:
		if e.Value == "false" {
			r := meaning(e, finding.Remedy{Summary: "give it as a switch", Edits: []values.Edit{values.Set(e.Path, false)}})
			r.Value = false
			x.Remedies = []finding.Remedy{r}
		}
	case bool, float64, int64, int:
		text := fmt.Sprint(e.Value)
		r := meaning(e, finding.Remedy{
			Summary: "give it as a string, which is not empty", Edits: []values.Edit{values.Set(e.Path, text)},
		})
		r.Value = text
		x.Remedies = []finding.Remedy{r}
	}
	return x, true
}

// Unread tells of values that no template reads.
var Unread = &analysis.Check{
	Code: "KGW1004",
	Name: "unread",
	Doc: analysis.Doc{
		Title: "no template reads the value",
		Text: `No intervention on the value changes the rendering, and no template reads its path: it is misspelt, moved,
given at the wrong level, written with another letter case or with an unescaped dot, or the chart declares it and never
uses it. Helm accepts any key that the chart's schema does not forbid, and most charts have none.

Where a path that is read resembles it, setting that path was rendered, and what it changes is listed with the fix.`,
		Before: "--set controller.replicaCount=3   # the template reads replicaCount",
		After:  "--set replicaCount=3",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: ofRelease(func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		done := map[string]bool{}
		for _, e := range f.Effects {
			if e.Verdict != finding.Unread {
				continue
			}
			roots := f.Reading.Roots(e.Path)
			if done[roots[0].String()] {
				continue
			}
			done[roots[0].String()] = true
			out = append(out, unread(f, e, roots))
		}
		return out, nil
	}),
}

func unread(f *analysis.Facts, e causality.Effect, roots []values.Path) finding.Finding {
	below := unreadBelow(f, roots[0])
	x := finding.Finding{
		ValuePath: e.Path.String(), Severity: finding.Error, Evidence: e.Evidence, Ordered: true,
		Message: show(e.Path, e.Value) + " is read by nothing",
		Facts:   []finding.Fact{asked(f, e)},
	}
	if e.Asked {
		x.Message = show(e.Path, e.Value) + " changes nothing"
	}
	if len(below) > 1 {
		x.Message = fmt.Sprintf("%s, given with %d values, is read by nothing", roots[0], len(below))
	}
	if e.Value == nil {
		x.Severity = finding.Info
	}
	x.Facts = append(x.Facts, finding.Fact{Label: "because", Text: e.Reason})
	x.Facts = append(x.Facts, proof(e)...)
	meant := emptiedTable(f, e)
	if !e.Asked {
		meant = append(meant, suggestions(f, roots)...) // a path that a template knows is not misspelt
	}
	for i, s := range meant {
		if i < 3 {
			x.Facts = append(x.Facts, finding.Fact{Label: "meant?", Text: fmt.Sprintf("%s (%s)", s.path, s.why)})
		}
		x.Remedies = append(x.Remedies, s.remedy)
	}
	return x
}

// unreadBelow lists the supplied leaves at or below root that nothing reads.
func unreadBelow(f *analysis.Facts, root values.Path) []causality.Effect {
	var out []causality.Effect
	for _, e := range f.Effects {
		if e.Verdict == finding.Unread && e.Path.HasPrefix(root) {
			out = append(out, e)
		}
	}
	return out
}
