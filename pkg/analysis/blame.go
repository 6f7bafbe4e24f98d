package analysis

import (
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// Bounds on the search for what keeps a chart from rendering.
const (
	maxBlameRenders = 120
	maxBlamed       = 3 // sets that are named
)

// blame finds the supplied values with which the chart does not render: sets, each of which is enough to take away,
// and none of which holds a value too many. It is empty if the chart does not render without any of them either.
// Cost: some two renderings for each doubling of the number of values, and one for each value that the error may be
// about.
func blame(r *rendering.Renderer, supplied map[string]any, failure error) [][]values.Leaf {
	renders := 0
	without := func(set []values.Leaf) bool {
		renders++
		_, err := r.Helm(values.Apply(supplied, removals(set)...))
		return renders <= maxBlameRenders && err == nil
	}
	all := units(supplied)
	if len(all) == 0 || !without(all) {
		return nil
	}
	first := fewest(all, without)
	out := [][]values.Leaf{first}
	if len(first) > 1 {
		return out
	}
	for _, l := range all {
		if len(out) == maxBlamed || renders > maxBlameRenders {
			break
		}
		if !l.Path.Equal(first[0].Path) && concerns(failure, l, first[0]) && without([]values.Leaf{l}) {
			out = append(out, []values.Leaf{l})
		}
	}
	return out
}

// concerns says whether an error may be about a value as well as about another one: it names its key, or they stand in
// one table.
func concerns(failure error, l, other values.Leaf) bool {
	return l.Path[0] == other.Path[0] || strings.Contains(failure.Error(), l.Path.Last())
}

// fewest drops from a set with which the check holds whatever is not needed: halves first, then ever smaller parts.
func fewest(set []values.Leaf, holds func([]values.Leaf) bool) []values.Leaf {
	for size := (len(set) + 1) / 2; ; size = (size + 1) / 2 {
		for i := 0; i < len(set) && len(set) > 1; {
			less := slices.Concat(set[:i], set[min(i+size, len(set)):])
			if len(less) > 0 && holds(less) {
				set = less
				continue
			}
			i += size
		}
		if size == 1 {
			return set
		}
	}
}

// units are the supplied leaves; a list counts as one.
func units(supplied map[string]any) []values.Leaf {
	var out []values.Leaf
	for _, l := range values.Leaves(supplied) {
		if i := slices.IndexFunc(l.Path, func(s values.Step) bool { return s.Index >= 0 }); i >= 0 {
			l.Path = l.Path[:i]
			l.Value, _ = values.Get(supplied, l.Path)
		}
		if len(out) == 0 || !out[len(out)-1].Path.Equal(l.Path) {
			out = append(out, l)
		}
	}
	return out
}

func removals(set []values.Leaf) []values.Edit {
	out := make([]values.Edit, len(set))
	for i, l := range set {
		out[i] = values.Remove(l.Path)
	}
	return out
}

// blamed says whether a value is one of those without which the chart was rendered after all.
func (f *Facts) blamed(p values.Path) bool {
	return len(f.Blamed) > 0 && slices.ContainsFunc(f.Blamed[0], func(l values.Leaf) bool { return p.HasPrefix(l.Path) })
}
