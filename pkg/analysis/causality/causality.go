// Package causality is interventions on values and their effects: which value decides which field, which value wins
// instead, which value switches a part off.
//
// Every verdict comes from rendering. The reading of the templates (package chart) only says what to try.
package causality

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Cause is another value that stands in the way of one: a winner or a gate.
type Cause struct {
	Path     values.Path
	Value    any            // as computed now
	Supplied bool           // given by the user, not preset by the chart
	Opens    values.Edit    // with this edit it does not stand in the way
	Site     rendering.Site // where the template asks it
}

// Miss is a field that a value would decide, but for its causes.
type Miss struct {
	finding.Field
	Now, Then any // in the rendering; with the causes out of the way
	Winners   []Cause
	Gates     []Cause
	Site      rendering.Site // where it is decided
	Stack     []rendering.Site
}

// Way is edits of other values with which a value shows, and the fields that it decides then.
type Way struct {
	Edits  []values.Edit
	Misses []Miss
}

// Effect is what one supplied value does.
type Effect struct {
	Path       values.Path
	Value      any
	Default    any // the chart's own value there
	HasDefault bool
	Verdict    finding.Verdict
	Reason     string
	Winners    []Cause
	Gates      []Cause
	Reaches    []rendering.Change // by taking it away and by putting another value there
	Removed    []rendering.Change // by taking it away alone
	Misses     []Miss
	Site       rendering.Site // where it is read; zero if nowhere
	Stack      []rendering.Site
	NotesOnly  bool // it shows in NOTES.txt alone
	Asked      bool // a template asks for this very path, or for something below it
	Fails      error
	Echo       bool // the value itself stands in a field that it reaches
	Evidence   []finding.Evidence
	Alt        any   // the other value that showed an effect
	Ways       []Way // with which it shows, each confirmed and minimal, the smallest first
}

// Budget bounds the work, and says what counts.
type Budget struct {
	Renders int  // of one value's search; 0 means the default
	Presets bool // audit: a field counts as lost also while the winner says the same as the value
}

const defaultRenders = 240

// Judge gives the effect of each leaf, in their order. They are leaves of the supplied values, or of the defaults
// where nothing is supplied (audit).
// Cost: two or three renderings of the files that a leaf reaches; for one that does nothing, some more per candidate.
func Judge(w *rendering.World, reading *chart.Reading, leaves []values.Leaf, b Budget) []Effect {
	if b.Renders == 0 {
		b.Renders = defaultRenders
	}
	j := &judge{world: w, reading: reading, budget: b, defaults: w.Defaults(), literals: literalsByPath(reading.Reads)}
	out := make([]Effect, len(leaves))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(leaves)) {
		wg.Go(func() {
			for k := range next {
				out[k] = j.leaf(leaves[k])
			}
		})
	}
	for k := range leaves {
		next <- k
	}
	close(next)
	wg.Wait()
	return out
}

type judge struct {
	world     *rendering.World
	reading   *chart.Reading
	budget    Budget
	defaults  map[string]any
	literals  map[string][]any
	worlds    worlds
	elsewhere bool // the cluster is not the one that was given
}

// trial is the search for one leaf.
type trial struct {
	*judge
	leaf  values.Leaf
	e     *Effect
	reads []*chart.Read
	alts  []any
	used  int

	refused error // with another value the chart did not render
	checked error // with other values changed the chart does not render because of this one
}

func (j *judge) leaf(l values.Leaf) Effect {
	e := Effect{Path: l.Path, Value: l.Value}
	e.Default, e.HasDefault = values.Get(j.defaults, l.Path)
	t := &trial{judge: j, leaf: l, e: &e, reads: j.reading.Of(l.Path)}
	t.alts = others(l.Value, j.literals[l.Path.String()])
	if len(t.reads) > 0 {
		r := t.bestRead()
		e.Site, e.Stack = r.Site, r.Stack
		e.Asked = !t.onlyAbove()
	}
	t.run()
	return e
}

// bestRead is the read to name: one that happens, prints, and is no more than looked at.
func (t *trial) bestRead() *chart.Read {
	best := t.reads[0]
	score := func(r *chart.Read) int {
		n := 0
		if r.Taken {
			n += 4
		}
		if !r.Test {
			n += 2
		}
		if r.Path.Equal(t.e.Path) {
			n++
		}
		return n
	}
	for _, r := range t.reads[1:] {
		if score(r) > score(best) {
			best = r
		}
	}
	return best
}

func (t *trial) run() {
	e := t.e
	_, given := values.Get(t.world.Supplied(), e.Path)
	if given {
		without := t.try(removal(t.world.Supplied(), e.Path))
		if without.Err != nil {
			// Needed for the chart to render at all: it is in force.
			e.Verdict, e.Fails = finding.Effective, without.Err
			e.Evidence = append(e.Evidence, finding.Evidence{Did: "took " + e.Path.String() + " away", Saw: "the chart does not render: " + without.Err.Error()})
		} else {
			e.Removed = rendering.Diff(without, t.world.Baseline())
			e.Reaches = e.Removed
			e.NotesOnly = len(e.Removed) == 0 && rendering.NotesDiffer(without, t.world.Baseline())
			e.Evidence = append(e.Evidence, finding.Evidence{Did: "took " + e.Path.String() + " away", Saw: counted(e.Removed)})
		}
	}
	replaced := t.replace()
	e.Reaches = joined(e.Reaches, replaced)
	switch {
	case e.Fails != nil || len(e.Removed) > 0:
		e.Verdict = finding.Effective
		e.NotesOnly = false
		t.lost()
	case len(replaced) > 0:
		e.NotesOnly = false
		if !given {
			e.Verdict = finding.Effective
			t.lost()
			return
		}
		if t.dropped(replaced) || t.mistyped() {
			return
		}
		e.Verdict = finding.Redundant
		e.Reason = "the chart would say the same without it"
		t.lost()
	default:
		t.search()
	}
}

// try counts.
func (t *trial) try(edits ...values.Edit) *rendering.Outcome {
	t.used++
	return t.world.Try(edits...)
}

func counted(c []rendering.Change) string {
	switch len(c) {
	case 0:
		return "nothing changes"
	case 1:
		return "1 field changes: " + c[0].Object.String() + " " + c[0].Field.Field
	}
	return fmt.Sprintf("%d fields change", len(c))
}

// replace puts other values at the path until one shows.
func (t *trial) replace() []rendering.Change {
	e := t.e
	for _, alt := range t.alts {
		o := t.try(values.Set(e.Path, alt))
		if o.Err != nil {
			t.refused = o.Err
			continue
		}
		if d := rendering.Diff(t.world.Baseline(), o); len(d) > 0 {
			e.Alt = alt
			e.Echo = echoes(d, alt)
			e.Evidence = append(e.Evidence, finding.Evidence{Did: fmt.Sprintf("put %s=%s", e.Path, rendering.Show(alt)), Saw: counted(d)})
			return d
		}
		if rendering.NotesDiffer(t.world.Baseline(), o) {
			e.NotesOnly = true
		}
	}
	return nil
}

// echoes says whether some changed field holds the value itself.
func echoes(d []rendering.Change, v any) bool {
	return slices.ContainsFunc(d, func(c rendering.Change) bool { return rendering.Holds(c.To, v, false) })
}

// dropped recognises a value that the template takes for nothing: with another value the field echoes it, with this
// one the field shows something else, or is not there although its absence says something else.
func (t *trial) dropped(replaced []rendering.Change) bool {
	e := t.e
	if !falsy(e.Value) || e.HasDefault && rendering.Equal(e.Default, e.Value) {
		return false
	}
	alt := e.Alt
	switch e.Value.(type) {
	case map[string]any, []any, nil:
		return false
	case bool:
		// Whether the template writes the value, or only asks it, shows with a text.
		alt = probe
		replaced = nil
		if o := t.try(values.Set(e.Path, alt)); o.Err == nil {
			replaced = rendering.Diff(t.world.Baseline(), o)
		}
	case string:
		if !e.HasDefault || rendering.Equal(e.Default, "") {
			// Asking for an empty text where the chart has one: the template fills it in, nobody is surprised.
			return false
		}
	}
	for _, c := range replaced {
		asked, echoed := t.asked(c, alt)
		if !echoed || fmt.Sprint(c.From) == asked {
			continue
		}
		saw := rendering.Show(c.From)
		if c.From == any(rendering.Absent{}) || shifted(c, alt) {
			if !t.absenceSays(c) {
				continue
			}
			saw = "nothing"
		}
		e.Verdict = finding.Discarded
		e.Reason = fmt.Sprintf("the template takes %s for nothing and puts %s", rendering.Show(e.Value), saw)
		e.Misses = append(e.Misses, Miss{Field: c.Field, Now: c.From, Then: e.Value, Site: e.Site, Stack: e.Stack})
	}
	return e.Verdict == finding.Discarded
}

// mistyped recognises the text "false" where a switch was meant: a text is true to a template.
func (t *trial) mistyped() bool {
	e := t.e
	if e.Value != "false" {
		return false
	}
	o := t.try(values.Set(e.Path, false))
	if o.Err != nil {
		return false
	}
	d := rendering.Diff(t.world.Baseline(), o)
	if len(d) == 0 {
		return false
	}
	e.Verdict = finding.Discarded
	e.Reason = `the text "false" is true to the template, the switch false is not`
	for _, c := range d {
		e.Misses = append(e.Misses, Miss{Field: c.Field, Now: c.From, Then: c.To, Site: e.Site, Stack: e.Stack})
	}
	e.Evidence = append(e.Evidence, finding.Evidence{Did: "put the switch " + e.Path.String() + "=false", Saw: counted(d)})
	return true
}

// asked is what a field that shows the other value alt would be with the value itself.
func (t *trial) asked(c rendering.Change, alt any) (text string, echoed bool) {
	shows, other := fmt.Sprint(c.To), fmt.Sprint(alt)
	if !strings.Contains(shows, other) {
		return "", false
	}
	return strings.Replace(shows, other, fmt.Sprint(t.e.Value), 1), true
}

// shifted says whether what stood in the field is another item of a list, which moved down.
func shifted(c rendering.Change, alt any) bool {
	from, wasText := c.From.(string)
	to, isText := c.To.(string)
	before, _, _ := strings.Cut(to, fmt.Sprint(alt))
	return wasText && isText && strings.HasSuffix(c.Field.Field, "]") && before != "" && !strings.HasPrefix(from, before)
}

// absenceSays says whether a field that is left out says something else than false, 0 or "" there: it is part of a text,
// or its type tells the absence of a value from its zero. Of custom resources nobody here knows.
func (t *trial) absenceSays(c rendering.Change) bool {
	_, asText := t.e.Value.(string)
	if text, isText := c.To.(string); isText && !asText && (text != probe || strings.HasSuffix(c.Field.Field, "]")) {
		return true
	}
	for _, o := range t.world.Baseline().Objects() {
		if o.Object == c.Object {
			return drift.ZeroDiffers(o.APIVersion, o.Kind, c.Field.Field)
		}
	}
	return false
}

// joined is the union of two lists of changes, by field, sorted as the first.
func joined(a, b []rendering.Change) []rendering.Change {
	have := map[string]bool{}
	out := slices.Clone(a)
	for _, c := range a {
		have[c.ID()] = true
	}
	for _, c := range b {
		if !have[c.ID()] {
			have[c.ID()] = true
			out = append(out, c)
		}
	}
	return out
}

func (t *trial) cause(p values.Path, opens values.Edit, site rendering.Site) Cause {
	at, _ := values.Get(t.world.Computed(), p)
	_, given := values.Get(t.world.Supplied(), p)
	return Cause{Path: p, Value: at, Supplied: given, Opens: opens, Site: site}
}
