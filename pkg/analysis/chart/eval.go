package chart

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// pipe evaluates a pipeline and declares or assigns its variables.
func (i *interpreter) pipe(p *parse.PipeNode, dot *val) *val {
	v := i.pipeNoDecl(p, dot)
	for _, d := range p.Decl {
		if !p.IsAssign {
			i.frame.vars = append(i.frame.vars, variable{d.Ident[0], v})
			continue
		}
		for k := len(i.frame.vars) - 1; k >= 0; k-- {
			if i.frame.vars[k].name == d.Ident[0] {
				i.frame.vars[k].val = v
				break
			}
		}
	}
	return v
}

func (i *interpreter) pipeNoDecl(p *parse.PipeNode, dot *val) *val {
	if p == nil {
		return constant(nil)
	}
	var v *val
	for _, c := range p.Cmds {
		v = i.command(c, dot, v)
	}
	return v
}

// command evaluates one command; final is what the pipe brings, nil for the first.
func (i *interpreter) command(c *parse.CommandNode, dot, final *val) *val {
	i.at(c)
	switch n := c.Args[0].(type) {
	case *parse.IdentifierNode:
		args := make([]*val, 0, len(c.Args))
		if short := i.shortCircuit(n.Ident, c.Args[1:], dot, final); short != nil {
			return short
		}
		for _, a := range c.Args[1:] {
			args = append(args, i.arg(a, dot))
		}
		if final != nil {
			args = append(args, final)
		}
		return i.function(n.Ident, args)
	case *parse.FieldNode:
		if len(c.Args) > 1 || final != nil {
			return i.method(dot, n.Ident, c.Args[1:], dot, final)
		}
	case *parse.VariableNode:
		if len(n.Ident) > 1 && (len(c.Args) > 1 || final != nil) {
			return i.method(i.variable(n.Ident[0]), n.Ident[1:], c.Args[1:], dot, final)
		}
	case *parse.ChainNode:
		if len(c.Args) > 1 || final != nil {
			return i.method(i.arg(n.Node, dot), n.Field, c.Args[1:], dot, final)
		}
	}
	return i.arg(c.Args[0], dot)
}

// shortCircuit handles and, or: what stands behind a decided operand is guarded by it.
func (i *interpreter) shortCircuit(name string, args []parse.Node, dot, final *val) *val {
	if name != "and" && name != "or" {
		return nil
	}
	var vals []*val
	was, mark := i.taken, len(i.guards)
	for k, a := range args {
		v := i.arg(a, dot)
		vals = append(vals, v)
		if k+1 < len(args) || final != nil {
			holds := !v.known || truthOf(v.v) == (name == "and")
			i.taken = i.taken && holds
		}
	}
	i.taken, i.guards = was, i.guards[:mark]
	if final != nil {
		vals = append(vals, final)
	}
	return i.function(name, vals)
}

func (i *interpreter) arg(n parse.Node, dot *val) *val {
	switch t := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.NilNode:
		return constant(nil)
	case *parse.BoolNode:
		return constant(t.True)
	case *parse.NumberNode:
		if t.IsInt {
			return constant(int(t.Int64))
		}
		return constant(t.Float64)
	case *parse.StringNode:
		return constant(t.Text)
	case *parse.FieldNode:
		return i.fields(dot, t.Ident)
	case *parse.VariableNode:
		return i.fields(i.variable(t.Ident[0]), t.Ident[1:])
	case *parse.ChainNode:
		return i.fields(i.arg(t.Node, dot), t.Field)
	case *parse.PipeNode:
		mark := len(i.frame.vars)
		v := i.pipe(t, dot)
		i.frame.vars = i.frame.vars[:mark]
		return v
	case *parse.IdentifierNode:
		return i.function(t.Ident, nil)
	}
	return unknown()
}

func (i *interpreter) variable(name string) *val {
	for k := len(i.frame.vars) - 1; k >= 0; k-- {
		if i.frame.vars[k].name == name {
			return i.frame.vars[k].val
		}
	}
	return unknown()
}

func (i *interpreter) fields(v *val, idents []string) *val {
	for _, id := range idents {
		v = i.get(v, id)
	}
	return v
}

// get is one step into a value: an entry of a table, a field or a method without arguments.
func (i *interpreter) get(v *val, name string) *val {
	if k := v.kids[name]; k != nil {
		if k.isPath {
			i.mark(k.path, false, false)
		}
		return k
	}
	if len(v.alts) > 0 {
		return i.getAlternatives(v, name)
	}
	if m, ok := asMap(v.v); ok {
		if over := i.overlay[pointer(v.v)]; over != nil && over[name] != nil {
			return over[name]
		}
		x, found := m[name]
		if v.isPath {
			if slices.Contains(v.omit, name) {
				return constant(nil)
			}
			p := v.path.Key(name)
			i.mark(p, false, false)
			return &val{v: x, known: true, path: p, isPath: true}
		}
		// What a template put into a table itself stands in kids; the rest of such a table is no value of the chart.
		src := v.src
		if v.kids == nil {
			src = v.sources()
		}
		if found {
			return &val{v: x, known: v.known, src: src}
		}
		if !hasMethod(v.v, name) {
			return &val{known: v.known, src: src}
		}
	}
	if v.isPath && name == "Values" && !isTable(v.v) {
		// Inside "with" or "range" dot is no longer the top: the author means $.Values. Helm stops here with an error.
		if root := i.frame.root.kids["Values"]; root != nil {
			return root
		}
	}
	if v.isPath && (v.v == nil || !isTable(v.v)) {
		// Helm stops here with an error, or the place is in a branch that is not taken; what would be asked is known.
		p := v.path.Key(name)
		i.mark(p, false, false)
		return &val{known: v.known, path: p, isPath: true}
	}
	if v.known {
		if x, ok := field(v.v, name, nil); ok {
			return &val{v: x, known: true, src: v.sources(), kube: v.kube || rendering.IsKubeVersion(x)}
		}
	}
	return unknown(v)
}

func (i *interpreter) getAlternatives(v *val, name string) *val {
	out := &val{merge: v.merge}
	for _, a := range v.alts {
		k := i.get(a.val, name)
		out.alts = append(out.alts, alt{k, a.when})
	}
	out.depth = v.depth
	if m, ok := asMap(v.v); ok && v.known {
		out.v, out.known = m[name], true
	} else if v.known && v.v == nil {
		out.known = true
	}
	return out
}

func pointer(v any) uintptr {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Map {
		return 0
	}
	return r.Pointer()
}

func hasMethod(v any, name string) bool {
	r := reflect.ValueOf(v)
	return r.IsValid() && r.MethodByName(name).IsValid()
}

// method calls a field with arguments: .Files.Get "x", .Capabilities.APIVersions.Has "v1".
func (i *interpreter) method(on *val, idents []string, nodes []parse.Node, dot, final *val) *val {
	on = i.fields(on, idents[:len(idents)-1])
	var args []*val
	for _, n := range nodes {
		args = append(args, i.arg(n, dot))
	}
	if final != nil {
		args = append(args, final)
	}
	all := append([]*val{on}, args...)
	out := unknown(all...)
	plain := make([]any, len(args))
	for k, a := range args {
		if !a.known {
			return out
		}
		plain[k] = a.v
	}
	name := idents[len(idents)-1]
	if on.known {
		if x, ok := field(on.v, name, plain); ok {
			out.v, out.known = x, true
		}
	}
	if name == "Has" && len(plain) == 1 && len(idents) > 1 && idents[len(idents)-2] == "APIVersions" {
		out.cond = &Cond{Op: Capability, Literal: plain[0], Truth: out.known && truthOf(out.v)}
	}
	return out
}

// field reads a struct's field or calls a method, as text/template would.
func field(v any, name string, args []any) (result any, ok bool) {
	defer func() {
		if recover() != nil {
			result, ok = nil, false
		}
	}()
	r := reflect.ValueOf(v)
	if !r.IsValid() {
		return nil, false
	}
	m := r.MethodByName(name)
	if !m.IsValid() && r.Kind() != reflect.Pointer && r.CanAddr() {
		m = r.Addr().MethodByName(name)
	}
	if !m.IsValid() && r.Kind() == reflect.Struct {
		p := reflect.New(r.Type())
		p.Elem().Set(r)
		m = p.MethodByName(name)
	}
	if m.IsValid() {
		return invoke(m, args)
	}
	for r.Kind() == reflect.Pointer || r.Kind() == reflect.Interface {
		r = r.Elem()
	}
	if r.Kind() == reflect.Struct && len(args) == 0 {
		if f := r.FieldByName(name); f.IsValid() && f.CanInterface() {
			return f.Interface(), true
		}
	}
	return nil, false
}

// invoke calls a function with arguments made to fit; ok is false if they do not, or the function fails.
func invoke(fn reflect.Value, args []any) (result any, ok bool) {
	defer func() {
		if recover() != nil {
			result, ok = nil, false
		}
	}()
	t := fn.Type()
	if len(args) < t.NumIn() && !(t.IsVariadic() && len(args) >= t.NumIn()-1) || len(args) > t.NumIn() && !t.IsVariadic() {
		return nil, false
	}
	in := make([]reflect.Value, len(args))
	for k, a := range args {
		want := t.In(min(k, t.NumIn()-1))
		if t.IsVariadic() && k >= t.NumIn()-1 {
			want = want.Elem()
		}
		r := reflect.ValueOf(a)
		switch {
		case !r.IsValid():
			r = reflect.Zero(want)
		case r.Type().AssignableTo(want):
		case r.CanConvert(want) && r.Kind() != reflect.String && want.Kind() != reflect.String:
			r = r.Convert(want)
		case r.Kind() == reflect.String && want.Kind() == reflect.String:
			r = r.Convert(want)
		default:
			return nil, false
		}
		in[k] = r
	}
	out := fn.Call(in)
	if len(out) == 2 && !out[1].IsNil() {
		return nil, false
	}
	if len(out) == 0 {
		return nil, false
	}
	return out[0].Interface(), true
}

var functions = rendering.Functions()

// function evaluates a call. Functions that only choose, carry or test values are followed; of all others the result
// comes from their arguments.
func (i *interpreter) function(name string, args []*val) *val {
	if f := followed[name]; f != nil {
		if v := f(i, args); v != nil {
			return v
		}
	}
	if c := i.condition(name, args); c != nil {
		out := i.plain(name, args)
		if c.Op == KubeVersion {
			c.Truth = out.known && truthOf(out.v)
		}
		out.cond = c
		return out
	}
	return i.plain(name, args)
}

// plain is the result of a function of which nothing is known but that it is made from its arguments.
func (i *interpreter) plain(name string, args []*val) *val {
	out := unknown(args...)
	given := make([]any, len(args))
	for k, a := range args {
		if !a.known {
			return out
		}
		given[k] = a.v
	}
	if out.v, out.known = builtin(name, given); out.known {
		return out
	}
	fn, found := functions[name]
	if !found || !rendering.Repeatable(name) {
		return out
	}
	out.v, out.known = invoke(reflect.ValueOf(fn), given)
	return out
}

// builtin is text/template's own functions.
func builtin(name string, args []any) (any, bool) {
	switch name {
	case "print":
		return fmt.Sprint(args...), true
	case "println":
		return fmt.Sprintln(args...), true
	case "printf":
		if len(args) > 0 {
			if f, ok := args[0].(string); ok {
				return fmt.Sprintf(f, args[1:]...), true
			}
		}
	case "len":
		if len(args) == 1 && args[0] != nil {
			switch r := reflect.ValueOf(args[0]); r.Kind() {
			case reflect.Map, reflect.Slice, reflect.String, reflect.Array:
				return r.Len(), true
			}
		}
	case "not":
		if len(args) == 1 {
			return !truthOf(args[0]), true
		}
	case "and", "or":
		for _, a := range args {
			if truthOf(a) == (name == "or") {
				return a, true
			}
		}
		if len(args) > 0 {
			return args[len(args)-1], true
		}
	case "eq":
		if len(args) < 2 {
			return nil, false
		}
		for _, a := range args[1:] {
			if equal, ok := basicEqual(args[0], a); !ok || equal {
				return equal, ok
			}
		}
		return false, true
	case "ne":
		if len(args) == 2 {
			equal, ok := basicEqual(args[0], args[1])
			return !equal, ok
		}
	case "lt", "le", "gt", "ge":
		if len(args) == 2 {
			return order(name, args[0], args[1])
		}
	}
	return nil, false
}

// basicEqual is text/template's eq: ok is false for kinds that it refuses to compare.
func basicEqual(a, b any) (equal, ok bool) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if !x.IsValid() || !y.IsValid() {
		return x.IsValid() == y.IsValid(), true
	}
	if isTable(a) || isTable(b) {
		return false, false
	}
	if basicKind(x) != basicKind(y) {
		return false, false
	}
	return same(a, b) || fmt.Sprint(a) == fmt.Sprint(b), true
}

func basicKind(r reflect.Value) int {
	switch r.Kind() {
	case reflect.Bool:
		return 1
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return 2
	case reflect.Float32, reflect.Float64:
		return 3
	case reflect.String:
		return 4
	}
	return 0
}

func order(name string, a, b any) (any, bool) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if !x.IsValid() || !y.IsValid() || basicKind(x) != basicKind(y) {
		return nil, false
	}
	var c int
	switch basicKind(x) {
	case 2, 3:
		f, g := x.Convert(reflect.TypeFor[float64]()).Float(), y.Convert(reflect.TypeFor[float64]()).Float()
		switch {
		case f < g:
			c = -1
		case f > g:
			c = 1
		}
	case 4:
		c = strings.Compare(x.String(), y.String())
	default:
		return nil, false
	}
	switch name {
	case "lt":
		return c < 0, true
	case "le":
		return c <= 0, true
	case "gt":
		return c > 0, true
	}
	return c >= 0, true
}

// condition gives the condition that a testing function stands for, as far as it is about values.
func (i *interpreter) condition(name string, args []*val) *Cond {
	about := func(op Op, x, lit *val) *Cond {
		if !lit.known || isTable(lit.v) {
			return nil
		}
		return compare(op, x, lit.v)
	}
	if c := aboutKube(name, args); c != nil {
		return c
	}
	switch name {
	case "not", "empty":
		if len(args) == 1 {
			return &Cond{Op: Not, Args: []*Cond{args[0].truth()}}
		}
	case "and", "or":
		c := &Cond{Op: And}
		if name == "or" {
			c.Op = Or
		}
		for _, a := range args {
			c.Args = append(c.Args, a.truth())
		}
		return c
	case "eq", "ne":
		if len(args) < 2 {
			return nil
		}
		c := &Cond{Op: Or}
		for _, b := range args[1:] {
			x, lit := args[0], b
			if len(lit.sources())+len(lit.prints) > 0 && len(x.sources())+len(x.prints) == 0 {
				x, lit = lit, x
			}
			if one := about(Eq, x, lit); one != nil {
				c.Args = append(c.Args, one)
			}
		}
		if len(c.Args) == 0 {
			return nil
		}
		if name == "ne" {
			return &Cond{Op: Not, Args: []*Cond{c}}
		}
		return c
	case "gt", "ge", "lt", "le":
		if len(args) != 2 {
			return nil
		}
		x, lit, flip := args[0], args[1], false
		if len(x.sources()) == 0 {
			x, lit, flip = lit, x, true
		}
		op := Greater
		if (name[0] == 'l') != flip {
			op = Less
		}
		return about(op, x, lit)
	case "has":
		if len(args) == 2 {
			if len(args[1].sources()) == 0 {
				return anyOf(args[0], args[1])
			}
			return about(Has, args[1], args[0])
		}
	case "hasKey":
		if len(args) == 2 {
			return about(Has, args[0], args[1])
		}
	case "contains", "hasPrefix", "hasSuffix", "regexMatch", "mustRegexMatch":
		if len(args) != 2 {
			return nil
		}
		if _, isText := args[1].v.(string); isText && args[1].isPath && name != "regexMatch" && name != "mustRegexMatch" {
			return about(Has, args[1], args[0])
		}
		return &Cond{Op: Opaque} // about the form of a text: nothing to propose
	case "kindIs", "typeIs":
		if len(args) == 2 && args[0].known && args[0].v == "invalid" {
			return &Cond{Op: Not, Args: []*Cond{args[1].truth()}}
		}
	case "bool":
	}
	return nil
}

// comparisons are the functions that compare numbers, with their sign and that of the turned comparison.
var comparisons = map[string][2]string{"lt": {"<", ">"}, "le": {"<=", ">="}, "gt": {">", "<"}, "ge": {">=", "<="}, "eq": {"=", "="}, "ne": {"!=", "!="}}

// aboutKube is a condition on the cluster's Kubernetes version; nil if it is about something else. A number is compared
// with the minor version.
func aboutKube(name string, args []*val) *Cond {
	if len(args) != 2 {
		return nil
	}
	version, literal, turned := args[1], args[0], 1
	if !version.ofKube() {
		version, literal, turned = args[0], args[1], 0
	}
	if !version.ofKube() || !literal.known {
		return nil
	}
	c := &Cond{Op: KubeVersion, Paths: opaque(version.sources()).Paths}
	if name == "semverCompare" {
		c.Literal = fmt.Sprint(literal.v)
		return c
	}
	sign, compares := comparisons[name]
	if !compares || len(version.prints) > 0 { // what was printed under a condition is another question
		return nil
	}
	c.Literal = fmt.Sprintf("%s1.%v", sign[turned], literal.v)
	return c
}

// anyOf is "x is one of these literals".
func anyOf(x, list *val) *Cond {
	r := reflect.ValueOf(list.v)
	if !list.known || r.Kind() != reflect.Slice {
		return nil
	}
	c := &Cond{Op: Or}
	for k := range r.Len() {
		if one := compare(Eq, x, r.Index(k).Interface()); one != nil {
			c.Args = append(c.Args, one)
		}
	}
	return c
}

func compare(op Op, x *val, lit any) *Cond {
	if x.isPath {
		return &Cond{Op: op, Path: x.path, Literal: lit}
	}
	if s, isText := lit.(string); isText && op == Eq && s != "" {
		if c := printing(x.prints, s); c != nil {
			return c
		}
	}
	if x.of != nil {
		if c := compare(op, x.of, lit); c != nil {
			return c
		}
	}
	if x.cond != nil && op == Eq && len(x.alts) == 0 {
		// A text that a template printed under a condition, or a truth compared with true.
		if s, ok := lit.(string); ok && (s == "" || s == "false") || !truthOf(lit) {
			return &Cond{Op: Not, Args: []*Cond{x.cond}}
		}
		return x.cond
	}
	if len(x.alts) > 0 {
		return compareAlternatives(op, x, lit)
	}
	src := x.sources()
	if len(src) == 0 {
		return nil
	}
	c := &Cond{Op: Or}
	for _, s := range src {
		c.Args = append(c.Args, &Cond{Op: op, Path: s.path, Literal: lit})
	}
	return c
}

// compareAlternatives is the condition that one of the alternatives counts and compares so.
func compareAlternatives(op Op, x *val, lit any) *Cond {
	c := &Cond{Op: Or}
	for _, a := range x.alts {
		one := compare(op, a.val, lit)
		if one == nil {
			if !a.known || len(a.sources()) > 0 {
				continue
			}
			if equal, ok := basicEqual(a.v, lit); op != Eq || !ok || !equal {
				continue
			}
			one = &Cond{Op: Const, Truth: true} // a literal of the template, which stands where nothing before it does
			if a.when == nil {
				one = &Cond{Op: Not, Args: []*Cond{otherThan(x, a)}}
			}
		}
		if a.when != nil {
			one = &Cond{Op: And, Args: []*Cond{a.when, one}}
		}
		c.Args = append(c.Args, one)
	}
	return c
}

// otherThan is the condition that an alternative before a is asked.
func otherThan(x *val, a alt) *Cond {
	c := &Cond{Op: Or}
	for _, b := range x.alts {
		if b.val == a.val {
			break
		}
		c.Args = append(c.Args, b.truth())
	}
	return c
}

// printing is the condition under which a named template prints a text; nil if it is not known to.
func printing(prints []print, text string) *Cond {
	c := &Cond{Op: Or}
	for _, p := range prints {
		switch {
		case p.val == nil || len(p.val.sources()) == 0 && p.val.cond == nil:
			if strings.TrimSpace(p.text) == text {
				c.Args = append(c.Args, p.when)
			}
		default:
			if one := compare(Eq, p.val, text); one != nil {
				c.Args = append(c.Args, &Cond{Op: And, Args: []*Cond{p.when, one}})
			}
		}
	}
	if len(c.Args) == 0 {
		return nil
	}
	return c
}

// invoke executes a named template: its result is the text that it prints.
func (i *interpreter) invoke(name string, data *val) *val {
	t := i.tree(name)
	if t == nil {
		return unknown(data)
	}
	site := i.here
	i.stack = append(i.stack, site)
	f := i.call(t, data)
	i.stack = i.stack[:len(i.stack)-1]
	i.here = site
	return f.result(i.taken)
}

func (f *frame) result(taken bool) *val {
	out := &val{src: f.src, kube: f.kube, prints: f.prints}
	if f.exact && taken {
		out.v, out.known = f.out.String(), true
	}
	c := &Cond{Op: Or}
	for _, p := range f.prints {
		c.Args = append(c.Args, p.when)
	}
	switch len(c.Args) {
	case 0:
		out.cond = &Cond{Op: Const}
	case 1:
		out.cond = c.Args[0]
	default:
		out.cond = c
	}
	return out
}

func (i *interpreter) tpl(text, data *val) *val {
	s, ok := text.v.(string)
	if !text.known || !ok {
		// Whatever the text would ask for: it reaches the file, and is nothing to propose.
		i.consume(text, false)
		if i.taken && !text.known {
			for _, s := range data.sources() {
				i.mark(s.path, s.whole, false)
			}
		}
		return unknown(text)
	}
	if !strings.Contains(s, "{{") {
		return &val{v: strings.ReplaceAll(s, "<no value>", ""), known: true, src: text.sources(), cond: text.truthOrNil(), of: text}
	}
	trees, err := parse.Parse("gotpl", s, "", "", functions, builtins)
	if err != nil {
		return unknown(text)
	}
	for n, t := range trees {
		if n != "gotpl" && i.tree(n) == nil {
			if i.own == nil {
				i.own = map[string]*parse.Tree{}
			}
			i.own[n] = t
		}
	}
	site := i.here
	i.stack = append(i.stack, site)
	f := i.call(trees["gotpl"], data)
	i.stack = i.stack[:len(i.stack)-1]
	i.here = site
	out := f.result(i.taken)
	out.src = append(text.sources(), out.src...)
	if out.known {
		out.v = strings.ReplaceAll(out.v.(string), "<no value>", "")
	}
	return out
}

func (x *val) truthOrNil() *Cond {
	if x.isPath || len(x.alts) > 0 || x.cond != nil {
		return x.truth()
	}
	return nil
}
