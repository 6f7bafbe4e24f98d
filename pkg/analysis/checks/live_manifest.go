package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Irreproducible tells of a stored manifest that its own chart and values do not render.
var Irreproducible = &analysis.Check{
	Code: "KGW2004",
	Name: "not reproducible",
	Doc: analysis.Doc{
		Title: "the stored manifest is not what chart and values render",
		Text: `The chart and the values of the release record, rendered again with the cluster's version and API versions, do
not give the manifest that the record holds. Something changed the manifest on its way: a post-renderer
(helm --post-renderer, kustomize, Flux postRenderers), a cluster that offers other APIs than on the day of the
upgrade, a chart that reads the cluster (lookup), or somebody who edited the record.

The verdicts on values are about what can be rendered. The finding is a warning where a value decides some of the fields
that differ, and an error where it decides nothing else: the value is then not in force.

Where the live object has what is rendered, and not what is stored, the record was edited after it was applied.
Hooks are compared as well.`,
		Before: "helm upgrade kgateway … --post-renderer ./kustomize.sh",
		After:  "the same change by a value of the chart, if there is one",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if f.Mode != analysis.Installed || f.Reproduction != analysis.Mismatch || len(f.Missing) > 0 {
			return nil, nil
		}
		differ := slices.DeleteFunc(slices.Clone(f.Mismatches), blank)
		if len(differ) == 0 {
			return nil, nil
		}
		return []finding.Finding{irreproducible(f, differ)}, nil
	},
}

// blank says whether two texts differ only in the white space at their end, which Helm cuts off where a document ends.
func blank(c rendering.Change) bool {
	from, ok := c.From.(string)
	to, ok2 := c.To.(string)
	return ok && ok2 && strings.TrimRight(from, " \t\n") == strings.TrimRight(to, " \t\n")
}

func irreproducible(f *analysis.Facts, differ []rendering.Change) finding.Finding {
	first := differ[0]
	x := finding.Finding{
		Severity: finding.Info, Since: updated(f.Record), Object: &first.Object, Field: first.Field.Field,
		Expected: plainValue(first.Kind, first.Field.Field, first.To), Actual: plainValue(first.Kind, first.Field.Field, first.From),
		Message: fmt.Sprintf("the stored manifest of revision %d differs in %s from what its chart and values render", f.Record.Revision, plural(len(differ), "field", "fields")),
	}
	for i, c := range differ {
		if i == 8 {
			x.Facts = append(x.Facts, finding.Fact{Label: "differs", Text: fmt.Sprintf("and %d more", len(differ)-i)})
			break
		}
		where := strings.TrimSpace(c.Object.String() + " " + c.Field.Field)
		text := fmt.Sprintf("%s: stored %s, rendered %s", where, shown(c.Kind, c.Field.Field, c.From), shown(c.Kind, c.Field.Field, c.To))
		if c.Field.Field == "" {
			text = where + ": only in the stored manifest"
			if _, absent := c.From.(rendering.Absent); absent {
				text = where + ": only in the new rendering"
			}
		}
		x.Facts = append(x.Facts, finding.Fact{Label: "differs", Text: text})
	}
	judged(f, differ, &x)
	x.Facts = append(x.Facts, wayOf(f, differ)...)
	x.Steps = []string{fmt.Sprintf("helm get manifest %s --namespace %s --revision %d",
		quote(f.Release.Name), quote(f.Release.Namespace), f.Record.Revision)}
	return x
}

// judged names the values that decide fields which differ: an error if all that a value decides was overruled, since
// then it is not in force.
func judged(f *analysis.Facts, differ []rendering.Change, x *finding.Finding) {
	overruled := func(c rendering.Change) bool {
		return slices.ContainsFunc(differ, func(d rendering.Change) bool {
			return c.Object == d.Object && overlap(c.Field.Field, d.Field.Field) && !edited(f, d)
		})
	}
	var whole, part []string
	for _, e := range f.Effects {
		n := 0
		for _, c := range e.Reaches {
			if overruled(c) {
				n++
			}
		}
		switch {
		case n > 0 && n == len(e.Reaches):
			whole = append(whole, e.Path.String())
			x.Facts = append(x.Facts, finding.Fact{Label: "value", Text: masked(e) + " renders as it should, and nothing of it was stored: it is not in force"})
		case n > 0:
			part = append(part, e.Path.String())
			x.Facts = append(x.Facts, finding.Fact{Label: "value", Text: fmt.Sprintf("%s: %d of %s that it decides were stored otherwise", masked(e), n, plural(len(e.Reaches), "field", "fields"))})
		}
	}
	if paths := slices.Concat(whole, part); len(paths) == 1 {
		x.ValuePath = paths[0]
	}
	switch {
	case len(whole) > 0:
		x.Severity = finding.Error
	case len(part) > 0:
		x.Severity = finding.Warning
	}
}

// wayOf says what the live objects tell of the way in which the manifest came to differ.
func wayOf(f *analysis.Facts, differ []rendering.Change) []finding.Fact {
	kept, edits := sides(f, differ)
	if edits > 0 && kept == 0 {
		return []finding.Fact{
			{Label: "live", Text: fmt.Sprintf("what is rendered, in %d of these fields: the record was edited after it was applied", edits)},
			{Label: "next", Text: "an upgrade with the same values writes a true record"}}
	}
	next := finding.Fact{Label: "next", Text: "look for a post-renderer where helm is run"}
	if f.Owner != nil && f.Owner.PostRenders() {
		o := f.Owner.Object
		next.Text = fmt.Sprintf("look at spec.postRenderers and spec.commonMetadata of %s %s/%s", o.Kind, o.Namespace, o.Name)
	}
	if kept == 0 {
		return []finding.Fact{next}
	}
	return []finding.Fact{
		{Label: "live", Text: fmt.Sprintf("what is stored, in %d of these fields: they were changed between rendering and applying", kept)}, next}
}

// sides counts the fields in which the live object has what is stored, and those in which it has what is rendered.
func sides(f *analysis.Facts, differ []rendering.Change) (kept, edits int) {
	for _, c := range differ {
		x, found := liveOf(f, c)
		switch {
		case !found:
		case edited(f, c):
			edits++
		case drift.Same(x.apiVersion, c.Kind, c.Field.Field, c.From, x.value):
			kept++
		}
	}
	return kept, edits
}

// edited says whether a field of the record was changed after it was applied: the live object has what is rendered, and
// nobody but Helm wrote it there.
func edited(f *analysis.Facts, c rendering.Change) bool {
	x, found := liveOf(f, c)
	return found && !x.foreign && drift.Same(x.apiVersion, c.Kind, c.Field.Field, c.To, x.value) &&
		!drift.Same(x.apiVersion, c.Kind, c.Field.Field, c.From, x.value)
}

// liveField is a field of a live object.
type liveField struct {
	apiVersion string
	value      any
	foreign    bool // somebody else than Helm wrote it
}

// liveOf looks a field that differs up in the live object; hooks, and objects that are not there, are not found.
func liveOf(f *analysis.Facts, c rendering.Change) (liveField, bool) {
	if f.Live == nil || c.Field.Field == "" {
		return liveField{}, false
	}
	for _, o := range stored(f) {
		if o.Object != c.Object {
			continue
		}
		x := drift.Live(f.Live, o, f.Release.Namespace)
		if x == nil {
			return liveField{}, false
		}
		out := liveField{apiVersion: o.APIVersion, value: rendering.Absent{}}
		if v, found := rendering.Lookup(x.Object, c.Field.Field); found {
			out.value = v
		}
		for _, w := range drift.Writers(x, c.Field.Field) {
			out.foreign = out.foreign || !w.Helm
		}
		return out, true
	}
	return liveField{}, false
}
