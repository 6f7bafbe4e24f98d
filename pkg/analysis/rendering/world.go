package rendering

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"text/template/parse"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// Bounds, in bytes, on what a World remembers of renderings that were tried.
const (
	maxTried = 16 << 20
	maxDocs  = 8 << 20 // of text; what is parsed from it is some ten times that
)

// World is a chart rendered from one tree of supplied values, ready to be rendered again with small changes.
// It is safe for concurrent use.
type World struct {
	renderer *Renderer
	supplied map[string]any
	chart    *helmchart.Chart // dependencies processed
	computed map[string]any   // .Values of the root chart
	program  *program
	draws    *draws
	impure   bool // templates change the values they are given: everything is rendered, in order, each time
	reach    func(p values.Path) []string
	defaults func() map[string]any

	base *Outcome

	mu      sync.Mutex
	tried   *bounded[*Outcome]
	docs    *bounded[[]Object] // parsed documents, by file and text
	renders int
	noise   map[string]bool
	others  map[string]*World // on other clusters
}

// Outcome is what one rendering gave.
type Outcome struct {
	Err      error             // the chart does not render; nothing else is set then
	Computed map[string]any    // .Values of the root chart
	changed  map[string]string // text by file, where it is not the baseline's; all files of another set of subcharts
	gone     map[string]bool   // files of the baseline that are not rendered any more
	drawn    map[string]string // random calls by file, where they are not the baseline's
	world    *World
}

// NewWorld renders the baseline. The error is a chart that does not render, as *Error where a template failed.
// Schemas are not asked: see Renderer.Helm.
func NewWorld(r *Renderer, supplied map[string]any) (*World, error) {
	w := &World{
		renderer: r, supplied: supplied, draws: newDraws(""),
		tried: newBounded[*Outcome](maxTried), docs: newBounded[[]Object](maxDocs),
	}
	w.defaults = sync.OnceValue(func() map[string]any {
		v, err := chartutil.CoalesceValues(w.chart, map[string]any{})
		if err != nil {
			return nil
		}
		return v
	})
	c, top, err := r.prepare(supplied, true)
	if err != nil {
		return nil, err
	}
	w.chart = c
	w.computed = top["Values"].(chartutil.Values)
	if w.program, err = compile(c); err != nil {
		return nil, err
	}
	w.base = w.baseline()
	if w.base.Err != nil {
		return nil, w.base.Err
	}
	return w, nil
}

func (w *World) baseline() *Outcome {
	out, impure := w.inOrder(w.program, w.computed, w.draws)
	w.impure = impure
	return out
}

// Supplied is the tree that the baseline was made from.
func (w *World) Supplied() map[string]any { return w.supplied }

// Computed is the .Values of the root chart in the baseline. It must not be changed.
func (w *World) Computed() map[string]any { return w.computed }

// Defaults is .Values without anything supplied, by Helm's own rules. It must not be changed.
func (w *World) Defaults() map[string]any { return w.defaults() }

// Baseline is the rendering without any change.
func (w *World) Baseline() *Outcome { return w.base }

// Files lists all templates of the chart and its enabled subcharts.
func (w *World) Files() []File { return w.program.files }

// Trees gives the parsed templates by name, those that files define among them. They must not be changed.
func (w *World) Trees() map[string]*parse.Tree {
	out := map[string]*parse.Tree{}
	for _, t := range w.program.base.Templates() {
		if t.Tree != nil {
			out[t.Name()] = t.Tree
		}
	}
	return out
}

// Charts lists the root chart and its enabled subcharts.
func (w *World) Charts() []Chart { return w.program.charts }

// Renders counts the renderings made so far, the baseline apart.
func (w *World) Renders() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.renders
}

// Impure says whether templates change the values that later files see: they are one program, in the order of Files.
func (w *World) Impure() bool { return w.impure }

// Reach limits which files are rendered again: those that may lists for some changed path of the root's computed
// values, in any order. It must never leave out one that a change to this baseline reaches.
func (w *World) Reach(may func(p values.Path) []string) { w.reach = may }

// Context builds what the templates of one chart see, over one tree of computed values.
func (w *World) Context(chart int, computed map[string]any) map[string]any {
	return w.context(w.program, chart, computed)
}

func (w *World) context(p *program, i int, computed map[string]any) map[string]any {
	r := w.renderer.release
	release := map[string]any{
		"Name": r.Name, "Namespace": r.Namespace, "IsUpgrade": r.IsUpgrade, "IsInstall": !r.IsUpgrade,
		"Revision": r.Revision, "Service": "Helm",
	}
	return w.contexts(p, i, computed, release)
}

func (w *World) contexts(p *program, i int, computed map[string]any, release map[string]any) map[string]any {
	c := p.charts[i]
	var scope any = chartutil.Values(computed)
	if len(c.Prefix) > 0 {
		at, _ := values.Get(computed, values.Keys(c.Prefix...))
		if m, ok := at.(map[string]any); ok {
			scope = chartutil.Values(m)
		} else {
			scope = chartutil.Values{}
		}
	}
	subcharts := map[string]any{}
	next := map[string]any{
		"Chart": c.meta, "Files": c.files, "Release": release, "Capabilities": w.renderer.caps,
		"Values": scope, "Subcharts": subcharts,
	}
	for name, child := range c.children {
		subcharts[name] = w.contexts(p, child, computed, release)
	}
	return next
}

// inOrder renders every file as Helm does: one after the other over the same values. impure tells that some template
// changed them.
func (w *World) inOrder(p *program, computed map[string]any, d *draws) (*Outcome, bool) {
	out := &Outcome{Computed: computed, changed: map[string]string{}, drawn: map[string]string{}, world: w}
	scratch := computed
	if p.mutates {
		scratch = values.Copy(computed)
	}
	top := w.context(p, 0, scratch)
	shared := map[int]map[string]any{}
	var find func(i int, at map[string]any)
	find = func(i int, at map[string]any) {
		shared[i] = at
		for name, child := range p.charts[i].children {
			find(child, at["Subcharts"].(map[string]any)[name].(map[string]any))
		}
	}
	find(0, top)
	given := map[int]map[string]any{}
	for i, at := range shared {
		given[i] = maps.Clone(at)
	}
	k := p.worker()
	defer p.release(k)
	for _, f := range p.files {
		if f.Partial {
			continue
		}
		data := shared[f.Chart]
		data["Template"] = chartutil.Values{"Name": f.Name, "BasePath": p.charts[f.Chart].BasePath}
		text, err := k.execute(f, data, d)
		if err != nil {
			out.Err = err
			return out, false
		}
		out.changed[f.Name] = text
		out.drawn[f.Name] = strings.Join(k.drawn, "\x01")
	}
	if !p.mutates {
		return out, false
	}
	replaced := false
	for i, at := range shared {
		replaced = replaced || !sameContext(at, given[i])
	}
	return out, replaced || !Equal(scratch, computed)
}

// sameContext says whether what a template sees at the top is what was given to it: nothing was put there, and none of
// its tables was replaced. "Template" is ours.
func sameContext(at, given map[string]any) bool {
	if len(at) != contextKeys {
		return false
	}
	for _, key := range []string{"Values", "Release", "Subcharts"} {
		if reflect.ValueOf(at[key]).Pointer() != reflect.ValueOf(given[key]).Pointer() {
			return false
		}
	}
	return true
}

// contextKeys is how many entries a template finds at the top.
const contextKeys = 7

// Try renders the values with the edits made. Edits are of the supplied tree.
func (w *World) Try(edits ...values.Edit) *Outcome {
	key := editsKey(edits)
	if o, found := w.tried.get(key); found {
		return o
	}
	w.mu.Lock()
	w.renders++
	w.mu.Unlock()
	o := w.try(edits)
	w.tried.put(key, o, o.size())
	return o
}

// size is about the memory that an outcome holds for itself.
func (o *Outcome) size() int {
	n := 2048 // a path of copied tables
	if o != o.world.base {
		for f, t := range o.changed {
			n += len(f) + len(t)
		}
	}
	return n
}

func editsKey(edits []values.Edit) string {
	var b strings.Builder
	for _, e := range edits {
		fmt.Fprintf(&b, "%s\x00%v\x00%T %v\x01", e.Path, e.Remove, e.Value, e.Value)
	}
	return b.String()
}

func (w *World) try(edits []values.Edit) *Outcome {
	supplied := values.Apply(w.supplied, edits...)
	touched := make([]values.Path, len(edits))
	for i, e := range edits {
		touched[i] = e.Path
	}
	if w.switchesSubcharts(touched) {
		return w.whole(supplied)
	}
	computed, changed, err := w.recompute(supplied, touched)
	if err != nil {
		return &Outcome{Err: err, world: w}
	}
	if len(changed) == 0 {
		return w.base
	}
	if w.impure {
		o, _ := w.inOrder(w.program, computed, w.draws)
		return w.lessBaseline(o)
	}
	return w.some(computed, changed)
}

// some renders the files that the changed paths reach.
func (w *World) some(computed map[string]any, changed []values.Path) *Outcome {
	p := w.program
	files := w.reached(changed)
	k := p.worker()
	defer p.release(k)
	var prefixes []values.Path // of the charts whose files may change the values that they are given
	for _, i := range files {
		if p.mutating[i] {
			prefixes = append(prefixes, values.Keys(p.charts[p.files[i].Chart].Prefix...))
		}
	}
	o, ok := w.render(k, files, computed, prefixes)
	if !ok && k.refused {
		o, ok = w.render(k, files, computed, []values.Path{{}})
	}
	if !ok {
		// With these values a template changes what the next ones see: only Helm's own order is right.
		o, _ = w.inOrder(p, computed, w.draws)
		return w.lessBaseline(o)
	}
	return o
}

// render renders files over values of which what stands at the prefixes is copied first. It is not ok if a template
// changed them, or, where they were not all copied, would have been able to (the worker refused).
func (w *World) render(k *worker, files []int, computed map[string]any, prefixes []values.Path) (*Outcome, bool) {
	p := w.program
	o := &Outcome{Computed: computed, changed: map[string]string{}, drawn: map[string]string{}, world: w}
	scratch := computed
	whole := false
	for _, at := range prefixes {
		whole = whole || len(at) == 0
	}
	if whole {
		scratch, prefixes = values.Copy(computed), []values.Path{{}}
	} else {
		for _, at := range prefixes {
			if v, found := values.Get(scratch, at); found {
				scratch = values.Apply(scratch, values.Set(at, values.Copy(v)))
			}
		}
	}
	k.refused, k.shared = false, p.mutates && !whole
	defer func() { k.shared = false }()
	contexts := map[int]map[string]any{}
	for _, i := range files {
		f := p.files[i]
		if contexts[f.Chart] == nil {
			contexts[f.Chart] = w.context(p, f.Chart, scratch)
		}
		data := maps.Clone(contexts[f.Chart])
		data["Template"] = chartutil.Values{"Name": f.Name, "BasePath": p.charts[f.Chart].BasePath}
		text, err := k.execute(f, data, w.draws)
		if k.refused {
			return nil, false
		}
		if err != nil {
			o.Err = err
			return o, true
		}
		if text != w.base.changed[f.Name] {
			o.changed[f.Name] = text
		}
		if drawn := strings.Join(k.drawn, "\x01"); drawn != w.base.drawn[f.Name] {
			o.drawn[f.Name] = drawn
		}
		if p.mutates && !sameContext(data, contexts[f.Chart]) {
			return nil, false
		}
	}
	for _, at := range prefixes {
		is, _ := values.Get(scratch, at)
		was, _ := values.Get(computed, at)
		if !Equal(is, was) {
			return nil, false
		}
	}
	return o, true
}

// reached lists the files that the changed paths reach, in Helm's order.
func (w *World) reached(changed []values.Path) []int {
	p := w.program
	var out []int
	if w.reach == nil {
		for i, f := range p.files {
			if !f.Partial {
				out = append(out, i)
			}
		}
		return out
	}
	for _, c := range changed {
		for _, name := range w.reach(c) {
			if i, found := p.byName[name]; found && !p.files[i].Partial {
				out = append(out, i)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// lessBaseline drops from a whole rendering what is the same as in the baseline.
func (w *World) lessBaseline(o *Outcome) *Outcome {
	if o.Err != nil {
		return o
	}
	o.gone = map[string]bool{}
	for name := range w.base.changed {
		if _, still := o.changed[name]; !still {
			o.gone[name] = true
		}
	}
	for name, text := range o.changed {
		if was, found := w.base.changed[name]; found && was == text {
			delete(o.changed, name)
		}
		if o.drawn[name] == w.base.drawn[name] {
			delete(o.drawn, name)
		}
	}
	return o
}

// whole renders values that switch subcharts on or off.
func (w *World) whole(supplied map[string]any) *Outcome {
	c, top, err := w.renderer.prepare(supplied, true)
	if err != nil {
		return &Outcome{Err: err, world: w}
	}
	p, err := compile(c)
	if err != nil {
		return &Outcome{Err: err, world: w}
	}
	o, _ := w.inOrder(p, top["Values"].(chartutil.Values), w.draws)
	return w.lessBaseline(o)
}

// switchesSubcharts says whether an edit touches what Chart.yaml asks to switch a subchart on or off.
func (w *World) switchesSubcharts(touched []values.Path) bool {
	return switches(w.renderer.chart, nil, touched)
}

func switches(c *helmchart.Chart, prefix values.Path, touched []values.Path) bool {
	if len(c.Metadata.Dependencies) == 0 {
		return false
	}
	for _, t := range touched {
		if len(prefix) == 0 && t.HasPrefix(values.Keys("tags")) {
			return true
		}
		for _, d := range c.Metadata.Dependencies {
			if d == nil {
				continue
			}
			for _, cond := range strings.Split(strings.TrimSpace(d.Condition), ",") {
				if cond != "" && t.Overlaps(prefix.Join(values.Keys(strings.Split(cond, ".")...))) {
					return true
				}
			}
		}
	}
	for _, d := range c.Dependencies() {
		names := []string{d.Name()}
		for _, m := range c.Metadata.Dependencies {
			if m != nil && m.Name == d.Name() && m.Alias != "" {
				names = append(names, m.Alias)
			}
		}
		for _, n := range names {
			if switches(d, prefix.Key(n), touched) {
				return true
			}
		}
	}
	return false
}

// recompute gives the computed values for a supplied tree that differs from the baseline's below the touched paths,
// and the places in the computed tree that may differ. Helm's own coalescing does it, on charts cut down to the
// places concerned: it treats keys independently of each other, but for the globals.
func (w *World) recompute(supplied map[string]any, touched []values.Path) (map[string]any, []values.Path, error) {
	var places []values.Path
	for _, t := range touched {
		for _, p := range w.scopes(w.cut(supplied, t)) {
			if !slices.ContainsFunc(places, p.HasPrefix) {
				places = append(slices.DeleteFunc(places, func(q values.Path) bool { return q.HasPrefix(p) }), p)
			}
		}
	}
	small := w.cutChart(w.chart, nil, places)
	got, err := chartutil.CoalesceValues(small, keep(supplied, places))
	if err != nil {
		return nil, nil, err
	}
	computed := w.computed
	var changed []values.Path
	for _, p := range places {
		now, found := values.Get(map[string]any(got), p)
		was, had := values.Get(w.computed, p)
		if found == had && Equal(now, was) {
			continue
		}
		if found && had {
			changed = differences(changed, p, was, now)
		} else {
			changed = append(changed, p)
		}
		if found {
			computed = values.Apply(computed, values.Set(p, now))
		} else {
			computed = values.Apply(computed, values.Remove(p))
		}
	}
	for _, p := range changed {
		// A table that several changes together empty or fill.
		was, _ := values.Get(w.computed, p.Parent())
		now, _ := values.Get(computed, p.Parent())
		a, _ := was.(map[string]any)
		b, _ := now.(map[string]any)
		if len(p) > 1 && (len(a) == 0) != (len(b) == 0) {
			changed = append(changed, p.Parent())
		}
	}
	return computed, changed, nil
}

// differences adds to the list the places at or below p at which two trees differ, none of them below another. A table
// that becomes empty, or is empty no longer, is such a place: a condition may ask just that.
func differences(to []values.Path, p values.Path, was, now any) []values.Path {
	a, isTable := was.(map[string]any)
	b, stillTable := now.(map[string]any)
	if !isTable || !stillTable || len(a) == 0 || len(b) == 0 {
		if !Equal(was, now) {
			to = append(to, p)
		}
		return to
	}
	for k, x := range a {
		if y, found := b[k]; found {
			to = differences(to, p.Key(k), x, y)
		} else {
			to = append(to, p.Key(k))
		}
	}
	for k := range b {
		if _, found := a[k]; !found {
			to = append(to, p.Key(k))
		}
	}
	return to
}

// cut shortens a touched path to where tables end: to its keys, and not below a place that is no table in the
// supplied values (before or after) or in the defaults.
func (w *World) cut(supplied map[string]any, p values.Path) values.Path {
	for i, s := range p {
		if s.Index >= 0 {
			return p[:i]
		}
		if i+1 == len(p) {
			break
		}
		at, _ := values.Get(w.computed, p[:i+1])
		if _, table := at.(map[string]any); !table {
			return p[:i+1]
		}
		// A table that is not supplied is as one without entries, where the chart has one.
		at, _ = values.Get(w.Defaults(), p[:i+1])
		_, preset := at.(map[string]any)
		for _, tree := range []map[string]any{supplied, w.supplied} {
			at, found := values.Get(tree, p[:i+1])
			if _, table := at.(map[string]any); found && !table || !found && !preset {
				return p[:i+1]
			}
		}
		if at, found := values.Get(w.chart.Values, p[:i+1]); found {
			if _, table := at.(map[string]any); !table {
				return p[:i+1]
			}
		}
	}
	return p
}

// scopes lists the places of the computed tree that a change at p can alter: p, and for a global the same global of
// every chart below.
func (w *World) scopes(p values.Path) []values.Path {
	out := []values.Path{p}
	c := w.program.charts[0]
	at := 0
	// The globals of the charts above go before a chart's own: where those are concerned, they are needed too.
	above := func(globals values.Path) {
		for i := range at {
			out = append(out, p[:i:i].Join(globals))
		}
	}
	for c.children != nil {
		child, found := c.children[p[at].Key]
		if !found {
			break
		}
		at++
		if at == len(p) {
			above(values.Keys(chartutil.GlobalKey))
			return out
		}
		c = w.program.charts[child]
	}
	if p[at].Key != chartutil.GlobalKey {
		return out
	}
	above(p[at:])
	var below func(c Chart)
	below = func(c Chart) {
		for _, child := range c.children {
			d := w.program.charts[child]
			out = append(out, values.Keys(d.Prefix...).Join(p[at:]))
			below(d)
		}
	}
	below(c)
	return out
}

// cutChart is the chart tree with only those values that stand at the places.
func (w *World) cutChart(c *helmchart.Chart, prefix values.Path, places []values.Path) *helmchart.Chart {
	out := &helmchart.Chart{Metadata: c.Metadata}
	var mine []values.Path
	for _, p := range places {
		if p.HasPrefix(prefix) && len(p) > len(prefix) {
			mine = append(mine, p[len(prefix):])
		}
	}
	out.Values = keep(c.Values, mine)
	var children []*helmchart.Chart
	for _, d := range c.Dependencies() {
		q := prefix.Key(d.Name())
		if slices.ContainsFunc(places, q.Overlaps) {
			children = append(children, w.cutChart(d, q, places))
		}
	}
	out.SetDependencies(children...)
	return out
}

// keep is the tree with only what stands at the places. Nothing is copied.
func keep(tree map[string]any, places []values.Path) map[string]any {
	out := map[string]any{}
	for _, p := range places {
		if v, found := values.Get(tree, p); found {
			out = values.Apply(out, values.Set(p, v))
			continue
		}
		// A table that ends early, or something else that stands in its place, decides as well.
		for i := len(p) - 1; i > 0; i-- {
			if v, found := values.Get(tree, p[:i]); found {
				if _, table := v.(map[string]any); table {
					v = map[string]any{}
				}
				if _, have := values.Get(out, p[:i]); !have {
					out = values.Apply(out, values.Set(p[:i], v))
				}
				break
			}
		}
	}
	return out
}

// Text is what a file was rendered to; found is false if it was not rendered.
func (o *Outcome) Text(file string) (text string, found bool) {
	if text, found = o.changed[file]; found {
		return text, true
	}
	if o.gone[file] || o.world == nil || o.world.base == nil {
		return "", false
	}
	text, found = o.world.base.changed[file]
	return text, found
}

// Texts gives all rendered files by name, as Helm's engine does.
func (o *Outcome) Texts() map[string]string {
	out := map[string]string{}
	if o.world.base != nil && o.world.base != o {
		for f, t := range o.world.base.changed {
			if !o.gone[f] {
				out[f] = t
			}
		}
	}
	maps.Copy(out, o.changed)
	return out
}

// Notes says whether a file is a NOTES.txt, which makes no objects.
func Notes(file string) bool { return path.Base(file) == "NOTES.txt" }
