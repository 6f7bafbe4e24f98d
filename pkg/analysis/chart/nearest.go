package chart

import (
	"slices"
	"strings"
	"unicode"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// Suggestion is a path that may have been meant instead of one that nothing reads.
type Suggestion struct {
	Path  values.Path
	Below bool    // an entry of a table that goes in whole
	Why   string  // letter case, misspelt, another level, the key holds a dot, another component
	Score float64 // higher is likelier
}

// Roots lists the paths at or above p that may have been misspelt or misplaced, the shortest first: those of which no
// template reads anything. If templates take p with a table above it and then drop it, that table stands last.
func (r *Reading) Roots(p values.Path) []values.Path {
	var out []values.Path
	for i := 1; i <= len(p); i++ {
		if q := p[:i]; q[i-1].Index < 0 && !r.touches(q) {
			out = append(out, q)
		}
	}
	var above values.Path
	for _, x := range r.Of(p) {
		if len(x.Path) < len(p) && len(x.Path) > len(above) {
			above = x.Path
		}
	}
	if len(above) > 0 {
		out = append(out, above)
	}
	if len(out) == 0 {
		out = append(out, p)
	}
	return out
}

// touches says whether something at or below p is read by its own path.
func (r *Reading) touches(p values.Path) bool {
	for _, x := range r.byFirst[first(p)] {
		if !r.roots[x.Path.String()] && x.Path.HasPrefix(p) {
			return true
		}
	}
	return false
}

// Nearest lists paths that templates read and that may have been meant by root, the likeliest first. declared is the
// tree of the chart's defaults. Nothing is proved: see package fix.
func (r *Reading) Nearest(root values.Path, declared map[string]any) []Suggestion {
	var out []Suggestion
	add := func(p values.Path, why string, score float64) {
		if p.Overlaps(root) || len(p) == 0 {
			return
		}
		for i := range out {
			if out[i].Path.Equal(p) {
				if score > out[i].Score {
					out[i].Score, out[i].Why = score, why
				}
				return
			}
		}
		out = append(out, Suggestion{Path: slices.Clone(p), Why: why, Score: score})
	}
	last := root.Last()
	for _, p := range r.Paths() {
		if slices.ContainsFunc(p, func(s values.Step) bool { return s.Index >= 0 }) {
			continue
		}
		shared := float64(sharedKeys(root, p))
		why, score := likeness(last, p.Last())
		if score > 0 {
			if why == "" {
				why = "another level"
				if !p.HasPrefix(root.Parent()) && len(p) == len(root) {
					why = "another component"
				}
			} else if !p.Parent().Equal(root.Parent()) {
				score--
			} else {
				score++
			}
			add(p, why, score+shared/2)
		}
		if len(p) != len(root) && len(root) > 1 && joined(p) == joined(root) {
			add(p, "another level", 6+shared)
		}
		if suffix(p, root) {
			switch under := p[:len(p)-len(root)]; {
			case r.roots[under.String()]:
				add(p, "the values of a subchart stand below its name", 7)
			case len(root) > 1:
				add(p, "another level", 4+shared)
			}
		}
		if len(p) < len(root) && suffix(root, p) {
			add(p, "another level", 3.5)
		}
	}
	// A table that goes in whole may take the key: service.spec for service.externalTrafficPolicy.
	for _, x := range r.Reads {
		if !x.Whole || r.roots[x.Path.String()] || x.Test || x.Path.Key(last).Overlaps(root) {
			continue
		}
		if d, _ := values.Get(declared, x.Path); d != nil {
			if _, isTable := d.(map[string]any); !isTable {
				continue
			}
		}
		near := float64(sharedKeys(root, x.Path))
		if near > 0 && (x.Path.Parent().Equal(root.Parent()) || x.Path.HasPrefix(root.Parent()) || root.HasPrefix(x.Path.Parent())) {
			add(x.Path.Key(last), "another level", 0.5+near/2)
			out[slices.IndexFunc(out, func(s Suggestion) bool { return s.Path.Equal(x.Path.Key(last)) })].Below = true
		}
	}
	for _, p := range unescaped(root, declared) {
		add(p, "the key holds a dot: write it with a backslash", 9)
	}
	slices.SortStableFunc(out, func(a, b Suggestion) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return strings.Compare(a.Path.String(), b.Path.String())
	})
	return out
}

// unescaped finds declared keys that are several of root's keys joined by dots.
func unescaped(root values.Path, declared map[string]any) []values.Path {
	var out []values.Path
	for i := 0; i < len(root); i++ {
		at, _ := values.Get(declared, root[:i])
		m, ok := at.(map[string]any)
		if !ok {
			continue
		}
		joined := ""
		for j := i; j < len(root) && root[j].Index < 0; j++ {
			if j > i {
				joined += "."
			}
			joined += root[j].Key
			if _, found := m[joined]; found && j > i {
				out = append(out, root[:i].Key(joined).Join(root[j+1:]))
			}
		}
	}
	return out
}

// Unescaped lists declared paths that p becomes if dots in a key are escaped.
func Unescaped(p values.Path, declared map[string]any) []values.Path { return unescaped(p, declared) }

// joined writes a path as one word: admin.password and adminPassword are the same.
func joined(p values.Path) string {
	var b strings.Builder
	for _, s := range p {
		b.WriteString(fold(s.Key))
	}
	return b.String()
}

func sharedKeys(a, b values.Path) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func suffix(p, tail values.Path) bool {
	if len(tail) >= len(p) {
		return false
	}
	return p[len(p)-len(tail):].Equal(tail)
}

// likeness compares two keys: the same, the same but for letter case and signs, or nearly.
func likeness(a, b string) (why string, score float64) {
	if a == b {
		return "", 3
	}
	x, y := fold(a), fold(b)
	if x == y {
		return "letter case", 4
	}
	if x == "" || y == "" {
		return "", 0
	}
	short, long := x, y
	if len(short) > len(long) {
		short, long = long, short
	}
	if len(short) >= 5 && (strings.HasPrefix(long, short) || strings.HasSuffix(long, short)) {
		return "misspelt", 1.5 + float64(len(short))/float64(len(long))
	}
	d := distance(x, y)
	if d <= 2 && len(short) >= 5 || d == 1 && len(short) >= 3 {
		return "misspelt", 3 - float64(d)/2
	}
	common := 0
	for common < len(short) && short[common] == long[common] {
		common++
	}
	if common >= 5 && float64(common)/float64(len(long)) >= 0.5 {
		return "misspelt", 1 + float64(common)/float64(len(long))
	}
	return "", 0
}

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// distance is the Levenshtein distance, with swapped neighbours counted once.
func distance(a, b string) int {
	prev2, prev := []int(nil), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur := make([]int, len(b)+1)
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev = prev, cur
	}
	return prev[len(b)]
}
