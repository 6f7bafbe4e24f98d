package checks

import (
	"errors"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// DoesNotRender tells of values with which the chart fails.
var DoesNotRender = &analysis.Check{
	Code: "KGW1007",
	Name: "does not render",
	Doc: analysis.Doc{
		Title: "the chart does not render with these values",
		Text: `A template fails, the chart's author refuses the values ("fail", "required"), or the chart's schema does. An
upgrade with these values stops before anything is changed.

The values were taken away one by one to find those that cause it.`,
		Before: "--set resources=large",
		After:  "--set resources.requests.cpu=1",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if f.RenderErr == nil || f.Mode == analysis.Installed && len(f.Missing) > 0 {
			return nil, nil
		}
		x := finding.Finding{Severity: finding.Error, Message: f.RenderErr.Error()}
		var at *rendering.Error
		if errors.As(f.RenderErr, &at) {
			if at.Said != "" {
				x.Message = at.Said
			}
			if at.Site.File != "" {
				x.Facts = append(x.Facts, finding.Fact{Label: "at", Text: template(at.Site)})
			}
		}
		guilty := culprits(f)
		for _, l := range guilty {
			x.ValuePath = l.Path.String()
			x.Facts = append(x.Facts, finding.Fact{Label: "value", Text: show(l.Path, l.Value) + "; without it the chart renders"})
		}
		for _, l := range guilty {
			edit := values.Set(l.Path, nil)
			if d, found := values.Get(f.Chart.Values, l.Path); found {
				edit = values.Set(l.Path, d)
			}
			x.Remedies = append(x.Remedies, finding.Remedy{Summary: "take " + l.Path.String() + " back", Edits: []values.Edit{edit}})
		}
		return []finding.Finding{x}, nil
	},
}

// culprits lists the supplied leaves without which, each alone, the chart renders.
func culprits(f *analysis.Facts) []values.Leaf {
	var out []values.Leaf
	for i, l := range f.Leaves {
		if i == 200 || len(out) == 3 {
			break
		}
		if _, err := f.Renderer.Helm(values.Apply(f.Supplied, values.Remove(l.Path))); err == nil {
			out = append(out, l)
		}
	}
	return out
}

func unescapedKey(p values.Path, declared map[string]any) values.Path {
	if all := chart.Unescaped(p, declared); len(all) > 0 {
		return all[0]
	}
	return nil
}

func asRenderingError(err error, target **rendering.Error) bool { return errors.As(err, target) }
