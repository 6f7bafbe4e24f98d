package fix

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// maxFixes is how many fixes are proved for one finding.
const maxFixes = 3

// maxOthers is how many supplied values are held against a remedy; a release with more is rare.
const maxOthers = 500

// Prove tries the remedies of every finding and keeps those that hold.
//
// A remedy holds if (1) the chart renders with it, by Helm's own engine and schema; (2) every field that it is meant
// for changes to what was asked; (3) no other supplied value that was in force stops being so, and no edit of it is
// idle; (4) every field that changes is listed. Refused ones are kept with the reason.
//
// Cost: one whole rendering per fix that is kept, and one of the reached files per supplied value and remedy.
func Prove(f *analysis.Facts, r finding.Release) Release {
	out := Release{Release: r, Findings: []Finding{}}
	for _, x := range r.Findings {
		done := Finding{Finding: x, Fixes: []Verified{}}
		done.Fixes, done.Refused = proveAll(f, x.Remedies)
		if !x.Ordered {
			rank(done.Fixes)
		}
		out.Findings = append(out.Findings, done)
	}
	return out
}

// proveAll proves remedies in their order until there are enough that hold. Helm's own renderings, which cost most, are
// made side by side, of as many as are still wanted.
func proveAll(f *analysis.Facts, remedies []finding.Remedy) ([]Verified, []Refused) {
	fixes := []Verified{}
	tries := make([]try, len(remedies))
	known := func(v Verified) bool {
		return slices.ContainsFunc(fixes, func(have Verified) bool { return slices.Equal(have.flags, v.flags) })
	}
	next := 0
	for next < len(remedies) && len(fixes) < maxFixes {
		var wg sync.WaitGroup
		from, wanted := next, maxFixes-len(fixes)
		for ; next < len(remedies) && wanted > 0; next++ {
			t := &tries[next]
			t.prove(f, remedies[next])
			if t.err == nil && !known(t.fix) {
				wanted--
				if t.after != nil {
					wg.Go(func() { t.err = byHelm(f, t.remedy, t.after) })
				}
			}
		}
		wg.Wait()
		for i := from; i < next; i++ {
			if t := &tries[i]; t.err == nil && !known(t.fix) {
				t.fix.order = i
				fixes = append(fixes, t.fix)
			}
		}
	}
	var refused []Refused
	for i := range tries[:next] {
		if t := &tries[i]; t.err != nil {
			refused = append(refused, Refused{Summary: t.remedy.Summary, Set: sets(f, t.remedy.Edits), Reason: t.err.Error()})
		}
	}
	return fixes, refused
}

// try is one remedy that is being proved.
type try struct {
	remedy finding.Remedy
	fix    Verified
	after  *rendering.Outcome // that Helm's own engine has yet to confirm; nil if there is nothing to confirm
	err    error
}

// rank puts the fix first that makes every lost field right, as the value itself would, with the fewest side effects.
func rank(fixes []Verified) {
	slices.SortStableFunc(fixes, func(a, b Verified) int {
		for _, worse := range [][2]bool{{a.partial, b.partial}, {a.inexact, b.inexact}} {
			if worse[0] != worse[1] {
				if worse[0] {
					return 1
				}
				return -1
			}
		}
		if d := a.asides() - b.asides(); d != 0 {
			return d
		}
		return a.order - b.order
	})
}

func (v Verified) asides() int {
	n := 0
	for _, c := range v.changes {
		if !c.Intended {
			n++
		}
	}
	return n
}

func sets(f *analysis.Facts, edits []values.Edit) []string {
	fl, err := flags(edits, f.Supplied)
	if err != nil {
		return []string{}
	}
	out := []string{}
	for _, x := range fl {
		out = append(out, x.arg)
	}
	return out
}

func (t *try) prove(f *analysis.Facts, remedy finding.Remedy) {
	t.remedy = remedy
	fl, err := flags(remedy.Edits, f.Supplied)
	switch {
	case err != nil:
		t.err = err
	case f.RenderErr != nil:
		t.fix, t.err = proveRendering(f, remedy, fl)
	default:
		t.after = f.World.Try(remedy.Edits...)
		t.fix, t.err = proveShort(f, remedy, fl, t.after)
	}
}

// proveShort proves all but that Helm's own engine renders the same.
func proveShort(f *analysis.Facts, remedy finding.Remedy, fl []flag, after *rendering.Outcome) (Verified, error) {
	if after.Err != nil {
		return Verified{}, fmt.Errorf("the chart does not render with it: %w", after.Err)
	}
	changes := rendering.Diff(f.World.Baseline(), after)
	if len(changes) == 0 {
		return Verified{}, fmt.Errorf("it changes nothing")
	}
	m, err := fulfilled(remedy, changes)
	if err != nil {
		return Verified{}, err
	}
	if err := harmless(f, remedy, after); err != nil {
		return Verified{}, err
	}
	v := Verified{summary: remedy.Summary, partial: m.partial, inexact: m.inexact, values: values.Apply(map[string]any{}, remedy.Edits...)}
	for _, c := range changes {
		v.changes = append(v.changes, Change{Field: c.Field, From: plain(c.From), To: plain(c.To), Intended: m.meant[c.ID()]})
	}
	slices.SortStableFunc(v.changes, func(a, b Change) int {
		if a.Intended == b.Intended {
			return 0
		}
		if a.Intended {
			return -1
		}
		return 1
	})
	v.write(f, fl)
	err = v.keep(f, remedy.Edits)
	return v, err
}

// proveRendering is for a chart that did not render: the fix is proved if it does now.
func proveRendering(f *analysis.Facts, remedy finding.Remedy, fl []flag) (Verified, error) {
	if _, err := f.Renderer.Helm(values.Apply(f.Supplied, remedy.Edits...)); err != nil {
		return Verified{}, fmt.Errorf("the chart still does not render: %w", err)
	}
	v := Verified{summary: remedy.Summary, changes: []Change{}, values: values.Apply(map[string]any{}, remedy.Edits...)}
	v.write(f, fl)
	err := v.keep(f, remedy.Edits)
	return v, err
}

func plain(v any) any {
	if _, absent := v.(rendering.Absent); absent {
		return nil
	}
	return v
}

// match is how the changes of a remedy answer what it is meant for.
type match struct {
	meant   map[string]bool // fields and made objects that are meant
	partial bool            // some of the fields stay what they were
	inexact bool            // some hold the value in another form than the value itself would give
}

// fulfilled holds the changes against the fields that the remedy is meant for: each must come out as it would if the
// value decided it, or hold the value in a form like that.
func fulfilled(remedy finding.Remedy, changes []rendering.Change) (match, error) {
	changed, made := map[string]rendering.Change{}, map[finding.Object]bool{}
	for _, c := range changes {
		changed[c.ID()] = c
		if _, gone := c.To.(rendering.Absent); !gone && c.Field.Field == "" {
			made[c.Object] = true
		}
	}
	out := match{meant: map[string]bool{}}
	if len(remedy.Meant) == 0 {
		for id := range changed {
			out.meant[id] = true
		}
		return out, nil
	}
	for i, m := range remedy.Meant {
		c, hit := changed[rendering.FieldID(m)]
		then, known := any(nil), i < len(remedy.Then)
		if known {
			then = plain(remedy.Then[i])
		}
		switch {
		case hit && known && (rendering.Equal(plain(c.To), then) || m.Field == "" && made[m.Object]):
			out.meant[rendering.FieldID(m)] = true
		case hit && rendering.Holds(c.To, remedy.Value, true) && (!known || alike(c.To, then, remedy.Value)):
			out.meant[rendering.FieldID(m)] = true
			out.inexact = out.inexact || known
		case made[m.Object]:
			out.meant[rendering.FieldID(finding.Field{Object: m.Object})] = true
		default:
			out.partial = true
		}
	}
	if len(out.meant) == 0 {
		return match{}, fmt.Errorf("the field that is meant does not come out as asked")
	}
	return out, nil
}

// alike says whether two texts that hold a value hold it among much the same words: a text that is the value alone is
// not what a whole configuration file with the value in it would be.
func alike(is, then, value any) bool {
	a, isText := is.(string)
	b, wasText := then.(string)
	if !isText || !wasText {
		return true
	}
	beside := func(text string) []string {
		return strings.FieldsFunc(strings.ReplaceAll(text, fmt.Sprint(value), " "), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	had, want := beside(a), beside(b)
	kept := 0
	for _, w := range want {
		if slices.Contains(had, w) {
			kept++
		}
	}
	return 2*kept >= len(want)
}

// harmless says whether every supplied value that was in force still is, and whether every edit is needed.
func harmless(f *analysis.Facts, remedy finding.Remedy, after *rendering.Outcome) error {
	for _, e := range f.Effects[:min(len(f.Effects), maxOthers)] {
		if len(e.Removed) == 0 || slices.ContainsFunc(remedy.Edits, func(r values.Edit) bool { return r.Path.Overlaps(e.Path) }) {
			continue
		}
		without := f.World.Try(append(slices.Clone(remedy.Edits), values.Remove(e.Path))...)
		if without.Err == nil && rendering.Same(without, after) {
			return fmt.Errorf("%s, which is in force, would do nothing any more", e.Path)
		}
	}
	return needed(f, remedy, after)
}

// needed refuses a remedy of which a part changes nothing. To take back or to put right what the user gave is no such
// part.
func needed(f *analysis.Facts, remedy finding.Remedy, after *rendering.Outcome) error {
	if len(remedy.Edits) < 2 {
		return nil
	}
	for i, edit := range remedy.Edits {
		if slices.ContainsFunc(f.Effects, func(e causality.Effect) bool {
			return e.Path.HasPrefix(edit.Path)
		}) {
			continue
		}
		without := f.World.Try(slices.Delete(slices.Clone(remedy.Edits), i, i+1)...)
		if without.Err == nil && rendering.Same(without, after) {
			return fmt.Errorf("%s is not needed for it", edit.Path)
		}
	}
	return nil
}

// byHelm renders the fixed values with Helm's own engine, schema included, and wants what the short cut gave.
func byHelm(f *analysis.Facts, remedy finding.Remedy, after *rendering.Outcome) error {
	if f.World.DrawsKeys() {
		// Helm would make new keys, which takes seconds and says nothing: the templates were rendered, the schema is asked.
		return f.Renderer.Schema(values.Apply(f.Supplied, remedy.Edits...))
	}
	texts, err := f.Renderer.Helm(values.Apply(f.Supplied, remedy.Edits...))
	if err != nil {
		return fmt.Errorf("helm refuses it: %w", err)
	}
	if len(f.World.Noise()) > 0 {
		return nil
	}
	for name, text := range texts {
		if mine, _ := after.Text(name); mine != text && !rendering.Notes(name) {
			return fmt.Errorf("helm renders %s otherwise than expected", name)
		}
	}
	return nil
}

// write fills in the forms that a person pastes.
func (v *Verified) write(f *analysis.Facts, fl []flag) {
	v.set, v.flags = []string{}, []string{}
	for _, x := range fl {
		v.set = append(v.set, x.arg)
		v.flags = append(v.flags, x.name, x.arg)
	}
	if v.changes == nil {
		v.changes = []Change{}
	}
	words := []string{"helm", "upgrade", f.Release.Name, f.ChartArgument}
	if f.Mode == analysis.Preflight {
		words = []string{"helm", "upgrade", "--install", f.Release.Name, f.ChartArgument}
	}
	if f.ChartVersion != "" {
		words = append(words, "--version", f.ChartVersion)
	}
	words = append(words, "--namespace", f.Release.Namespace)
	if f.Mode == analysis.Preflight {
		words = append(words, f.Given...)
	} else {
		words = append(words, "--reuse-values")
	}
	words = append(words, v.flags...)
	v.command = Command(words...)
}
