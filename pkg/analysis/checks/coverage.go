package checks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Coverage tells of general values that reach some workloads or containers and not others.
var Coverage = &analysis.Check{
	Code: "KGW1011",
	Name: "coverage",
	Doc: analysis.Doc{
		Title: "a general value does not reach every workload",
		Text: `The value is general: it stands below "global", it reaches several workloads, or its neighbours (the same image's
repository, say) reach a container that it does not. Where it ends may be meant, and may be forgotten: the finding
lists what it reaches and what it does not, and the path that decides there.

It never fails a run by itself.`,
		Before: "--set global.podAnnotations.team=infra   # reaches server and controller, not the applicationset controller",
		After:  "--set global.podAnnotations.team=infra,applicationSet.podAnnotations.team=infra",
		Since:  "0.1.0", Severity: finding.Info,
	},
	Run: ofRelease(func(f *analysis.Facts) ([]finding.Finding, error) {
		spots := allSpots(f)
		var out []finding.Finding
		for _, e := range f.Effects {
			if len(e.Removed) == 0 && e.Verdict != finding.Redundant || e.Verdict == finding.Partial {
				continue
			}
			if _, isSwitch := e.Value.(bool); isSwitch || e.Value == nil {
				continue
			}
			if x, found := uncovered(f, e, spots); found {
				out = append(out, x)
			}
		}
		return out, nil
	}),
}

// spot is a place in a workload that a general value may be meant for: a container, or the Pods' own metadata and spec.
type spot struct {
	object    finding.Object
	container string // "" for the Pod itself
	file      string
}

func (s spot) String() string {
	if s.container == "" {
		return s.object.String()
	}
	return s.object.String() + " container " + s.container
}

var containerField = regexp.MustCompile(`^(.*template\.)spec\.containers\[([^\]]+)\](.*)$`)

// spotOf splits a workload's field into the place and what it is there.
func spotOf(o finding.Object, field, file string) (s spot, suffix string, ok bool) {
	if !workload(o.Kind) {
		return s, "", false
	}
	if m := containerField.FindStringSubmatch(field); m != nil {
		return spot{o, m[2], file}, m[3], true
	}
	if i := strings.Index(field, "template."); i >= 0 && !strings.Contains(field, "ontainers[") {
		return spot{o, "", file}, field[i:], true
	}
	return s, "", false
}

// allSpots lists the containers and Pods that the release renders.
func allSpots(f *analysis.Facts) []spot {
	seen := map[spot]bool{}
	var out []spot
	for _, o := range f.World.Baseline().Objects() {
		rendering.Leaves("", o.Content, func(field string, _ any) {
			if s, _, ok := spotOf(o.Object, field, o.File); ok && !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		})
	}
	return out
}

func uncovered(f *analysis.Facts, e causality.Effect, spots []spot) (finding.Finding, bool) {
	reached := map[spot]bool{}
	objects := map[finding.Object]bool{}
	suffix, container := "", false
	for _, c := range e.Reaches {
		s, at, ok := spotOf(c.Object, c.Field.Field, c.File)
		if !ok || strings.Contains(at, "checksum/") || suffix != "" && at != suffix {
			continue
		}
		suffix, container = at, s.container != ""
		reached[s], objects[c.Object] = true, true
	}
	if suffix == "" || strings.Contains(suffix, ".env[") || strings.HasPrefix(suffix, ".args[") || suffix == ".name" {
		return finding.Finding{}, false
	}
	general := e.Path[0].Key == "global" || len(objects) > 1
	var missing []spot
	for _, s := range spots {
		if !reached[s] && (s.container != "") == container {
			missing = append(missing, s)
		}
	}
	near := neighbourReach(f, e)
	if !general || container {
		// One workload of many, or one container of several: only where the value's neighbours are at work too.
		missing = slices.DeleteFunc(missing, func(s spot) bool { return !near[s] })
	}
	if len(missing) == 0 || len(reached) == 0 {
		return finding.Finding{}, false
	}
	return covers(f, e, suffix, reached, missing), true
}

// neighbourReach lists the spots at which values beside this one, in the same table, are at work.
func neighbourReach(f *analysis.Facts, e causality.Effect) map[spot]bool {
	out := map[spot]bool{}
	if len(e.Path) < 2 {
		return out
	}
	table, _ := values.Get(f.World.Computed(), e.Path.Parent())
	m, _ := table.(map[string]any)
	tried := 0
	for k, v := range m {
		if _, isText := v.(string); k == e.Path.Last() || !isText || tried == 4 {
			continue
		}
		tried++
		after := f.World.Try(values.Set(e.Path.Parent().Key(k), fmt.Sprint(v)+"-kgw-doctor-probe"))
		for _, c := range rendering.Diff(f.World.Baseline(), after) {
			if s, at, ok := spotOf(c.Object, c.Field.Field, c.File); ok && at == ".image" {
				out[s] = true
			}
		}
	}
	return out
}

// covers writes the finding: what is reached, what is not, and which path decides there.
func covers(f *analysis.Facts, e causality.Effect, suffix string, reached map[spot]bool, missing []spot) finding.Finding {
	o := missing[0].object
	x := finding.Finding{
		ValuePath: e.Path.String(), Severity: finding.Info, Object: &o, Field: strings.TrimPrefix(suffix, "."), Expected: e.Value,
		Message: fmt.Sprintf("%s reaches %s, and not %s", show(e.Path, e.Value), plural(len(reached), "place", "places"), placesOf(missing)),
		Facts:   []finding.Fact{asked(f, e)},
	}
	var there []spot
	for s := range reached {
		there = append(there, s)
	}
	slices.SortFunc(there, func(a, b spot) int { return strings.Compare(a.String(), b.String()) })
	x.Facts = append(x.Facts, finding.Fact{Label: "reaches", Text: placesOf(there)}, finding.Fact{Label: "not", Text: placesOf(missing)})
	var edits []values.Edit
	var meant []finding.Field
	for _, s := range missing {
		q, field := decider(f, e, s, suffix)
		if q == nil {
			continue
		}
		x.Facts = append(x.Facts, finding.Fact{Label: "there", Text: fmt.Sprintf("%s decides in %s", q, s)})
		if !slices.ContainsFunc(edits, func(old values.Edit) bool { return old.Path.Equal(q) }) {
			edits = append(edits, values.Set(q, e.Value))
		}
		meant = append(meant, field)
	}
	if len(edits) > 0 {
		x.Remedies = []finding.Remedy{{Summary: "set it there as well", Edits: edits, Meant: meant}}
	}
	return x
}

func placesOf(spots []spot) string {
	var out []string
	for i, s := range spots {
		if i == 4 {
			out = append(out, fmt.Sprintf("%d more", len(spots)-i))
			break
		}
		out = append(out, s.String())
	}
	return strings.Join(out, ", ")
}

// decider finds the path of the same name that decides the field at a spot: it is read in that spot's file, and with
// the value put there the field carries it.
func decider(f *analysis.Facts, e causality.Effect, s spot, suffix string) (values.Path, finding.Field) {
	tried := map[string]bool{}
	for _, r := range f.Reading.Reads {
		q, ok := sameName(r.Path, r.Whole, e.Path)
		if !ok || r.File != s.file || q.Equal(e.Path) || tried[q.String()] {
			continue
		}
		tried[q.String()] = true
		after := f.World.Try(values.Set(q, e.Value))
		for _, c := range rendering.Diff(f.World.Baseline(), after) {
			if at, end, ok := spotOf(c.Object, c.Field.Field, c.File); ok && at == s && end == suffix {
				return q, c.Field
			}
		}
	}
	return nil, finding.Field{}
}

// sameName gives the path at or below a read that ends as p does: podAnnotations.team for global.podAnnotations.team.
func sameName(read values.Path, whole bool, p values.Path) (values.Path, bool) {
	if len(read) == 0 {
		return nil, false
	}
	for n := len(p) - 1; n >= 0 && n >= len(p)-3; n-- {
		tail := p[n:]
		if tail[0].Index < 0 && read.Last() == tail[0].Key && (len(tail) == 1 || whole) {
			return read.Join(tail[1:]), true
		}
	}
	return nil, false
}
