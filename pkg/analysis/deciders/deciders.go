// Package deciders says which values decide one field of one object, in the order in which the template asks them.
//
// The reading of the templates proposes values; each is confirmed by rendering: another value there changes the field.
// Then the one that decides is emptied, the chart rendered again, and so on until nobody is asked any more.
package deciders

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Target is a field of a rendered object. The object is known by its place, not by its name: a value may rename it.
type Target struct {
	finding.Field
	File string // that makes it
	Nth  int    // of its kind in the file
}

// Find makes the target of an object of the baseline; found is false if it is not rendered.
func Find(w *rendering.World, object finding.Object, field string) (t Target, o rendering.Object, found bool) {
	nth := map[string]int{}
	for _, o := range w.Baseline().Objects() {
		k := o.File + "\x00" + o.Kind
		if o.Object == object {
			return Target{Field: finding.Field{Object: object, Field: field}, File: o.File, Nth: nth[k]}, o, true
		}
		nth[k]++
	}
	return Target{}, rendering.Object{}, false
}

// Role says how a value decides.
type Role string

// Content: the value, or something made of it, stands in the field. Condition: it switches something that changes the
// field.
const (
	Content   Role = "value"
	Condition Role = "condition"
)

// Decider is a value that decides the field, or would if those before it were empty.
type Decider struct {
	Path    values.Path
	Value   any // as computed; nil if there is none
	Role    Role
	Decides bool        // with the values as they are
	After   values.Path // it is asked if this one is empty; nil if it is asked anyway
	Read    *chart.Read // where; nil if the reading does not know
}

const (
	maxRenders = 800
	many       = 60 // candidates: of more only those are tried that stand by the field's line, or are conditions above it
	maxDepth   = 5
	maxBelow   = 200 // leaves of one table that goes in whole
)

// Of lists the deciders of a field in the order in which they are asked, conditions last. whole is false if the bound
// on renderings was met before everything had been tried.
func Of(w *rendering.World, reading *chart.Reading, t Target) (chain []Decider, whole bool) {
	s := &search{world: w, reading: reading, target: t, left: maxRenders}
	place := Locate(w, t)
	s.near = place.Site
	if _, o, found := Find(w, t.Object, t.Field.Field); found {
		s.places = positions(o.Content, t.Field.Field)
	}
	s.candidates = s.propose(func(*chart.Read) bool { return true })
	if len(s.candidates) > many && place.Sure {
		if few := s.propose(s.above); len(few) > 0 {
			s.candidates = few
		}
	}
	chain = s.ask(nil, nil, 0)
	slices.SortStableFunc(chain, func(a, b Decider) int { return cmp.Compare(last(a.Role), last(b.Role)) })
	return chain, s.left > 0
}

func last(r Role) int {
	if r == Condition {
		return 1
	}
	return 0
}

type search struct {
	world      *rendering.World
	reading    *chart.Reading
	target     Target
	near       rendering.Site // the line that writes the field
	places     []int          // of the list items in the field, in the baseline
	candidates []values.Path
	known      []values.Path
	left       int
}

// above says whether a read stands at the line that writes the field, or asks a condition before it.
func (s *search) above(r *chart.Read) bool {
	for _, site := range append(slices.Clone(r.Stack), r.Site) {
		if site == s.near || r.Test && site.File == s.near.File && site.Line <= s.near.Line {
			return true
		}
	}
	return false
}

// behind says whether a read may be asked once the value at p is empty: it stands in the same chain, at the same line,
// or in the same few lines of a helper.
func (s *search) behind(p values.Path) func(*chart.Read) bool {
	mine := slices.DeleteFunc(s.reading.Of(p), func(r *chart.Read) bool { return r.File != s.target.File })
	return func(r *chart.Read) bool {
		return slices.ContainsFunc(mine, func(m *chart.Read) bool {
			near := r.Site.File == m.Site.File && max(r.Site.Line-m.Site.Line, m.Site.Line-r.Site.Line) <= 8
			return m.Chain != nil && m.Chain == r.Chain || r.Site == m.Site || near && len(m.Stack) > 0 && !r.Test
		})
	}
}

// propose lists what the file reads, the likeliest first.
func (s *search) propose(want func(*chart.Read) bool) []values.Path {
	var out []values.Path
	seen := map[string]bool{}
	add := func(p values.Path) {
		if k := p.String(); len(p) > 0 && !seen[k] {
			seen[k] = true
			out = append(out, p)
		}
	}
	var tests []values.Path
	for _, r := range s.reading.Reads {
		if r.File != s.target.File || !want(r) {
			continue
		}
		if r.Test {
			tests = append(tests, r.Path)
			continue
		}
		s.below(r.Path, r.Whole, add)
		if r.Chain != nil {
			for _, m := range r.Chain.Members {
				s.below(m.Path, m.Whole, add)
			}
		}
	}
	if s.reading.Opaque[s.target.File] != "" {
		s.below(nil, true, add)
	}
	for _, p := range tests {
		s.below(p, false, add)
	}
	key := strings.ToLower(lastKey(s.target.Field.Field))
	slices.SortStableFunc(out, func(a, b values.Path) int {
		return cmp.Compare(distance(key, strings.ToLower(a.Last())), distance(key, strings.ToLower(b.Last())))
	})
	return out
}

func lastKey(field string) string {
	steps, err := ParseField(field)
	if err != nil {
		return ""
	}
	return steps[len(steps)-1].Name
}

// below visits a path that is read; of one that goes in whole its leaves, and what the field's own keys would be there.
func (s *search) below(p values.Path, whole bool, visit func(values.Path)) {
	at, _ := values.Get(s.world.Computed(), p)
	if !whole || !holdsMore(at) {
		visit(p)
	}
	if !whole {
		return
	}
	n := 0
	leaves(p, at, func(q values.Path) {
		if n++; n <= maxBelow && len(q) > len(p) {
			visit(q)
		}
	})
	if _, table := at.(map[string]any); len(p) == 0 || !table && at != nil {
		return
	}
	steps, err := ParseField(s.target.Field.Field)
	if err != nil {
		return
	}
	for i := len(steps) - 1; i >= 0 && i >= len(steps)-4 && !steps[i].Item; i-- {
		q := p
		for _, x := range steps[i:] {
			q = q.Key(x.Name)
		}
		visit(q)
	}
}

func holdsMore(v any) bool {
	switch t := v.(type) {
	case map[string]any:
		return len(t) > 0
	case []any:
		return len(t) > 0
	}
	return false
}

func leaves(p values.Path, v any, visit func(values.Path)) {
	switch t := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(t))
		for k := range t {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			leaves(p.Key(k), t[k], visit)
		}
		if len(t) > 0 {
			return
		}
	case []any:
		for i, x := range t {
			leaves(p.Item(i), x, visit)
		}
		if len(t) > 0 {
			return
		}
	}
	visit(p)
}

// ask finds who decides with some edits made, and asks again behind each of them.
func (s *search) ask(edits []values.Edit, after values.Path, depth int) []Decider {
	base := s.world.Try(edits...)
	if base.Err != nil {
		return nil
	}
	was := s.look(base)
	var found []Decider
	candidates := s.candidates
	if after != nil && len(candidates) > many/2 {
		candidates = s.propose(s.behind(after))
	}
	for _, p := range candidates {
		if slices.ContainsFunc(s.known, p.Equal) {
			continue
		}
		if d, ok := s.probe(edits, base, was, p); ok && (depth == 0 || d.Role == Content) {
			d.After = after
			d.Decides = d.Decides && depth == 0
			found = append(found, d)
		}
	}
	found = slices.DeleteFunc(found, func(d Decider) bool {
		return slices.ContainsFunc(found, func(x Decider) bool { return len(x.Path) < len(d.Path) && d.Path.HasPrefix(x.Path) })
	})
	for _, d := range found {
		s.known = append(s.known, d.Path)
	}
	found = inOrder(found)
	var out []Decider
	for _, d := range found {
		out = append(out, d)
		if d.Role != Content || d.Value == nil || depth == maxDepth {
			continue
		}
		for _, e := range emptied(base.Computed, d.Path) {
			more := append(slices.Clone(edits), e)
			if o := s.try(more...); o.Err == nil && !rendering.Equal(s.look(o), was) {
				out = append(out, s.ask(more, d.Path, depth+1)...)
				break
			}
		}
	}
	return out
}

// inOrder keeps those together that are asked for the same, in the order of the templates' chain. First come groups of
// which none decides, since all are empty, then the others in the order of their lines.
func inOrder(found []Decider) []Decider {
	type group struct {
		of      *chart.Chain
		members []Decider
		decides bool
	}
	var groups []*group
	for _, d := range found {
		var g *group
		if d.Read != nil && d.Read.Chain != nil {
			if i := slices.IndexFunc(groups, func(g *group) bool { return g.of == d.Read.Chain }); i >= 0 {
				g = groups[i]
			}
		}
		if g == nil {
			g = &group{}
			if d.Read != nil {
				g.of = d.Read.Chain
			}
			groups = append(groups, g)
		}
		g.members = append(g.members, d)
		g.decides = g.decides || d.Decides
	}
	slices.SortStableFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(truth(a.decides), truth(b.decides)), cmp.Compare(position(a.members[0]), position(b.members[0])))
	})
	var out []Decider
	for _, g := range groups {
		slices.SortStableFunc(g.members, func(a, b Decider) int { return cmp.Compare(rank(a), rank(b)) })
		out = append(out, g.members...)
	}
	return out
}

func rank(d Decider) int {
	if d.Read == nil {
		return 0
	}
	return d.Read.Rank
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func position(d Decider) string {
	if d.Read == nil {
		return "~" + d.Path.String()
	}
	return fmt.Sprintf("%s:%06d", d.Read.Site.File, d.Read.Site.Line)
}

func (s *search) try(edits ...values.Edit) *rendering.Outcome {
	s.left--
	return s.world.Try(edits...)
}

// probe puts other values at a path until the field changes.
func (s *search) probe(edits []values.Edit, base *rendering.Outcome, was any, p values.Path) (Decider, bool) {
	at, _ := values.Get(base.Computed, p)
	for _, alt := range others(at) {
		if s.left <= 0 {
			return Decider{}, false
		}
		o := s.try(append(slices.Clone(edits), put(base.Computed, p, alt))...)
		if o.Err != nil {
			continue
		}
		now := s.look(o)
		if rendering.Equal(now, was) || now == any(rendering.Absent{}) && (s.broken(o) || isText(alt)) {
			continue
		}
		d := Decider{Path: p, Value: at, Role: Condition, Read: s.read(p)}
		if carries(now, alt) {
			d.Role = Content
		}
		d.Decides = !empty(at) || at != nil && d.Role == Content && carries(was, at)
		return d, true
	}
	return Decider{}, false
}

// look reads the field in a rendering.
func (s *search) look(o *rendering.Outcome) any {
	var same []rendering.Object
	for _, x := range o.Objects() {
		if x.File != s.target.File || x.Kind != s.target.Kind {
			continue
		}
		if x.Object == s.target.Object {
			return s.lookup(x)
		}
		same = append(same, x)
	}
	if s.target.Nth < len(same) {
		return s.lookup(same[s.target.Nth])
	}
	return rendering.Absent{}
}

// isText says whether a value is the guess that a list may hold texts: where it does not, it breaks what it gets into.
func isText(alt any) bool {
	list, ok := alt.([]any)
	return ok && len(list) == 1 && list[0] == any(probeText)
}

// broken says whether the file is no YAML any more: then the value was of a wrong type, and says nothing.
func (s *search) broken(o *rendering.Outcome) bool {
	text, _ := o.Text(s.target.File)
	_, bad := rendering.ParseManifest(s.target.File, text)
	return bad > 0
}

// lookup reads the field of an object. An item that goes by another name now is found by its place.
func (s *search) lookup(o rendering.Object) any {
	if v, found := rendering.Lookup(o.Content, s.target.Field.Field); found {
		return v
	}
	steps, err := ParseField(s.target.Field.Field)
	if err != nil {
		return rendering.Absent{}
	}
	at, n := any(o.Content), 0
	for _, step := range steps {
		switch t := at.(type) {
		case map[string]any:
			v, found := t[step.Name]
			if !found {
				return rendering.Absent{}
			}
			at = v
		case []any:
			i := slices.Index(rendering.ItemNames(t), step.Name)
			if i < 0 && n < len(s.places) && s.places[n] < len(t) {
				i = s.places[n]
			}
			if i < 0 {
				return rendering.Absent{}
			}
			at = t[i]
			n++
		default:
			return rendering.Absent{}
		}
	}
	return at
}

// positions gives the indexes of the list items that a field goes through.
func positions(content map[string]any, field string) []int {
	steps, err := ParseField(field)
	if err != nil {
		return nil
	}
	var out []int
	at := any(content)
	for _, step := range steps {
		switch t := at.(type) {
		case map[string]any:
			at = t[step.Name]
		case []any:
			i := slices.Index(rendering.ItemNames(t), step.Name)
			if i < 0 {
				return out
			}
			out = append(out, i)
			at = t[i]
		}
	}
	return out
}

// read is the place to name: one that prints, and that is near the line that writes the field.
func (s *search) read(p values.Path) *chart.Read {
	return Nearby(s.reading, p, s.target.File, s.near)
}

// Nearby chooses, of the reads of a path in one file, the one that prints next to a line; nil if there is none.
func Nearby(reading *chart.Reading, p values.Path, file string, line rendering.Site) *chart.Read {
	var best *chart.Read
	score := func(r *chart.Read) int {
		n := 0
		if !r.Test {
			n += 4000
		}
		if r.Taken {
			n += 2000
		}
		if r.Path.Equal(p) {
			n++
		}
		for _, site := range append(slices.Clone(r.Stack), r.Site) {
			if site.File == line.File {
				n += 1000 - min(999, max(site.Line-line.Line, line.Line-site.Line))
				break
			}
		}
		return n
	}
	for _, r := range reading.Of(p) {
		if r.File == file && (best == nil || score(r) > score(best)) {
			best = r
		}
	}
	return best
}

// carries says whether a field holds a value, or something made of it.
func carries(field, v any) bool {
	if rendering.Equal(field, v) {
		return true
	}
	switch t := v.(type) {
	case bool, nil:
		return false
	case map[string]any, []any:
		return strings.Contains(fmt.Sprint(field), probeText) && strings.Contains(fmt.Sprint(v), probeText)
	case string:
		if t == "" {
			return false
		}
	}
	return strings.Contains(fmt.Sprint(field), fmt.Sprint(v))
}

func empty(v any) bool {
	switch t := v.(type) {
	case nil:
		return true
	case string:
		return t == ""
	case map[string]any:
		return len(t) == 0
	case []any:
		return len(t) == 0
	}
	return false
}

// probeText is a text that no chart has.
const probeText = "kgw-doctor-probe"

// others gives values to put instead of v: of its type, the most telling first.
func others(v any) []any {
	switch t := v.(type) {
	case bool:
		return []any{!t}
	case string:
		out := []any{probeText}
		if n, err := strconv.ParseInt(t, 10, 64); err == nil {
			out = []any{strconv.FormatInt(n+1, 10), probeText}
		}
		return append(out, nextDigits(t), "")
	case float64:
		return []any{t + 1, float64(0)}
	case int64:
		return []any{t + 1, int64(0)}
	case int:
		return []any{int64(t) + 1, int64(0)}
	case map[string]any:
		return []any{map[string]any{probeText: probeText}}
	case []any:
		return []any{[]any{map[string]any{"name": probeText}}, []any{probeText}}
	}
	return []any{probeText, true, int64(7), map[string]any{probeText: probeText}, []any{map[string]any{"name": probeText}}, []any{probeText}}
}

// nextDigits is a text of the same form, which passes where a version or a size is parsed.
func nextDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0' + (r-'0'+1)%10
		}
		return r
	}, s)
}

// put is the edit that puts v at p. Helm replaces lists whole: an item is put by giving its list.
func put(computed map[string]any, p values.Path, v any) values.Edit {
	for i, s := range p {
		if s.Index >= 0 {
			list, _ := values.Get(values.Apply(computed, values.Set(p, v)), p[:i])
			return values.Set(p[:i], list)
		}
	}
	return values.Set(p, v)
}

// emptied gives the ways to empty the value at p: an empty one of its type, and nothing at all.
func emptied(computed map[string]any, p values.Path) []values.Edit {
	at, _ := values.Get(computed, p)
	var out []values.Edit
	switch at.(type) {
	case string:
		out = append(out, put(computed, p, ""))
	case bool:
		out = append(out, put(computed, p, false))
	}
	return append(out, put(computed, p, nil))
}
