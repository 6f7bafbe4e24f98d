package chart

import (
	"maps"
	"reflect"
	"slices"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// followed are the functions whose arguments keep their identity in the result. A nil result means that this call is
// not of the form that can be followed.
var followed map[string]func(*interpreter, []*val) *val

func init() {
	followed = map[string]func(*interpreter, []*val) *val{
		"include":            func(i *interpreter, a []*val) *val { return i.callInclude(a) },
		"tpl":                func(i *interpreter, a []*val) *val { return i.callTpl(a) },
		"default":            func(_ *interpreter, a []*val) *val { return fallback(reversed(a)) },
		"coalesce":           func(_ *interpreter, a []*val) *val { return fallback(a) },
		"or":                 func(_ *interpreter, a []*val) *val { return either(a) },
		"and":                func(_ *interpreter, a []*val) *val { return both(a) },
		"ternary":            func(_ *interpreter, a []*val) *val { return ternary(a) },
		"dict":               func(_ *interpreter, a []*val) *val { return dict(a) },
		"list":               func(_ *interpreter, a []*val) *val { return list(a) },
		"tuple":              func(_ *interpreter, a []*val) *val { return list(a) },
		"get":                func(i *interpreter, a []*val) *val { return i.index(a, true) },
		"index":              func(i *interpreter, a []*val) *val { return i.index(a, false) },
		"dig":                func(i *interpreter, a []*val) *val { return i.dig(a) },
		"set":                func(i *interpreter, a []*val) *val { return i.set(a) },
		"unset":              func(_ *interpreter, a []*val) *val { return first0(a) },
		"merge":              func(_ *interpreter, a []*val) *val { return merged(a, false) },
		"mustMerge":          func(_ *interpreter, a []*val) *val { return merged(a, false) },
		"mergeOverwrite":     func(_ *interpreter, a []*val) *val { return merged(a, true) },
		"mustMergeOverwrite": func(_ *interpreter, a []*val) *val { return merged(a, true) },
		"deepCopy":           func(_ *interpreter, a []*val) *val { return copied(a) },
		"mustDeepCopy":       func(_ *interpreter, a []*val) *val { return copied(a) },
		"omit":               func(_ *interpreter, a []*val) *val { return omit(a) },
		"required":           func(_ *interpreter, a []*val) *val { return last0(a) },
		"toYaml":             func(i *interpreter, a []*val) *val { return i.keeping("toYaml", a) },
		"toString":           func(i *interpreter, a []*val) *val { return i.keeping("toString", a) },
		"quote":              func(i *interpreter, a []*val) *val { return i.keeping("quote", a) },
		"squote":             func(i *interpreter, a []*val) *val { return i.keeping("squote", a) },
		"trim":               func(i *interpreter, a []*val) *val { return i.keeping("trim", a) },
		"lower":              func(i *interpreter, a []*val) *val { return i.keeping("lower", a) },
		"int":                func(i *interpreter, a []*val) *val { return i.keeping("int", a) },
		"int64":              func(i *interpreter, a []*val) *val { return i.keeping("int64", a) },
		"upper":              func(i *interpreter, a []*val) *val { return i.keeping("upper", a) },
		"float64":            func(i *interpreter, a []*val) *val { return i.keeping("float64", a) },
		"fail":               func(i *interpreter, a []*val) *val { return i.fail(a) },
	}
}

func reversed(a []*val) []*val {
	b := slices.Clone(a)
	slices.Reverse(b)
	return b
}

func first0(a []*val) *val {
	if len(a) == 0 {
		return nil
	}
	return a[0]
}

// copied is the same value as a table of its own: what is put into it does not show in the first.
func copied(a []*val) *val {
	if len(a) == 0 {
		return nil
	}
	out := *a[0]
	if m, ok := asMap(out.v); ok {
		out.v = values.Copy(m)
	}
	out.kids = maps.Clone(out.kids)
	return &out
}

func last0(a []*val) *val {
	if len(a) == 0 {
		return nil
	}
	return a[len(a)-1]
}

// fallback is the first that is not empty, as default and coalesce give it.
func fallback(a []*val) *val {
	if len(a) == 0 {
		return nil
	}
	out := &val{known: true}
	for _, x := range a {
		out.alts = append(out.alts, alt{val: x})
	}
	for _, x := range a {
		if !x.known {
			out.known = false
			break
		}
		if out.v = x.v; !sprigEmpty(x.v) {
			break
		}
	}
	if out.known && sprigEmpty(out.v) {
		out.v = a[len(a)-1].v
	}
	if out.depth = depthOf(out.alts); out.depth > maxAlternatives {
		out = out.flat()
	}
	return out
}

// sprigEmpty is what default and empty call empty: as text/template's truth, but that a struct never is.
func sprigEmpty(v any) bool { return !truthOf(v) }

// either is or: the first that is true, else the last.
func either(a []*val) *val {
	if len(a) == 0 {
		return nil
	}
	out := fallback(a)
	c := &Cond{Op: Or}
	for _, x := range a {
		c.Args = append(c.Args, x.truth())
	}
	out.cond = c
	return out
}

// both is and: the first that is false, else the last.
func both(a []*val) *val {
	if len(a) == 0 {
		return nil
	}
	c := &Cond{Op: And}
	for _, x := range a {
		c.Args = append(c.Args, x.truth())
	}
	out := unknown(a...)
	out.cond, out.known = c, true
	for _, x := range a {
		if !x.known {
			out.known = false
			break
		}
		if out.v = x.v; !truthOf(x.v) {
			break
		}
	}
	last := a[len(a)-1]
	if out.known && isTable(last.v) && same(out.v, last.v) {
		// The table itself comes out: its entries are still those of the values.
		out.alts = []alt{{last, c}}
		out.src = nil
		for _, x := range a[:len(a)-1] {
			out.src = append(out.src, x.sources()...)
		}
	}
	return out
}

// ternary picks its first or second argument by its third.
func ternary(a []*val) *val {
	if len(a) != 3 {
		return nil
	}
	when := a[2].truth()
	out := &val{src: a[2].sources()}
	out.alts = []alt{{a[0], when}, {a[1], &Cond{Op: Not, Args: []*Cond{when}}}}
	if a[2].known {
		pick := a[1]
		if b, ok := a[2].v.(bool); ok && b {
			pick = a[0]
		} else {
			// What stands second is asked first here.
			out.alts[0], out.alts[1] = out.alts[1], out.alts[0]
		}
		out.v, out.known = pick.v, pick.known
	}
	return out
}

func dict(a []*val) *val {
	out := &val{known: true, kids: map[string]*val{}}
	m := map[string]any{}
	for k := 0; k+1 < len(a); k += 2 {
		name, ok := a[k].v.(string)
		if !a[k].known || !ok {
			return unknown(a...)
		}
		out.kids[name] = a[k+1]
		m[name] = a[k+1].v
		out.known = out.known && a[k+1].known
	}
	out.v = m
	return out
}

func list(a []*val) *val {
	out := &val{known: true, list: a}
	l := make([]any, len(a))
	for k, x := range a {
		l[k] = x.v
		out.known = out.known && x.known
	}
	out.v = l
	return out
}

// index follows get, and index of tables and lists, where the keys are known.
func (i *interpreter) index(a []*val, get bool) *val {
	if len(a) < 2 {
		return nil
	}
	at := a[0]
	for _, k := range a[1:] {
		if !k.known {
			if !i.taken {
				return unknown(k) // which entry cannot be said
			}
			return nil
		}
		switch key := k.v.(type) {
		case string:
			at = i.get(at, key)
		default:
			r := reflect.ValueOf(key)
			if !r.IsValid() || !r.CanInt() {
				return nil
			}
			n := int(r.Int())
			switch l, ok := at.v.([]any); {
			case n >= 0 && n < len(at.list):
				at = at.list[n]
			case ok && at.isPath && n >= 0 && n < len(l):
				p := at.path.Item(n)
				i.mark(p, false, false)
				at = &val{v: l[n], known: true, path: p, isPath: true}
			default:
				return nil
			}
		}
		if len(k.sources()) > 0 {
			at = &val{v: at.v, known: at.known, path: at.path, isPath: at.isPath, kids: at.kids, list: at.list, alts: at.alts, src: append(slices.Clone(at.src), k.sources()...)}
		}
	}
	if get && at.known && at.v == nil {
		// get gives "" for what is not there
		c := *at
		c.v = ""
		return &c
	}
	return at
}

// dig is dig "a" "b" default table.
func (i *interpreter) dig(a []*val) *val {
	if len(a) < 3 {
		return nil
	}
	at := a[len(a)-1]
	for _, k := range a[:len(a)-2] {
		key, ok := k.v.(string)
		if !k.known || !ok {
			return nil
		}
		at = i.get(at, key)
	}
	out := fallback([]*val{at, a[len(a)-2]})
	if at.known && at.v != nil {
		out.v, out.known = at.v, true
	}
	return out
}

// set puts an entry into a table, and gives the table.
func (i *interpreter) set(a []*val) *val {
	if len(a) != 3 {
		return nil
	}
	key, ok := a[1].v.(string)
	if !ok || !a[1].known {
		i.consume(a[2], false)
		return a[0]
	}
	entry := a[2]
	if !i.taken {
		// It does not happen with these values: it may, or the entry stays.
		entry = &val{alts: []alt{{a[2], i.when()}, {i.get(a[0], key), nil}}}
		old := entry.alts[1]
		entry.v, entry.known = old.v, old.known
	} else if m, isMap := asMap(a[0].v); isMap && m != nil {
		if !i.owned && a[0].kids == nil {
			panic(errShared)
		}
		m[key] = a[2].v // a copy of the chart's values, or a table that the template made
	}
	if a[0].kids != nil {
		a[0].kids[key] = entry
		a[0].known = a[0].known && entry.known
		return a[0]
	}
	if p := pointer(a[0].v); p != 0 {
		if i.overlay[p] == nil {
			i.overlay[p] = map[string]*val{}
		}
		i.overlay[p][key] = entry
		return a[0]
	}
	i.consume(a[2], false)
	return a[0]
}

// merged is merge (the first wins) or mergeOverwrite (the last wins).
func merged(a []*val, overwrite bool) *val {
	if len(a) == 0 {
		return nil
	}
	order := slices.Clone(a)
	if overwrite {
		slices.Reverse(order)
	}
	out := &val{known: true, merge: true}
	var tables []map[string]any
	for _, x := range order {
		out.alts = append(out.alts, alt{val: x})
		m, ok := asMap(x.v)
		if !x.known || !ok && x.v != nil {
			out.known = false
			continue
		}
		tables = append(tables, m)
	}
	if out.known {
		out.v = overlayAll(tables)
	}
	if out.depth = depthOf(out.alts); out.depth > maxAlternatives {
		out = out.flat()
	}
	return out
}

// overlayAll merges tables; an entry that is empty in an earlier one is taken from a later.
func overlayAll(tables []map[string]any) map[string]any {
	out := map[string]any{}
	for _, t := range tables {
		for k, v := range t {
			old, found := out[k]
			a, aTable := asMap(old)
			b, bTable := asMap(v)
			switch {
			case !found || !truthOf(old):
				out[k] = v
			case aTable && bTable:
				out[k] = overlayAll([]map[string]any{a, b})
			}
		}
	}
	return out
}

// omit drops keys of a table.
func omit(a []*val) *val {
	if len(a) == 0 || !a[0].isPath || !a[0].known {
		return nil
	}
	out := *a[0]
	out.omit = slices.Clone(out.omit)
	m, _ := asMap(out.v)
	left := map[string]any{}
	for k, v := range m {
		left[k] = v
	}
	for _, k := range a[1:] {
		key, ok := k.v.(string)
		if !ok || !k.known {
			return nil
		}
		out.omit = append(out.omit, key)
		delete(left, key)
	}
	out.v = left
	return &out
}

// keeping is a function that changes the form of its last argument, not what it is: chains go through it, and what it is
// compared with the argument is compared with.
func (i *interpreter) keeping(name string, a []*val) *val {
	if len(a) != 1 {
		return nil
	}
	out := i.plain(name, a)
	x := a[0]
	out.of = x
	if len(x.alts) > 0 || x.cond != nil || x.isPath {
		out.cond = x.truth()
	}
	return out
}

func (i *interpreter) fail(a []*val) *val {
	for _, x := range a {
		i.consume(x, false)
	}
	if i.taken {
		i.frame.exact = false
	}
	return unknown(a...)
}

func (i *interpreter) callInclude(a []*val) *val {
	if len(a) != 2 {
		return nil
	}
	name, ok := a[0].v.(string)
	if !ok || !a[0].known {
		i.consume(a[1], false)
		return unknown(a...)
	}
	out := i.invoke(name, a[1])
	out.src = append(out.src, a[0].sources()...)
	return out
}

func (i *interpreter) callTpl(a []*val) *val {
	if len(a) != 2 {
		return nil
	}
	return i.tpl(a[0], a[1])
}
