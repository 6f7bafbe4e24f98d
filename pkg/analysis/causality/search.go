package causality

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// obstacle is one edit of a proposal, and why it is in it.
type obstacle struct {
	edit   values.Edit
	winner bool // it empties what is asked before, rather than switching something
	site   rendering.Site
}

// proposal is a set of edits with which the value might show.
type proposal struct {
	obstacles []obstacle
	read      *chart.Read
}

func (p proposal) edits() []values.Edit {
	out := make([]values.Edit, len(p.obstacles))
	for i, o := range p.obstacles {
		out[i] = o.edit
	}
	return out
}

func (p proposal) key() string {
	var b strings.Builder
	for _, e := range p.edits() {
		fmt.Fprintf(&b, "%s=%T%v;", e.Path, e.Value, e.Value)
	}
	return b.String()
}

// proposals derives from one read what would have to be otherwise for it to count.
func (t *trial) proposals(r *chart.Read) []proposal {
	computed := t.world.Computed()
	out := []proposal{{read: r}}
	extend := func(options [][]obstacle) {
		if len(options) == 0 {
			out = nil
			return
		}
		var next []proposal
		for _, opt := range options {
			for _, p := range out {
				next = append(next, proposal{append(slices.Clone(p.obstacles), opt...), r})
			}
		}
		if len(next) > maxWays {
			next = next[:maxWays]
		}
		out = next
	}
	gates := func(c *chart.Cond, want bool, site rendering.Site) {
		var options [][]obstacle
		for _, w := range ways(c, want, computed) {
			var opt []obstacle
			for _, e := range w {
				if !e.Path.Overlaps(t.e.Path) {
					opt = append(opt, obstacle{edit: e, site: site})
				}
			}
			if len(opt) > 0 || len(w) == 0 {
				options = append(options, opt)
			} else {
				// Only the value itself would open it: another value of it is tried anyway.
				options = append(options, nil)
			}
		}
		extend(options)
	}
	for _, g := range r.Guards {
		if !g.Holds {
			gates(g.Cond, g.Want, g.Site)
		}
	}
	for _, c := range r.When {
		gates(c, true, r.Site)
	}
	if r.Test && r.Cond != nil {
		var options [][]obstacle
		for _, w := range sensitive(r.Cond, t.e.Path, computed) {
			var opt []obstacle
			for _, e := range w {
				if !e.Path.Overlaps(t.e.Path) {
					opt = append(opt, obstacle{edit: e, site: r.Site})
				}
			}
			options = append(options, opt)
		}
		if len(options) > 0 {
			extend(options)
		}
	}
	for _, m := range r.Before(t.e.Path) {
		at, _ := values.Get(computed, m.Path)
		if falsy(at) || m.Path.Overlaps(t.e.Path) {
			continue
		}
		if len(m.When) > 0 {
			off := false
			for _, c := range m.When {
				if truth, known := holds(c, computed); known && !truth {
					off = true
				}
			}
			if off {
				continue
			}
			var options [][]obstacle
			for _, c := range m.When {
				for _, w := range ways(c, false, computed) {
					var opt []obstacle
					for _, e := range w {
						if !e.Path.Overlaps(t.e.Path) {
							opt = append(opt, obstacle{edit: e, site: r.Site, winner: e.Path.Equal(m.Path)})
						}
					}
					if len(opt) > 0 {
						options = append(options, opt)
					}
				}
			}
			for _, e := range emptied(at, m.Path) {
				options = append(options, []obstacle{{edit: e, winner: true, site: r.Site}})
			}
			extend(options)
			continue
		}
		var options [][]obstacle
		for _, e := range emptied(at, m.Path) {
			options = append(options, []obstacle{{edit: e, winner: true, site: r.Site}})
		}
		extend(options)
	}
	return out
}

// confirmed is a proposal with which the value shows.
type confirmed struct {
	proposal
	with   *rendering.Outcome // the edits made
	shows  []rendering.Change // what the value decides then
	others []rendering.Change // what else the edits change
}

// confirm renders a proposal: does any other value, or none, show?
func (t *trial) confirm(p proposal) (*confirmed, error) {
	edits := p.edits()
	with := t.try(edits...)
	if with.Err != nil {
		return nil, with.Err
	}
	shows := t.shown(with, edits)
	if len(shows) == 0 {
		return nil, nil
	}
	return &confirmed{p, with, shows, rendering.Diff(t.world.Baseline(), with)}, nil
}

// shown lists what other values at the path, or none, change once the edits are made.
func (t *trial) shown(with *rendering.Outcome, edits []values.Edit) []rendering.Change {
	var out []rendering.Change
	tried := 0
	for _, alt := range t.alts {
		o := t.try(append(slices.Clone(edits), values.Set(t.e.Path, alt))...)
		if o.Err != nil {
			continue
		}
		if d := rendering.Diff(with, o); len(d) > 0 {
			out = joined(out, d)
			break
		}
		if tried++; tried == 4 {
			break
		}
	}
	if _, given := values.Get(t.world.Supplied(), t.e.Path); given {
		supplied := values.Apply(t.world.Supplied(), edits...)
		if o := t.try(append(slices.Clone(edits), removal(supplied, t.e.Path))...); o.Err == nil {
			out = joined(out, rendering.Diff(o, with))
		}
	}
	return out
}

// minimal drops every edit that is not needed.
func (t *trial) minimal(c *confirmed) *confirmed {
	for i := 0; len(c.obstacles) > 1 && i < len(c.obstacles); {
		less := proposal{slices.Delete(slices.Clone(c.obstacles), i, i+1), c.read}
		if d, err := t.confirm(less); err == nil && d != nil {
			c = d
			continue
		}
		i++
	}
	return c
}

// search finds out why a value shows nowhere.
func (t *trial) search() {
	e := t.e
	if t.switchedOff() || t.swallowed() {
		return
	}
	found, failure := t.fromReading()
	if len(found) == 0 && failure == nil {
		found = t.byHelmsRules()
	}
	if len(found) == 0 && failure == nil && t.onOtherClusters() {
		return
	}
	if len(found) == 0 && (len(t.reads) > 0 || len(t.reading.Opaque) > 0 || t.reading.TakenWhole(e.Path)) && failure == nil {
		found = t.sweep()
	}
	if len(found) == 0 && failure == nil && len(t.reads) == 0 && e.HasDefault {
		found = t.undone()
	}
	switch {
	case len(found) > 0:
		t.explain(found)
	case failure != nil:
		t.failing(failure)
	case len(t.reads) == 0 && len(t.reading.Opaque) == 0:
		e.Verdict = finding.Unread
		if e.NotesOnly {
			e.Reason = "it shows in NOTES.txt only"
		} else if e.HasDefault {
			e.Reason = "values.yaml has it, no template reads it"
		} else {
			e.Reason = "no template reads it"
		}
	case e.NotesOnly:
		e.Verdict = finding.Unread
		e.Reason = "it shows in NOTES.txt only"
	default:
		t.undecided()
	}
}

// onlyAbove says whether every read of the value is of a table above it.
func (t *trial) onlyAbove() bool {
	return !slices.ContainsFunc(t.reads, func(r *chart.Read) bool { return r.Path.HasPrefix(t.e.Path) })
}

// undecided is for a value that a template reads and that still could not be made to show.
func (t *trial) undecided() {
	e := t.e
	if t.refused != nil {
		// It is read: with another value the chart does not render.
		e.Verdict = finding.Effective
		if _, given := values.Get(t.world.Supplied(), e.Path); given {
			e.Verdict = finding.Redundant
		}
		e.Reason = "other values make the chart fail: " + t.refused.Error()
		return
	}
	if t.checked != nil {
		// It decides no field, but whether the chart renders.
		e.Verdict = finding.Redundant
		e.Reason = "the chart only checks it: " + t.checked.Error()
		return
	}
	if len(t.reads) == 0 {
		e.Verdict = finding.Unknown
		e.Reason = "part of the chart's templates could not be followed"
		return
	}
	onlyTested := !slices.ContainsFunc(t.reads, func(r *chart.Read) bool { return !r.Test })
	if t.used >= t.budget.Renders && !t.onlyAbove() {
		e.Verdict = finding.Unknown
		e.Reason = fmt.Sprintf("%s reads it; %d renderings did not show what it does there: allow more with --renders", e.Site, t.used)
		return
	}
	e.Verdict = finding.Unread
	e.Reason = fmt.Sprintf("%s reads it, and no value of it changes anything", e.Site)
	if onlyTested {
		e.Reason = fmt.Sprintf("%s tests it, and nothing follows from that", e.Site)
	}
}

// swallowed tries values of other types in place of one that templates take for nothing: false, 0, "".
func (t *trial) swallowed() bool {
	e := t.e
	if !falsy(e.Value) || len(t.reads) == 0 {
		return false
	}
	for _, alt := range untyped(e.Value) {
		o := t.try(values.Set(e.Path, alt))
		if o.Err != nil {
			continue
		}
		d := rendering.Diff(t.world.Baseline(), o)
		if len(d) == 0 {
			continue
		}
		if m, isTable := e.Value.(map[string]any); isTable && len(m) == 0 && !t.gaveWay(d) || e.Value == nil {
			e.Verdict, e.Alt = finding.Redundant, alt
			e.Reason = "an empty table adds nothing to what the chart has"
			if e.Value == nil {
				e.Reason = "there is nothing for null to take away"
			}
			e.Reaches = d
			return true
		}
		e.Verdict, e.Alt = finding.Discarded, alt
		e.Reason = fmt.Sprintf("the template takes %s for nothing: the field stays what it is without it", rendering.Show(e.Value))
		for _, c := range d {
			e.Misses = append(e.Misses, Miss{Field: c.Field, Now: c.From, Then: e.Value, Site: e.Site, Stack: e.Stack})
		}
		e.Evidence = append(e.Evidence, finding.Evidence{Did: fmt.Sprintf("put %s=%s", e.Path, rendering.Show(alt)), Saw: counted(d)})
		return true
	}
	return false
}

// gaveWay says whether something gave way to a table that was put there, rather than being joined by it: the empty table
// that was asked for did not have that effect. A table that is as empty as the chart's own asks for nothing.
func (t *trial) gaveWay(d []rendering.Change) bool {
	if t.e.HasDefault && rendering.Equal(t.e.Default, t.e.Value) {
		return false
	}
	for _, put := range d {
		if !strings.Contains(put.Field.Field, probe) {
			continue
		}
		table, _, _ := strings.Cut(put.Field.Field, probe)
		table = strings.TrimRight(table, `.["`)
		for _, c := range d {
			_, gone := c.To.(rendering.Absent)
			if gone && c.Object == put.Object && strings.HasPrefix(c.Field.Field, table) && c.Field.Field != table {
				return true
			}
		}
	}
	return false
}

// blocked is a gate that was opened and led to an error at the very place that reads the value.
type blocked struct {
	proposal
	err error
}

// fromReading renders what the reading proposes, the smallest proposals first.
func (t *trial) fromReading() ([]*confirmed, *blocked) {
	var todo []proposal
	seen := map[string]bool{}
	for _, r := range t.reads {
		for _, p := range t.proposals(r) {
			if k := p.key(); len(p.obstacles) > 0 && !seen[k] {
				seen[k] = true
				todo = append(todo, p)
			}
		}
	}
	slices.SortStableFunc(todo, func(a, b proposal) int { return cmp.Compare(len(a.obstacles), len(b.obstacles)) })
	var found []*confirmed
	var failure *blocked
	keys := map[string]bool{}
	for _, p := range todo {
		if t.used >= t.budget.Renders || len(found) >= 4 {
			break
		}
		if covered(found, p) {
			continue
		}
		c, err := t.confirm(p)
		if err != nil {
			switch {
			case t.reached(err, p.read) && failure == nil:
				failure = &blocked{p, err}
			case t.checked == nil && t.refuses(p, err):
				t.checked = err
			}
			continue
		}
		if c == nil {
			continue
		}
		c = t.minimal(c)
		if k := c.paths(); !keys[k] {
			keys[k] = true
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b *confirmed) int {
		return cmp.Or(cmp.Compare(len(a.obstacles), len(b.obstacles)), cmp.Compare(len(a.others), len(b.others)))
	})
	return found, failure
}

// refuses says whether a rendering failed in the chart author's own words because of the value: without it, or with
// another one there, the same edits render.
func (t *trial) refuses(p proposal, err error) bool {
	var at *rendering.Error
	if !asError(err, &at) || at.Said == "" {
		return false
	}
	for _, alt := range t.alts[:min(len(t.alts), 2)] {
		if o := t.try(append(p.edits(), values.Set(t.e.Path, alt))...); o.Err == nil {
			return true
		}
	}
	return false
}

func (p proposal) paths() string {
	names := make([]string, len(p.obstacles))
	for i, o := range p.obstacles {
		names[i] = o.edit.Path.String()
	}
	slices.Sort(names)
	return strings.Join(names, ";")
}

// covered says whether what was found holds fewer of the same obstacles: the proposal can say nothing new.
func covered(found []*confirmed, p proposal) bool {
	for _, c := range found {
		all := true
		for _, o := range c.obstacles {
			all = all && slices.ContainsFunc(p.obstacles, func(q obstacle) bool { return q.edit.Path.Equal(o.edit.Path) })
		}
		if all {
			return true
		}
	}
	return false
}

// reached says whether a rendering failed at the place that reads the value: then the way there was open.
func (t *trial) reached(err error, r *chart.Read) bool {
	var at *rendering.Error
	if !asError(err, &at) {
		return false
	}
	if at.Said != "" {
		return false
	}
	if at.Site == r.Site && strings.Contains(err.Error(), t.e.Path.Last()) {
		return true
	}
	// Or it stopped at another place of the part that the gate opened.
	return slices.ContainsFunc(r.Guards, func(g *chart.Guard) bool {
		return !g.Holds && g.Site.File == at.Site.File && g.Site.Line <= at.Site.Line && at.Site.Line <= g.End
	})
}

func (t *trial) failing(f *blocked) {
	e := t.e
	e.Verdict = finding.Gated
	for _, o := range f.obstacles {
		e.Gates = append(e.Gates, t.cause(o.edit.Path, o.edit, o.site))
	}
	e.Reason = fmt.Sprintf("with the gate open the template fails there, so more is needed: %v", f.err)
	e.Site, e.Stack = f.read.Site, f.read.Stack
	e.Evidence = append(e.Evidence, finding.Evidence{Did: "put " + shown(f.edits()), Saw: f.err.Error()})
}

func shown(edits []values.Edit) string {
	var out []string
	for _, e := range edits {
		if e.Remove || e.Value == nil {
			out = append(out, "nothing at "+e.Path.String())
		} else {
			out = append(out, e.Path.String()+"="+rendering.Show(e.Value))
		}
	}
	return strings.Join(out, ", ")
}

// explain turns what was confirmed into winners, gates and lost fields.
func (t *trial) explain(found []*confirmed) {
	e := t.e
	first := found[0]
	e.Site, e.Stack = first.read.Site, first.read.Stack
	for _, c := range found {
		misses, winners, gates := t.attribute(c)
		e.Ways = append(e.Ways, Way{c.edits(), misses})
		e.Winners = addCauses(e.Winners, winners)
		e.Gates = addCauses(e.Gates, gates)
		if c == first || len(first.obstacles) == len(c.obstacles) {
			e.Misses = addMisses(e.Misses, misses)
		}
		e.Evidence = append(e.Evidence,
			finding.Evidence{Did: "put " + shown(c.edits()), Saw: e.Path.String() + " decides " + fields(c.shows)})
	}
	e.Evidence = append(e.Evidence, finding.Evidence{Did: "left them as they are", Saw: "no value of " + e.Path.String() + " changes anything"})
	e.Verdict = finding.Gated
	if len(e.Winners) > 0 {
		e.Verdict = finding.Shadowed
		if w, _ := t.split(first); w == 0 {
			e.Verdict = finding.Gated
		}
	}
}

func fields(c []rendering.Change) string {
	if len(c) == 1 {
		return c[0].Object.String() + " " + c[0].Field.Field
	}
	return fmt.Sprintf("%d fields", len(c))
}

// split counts the winners and the gates of a confirmed proposal.
func (t *trial) split(c *confirmed) (winners, gates int) {
	for _, o := range c.obstacles {
		if t.wins(o, c) {
			winners++
		} else {
			gates++
		}
	}
	return winners, gates
}

// wins tells a winner from a gate: a winner's own value stands where the value would stand. Another value of it shows
// in a field that the value would decide.
func (t *trial) wins(o obstacle, c *confirmed) bool {
	at, _ := values.Get(t.world.Computed(), o.edit.Path)
	if _, isBool := at.(bool); isBool {
		return o.winner
	}
	if !o.winner && falsy(at) {
		return false
	}
	meant, named := map[string]bool{}, map[string]bool{}
	for _, f := range c.shows {
		meant[f.ID()] = true
		if _, isAbsent := f.To.(rendering.Absent); !isAbsent {
			named[unnamed(f)] = true
		}
	}
	// Who is asked second wins only once the first is out of the way: they are a chain.
	var ahead []values.Edit
	for _, x := range c.obstacles {
		if o.winner && x.winner && !x.edit.Path.Equal(o.edit.Path) {
			ahead = append(ahead, x.edit)
		}
	}
	return t.standsIn(o, at, meant, named, nil) || len(ahead) > 0 && t.standsIn(o, at, meant, named, ahead)
}

// standsIn says whether other values of an obstacle, with the edits made, show in one of the fields.
func (t *trial) standsIn(o obstacle, at any, meant, named map[string]bool, ahead []values.Edit) bool {
	before := t.world.Baseline()
	if len(ahead) > 0 {
		before = t.try(ahead...)
	}
	if before.Err != nil {
		return false
	}
	for _, alt := range others(at, nil)[:min(2, len(others(at, nil)))] {
		after := t.try(append(slices.Clone(ahead), values.Set(o.edit.Path, alt))...)
		if after.Err != nil {
			continue
		}
		for _, d := range rendering.Diff(before, after) {
			_, wasAbsent := d.From.(rendering.Absent)
			_, isAbsent := d.To.(rendering.Absent)
			if meant[d.ID()] && !wasAbsent && !isAbsent {
				return true
			}
			// What names a list item or an object makes another one of it.
			if o.winner && !isAbsent && named[unnamed(d)] && echoes([]rendering.Change{d}, alt) {
				return true
			}
		}
	}
	return false
}

// unnamed writes a field without the names of its object and of list items.
func unnamed(c rendering.Change) string {
	return c.Kind + " " + itemName.ReplaceAllString(c.Field.Field, "[]")
}

var itemName = regexp.MustCompile(`\[[^\]]*\]`)

// attribute gives the fields that are lost, and the causes. What the winner says as well is not lost.
func (t *trial) attribute(c *confirmed) (misses []Miss, winners, gates []Cause) {
	for _, o := range c.obstacles {
		cause := t.cause(o.edit.Path, o.edit, o.site)
		if t.wins(o, c) {
			winners = append(winners, cause)
		} else {
			gates = append(gates, cause)
		}
	}
	now := map[string]rendering.Change{}
	made := map[finding.Object]map[string]any{}
	for _, d := range c.others {
		now[d.ID()] = d
		if content, isObject := d.To.(map[string]any); isObject && d.Field.Field == "" {
			made[d.Object] = content
		}
	}
	for _, f := range c.shows {
		d, differs := now[f.ID()]
		if content := made[f.Object]; content != nil {
			then, _ := rendering.Lookup(content, f.Field.Field)
			d, differs = rendering.Change{Field: f.Field, From: rendering.Absent{}, To: then, File: f.File}, true
		}
		if !differs && t.budget.Presets {
			d, differs = f, true
		}
		if !differs {
			continue
		}
		misses = append(misses, Miss{Field: f.Field, Now: d.From, Then: d.To, Winners: winners, Gates: gates, Site: c.read.Site, Stack: c.read.Stack})
	}
	return misses, winners, gates
}

func addCauses(to, more []Cause) []Cause {
	for _, c := range more {
		if !slices.ContainsFunc(to, func(x Cause) bool { return x.Path.Equal(c.Path) }) {
			to = append(to, c)
		}
	}
	return to
}

func addMisses(to, more []Miss) []Miss {
	for _, m := range more {
		if !slices.ContainsFunc(to, func(x Miss) bool { return x.Field == m.Field }) {
			to = append(to, m)
		}
	}
	return to
}

// lost finds the fields that a value in force loses elsewhere: places that ask another value first.
func (t *trial) lost() {
	e := t.e
	reached := map[string]bool{}
	for _, c := range e.Reaches {
		reached[c.ID()] = true
	}
	seen, settled := map[string]bool{}, map[string]bool{}
	for _, r := range t.reads {
		if !r.Taken || r.Test || t.used >= t.budget.Renders {
			continue
		}
		for _, p := range t.proposals(r) {
			k := p.key()
			if len(p.obstacles) == 0 || seen[k] || settled[p.paths()] || slices.ContainsFunc(p.obstacles, func(o obstacle) bool { return !o.winner }) {
				continue
			}
			seen[k] = true
			c, err := t.confirm(p)
			if err != nil || c == nil {
				continue
			}
			c.shows = slices.DeleteFunc(c.shows, func(f rendering.Change) bool { return reached[f.ID()] })
			if len(c.shows) == 0 {
				continue
			}
			misses, winners, _ := t.attribute(c)
			if len(misses) == 0 || len(winners) == 0 {
				continue
			}
			settled[p.paths()] = true
			e.Misses = addMisses(e.Misses, misses)
			e.Winners = addCauses(e.Winners, winners)
			e.Evidence = append(e.Evidence, finding.Evidence{Did: "put " + shown(p.edits()), Saw: e.Path.String() + " decides " + fields(c.shows) + ", too"})
		}
	}
	if len(e.Misses) > 0 {
		e.Verdict = finding.Partial
		e.Reason = ""
	}
}
