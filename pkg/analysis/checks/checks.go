// Package checks is what is worth telling. A check only reads facts.
package checks

import (
	"fmt"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// All lists every check, in the order of their codes.
func All() []*analysis.Check {
	out := []*analysis.Check{Shadowed, Gated, Discarded, Unread, DoesNotRender, UnescapedDot, OtherTable, FalseAsNothing, OnlySwitches, UnknownField, Coverage, SetTwice, DigestDecides}
	out = append(out, auditChecks()...)
	out = append(out, liveChecks()...)
	return append(append(out, kgatewayChecks()...), crdChecks()...)
}

type run = func(*analysis.Facts) ([]finding.Finding, error)

// ofRelease is for checks of a release: they need a rendering and say nothing of a chart alone.
func ofRelease(ask run) run {
	return func(f *analysis.Facts) ([]finding.Finding, error) {
		if f.World == nil || f.Mode == analysis.Audit {
			return nil, nil
		}
		return ask(f)
	}
}

// ofChart is for checks of a chart alone.
func ofChart(ask run) run {
	return func(f *analysis.Facts) ([]finding.Finding, error) {
		if f.World == nil || f.Mode != analysis.Audit {
			return nil, nil
		}
		return ask(f)
	}
}

// ofValues is for checks that tell of one value at a time.
func ofValues(concerned func(causality.Effect) bool, tell func(*analysis.Facts, causality.Effect) (finding.Finding, bool)) run {
	return ofRelease(func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, e := range f.Effects {
			if !concerned(e) {
				continue
			}
			if x, found := tell(f, e); found {
				out = append(out, x)
			}
		}
		return out, nil
	})
}

// Retired codes are never used again.
var Retired = map[string]string{}

// show writes path=value.
func show(path fmt.Stringer, v any) string {
	text := rendering.Show(v)
	if first, rest, several := strings.Cut(strings.TrimSpace(text), "\n"); several {
		text = fmt.Sprintf("%s … (%s)", strings.TrimSpace(first), plural(1+strings.Count(rest, "\n"), "more line", "more lines"))
	}
	return path.String() + "=" + text
}

// asked is the fact that names the value as it was given.
func asked(f *analysis.Facts, e causality.Effect) finding.Fact {
	text := rendering.Show(e.Value)
	switch {
	case f.Mode == analysis.Audit:
		text += ", preset by values.yaml"
	case f.Mode == analysis.Preflight:
		text += ", given now"
	case f.Record != nil:
		text += fmt.Sprintf(", given in revision %d", f.Record.Revision)
	case f.Owner != nil:
		text += fmt.Sprintf(", given in %s %s/%s", f.Owner.Object.Kind, f.Owner.Object.Namespace, f.Owner.Object.Name)
	}
	return finding.Fact{Label: "asked", Text: text}
}

// origin says who gave a value.
func origin(c causality.Cause) string {
	switch {
	case c.Supplied:
		return "given as well"
	case c.Value == nil:
		return "not set by the chart"
	}
	return "preset by the chart"
}

// because writes a cause on one line: what it is, who set it, and where it is asked, if that is known.
func because(c causality.Cause, asks string) string {
	text := show(c.Path, c.Value) + ", " + origin(c)
	if c.Site.File != "" {
		text += "; " + template(c.Site) + " " + asks
	}
	return text
}

// template writes a place without the chart's name, as people find it in the chart.
func template(s rendering.Site) string {
	if i := strings.Index(s.String(), "/templates/"); i >= 0 && !strings.Contains(s.File[:i], "/charts/") {
		return s.String()[i+1:]
	}
	return s.String()
}

// mainMiss is the lost field to speak of: one of a workload's containers before others.
func mainMiss(misses []causality.Miss) causality.Miss {
	best, score := misses[0], -1
	for _, m := range misses {
		n := 0
		if workload(m.Kind) {
			n += 2
		}
		if strings.Contains(m.Field.Field, "containers[") {
			n++
		}
		if strings.Contains(m.Field.Field, "checksum/") || m.Field.Field == "" {
			n -= 4
		}
		if n > score {
			best, score = m, n
		}
	}
	return best
}

func workload(kind string) bool {
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob":
		return true
	}
	return false
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// proof turns the evidence into one fact.
func proof(e causality.Effect) []finding.Fact {
	var out []finding.Fact
	for i, v := range e.Evidence {
		if i == 4 {
			break
		}
		out = append(out, finding.Fact{Label: "proof", Text: v.Did + ": " + v.Saw})
	}
	return out
}

// absentToNil makes a value fit for JSON.
func absentToNil(v any) any {
	if _, is := v.(rendering.Absent); is {
		return nil
	}
	return v
}
