package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/checks"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/deciders"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

func (d doctor) Trace(ctx context.Context, o *TraceOptions) (fix.Report, error) {
	path, err := values.Parse(o.Value)
	if err != nil {
		return fix.Report{}, err
	}
	var names []string
	if o.Release != "" {
		names = []string{o.Release}
	}
	snap, err := o.Snapshot(ctx, names...)
	if err != nil {
		return fix.Report{}, err
	}
	inputs, report, err := o.inputs(snap, names)
	if err != nil {
		return report, err
	}
	log.SetOutput(io.Discard) // Helm tells of clashes in values there
	var strangers []*analysis.Facts
	for _, in := range inputs {
		f, err := followed(in, path)
		name := in.Release.Namespace + "/" + in.Release.Name
		switch {
		case err != nil:
			report.Incomplete = append(report.Incomplete, finding.Incomplete{What: "release " + name, Why: err.Error(), Fatal: true, Release: in.Release.Name})
		case len(f.Effects) == 0:
			strangers = append(strangers, f)
		default:
			release, incomplete := traced(f, path)
			report.Releases = append(report.Releases, release)
			report.Incomplete = append(report.Incomplete, incomplete...)
			report.Checked = append(report.Checked, checked(f))
		}
	}
	if len(report.Releases) == 0 && len(strangers) > 0 {
		return report, unknownValue(path, strangers)
	}
	return report, nil
}

// followed gathers the facts of one release, of the leaves at and below one path only: those that are given, and those
// that only the chart declares or its templates read. No effects: nobody knows the path.
func followed(in analysis.Input, path values.Path) (*analysis.Facts, error) {
	in.Only = path
	f, err := analysis.Gather(in)
	if err != nil {
		return nil, err
	}
	if f.World == nil {
		other := func(l values.Leaf) bool { return !l.Path.HasPrefix(path) }
		f.Leaves = slices.DeleteFunc(f.Leaves, other)
		f.Effects = slices.DeleteFunc(f.Effects, func(e causality.Effect) bool { return !e.Path.HasPrefix(path) })
		return f, nil
	}
	more := declared(f, path)
	f.Leaves = append(f.Leaves, more...)
	f.Effects = append(f.Effects, causality.Judge(f.World, f.Reading, more, in.Budget)...)
	return f, nil
}

// declared lists the leaves at and below a path that nobody has given.
func declared(f *analysis.Facts, path values.Path) []values.Leaf {
	var out []values.Leaf
	if at, found := values.Get(f.World.Computed(), path); found {
		tree := values.Apply(map[string]any{}, values.Set(values.Keys("x"), at))
		for _, l := range values.Leaves(tree) {
			p := path.Join(l.Path[1:])
			if _, given := values.Get(f.Supplied, p); !given {
				out = append(out, values.Leaf{Path: p, Value: l.Value})
			}
		}
		return out
	}
	if len(f.Leaves) == 0 && len(f.Reading.Of(path)) > 0 {
		out = append(out, values.Leaf{Path: path})
	}
	return out
}

// traced judges what was gathered. Findings are those about the given value, and about the fields on its way.
func traced(f *analysis.Facts, path values.Path) (fix.Release, []finding.Incomplete) {
	effects := f.Effects
	f.Effects = slices.DeleteFunc(slices.Clone(effects), func(e causality.Effect) bool {
		_, given := values.Get(f.Supplied, e.Path)
		return !given
	})
	out, incomplete := analysis.Run(f, checks.All())
	found := slices.DeleteFunc(out.Findings, func(x finding.Finding) bool { return !concerns(x, path, effects) })
	f.Effects = effects
	out, _ = analysis.Run(f, nil)
	out.Findings = found
	release := fix.Prove(f, out)
	for i := range incomplete {
		incomplete[i].Fatal = true
	}
	if f.World == nil {
		incomplete = append(incomplete, finding.Incomplete{What: "values of release " + out.Name, Why: f.ReproductionReason, Fatal: true, Release: out.Name})
		return release, incomplete
	}
	for i, e := range effects {
		if i < len(release.Values) && release.Values[i].Path == e.Path.String() {
			release.Values[i].Trace = wayOf(f, e)
		}
	}
	return release, incomplete
}

// concerns says whether a finding is about the value, or about a field that it reaches or loses.
func concerns(x finding.Finding, path values.Path, effects []causality.Effect) bool {
	if p, err := values.Parse(x.ValuePath); err == nil {
		return p.HasPrefix(path)
	}
	if x.Object == nil || x.Field == "" {
		return false
	}
	is := func(f finding.Field) bool {
		return f.Kind == x.Object.Kind && f.Name == x.Object.Name && f.Field == x.Field
	}
	return slices.ContainsFunc(effects, func(e causality.Effect) bool {
		return slices.ContainsFunc(e.Reaches, func(c rendering.Change) bool { return is(c.Field) }) ||
			slices.ContainsFunc(e.Misses, func(m causality.Miss) bool { return is(m.Field) })
	})
}

// located is how many fields of one value are looked for in the templates' texts.
const located = 50

// wayOf follows one value from what was given to what the Pods run.
func wayOf(f *analysis.Facts, e causality.Effect) *finding.Trace {
	t := &finding.Trace{Default: e.Default, Preset: e.HasDefault, Stack: sites(e.Stack), Fields: []finding.TraceField{}}
	t.Supplied, t.Given = values.Get(f.Supplied, e.Path)
	t.Computed, _ = values.Get(f.World.Computed(), e.Path)
	for i, c := range e.Reaches {
		x := station(f, c.Field)
		x.Reached = true
		var line rendering.Site
		if target, _, found := deciders.Find(f.World, c.Object, c.Field.Field); found && i < located {
			line = deciders.Locate(f.World, target).Site
		}
		if r := deciders.Nearby(f.Reading, e.Path, c.File, line); r != nil {
			x.Template, x.Stack = r.Site.String(), sites(r.Stack)
		}
		t.Fields = append(t.Fields, x)
	}
	for _, m := range e.Misses {
		x := station(f, m.Field)
		x.Template, x.Stack = m.Site.String(), sites(m.Stack)
		t.Fields = append(t.Fields, x)
	}
	return t
}

// station is what stands in a field: rendered, live and in the Pods.
func station(f *analysis.Facts, field finding.Field) finding.TraceField {
	out := finding.TraceField{Field: field}
	_, o, found := deciders.Find(f.World, field.Object, field.Field)
	if !found {
		return out
	}
	out.Rendered = fieldOf(o.Content, field.Field)
	if f.Live == nil {
		return out
	}
	live := drift.Live(f.Live, o, f.Release.Namespace)
	if live == nil {
		return out
	}
	out.Live = fieldOf(live.Object, field.Field)
	object := finding.Object{Kind: live.GetKind(), Name: live.GetName(), Namespace: live.GetNamespace()}
	if w := drift.Running(f.Live, object); w != nil {
		for _, v := range w.PodValues(field.Field) {
			out.Pods = append(out.Pods, finding.PodValue{Value: shown(v.Value), Pods: v.Pods})
		}
	}
	return out
}

// fieldOf is the value of a field, nil if it is not there. Of a whole object it is enough that it is there.
func fieldOf(content map[string]any, field string) any {
	if field == "" {
		return "(the whole object)"
	}
	v, _ := rendering.Lookup(content, field)
	return v
}

func shown(v any) any {
	if v == any(rendering.Absent{}) {
		return nil
	}
	return v
}

func sites(stack []rendering.Site) []string {
	var out []string
	for _, s := range stack {
		out = append(out, s.String())
	}
	return out
}

const shownSuggestions = 5

// unknownValue is the error for a path that neither the user nor the chart nor its templates know.
func unknownValue(path values.Path, in []*analysis.Facts) error {
	var names, near []string
	for _, f := range in {
		names = append(names, f.Release.Namespace+"/"+f.Release.Name)
		if f.World == nil {
			continue
		}
		likely := deciders.Closest(path.String(), knownPaths(f))
		for _, s := range f.Reading.Nearest(path, f.World.Defaults()) {
			likely = append(likely, s.Path.String())
		}
		for _, p := range likely {
			if !slices.Contains(near, p) && len(near) < shownSuggestions {
				near = append(near, p)
			}
		}
	}
	text := fmt.Sprintf("nobody knows the value %s in %s: it is not given, the chart does not declare it, and no template reads it",
		path, strings.Join(names, ", "))
	if len(near) > 0 {
		text += "\nDid you mean " + strings.Join(near, ", ") + "?"
	}
	return errors.New(text)
}

// knownPaths are those that the chart declares or its templates read.
func knownPaths(f *analysis.Facts) []string {
	var out []string
	for _, l := range values.Leaves(f.World.Computed()) {
		out = append(out, l.Path.String())
	}
	for _, p := range f.Reading.Paths() {
		out = append(out, p.String())
	}
	slices.Sort(out)
	return slices.Compact(out)
}
