package checks

import (
	"errors"
	"strings"

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

Values were taken away to find the fewest without which the chart renders. The other values are judged without those.`,
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
		for _, set := range f.Blamed {
			x.Facts = append(x.Facts, finding.Fact{Label: "value", Text: given(set)})
			x.Remedies = append(x.Remedies, takeBack(f, set))
		}
		if len(f.Blamed) > 0 {
			x.ValuePath = f.Blamed[0][0].Path.String()
		}
		return []finding.Finding{x}, nil
	},
}

// given writes values with which the chart fails.
func given(set []values.Leaf) string {
	var shown []string
	for _, l := range set {
		shown = append(shown, show(l.Path, l.Value))
	}
	if len(set) == 1 {
		return shown[0] + "; without it the chart renders"
	}
	return strings.Join(shown, ", ") + "; without all of them the chart renders, and without fewer it does not"
}

// takeBack is the smallest change with which the chart renders: the chart's own values in the place of these.
func takeBack(f *analysis.Facts, set []values.Leaf) finding.Remedy {
	var names []string
	out := finding.Remedy{}
	for _, l := range set {
		edit := values.Set(l.Path, nil)
		if d, found := values.Get(f.Chart.Values, l.Path); found {
			edit = values.Set(l.Path, d)
		}
		names, out.Edits = append(names, l.Path.String()), append(out.Edits, edit)
	}
	out.Summary = "take " + strings.Join(names, ", ") + " back"
	return out
}

func unescapedKey(p values.Path, declared map[string]any) values.Path {
	if all := chart.Unescaped(p, declared); len(all) > 0 {
		return all[0]
	}
	return nil
}

func asRenderingError(err error, target **rendering.Error) bool { return errors.As(err, target) }
