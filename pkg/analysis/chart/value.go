package chart

import (
	"reflect"
	"slices"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// val is a value of a template as the interpreter sees it: what it is (if that is known), and where it comes from.
type val struct {
	v     any
	known bool

	path   values.Path // the place among the chart's values that it is, if isPath
	isPath bool
	omit   []string

	src  []source        // what it was made from
	kids map[string]*val // entries of a table that a template made
	list []*val          // items of a list that a template made
	alts []alt           // what it may be, the first asked first
	cond *Cond           // when it is true, where that is not simply its own truth

	of     *val    // what it is another form of: a text of a number, lower case
	prints []print // what a named template may print, each with its condition
	merge  bool    // alts are tables that were merged, or an entry of them: the first that is there counts
	kube   bool    // it is made from the cluster's Kubernetes version

	depth int      // of alternatives within alternatives
	memo  []source // of alts, which never change
}

// maxAlternatives bounds how deep alternatives are kept apart: a loop that assigns a variable again and again nests
// one level with each turn. Deeper ones are one source each, without an order.
const maxAlternatives = 6

// alt is one of several things that a value may be: the first whose condition holds (or that is not empty).
type alt struct {
	*val
	when *Cond // nil: when it is not empty
}

// source is one value that another was made from.
type source struct {
	path  values.Path
	whole bool
	omit  []string
	rank  int
	chain *Chain
	when  []*Cond // it is only asked if these hold
	done  bool    // recorded already, where it was printed
}

func constant(v any) *val { return &val{v: v, known: true} }

func unknown(from ...*val) *val {
	u := &val{}
	for _, f := range from {
		u.src = append(u.src, f.sources()...)
		u.kube = u.kube || f.ofKube()
	}
	u.src = distinct(u.src)
	return u
}

// ofKube says whether the value may be made from the cluster's Kubernetes version.
func (x *val) ofKube() bool {
	return x != nil && (x.kube || slices.ContainsFunc(x.alts, func(a alt) bool { return a.ofKube() }))
}

// distinct drops sources that say the same again: loops and helpers bring them by the hundred.
func distinct(src []source) []source {
	if len(src) < 2 {
		return src
	}
	out := src[:0:0]
	for _, s := range src {
		if !slices.ContainsFunc(out, s.same) {
			out = append(out, s)
		}
	}
	return out
}

func (s source) again(t source) bool {
	return s.whole == t.whole && len(s.path) == len(t.path) && s.path.HasPrefix(t.path)
}

// flat is the value without its alternatives: all that it may come from, in no order.
func (x *val) flat() *val {
	out := &val{v: x.v, known: x.known, kube: x.ofKube()}
	for _, s := range x.sources() {
		s.rank, s.chain, s.when = 0, nil, nil
		out.src = append(out.src, s)
	}
	out.src = distinct(out.src)
	return out
}

func depthOf(alts []alt) int {
	d := 0
	for _, a := range alts {
		d = max(d, a.depth+1)
	}
	return d
}

func (s source) same(t source) bool {
	return s.rank == t.rank && s.whole == t.whole && s.done == t.done && s.chain == t.chain && len(s.path) == len(t.path) && s.path.HasPrefix(t.path)
}

// sources lists what a value comes from, itself included.
func (x *val) sources() []source {
	if x == nil {
		return nil
	}
	out := slices.Clone(x.src)
	if x.isPath {
		out = append(out, source{path: x.path, whole: isTable(x.v), omit: x.omit})
	}
	for _, k := range sortedKeys(x.kids) {
		out = append(out, x.kids[k].sources()...)
	}
	for _, i := range x.list {
		out = append(out, i.sources()...)
	}
	if len(x.alts) > 0 {
		if x.memo == nil {
			x.memo = chained(x.alts)
		}
		out = append(out, x.memo...)
	}
	return distinct(out)
}

// chained gives the sources of alternatives, each with its rank in a chain of them all.
func chained(alts []alt) []source {
	chain := &Chain{}
	var out []source
	offset := 0
	for _, a := range alts {
		top := 0
		for _, s := range a.sources() {
			top = max(top, s.rank+1)
			s.rank += offset
			s.chain, s.done = chain, false
			if a.when != nil {
				s.when = append(slices.Clone(s.when), a.when)
			}
			if slices.ContainsFunc(out, s.again) {
				continue // asked before: it is not asked again for nothing
			}
			out = append(out, s)
			chain.Members = append(chain.Members, Member{s.path, s.whole, s.rank, s.when})
		}
		offset += max(top, 1)
	}
	return out
}

func isTable(v any) bool {
	if v == nil {
		return false
	}
	k := reflect.TypeOf(v).Kind()
	return k == reflect.Map || k == reflect.Slice
}

// asMap reads the tables that Helm uses: map[string]any and types made of it.
func asMap(v any) (map[string]any, bool) {
	if m, ok := v.(map[string]any); ok {
		return m, true
	}
	r := reflect.ValueOf(v)
	if r.IsValid() && r.Kind() == reflect.Map && r.Type().ConvertibleTo(reflect.TypeFor[map[string]any]()) {
		m, ok := r.Convert(reflect.TypeFor[map[string]any]()).Interface().(map[string]any)
		return m, ok
	}
	return nil, false
}

// truthOf is text/template's: false, 0, "", nil and empty tables and lists are not true.
func truthOf(v any) bool {
	if v == nil {
		return false
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Map, reflect.Slice, reflect.Array, reflect.String:
		return r.Len() > 0
	case reflect.Struct:
		return true
	case reflect.Pointer, reflect.Interface, reflect.Func, reflect.Chan:
		return !r.IsNil()
	}
	return !r.IsZero()
}

// truth is the condition under which a value is true.
func (x *val) truth() *Cond {
	switch {
	case x.cond != nil:
		return x.cond
	case len(x.alts) > 0:
		c := &Cond{Op: Or}
		if x.merge {
			c.Op = Merged
		}
		for _, a := range x.alts {
			t := a.truth()
			if a.when != nil {
				t = &Cond{Op: And, Args: []*Cond{a.when, t}}
			}
			c.Args = append(c.Args, t)
		}
		return c
	case x.isPath:
		return &Cond{Op: Truthy, Path: x.path}
	}
	src := x.sources()
	if len(src) == 0 && x.known {
		return &Cond{Op: Const, Truth: truthOf(x.v)}
	}
	return opaque(src)
}

func opaque(src []source) *Cond {
	c := &Cond{Op: Opaque}
	for _, s := range src {
		if !slices.ContainsFunc(c.Paths, s.path.Equal) {
			c.Paths = append(c.Paths, s.path)
		}
	}
	return c
}

func same(a, b any) bool { return rendering.Equal(a, b) }
