package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// auditChecks are about a chart, without a release.
func auditChecks() []*analysis.Check {
	return []*analysis.Check{DeclaredUnread, PresetShadows, UndeclaredRead, BreaksRendering, Gone, DefaultChanged}
}

// DeclaredUnread tells of keys in values.yaml that no template reads.
var DeclaredUnread = &analysis.Check{
	Code: "KGW1101",
	Name: "declared and unread",
	Doc: analysis.Doc{
		Title: "values.yaml has a key that nothing reads",
		Text: `Whatever a user sets here changes nothing: the key was renamed in the templates, its last use was removed, or a
template reads a misspelt name. A user finds the key in values.yaml, sets it, and is told that all is well.`,
		Before: "controller:\n  replicaCount: 1   # the template says replicas: {{ .Values.replicaCount }}",
		After:  "controller:\n  replicaCount: 1   # the template says replicas: {{ .Values.controller.replicaCount }}",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: ofChart(func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		done := map[string]bool{}
		for _, e := range f.Effects {
			if e.Verdict != finding.Unread {
				continue
			}
			root := f.Reading.Roots(e.Path)[0]
			if done[root.String()] {
				continue
			}
			done[root.String()] = true
			x := finding.Finding{
				ValuePath: e.Path.String(), Severity: finding.Error, Evidence: e.Evidence,
				Message: show(e.Path, e.Value) + " is declared, and nothing reads it",
				Facts:   []finding.Fact{{Label: "because", Text: e.Reason}},
			}
			if n := len(unreadBelow(f, root)); n > 1 {
				x.Message = fmt.Sprintf("%s is declared with %d values, and nothing reads it", root, n)
			}
			for i, s := range f.Reading.Nearest(e.Path, f.World.Defaults()) {
				if _, declared := values.Get(f.World.Defaults(), s.Path); declared || s.Below || i == 8 {
					continue
				}
				x.Facts = append(x.Facts, finding.Fact{Label: "instead?", Text: fmt.Sprintf("templates read %s, which values.yaml does not declare", s.Path)})
				break
			}
			out = append(out, x)
		}
		return out, nil
	}),
}

// PresetShadows tells of general keys that a preset of a more special key keeps from being asked.
var PresetShadows = &analysis.Check{
	Code: "KGW1102",
	Name: "preset shadows",
	Doc: analysis.Doc{
		Title: "a preset keeps a general key from having an effect",
		Text: `The template asks the special key first and the general one only if it is empty, and values.yaml presets the
special one: whoever sets the general key alone gets nothing in that field. This was kgateway issue 10936.

Leave the special key empty in values.yaml; the general one then serves as the default that it is meant to be.`,
		Before: "image:\n  pullPolicy: IfNotPresent\ncontroller:\n  image:\n    pullPolicy: IfNotPresent   # asked first",
		After:  "image:\n  pullPolicy: IfNotPresent\ncontroller:\n  image:\n    pullPolicy: \"\"",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: ofChart(func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, e := range f.Effects {
			m := e.Misses
			if len(m) == 0 || e.Verdict != finding.Shadowed && e.Verdict != finding.Partial {
				continue
			}
			first := mainMiss(m)
			o := first.Object
			x := finding.Finding{
				ValuePath: e.Path.String(), Severity: finding.Error, Object: &o, Field: first.Field.Field, Evidence: e.Evidence,
				Message: fmt.Sprintf("no value of %s reaches %s: %s is preset and asked first", e.Path, objects(m), names(e.Winners)),
				Facts:   []finding.Fact{{Label: "field", Text: o.String() + " " + first.Field.Field}},
			}
			for _, c := range e.Winners {
				x.Facts = append(x.Facts, finding.Fact{Label: "preset", Text: show(c.Path, c.Value) + "; " + template(c.Site) + " asks it first"})
			}
			x.Facts = append(x.Facts, proof(e)...)
			out = append(out, x)
		}
		return out, nil
	}),
}

// UndeclaredRead tells of paths that templates read and values.yaml does not declare.
var UndeclaredRead = &analysis.Check{
	Code: "KGW1103",
	Name: "read and undeclared",
	Doc: analysis.Doc{
		Title: "a template reads a key that values.yaml does not declare",
		Text: `It works if one knows of it, and nobody does: it is in no values.yaml that a user could read. Where a declared key
that nothing reads resembles it, one of the two is misspelt.`,
		Before: "replicas: {{ .Values.replicaCount }}   # values.yaml has controller.replicaCount",
		After:  "replicas: {{ .Values.controller.replicaCount }}",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: ofChart(func(f *analysis.Facts) ([]finding.Finding, error) {
		unread := map[string]values.Path{}
		for _, e := range f.Effects {
			if e.Verdict == finding.Unread {
				unread[e.Path.String()] = e.Path
			}
		}
		var out []finding.Finding
		done := map[string]bool{}
		for _, r := range f.Reading.Reads {
			p := r.Path
			if done[p.String()] || !undeclared(f.World.Defaults(), p) {
				continue
			}
			done[p.String()] = true
			x := finding.Finding{
				ValuePath: p.String(), Severity: finding.Info,
				Message: fmt.Sprintf("%s reads %s, which values.yaml does not declare", template(r.Site), p),
				Facts:   []finding.Fact{{Label: "read at", Text: template(r.Site)}},
			}
			for _, q := range unread {
				if q.Last() == p.Last() || strings.EqualFold(q.Last(), p.Last()) {
					x.Severity = finding.Warning
					x.Facts = append(x.Facts, finding.Fact{Label: "instead?", Text: q.String() + " is declared, and nothing reads it"})
				}
			}
			out = append(out, x)
		}
		return out, nil
	}),
}

// undeclared says whether the defaults have neither the path nor a free table above it.
func undeclared(declared map[string]any, p values.Path) bool {
	if len(p) == 0 || slices.ContainsFunc(p, func(s values.Step) bool { return s.Index >= 0 }) {
		return false
	}
	if _, found := values.Get(declared, p); found {
		return false
	}
	for i := 1; i < len(p); i++ {
		at, found := values.Get(declared, p[:i])
		if !found {
			return p[0].Key != "global" || i > 1
		}
		if m, isTable := at.(map[string]any); !isTable || len(m) == 0 {
			return false // null, or a table that is free to fill
		}
	}
	return p[0].Key != "global"
}

// BreaksRendering tells of keys for which another value of the same type makes a template fail.
var BreaksRendering = &analysis.Check{
	Code: "KGW1104",
	Name: "breaks rendering",
	Doc: analysis.Doc{
		Title: "another value of the same type breaks the chart",
		Text: `A template fails with a value that looks as good as the default. Where the chart's author refuses it in words of
his own (fail, required, a schema) nothing is said here.`,
		Before: "port: \"http\"   # the template says {{ add .Values.port 1 }} and more that only takes numbers",
		After:  "port: 80",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: ofChart(func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, e := range f.Effects {
			var alt any
			switch t := e.Value.(type) {
			case bool:
				alt = !t
			case float64:
				alt = t + 1
			case string:
				alt = "kgw-doctor-other"
			default:
				continue
			}
			var at *rendering.Error
			if o := f.World.Try(values.Set(e.Path, alt)); o.Err == nil || !asRenderingError(o.Err, &at) || at.Said != "" {
				continue
			}
			severity := finding.Warning
			if _, isText := alt.(string); isText {
				severity = finding.Info // a text may well have a form that the template counts on
			}
			out = append(out, finding.Finding{
				ValuePath: e.Path.String(), Severity: severity,
				Message: fmt.Sprintf("with %s a template fails", show(e.Path, alt)),
				Facts:   []finding.Fact{{Label: "at", Text: template(at.Site)}, {Label: "because", Text: at.Err.Error()}},
			})
		}
		return out, nil
	}),
}
