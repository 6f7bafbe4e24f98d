package causality

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// probe is a text that no chart has.
const probe = "kgw-doctor-probe"

// IsProbe says whether a value was made up by this package.
func IsProbe(v any) bool {
	switch t := v.(type) {
	case string:
		return t == probe
	case map[string]any:
		return t[probe] != nil
	case []any:
		return len(t) == 1 && (t[0] == probe || IsProbe(t[0]) || rendering.Equal(t[0], map[string]any{"name": probe}))
	}
	return false
}

// others gives values to put instead of v: of its type, the most telling first. Literals are what templates compare
// the value with.
func others(v any, literals []any) []any {
	var out []any
	add := func(x any) {
		if !rendering.Equal(x, v) && !slices.ContainsFunc(out, func(y any) bool { return rendering.Equal(x, y) && sameKind(x, y) }) {
			out = append(out, x)
		}
	}
	switch t := v.(type) {
	case bool:
		add(!t)
	case string:
		if n, err := strconv.ParseInt(t, 10, 64); err == nil {
			add(strconv.FormatInt(n+1, 10))
		}
		add(probe)
		add(alike(t))
		for _, l := range literals {
			if s, ok := l.(string); ok {
				add(s)
			}
		}
		add("true")
		add("")
	case nil:
		for _, l := range literals {
			add(l)
		}
		add(probe)
		add(true)
		add(int64(7))
		add(map[string]any{probe: probe})
		add([]any{map[string]any{"name": probe}})
		add([]any{probe})
	case map[string]any:
		add(map[string]any{probe: probe})
		add(map[string]any{probe: map[string]any{probe: probe}})
	case []any:
		add([]any{map[string]any{"name": probe}})
		add([]any{probe})
	case float64:
		add(t + 7)
		add(t + 1)
		numbers(literals, add)
		add(float64(0))
	case int64:
		add(t + 7)
		add(t + 1)
		numbers(literals, add)
		add(int64(0))
	case int:
		add(int64(t) + 7)
		add(int64(0))
	}
	return out
}

func numbers(literals []any, add func(any)) {
	for _, l := range literals {
		if n, err := strconv.ParseInt(fmt.Sprint(l), 10, 64); err == nil {
			add(n)
			add(n + 1)
		}
	}
}

func sameKind(a, b any) bool { return fmt.Sprintf("%T", a) == fmt.Sprintf("%T", b) }

// alike is another text of the same form: each digit is the next one. It passes where a version, a size or a port is
// parsed.
func alike(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0' + (r-'0'+1)%10
		}
		return r
	}, s)
}

// untyped gives values of other types, for one that "default" and "if" take for nothing.
func untyped(v any) []any {
	switch v.(type) {
	case bool:
		return []any{probe, int64(7)}
	case string:
		return []any{probe, true, map[string]any{probe: probe}, []any{probe}}
	case map[string]any, []any:
		return []any{map[string]any{probe: probe}, []any{map[string]any{"name": probe}}, []any{probe}, probe}
	}
	return []any{probe, true, map[string]any{probe: probe}, []any{map[string]any{"name": probe}}}
}

// falsy is what "default" and "if" take for nothing.
func falsy(v any) bool {
	switch t := v.(type) {
	case nil:
		return true
	case bool:
		return !t
	case string:
		return t == ""
	case map[string]any:
		return len(t) == 0
	case []any:
		return len(t) == 0
	case float64:
		return t == 0
	case int64:
		return t == 0
	case int:
		return t == 0
	}
	return false
}

// removal takes away what is at p, and the tables and lists that hold nothing else: as if it had never been given.
func removal(supplied map[string]any, p values.Path) values.Edit {
	for len(p) > 1 {
		parent, _ := values.Get(supplied, p.Parent())
		switch t := parent.(type) {
		case map[string]any:
			if len(t) != 1 {
				return values.Remove(p)
			}
		case []any:
			if len(t) != 1 {
				return values.Remove(p)
			}
		default:
			return values.Remove(p)
		}
		p = p.Parent()
	}
	return values.Remove(p)
}

// emptied gives the ways to empty the value at p: an empty value of its type, and nothing at all.
func emptied(at any, p values.Path) []values.Edit {
	var out []values.Edit
	switch at.(type) {
	case string:
		out = append(out, values.Set(p, ""))
	case bool:
		out = append(out, values.Set(p, false))
	case []any:
		out = append(out, values.Set(p, []any{}))
	}
	return append(out, values.Set(p, nil))
}

// way is one set of edits that may open something.
type way []values.Edit

const maxWays = 8

// ways proposes edits after which the condition comes out as wanted.
func ways(c *chart.Cond, want bool, computed map[string]any) []way {
	if truth, known := holds(c, computed); known && truth == want {
		return []way{nil}
	}
	switch c.Op {
	case chart.Not:
		return ways(c.Args[0], !want, computed)
	case chart.And, chart.Or:
		if (c.Op == chart.And) == want {
			return all(c.Args, want, computed)
		}
		var out []way
		for _, a := range c.Args {
			out = append(out, ways(a, want, computed)...)
		}
		return cap8(out)
	case chart.Merged:
		return overlaid(c, want, computed)
	case chart.Const, chart.Capability:
		return nil
	case chart.KubeVersion:
		return versions(c, want)
	case chart.Opaque:
		var out []way
		for _, p := range c.Paths {
			at, _ := values.Get(computed, p)
			for _, o := range flips(at) {
				out = append(out, way{values.Set(p, o)})
			}
		}
		return cap8(out)
	}
	at, _ := values.Get(computed, c.Path)
	var out []way
	for _, v := range satisfying(c, want, at) {
		out = append(out, way{values.Set(c.Path, v)})
	}
	if c.Op == chart.Has {
		if key, ok := c.Literal.(string); ok {
			if _, isList := at.([]any); !isList && want {
				out = append(out, way{values.Set(c.Path.Key(key), probe)})
			}
			if m, isMap := at.(map[string]any); isMap && !want && m[key] != nil {
				out = append(out, way{values.Set(c.Path.Key(key), nil)})
			}
		}
	}
	return out
}

// overlaid proposes to say it in each of the merged tables: an entry that is there counts, also one that is false.
func overlaid(c *chart.Cond, want bool, computed map[string]any) []way {
	var out []way
	for _, a := range c.Args {
		if a.Op == chart.Truthy && !want {
			if at, found := values.Get(computed, a.Path); !found || at == nil {
				out = append(out, way{values.Set(a.Path, false)})
				continue
			}
		}
		for _, w := range ways(a, want, computed) {
			if len(w) > 0 {
				out = append(out, w)
			}
		}
	}
	return cap8(out)
}

// versions proposes to say another Kubernetes version, where values can.
func versions(c *chart.Cond, want bool) []way {
	text, _ := c.Literal.(string)
	v, found := rendering.VersionWhere(text, want, "")
	if !found {
		return nil
	}
	var out []way
	for _, p := range c.Paths {
		out = append(out, way{values.Set(p, v)})
	}
	return out
}

// sensitive proposes edits after which the condition depends on the value at p alone: what stands beside it in an "and"
// holds, what stands beside it in an "or" does not.
func sensitive(c *chart.Cond, p values.Path, computed map[string]any) []way {
	switch c.Op {
	case chart.Not:
		return sensitive(c.Args[0], p, computed)
	case chart.And, chart.Or:
		for i, a := range c.Args {
			inner := sensitive(a, p, computed)
			if inner == nil {
				continue
			}
			beside := all(append(slices.Clone(c.Args[:i]), c.Args[i+1:]...), c.Op == chart.And, computed)
			var out []way
			for _, x := range inner {
				for _, y := range beside {
					out = append(out, append(slices.Clone(x), y...))
				}
			}
			return cap8(out)
		}
		return nil
	}
	if p.HasPrefix(c.Path) && len(c.Path) > 0 {
		return []way{{}}
	}
	return nil
}

// all proposes edits after which every condition comes out as wanted.
func all(conds []*chart.Cond, want bool, computed map[string]any) []way {
	out := []way{nil}
	for _, a := range conds {
		var next []way
		for _, w := range ways(a, want, computed) {
			for _, o := range out {
				next = append(next, append(slices.Clone(o), w...))
			}
		}
		out = cap8(next)
	}
	return out
}

func cap8(w []way) []way {
	if len(w) > maxWays {
		return w[:maxWays]
	}
	return w
}

func satisfying(c *chart.Cond, want bool, at any) []any {
	switch c.Op {
	case chart.Truthy:
		if want {
			return truthy(at)
		}
		return nothing(at)
	case chart.Eq:
		if want {
			return typed(c.Literal, at)
		}
		return flips(c.Literal)
	case chart.Greater, chart.Less:
		n, err := strconv.ParseFloat(fmt.Sprint(c.Literal), 64)
		if err != nil {
			return flips(at)
		}
		if (c.Op == chart.Greater) == want {
			return []any{int64(n) + 1}
		}
		return []any{int64(n) - 1}
	case chart.Has:
		switch t := at.(type) {
		case []any:
			if want {
				return []any{append(slices.Clone(t), c.Literal)}
			}
			return []any{[]any{}}
		case string:
			if want {
				return []any{fmt.Sprint(c.Literal)}
			}
			return []any{probe}
		}
	}
	return nil
}

func truthy(at any) []any {
	switch at.(type) {
	case bool:
		return []any{true}
	case string:
		return []any{probe}
	case map[string]any:
		return []any{map[string]any{probe: probe}}
	case []any:
		return []any{[]any{map[string]any{"name": probe}}, []any{probe}}
	case float64, int64, int:
		return []any{int64(1)}
	}
	return []any{true, probe, map[string]any{probe: probe}}
}

func nothing(at any) []any {
	switch at.(type) {
	case bool:
		return []any{false}
	case string:
		return []any{"", nil}
	case []any:
		return []any{[]any{}}
	}
	return []any{nil}
}

func flips(at any) []any {
	switch t := at.(type) {
	case bool:
		return []any{!t}
	case nil:
		return []any{true, probe}
	case string:
		return []any{probe, ""}
	case map[string]any:
		return []any{nil, map[string]any{probe: probe}}
	}
	return others(at, nil)
}

// normal gives literals of templates the types that values have.
func normal(v any) any {
	if n, ok := v.(int); ok {
		return int64(n)
	}
	return v
}

// holds evaluates a condition over computed values, where that can be done.
func holds(c *chart.Cond, computed map[string]any) (truth, known bool) {
	switch c.Op {
	case chart.Const, chart.Capability, chart.KubeVersion:
		return c.Truth, true
	case chart.Truthy:
		at, _ := values.Get(computed, c.Path)
		return !falsy(at), true
	case chart.Eq:
		at, _ := values.Get(computed, c.Path)
		return fmt.Sprint(at) == fmt.Sprint(c.Literal), true
	case chart.Not:
		truth, known = holds(c.Args[0], computed)
		return !truth, known
	case chart.And, chart.Or:
		result, sure := c.Op == chart.And, true
		for _, a := range c.Args {
			t, k := holds(a, computed)
			if k && t == (c.Op == chart.Or) {
				return t, true
			}
			sure = sure && k
		}
		return result, sure
	case chart.Has:
		at, _ := values.Get(computed, c.Path)
		switch t := at.(type) {
		case map[string]any:
			_, found := t[fmt.Sprint(c.Literal)]
			return found, true
		case []any:
			return slices.ContainsFunc(t, func(x any) bool { return rendering.Equal(x, c.Literal) }), true
		case string:
			return strings.Contains(t, fmt.Sprint(c.Literal)), true
		case nil:
			return false, true
		}
	}
	return false, false
}

// literalsByPath lists what templates compare each value with.
func literalsByPath(reads []*chart.Read) map[string][]any {
	out := map[string][]any{}
	seen := map[*chart.Cond]bool{}
	var visit func(c *chart.Cond)
	visit = func(c *chart.Cond) {
		if c == nil || seen[c] {
			return
		}
		seen[c] = true
		if c.Literal != nil && len(c.Path) > 0 {
			k := c.Path.String()
			out[k] = append(out[k], normal(c.Literal))
		}
		for _, a := range c.Args {
			visit(a)
		}
	}
	for _, r := range reads {
		visit(r.Cond)
		for _, g := range r.Guards {
			visit(g.Cond)
		}
	}
	return out
}
