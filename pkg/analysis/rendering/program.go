package rendering

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"

	helmchart "helm.sh/helm/v3/pkg/chart"
)

// Bounds on what one template file may do: a record is input from strangers.
const (
	maxOutput    = 64 << 20 // bytes that one file may print
	maxRecursion = 1000     // of one include name; Helm's own limit
)

// File is one template of a chart or subchart.
type File struct {
	Name    string // chart/templates/x.yaml, as in Helm's "# Source:" lines
	Text    string
	Partial bool // begins with an underscore: never rendered by itself
	Chart   int  // index into Charts
}

// Chart is one chart of the tree that is enabled: the root, or a subchart at any depth.
type Chart struct {
	Prefix   []string // keys under which its values stand in the root's values; none for the root
	BasePath string
	meta     any
	files    files
	children map[string]int
}

// program is the parsed templates of a chart and its enabled subcharts. It is immutable; workers execute it.
type program struct {
	charts  []Chart
	files   []File // in Helm's order: that of parsing and of rendering
	byName  map[string]int
	base    *template.Template
	mutates bool // some template calls a function that changes its argument
	// mutating tells the files that may come to such a call, other than through a text given to tpl.
	mutating []bool
	idle     chan *worker // kept for the next: one more is a copy of all templates
	funcs    template.FuncMap
	tplMu    sync.Mutex
	tpls     map[string]*parse.Tree // parsed texts of tpl that define nothing
}

// compile parses all templates of a chart tree from which the disabled subcharts are gone.
func compile(c *helmchart.Chart) (*program, error) {
	p := &program{byName: map[string]int{}, tpls: map[string]*parse.Tree{}, funcs: functions()}
	p.add(c, nil)
	slices.SortFunc(p.files, func(a, b File) int {
		// Deep files first, so that a chart's definitions replace those of its subcharts.
		if d := strings.Count(b.Name, "/") - strings.Count(a.Name, "/"); d != 0 {
			return d
		}
		return strings.Compare(b.Name, a.Name)
	})
	p.base = template.New("gotpl").Option("missingkey=zero")
	p.base.Funcs((&worker{program: p}).bind(p.base))
	for i, f := range p.files {
		p.byName[f.Name] = i
		if _, err := p.base.New(f.Name).Parse(f.Text); err != nil {
			return nil, parseError(f.Name, err)
		}
	}
	p.findMutators()
	p.idle = make(chan *worker, runtime.GOMAXPROCS(0))
	return p, nil
}

// findMutators follows include and template from every file to calls of mutators.
func (p *program) findMutators() {
	type node struct {
		mutates bool
		calls   []string
		any     bool // includes a name that it computes
	}
	nodes := map[string]*node{}
	for _, t := range p.base.Templates() {
		if t.Tree == nil || t.Root == nil {
			continue
		}
		n := &node{mutates: callsMutator(t.Root)}
		n.calls, n.any = includes(t.Root)
		nodes[t.Name()] = n
		p.mutates = p.mutates || n.mutates
	}
	p.mutating = make([]bool, len(p.files))
	if !p.mutates {
		return
	}
	for i, f := range p.files {
		seen := map[string]bool{}
		var follow func(name string) bool
		follow = func(name string) bool {
			n := nodes[name]
			if n == nil || seen[name] {
				return false
			}
			seen[name] = true
			return n.mutates || n.any || slices.ContainsFunc(n.calls, follow)
		}
		p.mutating[i] = follow(f.Name)
	}
}

// includes lists the names of the templates that a template calls; computed tells that some name is not written out.
func includes(n parse.Node) (names []string, computed bool) {
	Inspect(n, func(n parse.Node) {
		switch t := n.(type) {
		case *parse.TemplateNode:
			names = append(names, t.Name)
		case *parse.CommandNode:
			for i, a := range t.Args {
				id, ok := a.(*parse.IdentifierNode)
				if !ok || id.Ident != "include" {
					continue
				}
				if s, written := next(t.Args, i).(*parse.StringNode); written && i == 0 {
					names = append(names, s.Text)
				} else {
					computed = true
				}
			}
		}
	})
	return names, computed
}

func next(args []parse.Node, i int) parse.Node {
	if i+1 < len(args) {
		return args[i+1]
	}
	return nil
}

func (p *program) add(c *helmchart.Chart, prefix []string) int {
	at := len(p.charts)
	full := c.ChartFullPath()
	p.charts = append(p.charts, Chart{
		Prefix:   prefix,
		BasePath: path.Join(full, "templates"),
		meta: struct {
			helmchart.Metadata
			IsRoot bool
		}{*c.Metadata, c.IsRoot()},
		files:    newFiles(c.Files),
		children: map[string]int{},
	})
	for _, d := range c.Dependencies() {
		p.charts[at].children[d.Name()] = p.add(d, append(slices.Clone(prefix), d.Name()))
	}
	library := strings.EqualFold(c.Metadata.Type, "library")
	for _, t := range c.Templates {
		if t == nil || library && !strings.HasPrefix(filepath.Base(t.Name), "_") {
			continue
		}
		name := path.Join(full, t.Name)
		p.files = slices.DeleteFunc(p.files, func(f File) bool { return f.Name == name })
		p.files = append(p.files, File{Name: name, Text: string(t.Data), Partial: strings.HasPrefix(path.Base(name), "_"), Chart: at})
	}
	return at
}

// callsMutator finds a call of a mutator whose first argument is not plainly made on the spot.
func callsMutator(n parse.Node) bool {
	found := false
	Inspect(n, func(n parse.Node) {
		c, ok := n.(*parse.CommandNode)
		if !ok || len(c.Args) == 0 {
			return
		}
		id, ok := c.Args[0].(*parse.IdentifierNode)
		if !ok || !mutators[id.Ident] {
			return
		}
		found = found || !harmless(id.Ident, c.Args[1:])
	})
	return found
}

// harmless says whether a mutator is called on a table that the call itself makes. A merge of several sources is not:
// it puts one source's inner tables into the new table, and then changes them with the next.
func harmless(mutator string, args []parse.Node) bool {
	if len(args) == 0 {
		return false
	}
	p, ok := args[0].(*parse.PipeNode)
	if !ok || len(p.Cmds) == 0 {
		return false
	}
	last := p.Cmds[len(p.Cmds)-1]
	id, ok := last.Args[0].(*parse.IdentifierNode)
	if !ok {
		return false
	}
	switch id.Ident {
	case "deepCopy", "mustDeepCopy", "fromYaml", "fromJson":
	case "dict":
		if len(last.Args) > 1 && mutator != "set" && mutator != "unset" {
			return false
		}
	case "omit", "pick":
		return mutator == "set" || mutator == "unset"
	default:
		return false
	}
	return mutator == "set" || mutator == "unset" || len(args) <= 2
}

// Inspect visits every node below n, n itself first.
func Inspect(n parse.Node, visit func(parse.Node)) {
	if n == nil || reflect.ValueOf(n).IsNil() {
		return
	}
	visit(n)
	branch := func(b *parse.BranchNode) {
		Inspect(b.Pipe, visit)
		Inspect(b.List, visit)
		Inspect(b.ElseList, visit)
	}
	switch t := n.(type) {
	case *parse.ListNode:
		for _, x := range t.Nodes {
			Inspect(x, visit)
		}
	case *parse.ActionNode:
		Inspect(t.Pipe, visit)
	case *parse.PipeNode:
		for _, x := range t.Cmds {
			Inspect(x, visit)
		}
	case *parse.CommandNode:
		for _, x := range t.Args {
			Inspect(x, visit)
		}
	case *parse.ChainNode:
		Inspect(t.Node, visit)
	case *parse.IfNode:
		branch(&t.BranchNode)
	case *parse.WithNode:
		branch(&t.BranchNode)
	case *parse.RangeNode:
		branch(&t.BranchNode)
	case *parse.TemplateNode:
		Inspect(t.Pipe, visit)
	}
}

// worker executes one file at a time: the functions of a template belong to a set of templates, so each worker has
// its own clone of the program's.
type worker struct {
	program  *program
	t        *template.Template
	file     string
	draws    *draws
	ordinals map[string]int
	drawn    []string // the random calls of this file, in order
	includes map[string]int
	shared   bool // the values are not this rendering's own: nothing may change them
	refused  bool // a text given to tpl might have
}

// worker gives one that is idle, or a new one.
func (p *program) worker() *worker {
	select {
	case w := <-p.idle:
		return w
	default:
		return p.newWorker()
	}
}

func (p *program) release(w *worker) {
	select {
	case p.idle <- w:
	default:
	}
}

func (p *program) newWorker() *worker {
	w := &worker{program: p}
	t, err := p.base.Clone()
	if err != nil {
		panic("clone of a template that was never executed: " + err.Error())
	}
	t.Option("missingkey=zero") // a clone forgets it: Go issue 43022
	t.Funcs(w.bind(t))
	w.t = t
	return w
}

// bind gives the functions that need the worker: include and tpl see the templates of t, random ones the draws.
func (w *worker) bind(t *template.Template) template.FuncMap {
	f := template.FuncMap{"include": w.include(t), "tpl": w.tpl(t)}
	for name, fn := range w.program.funcs {
		if _, late := f[name]; !late {
			f[name] = fn
		}
	}
	for _, name := range random {
		f[name] = w.drawing(name, f[name], false)
	}
	for _, name := range unordered {
		f[name] = w.drawing(name, f[name], true)
	}
	return f
}

func (w *worker) include(t *template.Template) func(string, any) (string, error) {
	return func(name string, data any) (string, error) {
		if w.includes[name] > maxRecursion {
			return "", fmt.Errorf("rendering template has a nested reference name: %s: unable to execute template", name)
		}
		w.includes[name]++
		out := &output{}
		err := t.ExecuteTemplate(out, name, data)
		w.includes[name]--
		return out.String(), err
	}
}

// tpl executes a text as a template. Helm clones the whole set for each call; only a text that defines or calls
// templates by name needs that.
func (w *worker) tpl(parent *template.Template) func(string, any) (string, error) {
	return func(text string, data any) (string, error) {
		if !strings.Contains(text, "{{") {
			return strings.ReplaceAll(text, "<no value>", ""), nil
		}
		if w.shared && mayMutate.MatchString(text) {
			w.refused = true
			return "", errShared
		}
		t, err := w.parseTpl(parent, text)
		if err != nil {
			return "", fmt.Errorf("cannot parse template %q: %w", text, err)
		}
		out := &output{}
		if err := t.Execute(out, data); err != nil {
			return "", fmt.Errorf("error during tpl function execution for %q: %w", text, err)
		}
		return strings.ReplaceAll(out.String(), "<no value>", ""), nil
	}
}

// mayMutate finds what in a text given to tpl may call a mutator, by itself or through another template.
var mayMutate = regexp.MustCompile(`include|template|tpl|[sS]et|[mM]erge`)

var errShared = errors.New("the values are shared")

func (w *worker) parseTpl(parent *template.Template, text string) (*template.Template, error) {
	if !strings.Contains(text, "define") && !strings.Contains(text, "block") && !strings.Contains(text, "template") {
		p := w.program
		t := template.New(parent.Name()).Option("missingkey=zero").Funcs(w.bind(parent))
		p.tplMu.Lock()
		tree := p.tpls[text]
		p.tplMu.Unlock()
		if tree != nil {
			return t.AddParseTree(parent.Name(), tree)
		}
		t, err := t.Parse(text)
		if err != nil {
			return nil, err
		}
		if t.Tree != nil {
			p.tplMu.Lock()
			p.tpls[text] = t.Tree
			p.tplMu.Unlock()
		}
		return t, nil
	}
	t, err := parent.Clone()
	if err != nil {
		return nil, err
	}
	t.Option("missingkey=zero")
	t.Funcs(template.FuncMap{"include": w.include(t), "tpl": w.tpl(t)})
	return t.New(parent.Name()).Parse(text)
}

// output is a bounded buffer.
type output struct{ b strings.Builder }

var errTooLong = errors.New("the output is larger than 64 MiB")

func (o *output) Write(p []byte) (int, error) {
	if o.b.Len()+len(p) > maxOutput {
		return 0, errTooLong
	}
	return o.b.Write(p)
}

func (o *output) String() string { return o.b.String() }

// execute renders one file. data is the file's own: nobody else may hold it.
func (w *worker) execute(f File, data map[string]any, d *draws) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("rendering template failed: %v", r)
		}
	}()
	w.file, w.draws, w.ordinals, w.drawn, w.includes = f.Name, d, map[string]int{}, nil, map[string]int{}
	out := &output{}
	if err := w.t.ExecuteTemplate(out, f.Name, data); err != nil {
		return "", execError(f.Name, err)
	}
	return strings.ReplaceAll(out.String(), "<no value>", ""), nil
}
