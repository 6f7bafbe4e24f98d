package checks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// OtherTable tells of keys that the chart declares in a neighbouring table, not in the one they were put into.
var OtherTable = &analysis.Check{
	Code: "KGW1006",
	Name: "other table",
	Doc: analysis.Doc{
		Title: "the chart declares this key in another table",
		Text: `The value landed in a table that takes any key, so it shows, but the chart has the very same key in a neighbouring
table. What reads that key at run time most likely reads it there.`,
		Before: `--set configs.cm.server\.insecure=true`,
		After:  `--set configs.params.server\.insecure=true`,
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: ofRelease(func(f *analysis.Facts) ([]finding.Finding, error) {
		declared := f.World.Defaults()
		var out []finding.Finding
		for _, e := range f.Effects {
			if e.HasDefault || e.Verdict.Ineffective() || len(e.Path) < 2 || !strings.ContainsAny(e.Path.Last(), "./_") {
				continue
			}
			for _, p := range neighbours(e.Path, declared) {
				edits := []values.Edit{values.Set(p, e.Value)}
				after := f.World.Try(edits...)
				if after.Err != nil {
					continue
				}
				meant := carrying(rendering.Diff(f.World.Baseline(), after), []causality.Effect{e})
				if len(meant) == 0 {
					continue
				}
				out = append(out, finding.Finding{
					ValuePath: e.Path.String(), Severity: finding.Warning,
					Message:  fmt.Sprintf("%s: the chart has this key at %s", show(e.Path, e.Value), p),
					Facts:    []finding.Fact{asked(f, e), {Label: "meant?", Text: p.String()}},
					Remedies: []finding.Remedy{{Summary: "set " + p.String(), Edits: append(edits, cleared(f, []causality.Effect{e})...), Meant: meant}},
				})
				break
			}
		}
		return out, nil
	}),
}

// neighbours lists declared paths with the last key of p in tables beside p's own.
func neighbours(p values.Path, declared map[string]any) []values.Path {
	own := p.Parent()
	above, _ := values.Get(declared, own.Parent())
	tables, _ := above.(map[string]any)
	var out []values.Path
	for name, t := range tables {
		m, ok := t.(map[string]any)
		q := own.Parent().Key(name)
		if _, has := m[p.Last()]; ok && has && !q.Equal(own) {
			out = append(out, q.Key(p.Last()))
		}
	}
	slices.SortFunc(out, func(a, b values.Path) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// FalseAsNothing tells of false where the template writes the value, but takes false for an empty text.
var FalseAsNothing = &analysis.Check{
	Code: "KGW1008",
	Name: "false as nothing",
	Doc: analysis.Doc{
		Title: "false is taken for an empty text",
		Text: `The template writes the value where it has one, and something else where it is empty; false is empty to a template.
A flag then stands alone, which most programs take for true: the opposite of what was asked.

With the text "false" in its place the field shows it.`,
		Before: "--set extraArgs.pass-access-token=false          # renders --pass-access-token",
		After:  "--set-string extraArgs.pass-access-token=false   # renders --pass-access-token=false",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: ofValues(func(e causality.Effect) bool { return e.Value == false && len(e.Removed) > 0 }, falseAsNothing),
}

func falseAsNothing(f *analysis.Facts, e causality.Effect) (finding.Finding, bool) {
	w := f.World
	empty, text := w.Try(values.Set(e.Path, "")), w.Try(values.Set(e.Path, "false"))
	if empty.Err != nil || text.Err != nil || !rendering.Same(empty, w.Baseline()) {
		return finding.Finding{}, false
	}
	for _, c := range rendering.Diff(w.Baseline(), text) {
		from, wasText := c.From.(string)
		to, isText := c.To.(string)
		if !wasText || !isText || !strings.Contains(to, "false") || strings.Contains(from, "false") || !strings.HasPrefix(to, from) {
			continue
		}
		o := c.Object
		return finding.Finding{
			ValuePath: e.Path.String(), Severity: finding.Warning, Object: &o, Field: c.Field.Field, Expected: to,
			Message: fmt.Sprintf("%s renders %s, as if it were empty", show(e.Path, e.Value), from),
			Facts:   []finding.Fact{{Label: "field", Text: o.String() + " " + c.Field.Field}, asked(f, e), {Label: "renders", Text: from}},
			Remedies: []finding.Remedy{{
				Summary: "give it as a string, which is not empty", Meant: []finding.Field{c.Field},
				Edits: []values.Edit{values.Set(e.Path, "false")},
			}},
		}, true
	}
	return finding.Finding{}, false
}

// OnlySwitches tells of values that open a part of the chart in which another value is written.
var OnlySwitches = &analysis.Check{
	Code: "KGW1009",
	Name: "only switches",
	Doc: analysis.Doc{
		Title: "only the presence of the value counts",
		Text: `The template asks whether the value is there, and then writes another one of the same name from elsewhere: the
number or text that was given never shows.`,
		Before: "--set connectInject.disruptionBudget.maxUnavailable=2   # the template writes server.disruptionBudget.maxUnavailable",
		After:  "--set connectInject.disruptionBudget.maxUnavailable=2,server.disruptionBudget.maxUnavailable=2",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: ofValues(func(e causality.Effect) bool {
		switch e.Value.(type) {
		case bool, nil, map[string]any, []any:
			return false
		}
		return len(e.Removed) > 0 && !e.Echo
	}, switchesOnly),
}

func switchesOnly(f *analysis.Facts, e causality.Effect) (finding.Finding, bool) {
	reads := f.Reading.Of(e.Path)
	for _, r := range reads {
		if !r.Test {
			return finding.Finding{}, false
		}
	}
	for _, q := range f.Reading.Reads {
		if q.Test || q.Path.Equal(e.Path) || q.Path.Last() != e.Path.Last() {
			continue
		}
		// Written under the very condition that asks for the value.
		near := slices.ContainsFunc(reads, func(r *chart.Read) bool {
			return r.File == q.File && slices.ContainsFunc(q.Guards, func(g *chart.Guard) bool { return g.Site == r.Site })
		})
		if !near {
			continue
		}
		edits := []values.Edit{values.Set(q.Path, e.Value)}
		after := f.World.Try(edits...)
		if after.Err != nil {
			continue
		}
		meant := carrying(rendering.Diff(f.World.Baseline(), after), []causality.Effect{e})
		if len(meant) == 0 {
			continue
		}
		o := meant[0].Object
		return finding.Finding{
			ValuePath: e.Path.String(), Severity: finding.Error, Object: &o, Field: meant[0].Field, Expected: e.Value,
			Message: fmt.Sprintf("%s only opens the part; %s writes %s", show(e.Path, e.Value), template(q.Site), q.Path),
			Facts: []finding.Fact{{Label: "field", Text: o.String() + " " + meant[0].Field}, asked(f, e),
				{Label: "written", Text: q.Path.String() + ", at " + template(q.Site)}},
			Evidence: e.Evidence,
			Remedies: []finding.Remedy{{Summary: "set " + q.Path.String() + ", which is written", Edits: edits, Meant: meant}},
		}, true
	}
	return finding.Finding{}, false
}

// UnknownField tells of values that land in a field which Kubernetes does not know.
var UnknownField = &analysis.Check{
	Code: "KGW1010",
	Name: "unknown field",
	Doc: analysis.Doc{
		Title: "the value lands in a field that Kubernetes does not know",
		Text: `The template writes the value under a name that the object's type does not have, most often misspelt: the API
server drops it. Helm shows the field in its manifest, the live object never has it.

The types are those of the client library that the doctor was built with. Fields of custom resources are not judged.`,
		Before: "spec:\n  loadBalancerSourceranges: {{ toYaml .Values.ranges }}",
		After:  "spec:\n  loadBalancerSourceRanges: {{ toYaml .Values.ranges }}",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: ofRelease(func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, o := range f.World.Baseline().Objects() {
			for _, field := range rendering.UnknownFields(o) {
				out = append(out, landed(f, o, field)...)
			}
		}
		return out, nil
	}),
}

var position = regexp.MustCompile(`\[\d+\]`)

// landed lists the supplied values that an unknown field holds.
func landed(f *analysis.Facts, o rendering.Object, field string) []finding.Finding {
	var out []finding.Finding
	last := field[strings.LastIndexByte(field, '.')+1:]
	parent := position.ReplaceAllString(strings.TrimSuffix(strings.TrimSuffix(field, last), "."), "")
	for _, e := range f.Effects {
		if len(e.Removed) == 0 || len(out) > 0 && strings.HasPrefix(e.Path.String(), out[0].ValuePath) {
			continue
		}
		for _, c := range e.Removed {
			plain := itemName.ReplaceAllString(c.Field.Field, "")
			if c.Object != o.Object || !strings.HasPrefix(plain, strings.TrimPrefix(parent+"."+last, ".")) {
				continue
			}
			object := o.Object
			out = append(out, finding.Finding{
				ValuePath: e.Path.String(), Severity: finding.Error, Object: &object, Field: field, Expected: e.Value,
				Message: fmt.Sprintf("%s lands in %s, which %s does not have: the API server drops it", show(e.Path, e.Value), field, o.Kind),
				Facts:   []finding.Fact{{Label: "field", Text: object.String() + " " + field}, asked(f, e), {Label: "made by", Text: template(rendering.Site{File: o.File, Line: lineOf(f, o.File, last)})}},
			})
			break
		}
	}
	return out
}

var itemName = regexp.MustCompile(`\[[^\]]*\]`)

// lineOf finds the line of a template that writes a key; 1 if none does in so many words.
func lineOf(f *analysis.Facts, file, key string) int {
	for _, t := range f.World.Files() {
		if t.Name != file {
			continue
		}
		n := 0
		for line := range strings.Lines(t.Text) {
			n++
			if strings.Contains(line, key+":") {
				return n
			}
		}
	}
	return 1
}
