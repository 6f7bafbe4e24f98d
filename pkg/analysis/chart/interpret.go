package chart

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"text/template/parse"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// Bounds. A file that exceeds them is Opaque: anything may reach it.
const (
	maxSteps = 400_000 // nodes evaluated for one file
	maxDepth = 60      // of include within include
	maxItems = 500     // of one range
)

// ReadTemplates reads all templates of the world's chart and enabled subcharts. It changes nothing.
// Cost: about that of one rendering of the chart, on all cores.
func ReadTemplates(w *rendering.World) *Reading {
	out := &Reading{Opaque: map[string]string{}, byFile: map[string]*fileReads{}, clusters: map[string][]*Cond{}, roots: map[string]bool{}}
	for _, c := range w.Charts() {
		out.roots[values.Keys(c.Prefix...).String()] = true
	}
	set := &parsed{trees: w.Trees(), lines: map[string][]int{}}
	files := w.Files()
	for _, f := range files {
		set.lines[f.Name] = lineStarts(f.Text)
	}
	for _, i := range readFiles(w, set, files) {
		if i == nil {
			continue
		}
		out.Reads = append(out.Reads, i.found...)
		out.byFile[i.file.Name] = i.reads
		out.clusters[i.file.Name] = i.clusters
		if i.opaque != "" {
			out.Opaque[i.file.Name] = i.opaque
		}
	}
	out.finish()
	return out
}

// readFiles reads each file by itself, on all cores; in Helm's order, over the same values, where templates change them.
// What is no file of its own gives nil.
func readFiles(w *rendering.World, set *parsed, files []rendering.File) []*interpreter {
	read := make([]*interpreter, len(files))
	if w.Impure() {
		common := &memory{computed: values.Copy(w.Computed()), overlay: map[uintptr]map[string]*val{}, roots: map[int]*val{}}
		for k, f := range files {
			if !f.Partial {
				i := newInterpreter(w, set, f)
				i.memory, i.owned = common, true
				i.run()
				read[k] = i
			}
		}
		return read
	}
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		wg.Go(func() {
			for k := range next {
				read[k] = readFile(w, set, files[k])
			}
		})
	}
	for k, f := range files {
		if !f.Partial {
			next <- k
		}
	}
	close(next)
	wg.Wait()
	return read
}

func readFile(w *rendering.World, set *parsed, f rendering.File) *interpreter {
	i := newInterpreter(w, set, f)
	i.memory = &memory{computed: w.Computed(), overlay: map[uintptr]map[string]*val{}}
	if !i.run() {
		// It puts something into a table of values: once more, with tables of its own.
		i = newInterpreter(w, set, f)
		i.memory, i.owned = &memory{computed: values.Copy(w.Computed()), overlay: map[uintptr]map[string]*val{}}, true
		i.run()
	}
	return i
}

func newInterpreter(w *rendering.World, set *parsed, f rendering.File) *interpreter {
	return &interpreter{
		world: w, trees: set, file: f, seen: map[string]*Read{},
		reads: &fileReads{touched: map[string]bool{}, whole: map[string]bool{}},
	}
}

// memory is what a file may change for those that are rendered after it.
type memory struct {
	computed map[string]any              // the world's, or a copy that templates may change
	overlay  map[uintptr]map[string]*val // what templates put into tables of values
	roots    map[int]*val                // the dot of each chart's templates; nil: each file has its own
}

// parsed is the templates by name, with the line starts of the files that they stand in.
type parsed struct {
	trees map[string]*parse.Tree
	lines map[string][]int
}

var builtins = map[string]any{}

func init() {
	for _, n := range []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "index", "slice", "len", "print", "printf", "println", "html", "js", "urlquery", "call"} {
		builtins[n] = func() {}
	}
}

func lineStarts(text string) []int {
	out := []int{0}
	for i := range len(text) {
		if text[i] == '\n' {
			out = append(out, i+1)
		}
	}
	return out
}

// interpreter reads one file.
type interpreter struct {
	world *rendering.World
	trees *parsed
	own   map[string]*parse.Tree // what texts given to tpl define
	*memory
	owned    bool // the memory may be written
	found    []*Read
	clusters []*Cond // conditions on the cluster
	opaque   string
	reads    *fileReads
	seen     map[string]*Read
	file     rendering.File

	source  string // ParseName of the tree at hand
	here    rendering.Site
	stack   []rendering.Site
	guards  []*Guard
	taken   bool
	testing *Cond // the condition whose values are being recorded
	frame   *frame
	steps   int
	depth   int
}

// frame is one execution of a template: its variables, and what it printed.
type frame struct {
	vars   []variable
	out    strings.Builder
	exact  bool // out is what is really printed
	src    []source
	prints []print
	base   int  // guards that were there when it began
	kube   bool // it printed something made from the cluster's Kubernetes version
	root   *val
}

type variable struct {
	name string
	*val
}

// print is one text that a template printed, what it was made from, and when.
type print struct {
	text string
	val  *val // nil: the template's own text
	when *Cond
}

type stop struct{ why string }

// errShared ends the reading of a file that would change values that are not its own.
var errShared = errors.New("the values are shared")

// run reads the file. It is not done if the file needs values of its own.
func (i *interpreter) run() (done bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
			done = true
		case stop:
			i.opaque, i.reads.all, done = r.why, true, true
		case error:
			if errors.Is(r, errShared) {
				return
			}
			i.opaque, i.reads.all, done = r.Error(), true, true
		default:
			i.opaque, i.reads.all, done = fmt.Sprint(r), true, true
		}
	}()
	root := i.context(i.file.Chart)
	t := i.trees.trees[i.file.Name]
	if t == nil {
		return true
	}
	i.taken = true
	f := i.call(t, root)
	want, _ := i.world.Baseline().Text(i.file.Name)
	if got := strings.ReplaceAll(f.out.String(), "<no value>", ""); f.exact && got != want {
		// What it reads was followed, but not to the letter: any change may reach it.
		i.reads.all = true
	}
	return true
}

// tree is a template by name.
func (i *interpreter) tree(name string) *parse.Tree {
	if t := i.trees.trees[name]; t != nil {
		return t
	}
	return i.own[name]
}

// context is the dot of a chart's templates.
func (i *interpreter) context(chart int) *val {
	c := i.world.Charts()[chart]
	template := map[string]any{"Name": i.file.Name, "BasePath": c.BasePath}
	if root := i.roots[chart]; root != nil {
		root.v.(map[string]any)["Template"] = template
		return root
	}
	data := maps.Clone(i.world.Context(chart, i.computed))
	data["Template"] = template
	root := constant(data)
	prefix := values.Keys(c.Prefix...)
	scope, _ := values.Get(i.computed, prefix)
	root.kids = map[string]*val{"Values": {v: scope, known: true, path: prefix, isPath: true}}
	if i.roots != nil {
		i.roots[chart] = root
	}
	return root
}

// call executes one template with the given dot and gives its frame.
func (i *interpreter) call(t *parse.Tree, dot *val) *frame {
	if i.depth++; i.depth > maxDepth {
		i.depth--
		i.consume(dot, false)
		return &frame{src: dot.sources()}
	}
	outer, source, here := i.frame, i.source, i.here
	f := &frame{exact: true, base: len(i.guards), root: dot}
	f.vars = []variable{{"$", dot}}
	i.frame, i.source = f, t.ParseName
	i.walk(t.Root, dot)
	i.frame, i.source, i.here = outer, source, here
	i.depth--
	return f
}

func (i *interpreter) at(n parse.Node) {
	if i.steps++; i.steps > maxSteps {
		panic(stop{"the template is too large to be followed"})
	}
	if lines := i.trees.lines[i.source]; lines != nil {
		i.here = rendering.Site{File: i.source, Line: sort.SearchInts(lines, int(n.Position())+1)}
	}
}

// lastLine is the line of the last node of a list.
func (i *interpreter) lastLine(list *parse.ListNode) int {
	lines := i.trees.lines[i.source]
	if lines == nil || list == nil || len(list.Nodes) == 0 {
		return 0
	}
	last := list.Nodes[len(list.Nodes)-1]
	end := int(last.Position())
	if t, isText := last.(*parse.TextNode); isText {
		end += len(t.Text)
	}
	return sort.SearchInts(lines, end+1)
}

// flow is how a list of nodes ended.
type flow int

const (
	goOn flow = iota
	leave
)

func (i *interpreter) walk(n parse.Node, dot *val) flow {
	switch t := n.(type) {
	case *parse.ListNode:
		if t == nil {
			return goOn
		}
		for _, x := range t.Nodes {
			if i.walk(x, dot) == leave {
				return leave
			}
		}
	case *parse.TextNode:
		i.text(string(t.Text))
	case *parse.ActionNode:
		i.at(t)
		v := i.pipe(t.Pipe, dot)
		if len(t.Pipe.Decl) == 0 {
			i.print(v)
		}
	case *parse.IfNode:
		i.at(t)
		return i.branch(&t.BranchNode, dot, false)
	case *parse.WithNode:
		i.at(t)
		return i.branch(&t.BranchNode, dot, true)
	case *parse.RangeNode:
		i.at(t)
		i.rangeOver(t, dot)
	case *parse.TemplateNode:
		i.at(t)
		data := constant(nil)
		if t.Pipe != nil {
			data = i.pipe(t.Pipe, dot)
		}
		i.print(i.invoke(t.Name, data))
	case *parse.BreakNode, *parse.ContinueNode:
		if i.taken {
			return leave
		}
	}
	return goOn
}

func (i *interpreter) text(s string) {
	if i.taken {
		i.frame.out.WriteString(s)
	}
	if strings.TrimSpace(s) != "" {
		i.frame.prints = append(i.frame.prints, print{s, nil, i.when()})
	}
}

// when is the condition of the guards since the frame began.
func (i *interpreter) when() *Cond {
	c := &Cond{Op: And}
	for _, g := range i.guards[i.frame.base:] {
		x := g.Cond
		if !g.Want {
			x = &Cond{Op: Not, Args: []*Cond{x}}
		}
		c.Args = append(c.Args, x)
	}
	switch len(c.Args) {
	case 0:
		return &Cond{Op: Const, Truth: true}
	case 1:
		return c.Args[0]
	}
	return c
}

func (i *interpreter) print(v *val) {
	i.consume(v, false)
	src := v.sources()
	i.frame.kube = i.frame.kube || v.ofKube()
	for k := range src {
		src[k].done = true
	}
	for _, s := range src {
		if !slices.ContainsFunc(i.frame.src, s.same) {
			i.frame.src = append(i.frame.src, s)
		}
	}
	text := ""
	if v.known {
		text = printed(v.v)
		if i.taken {
			i.frame.out.WriteString(text)
		}
	} else if i.taken {
		i.frame.exact = false
	}
	when := i.when()
	if len(src) > 0 {
		when = &Cond{Op: And, Args: []*Cond{when, v.truth()}}
	}
	if strings.TrimSpace(text) != "" || len(src) > 0 {
		i.frame.prints = append(i.frame.prints, print{text, v, when})
	}
}

func printed(v any) string {
	if v == nil {
		return "<no value>"
	}
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && !r.IsNil() {
		if _, ok := v.(fmt.Stringer); !ok {
			v = r.Elem().Interface()
		}
	}
	return fmt.Sprint(v)
}

// branch is if and with: both ways are gone, the one that is taken and the other.
func (i *interpreter) branch(b *parse.BranchNode, dot *val, with bool) flow {
	mark := len(i.frame.vars)
	defer func() { i.frame.vars = i.frame.vars[:mark] }()
	v := i.pipe(b.Pipe, dot)
	cond, site := v.truth(), i.here
	if cond.OfCluster() {
		i.clusters = append(i.clusters, cond)
	}
	i.testing = cond
	i.consume(v, true)
	i.testing = nil
	inner := dot
	if with {
		inner = v
	}
	truth := v.known && truthOf(v.v)
	if !v.known && i.taken {
		i.frame.exact = false
	}
	ended := goOn
	one := func(list *parse.ListNode, dot *val, want bool) {
		if list == nil {
			return
		}
		holds := !v.known || truth == want
		g := &Guard{Cond: cond, Want: want, Holds: v.known && holds, Site: site, End: i.lastLine(list)}
		i.guards = append(i.guards, g)
		was := i.taken
		i.taken = was && holds
		saved := i.snapshotVars(mark)
		f := i.walk(list, dot)
		i.frame.vars = i.frame.vars[:mark]
		i.mergeVars(saved, cond, want, holds)
		if f == leave && i.taken {
			ended = leave
		}
		i.taken = was
		i.guards = i.guards[:len(i.guards)-1]
		i.here = site
	}
	one(b.List, inner, true)
	one(b.ElseList, dot, false)
	return ended
}

func (i *interpreter) snapshotVars(n int) []variable { return slices.Clone(i.frame.vars[:n]) }

// mergeVars joins what a branch assigned to outer variables with what they were before.
func (i *interpreter) mergeVars(before []variable, cond *Cond, want, holds bool) {
	when := cond
	if !want {
		when = &Cond{Op: Not, Args: []*Cond{cond}}
	}
	for k, old := range before {
		now := i.frame.vars[k].val
		if now == old.val {
			continue
		}
		chosen := now
		if !holds {
			chosen = old.val
		}
		merged := &val{
			v: chosen.v, known: chosen.known,
			alts: []alt{{now, when}, {old.val, &Cond{Op: Not, Args: []*Cond{when}}}},
		}
		if merged.depth = depthOf(merged.alts); merged.depth > maxAlternatives {
			merged = merged.flat()
		}
		i.frame.vars[k].val = merged
	}
}

func (i *interpreter) rangeOver(t *parse.RangeNode, dot *val) {
	mark := len(i.frame.vars)
	defer func() { i.frame.vars = i.frame.vars[:mark] }()
	v := i.pipeNoDecl(t.Pipe, dot)
	i.consumeRange(v)
	site := i.here
	keys, items := i.elements(v)
	guard := &Guard{Cond: v.truth(), Want: true, Holds: v.known && len(items) > 0, Site: site, End: i.lastLine(t.List)}
	was := i.taken
	body := func(key, item *val, taken bool) flow {
		i.guards = append(i.guards, guard)
		i.taken = was && taken
		saved := i.snapshotVars(mark)
		switch len(t.Pipe.Decl) {
		case 1:
			i.frame.vars = append(i.frame.vars, variable{t.Pipe.Decl[0].Ident[0], item})
		case 2:
			i.frame.vars = append(i.frame.vars, variable{t.Pipe.Decl[0].Ident[0], key}, variable{t.Pipe.Decl[1].Ident[0], item})
		}
		f := i.walk(t.List, item)
		i.frame.vars = i.frame.vars[:mark]
		i.mergeVars(saved, guard.Cond, true, taken)
		i.taken = was
		i.guards = i.guards[:len(i.guards)-1]
		i.here = site
		return f
	}
	broken := false
	for k := range items {
		if k >= maxItems {
			panic(stop{"a list is too long to be followed"})
		}
		if body(keys[k], items[k], !broken) == leave {
			// break and continue are told apart no further: what follows may or may not be rendered.
			broken = broken || breaks(t.List)
			i.frame.exact = i.frame.exact && !broken
		}
	}
	if len(items) == 0 {
		if !v.known && was {
			i.frame.exact = false
		}
		body(unknown(v), unknown(v), !v.known)
	}
	if t.ElseList != nil {
		holds := v.known && len(items) == 0
		i.guards = append(i.guards, &Guard{Cond: guard.Cond, Holds: holds, Site: site, End: i.lastLine(t.ElseList)})
		i.taken = was && (holds || !v.known)
		i.walk(t.ElseList, dot)
		i.taken = was
		i.guards = i.guards[:len(i.guards)-1]
	}
}

func breaks(n parse.Node) bool {
	found := false
	rendering.Inspect(n, func(n parse.Node) {
		if _, is := n.(*parse.BreakNode); is {
			found = true
		}
	})
	return found
}

// elements gives the keys and items that a range visits.
func (i *interpreter) elements(v *val) (keys, items []*val) {
	from := func(x any) *val { return &val{v: x, known: true, src: v.sources()} }
	if len(v.list) > 0 {
		for k, x := range v.list {
			keys, items = append(keys, constant(k)), append(items, x)
		}
		return keys, items
	}
	if !v.known || v.v == nil {
		return nil, nil
	}
	if m, ok := asMap(v.v); ok {
		for _, k := range sortedKeys(m) {
			key := &val{v: k, known: true, src: v.sources()}
			for s := range key.src {
				key.src[s].done = true // the table was recorded as ranged over
			}
			keys, items = append(keys, key), append(items, i.get(v, k))
		}
		return keys, items
	}
	r := reflect.ValueOf(v.v)
	switch r.Kind() {
	case reflect.Slice, reflect.Array:
		for k := range r.Len() {
			x := from(r.Index(k).Interface())
			if v.isPath {
				x = &val{v: x.v, known: true, path: v.path.Item(k), isPath: true}
			}
			keys, items = append(keys, constant(k)), append(items, x)
		}
	case reflect.Map:
		ks := r.MapKeys()
		sort.Slice(ks, func(a, b int) bool { return fmt.Sprint(ks[a]) < fmt.Sprint(ks[b]) })
		for _, k := range ks {
			keys, items = append(keys, from(k.Interface())), append(items, from(r.MapIndex(k).Interface()))
		}
	case reflect.Int, reflect.Int64:
		for k := range min(int(r.Int()), maxItems) {
			keys, items = append(keys, from(k)), append(items, from(k))
		}
	}
	return keys, items
}

func sortedKeys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// consume records that a value decides something here: it is printed, or tested.
func (i *interpreter) consume(v *val, test bool) {
	for _, s := range v.sources() {
		if !s.done {
			i.record(s, test)
		}
		i.mark(s.path, s.whole && !test, test && s.whole)
	}
}

// consumeRange records that the entries of a table or list are visited.
func (i *interpreter) consumeRange(v *val) {
	for _, s := range v.sources() {
		i.record(source{path: s.path, whole: false, rank: s.rank, chain: s.chain}, true)
		i.mark(s.path, true, false)
	}
}

// mark notes what can change the file. A test of a table asks only whether it is empty.
func (i *interpreter) mark(p values.Path, whole, emptiness bool) {
	for k := len(p); k >= 0; k-- {
		key := p[:k].String()
		if i.reads.touched[key] {
			break
		}
		i.reads.touched[key] = true
	}
	if emptiness {
		v, _ := values.Get(i.computed, p)
		m, _ := asMap(v)
		whole = len(m) <= 1
	}
	if whole {
		i.reads.whole[p.String()] = true
	}
}

func (i *interpreter) record(s source, test bool) {
	key := s.path.String() + "|" + i.here.File + "|" + strconv.Itoa(i.here.Line<<6|s.rank<<2) + strconv.FormatBool(s.whole) + strconv.FormatBool(test)
	if s.chain != nil {
		// One line of a helper asks other values for each of its callers.
		for _, m := range s.chain.Members {
			key += "|" + m.Path.String()
		}
	}
	if old := i.seen[key]; old != nil && (old.Taken || !i.taken) {
		return
	}
	r := &Read{
		Path: s.path, Whole: s.whole && !test, Test: test, Omit: s.omit, File: i.file.Name, Site: i.here,
		Stack: slices.Clone(i.stack), Taken: i.taken, Guards: slices.Clone(i.guards), Rank: s.rank, When: s.when, Cond: i.testing,
	}
	if s.chain != nil && len(s.chain.Members) > 1 {
		r.Chain = s.chain
	}
	if old := i.seen[key]; old != nil {
		*old = *r
		return
	}
	i.seen[key] = r
	i.found = append(i.found, r)
}
