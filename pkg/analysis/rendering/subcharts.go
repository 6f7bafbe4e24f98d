package rendering

import (
	"slices"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// Edited is the World of the values with the edits made, of its own: with its own subcharts and baseline.
func (w *World) Edited(edits ...values.Edit) (*World, error) {
	return NewWorld(w.renderer, values.Apply(w.supplied, edits...))
}

// SwitchedOn gives the edit that switches on the outermost disabled subchart to which the value at p belongs, and the
// place in Chart.yaml that asks for it. found is false if p belongs to none.
//
// The first path of a condition decides where it is set, and a condition goes before tags.
// Source: helm.sh/helm/v3@v3.22.0 pkg/chartutil/dependencies.go, processDependencyConditions and processDependencyTags.
func (w *World) SwitchedOn(p values.Path) (on values.Edit, site Site, found bool) {
	c := w.renderer.chart
	for i := 0; i+1 < len(p); i++ {
		d := dependency(c, p[i].Key)
		if p[i].Index >= 0 || d == nil {
			return on, site, false
		}
		if !w.has(p[:i+1]) {
			return switchOf(c, d, p[:i])
		}
		if c = child(c, d.Name); c == nil {
			return on, site, false
		}
	}
	return on, site, false
}

// ConditionsOver lists the values that a condition of Chart.yaml asks and that are set, of the dependencies which the tag
// at p would switch as well: a condition goes before tags.
func (w *World) ConditionsOver(p values.Path) []values.Path {
	if len(p) != 2 || !p.HasPrefix(values.Keys("tags")) {
		return nil
	}
	var out []values.Path
	for _, d := range w.renderer.chart.Metadata.Dependencies {
		if d == nil || !slices.Contains(d.Tags, p[1].Key) {
			continue
		}
		for _, cond := range strings.Split(d.Condition, ",") {
			q := values.Keys(strings.Split(strings.TrimSpace(cond), ".")...)
			if _, isBool := lookupBool(w.computed, q); isBool {
				out = append(out, q)
			}
		}
	}
	return out
}

func lookupBool(computed map[string]any, p values.Path) (value, found bool) {
	at, _ := values.Get(computed, p)
	value, found = at.(bool)
	return value, found
}

func dependency(c *helmchart.Chart, name string) *helmchart.Dependency {
	for _, d := range c.Metadata.Dependencies {
		if d != nil && (d.Alias == name || d.Alias == "" && d.Name == name) && child(c, d.Name) != nil {
			return d
		}
	}
	return nil
}

func child(c *helmchart.Chart, name string) *helmchart.Chart {
	for _, d := range c.Dependencies() {
		if d.Name() == name {
			return d
		}
	}
	return nil
}

// has says whether a subchart whose values stand at p is rendered.
func (w *World) has(p values.Path) bool {
	return slices.ContainsFunc(w.program.charts, func(c Chart) bool { return values.Keys(c.Prefix...).Equal(p) })
}

func switchOf(c *helmchart.Chart, d *helmchart.Dependency, prefix values.Path) (values.Edit, Site, bool) {
	site := Site{File: c.ChartFullPath() + "/" + chartutil.ChartfileName, Line: 1}
	if first, _, _ := strings.Cut(strings.TrimSpace(d.Condition), ","); first != "" {
		site.Line = lineWith(c, first)
		return values.Set(prefix.Join(values.Keys(strings.Split(first, ".")...)), true), site, true
	}
	if len(d.Tags) > 0 {
		site.Line = lineWith(c, d.Tags[0])
		return values.Set(values.Keys("tags", d.Tags[0]), true), site, true
	}
	return values.Edit{}, site, false
}

// lineWith finds a text in Chart.yaml; 1 if it is not there, as in the chart of a release record.
func lineWith(c *helmchart.Chart, text string) int {
	for _, f := range c.Raw {
		if f.Name != chartutil.ChartfileName {
			continue
		}
		n := 0
		for line := range strings.Lines(string(f.Data)) {
			n++
			if strings.Contains(line, text) {
				return n
			}
		}
	}
	return 1
}
