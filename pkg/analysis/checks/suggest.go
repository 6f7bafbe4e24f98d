package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// suggestion is a path that may have been meant, and that shows when it is set.
type suggestion struct {
	path   string
	why    string
	score  float64
	remedy finding.Remedy
}

const (
	maxTried = 24 // suggestions rendered
	maxKept  = 4
)

// suggestions are the paths that resemble one of the roots and that carry the values when they are set there, the
// likeliest first. Likeness comes first; then what the values change there: the object or field that the given path
// speaks of.
func suggestions(f *analysis.Facts, roots []values.Path) []suggestion {
	var out []suggestion
	for _, root := range roots {
		leaves := unreadBelow(f, root)
		for i, s := range f.Reading.Nearest(root, f.World.Defaults()) {
			if i == maxTried {
				break
			}
			if one, ok := tried(f, root, s, leaves); ok && !slices.ContainsFunc(out, func(x suggestion) bool { return x.path == one.path }) {
				out = append(out, one)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b suggestion) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	if len(out) > maxKept {
		out = out[:maxKept]
	}
	return out
}

// tried renders one suggestion: it counts if some field carries one of the values then.
func tried(f *analysis.Facts, root values.Path, s chart.Suggestion, leaves []causality.Effect) (suggestion, bool) {
	if onlySwitches(leaves) && !s.Path.Parent().Equal(root.Parent()) && s.Path.Parent().Last() != root.Parent().Last() {
		return suggestion{}, false // any switch shows something: likeness of the last key alone says nothing
	}
	edits := moved(f, root, s.Path, leaves)
	after := f.World.Try(edits...)
	if after.Err != nil {
		return suggestion{}, false
	}
	changes := rendering.Diff(f.World.Baseline(), after)
	meant := carrying(changes, leaves)
	if s.Below || s.Path.Last() != root.Last() && !slices.ContainsFunc(leaves, func(e causality.Effect) bool { return e.Path.Equal(root) }) {
		meant = slices.DeleteFunc(meant, func(m finding.Field) bool { return freeForm(m.Field) })
	}
	meant = slices.DeleteFunc(meant, unknownIn(after, s.Below))
	if len(meant) == 0 {
		return suggestion{}, false
	}
	score := s.Score + resemblance(root, changes, meant) - spread(changes)
	return suggestion{s.Path.String(), s.Why, score, finding.Remedy{
		Summary: fmt.Sprintf("set %s (%s)", s.Path, s.Why), Edits: append(edits, cleared(f, leaves)...), Meant: meant,
	}}, true
}

// unknownIn says of a field whether Kubernetes does not know it: a key that lands there was not meant. Of custom
// resources nobody here knows; strict takes that for a no.
func unknownIn(after *rendering.Outcome, strict bool) func(finding.Field) bool {
	var objects []rendering.Object
	unknown := map[finding.Object][]string{}
	return func(m finding.Field) bool {
		if objects == nil {
			objects = after.Objects()
		}
		fields, done := unknown[m.Object]
		if !done {
			for _, o := range objects {
				if o.Object != m.Object {
					continue
				}
				fields = rendering.UnknownFields(o)
				if strict && !rendering.HasType(o) {
					fields = append(fields, itemName.ReplaceAllString(m.Field, ""))
				}
			}
			unknown[m.Object] = fields
		}
		plain := itemName.ReplaceAllString(m.Field, "")
		return slices.ContainsFunc(fields, func(f string) bool {
			f = itemName.ReplaceAllString(f, "")
			return plain == f || strings.HasPrefix(plain, f+".")
		})
	}
}

func onlySwitches(leaves []causality.Effect) bool {
	return !slices.ContainsFunc(leaves, func(e causality.Effect) bool { _, is := e.Value.(bool); return !is })
}

// emptiedTable proposes to take a whole table away, for a switch "enabled" in it that templates never ask.
func emptiedTable(f *analysis.Facts, e causality.Effect) []suggestion {
	if e.Value != false || e.Path.Last() != "enabled" || len(e.Path) < 2 {
		return nil
	}
	table := e.Path.Parent()
	edits := []values.Edit{values.Set(table, nil)}
	after := f.World.Try(edits...)
	if after.Err != nil {
		return nil
	}
	var meant []finding.Field
	for _, c := range rendering.Diff(f.World.Baseline(), after) {
		if _, gone := c.To.(rendering.Absent); gone {
			meant = append(meant, c.Field)
		}
	}
	if len(meant) == 0 {
		return nil
	}
	return []suggestion{{table.String() + "=null", "templates ask whether the table is empty", 9, finding.Remedy{
		Summary: "take " + table.String() + " away, which templates ask", Edits: edits, Meant: meant,
	}}}
}

// freeForm says whether a field is an entry of a table that takes any key: a key that lands there proves nothing.
func freeForm(field string) bool {
	for _, table := range []string{"annotations", "abels", "nodeSelector", "data", "stringData", "env["} {
		if strings.Contains(field, table+"[") || strings.Contains(field, table+".") || strings.HasSuffix(table, "[") && strings.Contains(field, table) {
			return true
		}
	}
	return strings.Contains(field, "args[")
}

// moved gives the edits that put the leaves below root to the same places below to.
func moved(f *analysis.Facts, root, to values.Path, leaves []causality.Effect) []values.Edit {
	if at, found := values.Get(f.Supplied, root); found && len(leaves) > 1 {
		// A list or table goes as a whole.
		if _, isTable := at.(map[string]any); !isTable {
			return []values.Edit{values.Set(to, at)}
		}
	}
	var out []values.Edit
	for _, e := range leaves {
		rest := e.Path[len(root):]
		if len(rest) > 0 && rest[0].Index >= 0 {
			at, _ := values.Get(f.Supplied, root)
			return []values.Edit{values.Set(to, at)}
		}
		out = append(out, values.Set(to.Join(rest), e.Value))
	}
	return out
}

// cleared takes the unread values out: the chart's own value comes back, or null.
func cleared(f *analysis.Facts, leaves []causality.Effect) []values.Edit {
	var out []values.Edit
	done := map[string]bool{}
	for _, e := range leaves {
		p := e.Path
		for i, s := range p {
			if s.Index >= 0 {
				p = p[:i]
				break
			}
		}
		p = top(f, p, leaves)
		if done[p.String()] {
			continue
		}
		done[p.String()] = true
		d, found := values.Get(f.World.Defaults(), p)
		if found && d != nil {
			out = append(out, values.Set(p, d))
		} else {
			out = append(out, values.Set(p, nil))
		}
	}
	return out
}

// top climbs to the highest table that the chart does not declare and that holds none but the given leaves.
func top(f *analysis.Facts, p values.Path, leaves []causality.Effect) values.Path {
	for len(p) > 1 {
		above := p.Parent()
		if _, declared := values.Get(f.World.Defaults(), above); declared {
			break
		}
		if slices.ContainsFunc(f.Leaves, func(l values.Leaf) bool {
			return l.Path.HasPrefix(above) && !slices.ContainsFunc(leaves, func(e causality.Effect) bool { return e.Path.Equal(l.Path) })
		}) {
			break
		}
		p = above
	}
	return p
}

// carrying lists the changed fields that hold one of the values. For switches any change counts.
func carrying(changes []rendering.Change, leaves []causality.Effect) []finding.Field {
	var out []finding.Field
	for _, c := range changes {
		if _, gone := c.To.(rendering.Absent); gone {
			continue
		}
		for _, e := range leaves {
			if rendering.Holds(c.To, e.Value, true) {
				out = append(out, c.Field)
				break
			}
		}
	}
	return out
}

// resemblance rewards changes in the object, container or field that the path speaks of.
func resemblance(root values.Path, changes []rendering.Change, meant []finding.Field) float64 {
	had := map[string]bool{}
	for _, c := range changes {
		if _, absent := c.From.(rendering.Absent); !absent {
			had[c.ID()] = true
		}
	}
	best := 0.0
	for _, m := range meant {
		n := 0.0
		where := folded(m.Kind + " " + m.Name + " " + m.Field)
		for _, s := range root[:len(root)-1] {
			if s.Index < 0 && len(s.Key) > 2 && strings.Contains(where, strings.TrimSuffix(folded(s.Key), "s")) {
				n += 1.5
			}
		}
		if folded(lastSegment(m.Field)) == folded(root.Last()) {
			n += 1.5
			if had[rendering.FieldID(m)] {
				n++
			}
		}
		best = max(best, n)
	}
	return best
}

func lastSegment(field string) string {
	field = strings.TrimSuffix(field, `"]`)
	if i := strings.LastIndexAny(field, `.["`); i >= 0 {
		return field[i+1:]
	}
	return field
}

// folded makes the many spellings of a name one.
func folded(s string) string {
	s = strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s))
	return strings.ReplaceAll(s, "k8s", "kubernetes")
}

// spread is the price of changing many objects.
func spread(changes []rendering.Change) float64 {
	seen := map[finding.Object]bool{}
	for _, c := range changes {
		seen[c.Object] = true
	}
	return min(float64(len(seen)-1)*0.1, 1)
}

// UnescapedDot tells of values that landed beside a declared key that holds a dot.
var UnescapedDot = &analysis.Check{
	Code: "KGW1005",
	Name: "unescaped dot",
	Doc: analysis.Doc{
		Title: "a dot in a key was taken for a level",
		Text: `The chart declares a key that holds a dot, and the value was given without the backslash: Helm made tables of it.
The value may even show, under a name that nobody asked for.`,
		Before: "--set configs.params.server.insecure=true",
		After:  `--set configs.params.server\.insecure=true`,
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: ofRelease(func(f *analysis.Facts) ([]finding.Finding, error) {
		declared := f.World.Defaults()
		var out []finding.Finding
		for _, e := range f.Effects {
			if e.HasDefault || e.Verdict == finding.Unread {
				continue
			}
			if meant := unescapedKey(e.Path, declared); meant != nil {
				out = append(out, dotted(f, e, meant))
			}
		}
		return out, nil
	}),
}

func dotted(f *analysis.Facts, e causality.Effect, meant values.Path) finding.Finding {
	edits := []values.Edit{values.Set(meant, e.Value)}
	var fields []finding.Field
	if after := f.World.Try(edits...); after.Err == nil {
		fields = carrying(rendering.Diff(f.World.Baseline(), after), []causality.Effect{e})
	}
	return finding.Finding{
		ValuePath: e.Path.String(), Severity: finding.Error, Evidence: e.Evidence,
		Message: fmt.Sprintf("%s makes tables, where the chart has the key %s", show(e.Path, e.Value), meant),
		Facts:   []finding.Fact{asked(f, e), {Label: "meant?", Text: meant.String()}},
		Remedies: []finding.Remedy{{
			Summary: "escape the dot", Meant: fields,
			Edits: append(edits, cleared(f, []causality.Effect{e})...),
		}},
	}
}
