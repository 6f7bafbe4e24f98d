package causality

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// sweep searches without the reading's help: it changes every other value alone, the likeliest first, and then sets of
// them. It finds what stands in the way in a template that could not be followed.
//
// A value that templates only take with a table above it may well be an entry that they drop: only values of the same
// name are tried for it.
func (t *trial) sweep() []*confirmed {
	read := &chart.Read{Site: t.e.Site, Stack: t.e.Stack}
	half := t.used + (t.budget.Renders-t.used)/2
	entry := t.onlyAbove() && slices.ContainsFunc(t.reads, func(r *chart.Read) bool { return r.Taken })
	for _, o := range t.singles() {
		if t.used >= half || entry && o.edit.Path.Last() != t.e.Path.Last() {
			break
		}
		if c, err := t.confirm(proposal{[]obstacle{o}, read}); err == nil && c != nil {
			return []*confirmed{c}
		}
	}
	if entry {
		return nil
	}
	return t.halving(read)
}

// undone searches among the other supplied values: with one of them taken back a chart's own text may ask for the value
// that nothing reads now.
func (t *trial) undone() []*confirmed {
	read := &chart.Read{Site: t.e.Site, Stack: t.e.Stack}
	for i, l := range values.Leaves(t.world.Supplied()) {
		if i == maxUndone || t.used >= t.budget.Renders {
			break
		}
		p := outsideLists(l.Path)
		preset, found := values.Get(t.defaults, p)
		if !found || p.Overlaps(t.e.Path) {
			continue
		}
		o := obstacle{edit: values.Set(p, preset), winner: true}
		if c, err := t.confirm(proposal{[]obstacle{o}, read}); err == nil && c != nil {
			return []*confirmed{c}
		}
	}
	return nil
}

// maxUndone is how many supplied values are taken back to see whether another one shows then.
const maxUndone = 40

// outsideLists is the path, cut off at the first list.
func outsideLists(p values.Path) values.Path {
	if i := slices.IndexFunc(p, func(s values.Step) bool { return s.Index >= 0 }); i >= 0 {
		return p[:i]
	}
	return p
}

// singles proposes one change of every other value that reaches a file which the value reaches: empty, switched, or what
// templates compare it with. Values of the same name and of the same table come first.
func (t *trial) singles() []obstacle {
	type candidate struct {
		obstacle
		near int
	}
	mine := map[string]bool{}
	for _, file := range t.reading.May(t.e.Path) {
		mine[file] = true
	}
	var all []candidate
	add := func(p values.Path, at any) {
		p = outsideLists(p)
		if len(p) == 0 || p.Overlaps(t.e.Path) || !slices.ContainsFunc(t.reading.May(p), func(file string) bool { return mine[file] }) {
			return
		}
		near := sharedKeys(p, t.e.Path)
		if p.Last() == t.e.Path.Last() {
			near += sameName
		}
		for _, o := range t.changes(p, at) {
			all = append(all, candidate{o, near})
		}
	}
	for _, l := range values.Leaves(t.world.Computed()) {
		add(l.Path, l.Value)
	}
	for _, p := range t.reading.Paths() {
		if _, found := values.Get(t.world.Computed(), p); !found {
			add(p, nil)
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.near, a.near) })
	var out []obstacle
	seen := map[string]bool{}
	for _, c := range all {
		if k := (proposal{obstacles: []obstacle{c.obstacle}}).key(); !seen[k] {
			seen[k] = true
			out = append(out, c.obstacle)
		}
	}
	return out
}

// sameName puts values of the same name before all others.
const sameName = 100

func sharedKeys(a, b values.Path) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// changes lists what to put at one path that holds at.
func (t *trial) changes(p values.Path, at any) []obstacle {
	var out []obstacle
	if _, given := values.Get(t.world.Supplied(), p); given {
		if preset, found := values.Get(t.defaults, p); !found {
			out = append(out, obstacle{edit: values.Remove(p), winner: true})
		} else if !rendering.Equal(preset, at) {
			out = append(out, obstacle{edit: values.Set(p, preset), winner: true})
		}
	}
	if b, isBool := at.(bool); isBool {
		return append(out, obstacle{edit: values.Set(p, !b)})
	}
	for _, l := range t.literals[p.String()] {
		out = append(out, obstacle{edit: values.Set(p, typed(l, at)[0])})
	}
	if !falsy(at) {
		for _, e := range emptied(at, p) {
			out = append(out, obstacle{edit: e, winner: true})
		}
		return out
	}
	for _, v := range truthy(at) {
		out = append(out, obstacle{edit: values.Set(p, v)})
	}
	return out
}

// halving empties and switches sets of other values, and halves the sets with which the value shows.
func (t *trial) halving(read *chart.Read) []*confirmed {
	var candidates []obstacle
	for _, l := range values.Leaves(t.world.Computed()) {
		if l.Path.Overlaps(t.e.Path) || slices.ContainsFunc(l.Path, func(s values.Step) bool { return s.Index >= 0 }) {
			continue
		}
		if b, isBool := l.Value.(bool); isBool {
			candidates = append(candidates, obstacle{edit: values.Set(l.Path, !b)})
		} else if s, isText := l.Value.(string); isText && s != "" {
			candidates = append(candidates, obstacle{edit: values.Set(l.Path, ""), winner: true})
		}
	}
	var find func(set []obstacle) *confirmed
	find = func(set []obstacle) *confirmed {
		if len(set) == 0 || t.used >= t.budget.Renders {
			return nil
		}
		c, err := t.confirm(proposal{set, read})
		if err == nil && c == nil {
			return nil // nothing in it, or not alone
		}
		if len(set) == 1 {
			return c
		}
		for _, half := range [][]obstacle{set[:len(set)/2], set[len(set)/2:]} {
			if d := find(half); d != nil {
				return d
			}
		}
		return c // needed together
	}
	if len(candidates) > 200 {
		candidates = t.near(candidates)
	}
	c := find(candidates)
	if c == nil || len(c.obstacles) > 8 {
		return nil
	}
	return []*confirmed{t.minimal(c)}
}

// near keeps the candidates that are read in the files that read the value.
func (t *trial) near(candidates []obstacle) []obstacle {
	files := map[string]bool{}
	for _, r := range t.reads {
		files[r.File] = true
	}
	return slices.DeleteFunc(candidates, func(o obstacle) bool {
		for _, r := range t.reading.Of(o.edit.Path) {
			if files[r.File] {
				return false
			}
		}
		return true
	})
}

// typed gives a template's literal the type of the value that it is compared with, and then as it is: a switch may be
// compared by its text.
func typed(literal, at any) []any {
	literal = normal(literal)
	text, isText := literal.(string)
	switch at.(type) {
	case bool:
		if isText && (strings.EqualFold(text, "true") || strings.EqualFold(text, "false")) {
			return []any{strings.EqualFold(text, "true"), literal}
		}
	case nil:
		if isText && text == "true" {
			return []any{true, literal}
		}
	}
	return []any{literal}
}
