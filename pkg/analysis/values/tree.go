package values

import (
	"slices"
	"sort"
)

// Leaf is a place in a tree that holds no further values: a scalar, null, or an empty table or list.
type Leaf struct {
	Path  Path
	Value any
}

// Leaves lists the leaves of a tree, list items included, sorted by their paths' text.
func Leaves(tree map[string]any) []Leaf {
	var out []Leaf
	walk(nil, tree, func(p Path, v any) {
		if len(p) > 0 {
			out = append(out, Leaf{slices.Clone(p), v})
		}
	})
	names := make([]string, len(out))
	for i := range out {
		names[i] = out[i].Path.String()
	}
	sort.Sort(&byName{names, out})
	return out
}

type byName struct {
	names  []string
	leaves []Leaf
}

func (b *byName) Len() int           { return len(b.names) }
func (b *byName) Less(i, j int) bool { return b.names[i] < b.names[j] }
func (b *byName) Swap(i, j int) {
	b.names[i], b.names[j] = b.names[j], b.names[i]
	b.leaves[i], b.leaves[j] = b.leaves[j], b.leaves[i]
}

func walk(p Path, v any, visit func(Path, any)) {
	switch t := v.(type) {
	case map[string]any:
		for k, x := range t {
			walk(p.Key(k), x, visit)
		}
		if len(t) > 0 {
			return
		}
	case []any:
		for i, x := range t {
			walk(p.Item(i), x, visit)
		}
		if len(t) > 0 {
			return
		}
	}
	visit(p, v)
}

// Get reads the place at p; found is false if some step does not exist.
func Get(tree any, p Path) (value any, found bool) {
	at := tree
	for _, s := range p {
		switch t := at.(type) {
		case map[string]any:
			if s.Index >= 0 {
				return nil, false
			}
			if at, found = t[s.Key]; !found {
				return nil, false
			}
		case []any:
			if s.Index < 0 || s.Index >= len(t) {
				return nil, false
			}
			at = t[s.Index]
		default:
			return nil, false
		}
	}
	return at, true
}

// Edit is one change of a tree: Value is put at Path, or what is at Path is taken away.
type Edit struct {
	Path   Path
	Value  any
	Remove bool
}

// Set is the edit that puts v at p.
func Set(p Path, v any) Edit { return Edit{Path: p, Value: v} }

// Remove is the edit that takes away what is at p.
func Remove(p Path) Edit { return Edit{Path: p, Remove: true} }

// Apply makes the edits in their order and gives the new tree. The given tree and everything in it stay as they
// are; what no edit touches is shared between the two.
//
// A list item that is taken away closes the gap. A list index at the list's end or behind it appends. Tables and
// lists on the way are made where they are missing or are something else.
func Apply(tree map[string]any, edits ...Edit) map[string]any {
	for _, e := range edits {
		out, _ := apply(tree, e.Path, e).(map[string]any)
		if out == nil {
			out = map[string]any{}
		}
		tree = out
	}
	return tree
}

func apply(at any, rest Path, e Edit) any {
	if len(rest) == 0 {
		return e.Value
	}
	s, last := rest[0], len(rest) == 1
	if s.Index < 0 {
		old, _ := at.(map[string]any)
		if e.Remove {
			below, found := old[s.Key]
			if !found {
				return at
			}
			if !last && !holds(below, rest[1:]) {
				return at
			}
		}
		m := make(map[string]any, len(old)+1)
		for k, v := range old {
			m[k] = v
		}
		if last && e.Remove {
			delete(m, s.Key)
		} else {
			m[s.Key] = apply(old[s.Key], rest[1:], e)
		}
		return m
	}
	old, _ := at.([]any)
	if e.Remove {
		if s.Index >= len(old) || !last && !holds(old[s.Index], rest[1:]) {
			return at
		}
		if last {
			return append(slices.Clone(old[:s.Index]), old[s.Index+1:]...)
		}
	}
	l := slices.Clone(old)
	if s.Index >= len(l) {
		return append(l, apply(nil, rest[1:], e))
	}
	l[s.Index] = apply(l[s.Index], rest[1:], e)
	return l
}

func holds(v any, p Path) bool {
	_, found := Get(v, p)
	return found
}

// Copy is a deep copy of a tree of tables, lists and scalars.
func Copy[T any](v T) T {
	out, _ := deepCopy(v).(T)
	return out
}

func deepCopy(v any) any {
	switch t := v.(type) {
	case map[string]any:
		if t == nil {
			return t
		}
		m := make(map[string]any, len(t))
		for k, x := range t {
			m[k] = deepCopy(x)
		}
		return m
	case []any:
		if t == nil {
			return t
		}
		l := make([]any, len(t))
		for i, x := range t {
			l[i] = deepCopy(x)
		}
		return l
	}
	return v
}
