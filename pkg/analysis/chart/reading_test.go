package chart_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// read renders a chart of one template and some helpers, and reads it.
func read(t *testing.T, preset map[string]any, template, helpers string) *chart.Reading {
	t.Helper()
	c := &helmchart.Chart{
		Metadata: &helmchart.Metadata{Name: "toy", Version: "1.0.0", APIVersion: "v2"}, Values: preset,
		Templates: []*helmchart.File{{Name: "templates/x.yaml", Data: []byte(template)}, {Name: "templates/_h.tpl", Data: []byte(helpers)}},
	}
	r, err := rendering.New(c, rendering.Release{Name: "rel", Namespace: "ns", Revision: 1}, rendering.Cluster{KubeVersion: "v1.33.0"})
	if err != nil {
		t.Fatal(err)
	}
	w, err := rendering.NewWorld(r, map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	return chart.ReadTemplates(w)
}

// written gives each read as line, path, what it is, what is asked before it, and the guards around it.
func written(r *chart.Reading) []string {
	var out []string
	for _, x := range r.Reads {
		if len(x.Path) == 0 {
			continue
		}
		line := fmt.Sprintf("%s:%d %s", strings.TrimPrefix(x.Site.File, "toy/templates/"), x.Site.Line, x.Path)
		if x.Test {
			line += " tested"
		}
		if x.Whole {
			line += " whole"
		}
		if !x.Taken {
			line += " not taken"
		}
		for _, m := range x.Before(x.Path) {
			line += " after " + m.Path.String()
		}
		for _, g := range x.Guards {
			line += fmt.Sprintf(" guard line %d wants %t, is %t", g.Site.Line, g.Want, g.Holds == g.Want)
		}
		out = append(out, line)
	}
	return out
}

func TestReadTemplates(t *testing.T) {
	t.Parallel()
	preset := map[string]any{
		"a": map[string]any{"x": "", "y": "1"}, "b": "2", "on": false, "off": true, "table": map[string]any{"k": "v"}, "list": []any{"i"}, "text": "{{ .Values.b }}",
	}
	for _, c := range []struct {
		about, template, helpers string
		want                     []string
	}{
		{"a plain read", "x: {{ .Values.a.y }}", "", []string{"x.yaml:1 a.y"}},
		{"dot moves with with, $ does not", "{{ with .Values.a }}\nx: {{ .y }}{{ $.Values.b }}\n{{ end }}", "",
			[]string{"x.yaml:2 a.y", "x.yaml:2 b"}},
		{"a chain of default", "x: {{ .Values.b | default .Values.a.y }}", "", []string{"x.yaml:1 a.y after b", "x.yaml:1 b"}},
		{"a chain of coalesce", "x: {{ coalesce .Values.a.x .Values.a.y }}", "", []string{"x.yaml:1 a.x", "x.yaml:1 a.y after a.x"}},
		{"a branch that is not taken", "{{ if .Values.on }}\nx: {{ .Values.b }}\n{{ end }}", "", []string{"x.yaml:2 b not taken"}},
		{"the line is that of the helper", "x: {{ include \"h\" (dict \"v\" .Values.b) }}", "\n{{ define \"h\" }}{{ .v }}{{ end }}", []string{"_h.tpl:2 b"}},
		{"a table goes in whole", "x: {{ toYaml .Values.table }}", "", []string{"x.yaml:1 table whole"}},
		{"text is a template", "x: {{ tpl .Values.text . }}", "", []string{" b"}},
		{"a path that values.yaml does not have", "x: {{ .Values.nowhere }}", "", []string{"x.yaml:1 nowhere"}},
	} {
		got := written(read(t, preset, c.template, c.helpers))
		for _, want := range c.want {
			found := false
			for _, line := range got {
				found = found || line == want || strings.HasPrefix(line, want+" guard") || strings.HasPrefix(want, " ") && strings.HasSuffix(line, want)
			}
			if !found {
				t.Errorf("%s: no %q in\n  %s", c.about, want, strings.Join(got, "\n  "))
			}
		}
	}
}

func TestGuardsAreTheConditionsAroundARead(t *testing.T) {
	t.Parallel()
	r := read(t, map[string]any{"on": false, "type": "A", "v": "1"}, "{{ if .Values.on }}\n{{ if eq .Values.type \"B\" }}\nx: {{ .Values.v }}\n{{ end }}{{ end }}", "")
	reads := r.Of(values.Keys("v"))
	if len(reads) != 1 {
		t.Fatalf("%d reads of v", len(reads))
	}
	type guard struct {
		Op      chart.Op
		Path    string
		Literal any
		Line    int
		Holds   bool
	}
	var got []guard
	for _, g := range reads[0].Guards {
		c := g.Cond
		if c.Op == chart.Or && len(c.Args) == 1 {
			c = c.Args[0] // eq takes any number of others
		}
		got = append(got, guard{c.Op, c.Path.String(), c.Literal, g.Site.Line, g.Holds})
	}
	want := []guard{{chart.Truthy, "on", nil, 1, false}, {chart.Eq, "type", "B", 2, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMayIsNeverWronglyFalse(t *testing.T) {
	t.Parallel()
	r := read(t, map[string]any{"a": map[string]any{"b": "1"}, "t": map[string]any{}, "other": 1}, "x: {{ .Values.a.b }}{{ toYaml .Values.t }}", "")
	for path, want := range map[string]bool{"a.b": true, "a": true, "t": true, "t.any.thing": true, "other": false, "a.c": false} {
		p, err := values.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(r.May(p), "toy/templates/x.yaml"); got != want {
			t.Errorf("May(%s) is %t", path, got)
		}
	}
}
