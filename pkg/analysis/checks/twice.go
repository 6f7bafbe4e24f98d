package checks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/kgateway"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// SetTwice tells of values that set a variable which comes again later in the same container, of any chart.
var SetTwice = &analysis.Check{
	Code: "KGW1013",
	Name: "set twice",
	Doc: analysis.Doc{
		Title: "a later entry of the same name overrides the environment variable",
		Text: `A container's env holds the name twice with different values. Kubernetes takes the last, so the value given does
nothing, although the manifest shows it. Of the controllers of kgateway and agentgateway KGW4003 tells.

A warning if the later entry was given as well, otherwise an error.`,
		Before: "--set extraEnv[0].name=LOG_LEVEL,extraEnv[0].value=debug   # the chart writes LOG_LEVEL again behind it",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: ofRelease(func(f *analysis.Facts) ([]finding.Finding, error) {
		mine := controller(f)
		var out []finding.Finding
		for _, c := range kgateway.ContainersIn(f.World.Baseline().Objects()) {
			if mine == nil || c.Object != mine.Object || c.Name != mine.Name {
				out = append(out, twice(f, c)...)
			}
		}
		return out, nil
	}),
}

// twice lists the supplied values that an entry of a container's environment holds and a later one of its name
// overrides.
func twice(f *analysis.Facts, c *kgateway.Container) []finding.Finding {
	var out []finding.Finding
	for i, x := range c.Env {
		name, _ := x["name"].(string)
		last := c.Last(name)
		if last == i || rendering.Equal(x, c.Env[last]) {
			continue
		}
		for _, e := range f.Effects {
			if sets(f, e, c, i) {
				out = append(out, overridden(f, e, c, name, last))
			}
		}
	}
	return out
}

// sets says whether a supplied value is what one entry of the environment holds: another value there shows in it.
func sets(f *analysis.Facts, e causality.Effect, c *kgateway.Container, position int) bool {
	entry := c.Env[position]
	if fmt.Sprint(e.Value) != fmt.Sprint(entry["value"]) {
		return false
	}
	const probe = "kgw-doctor-probe"
	after := f.World.Try(values.Set(e.Path, probe))
	if after.Err != nil {
		return false
	}
	return slices.ContainsFunc(kgateway.ContainersIn(after.Objects()), func(x *kgateway.Container) bool {
		return x.Object == c.Object && x.List == c.List && x.Name == c.Name &&
			position < len(x.Env) && x.Env[position]["name"] == entry["name"] && x.Env[position]["value"] == probe
	})
}

func overridden(f *analysis.Facts, e causality.Effect, c *kgateway.Container, name string, last int) finding.Finding {
	wins := c.Env[last]
	field := c.Field(name)
	x := finding.Finding{
		ValuePath: e.Path.String(), Severity: finding.Error, Object: &field.Object, Field: field.Field, Expected: e.Value, Evidence: e.Evidence,
		Message: fmt.Sprintf("%s loses to a later %s=%v in the same container", show(e.Path, e.Value), name, cmp.Or(wins["value"], any("(from elsewhere)"))),
		Facts: []finding.Fact{
			{Label: "field", Text: c.Object.String() + " " + field.Field}, asked(f, e),
			{Label: "because", Text: "env holds the name twice, and the last entry counts"},
		},
	}
	for _, winner := range f.Effects {
		if !winner.Path.Equal(e.Path) && sets(f, winner, c, last) {
			x.Severity = finding.Warning
			x.Facts = append(x.Facts, finding.Fact{Label: "winner", Text: show(winner.Path, winner.Value) + ", given as well"})
			x.Remedies = []finding.Remedy{{Summary: "let the later one say the same", Edits: []values.Edit{values.Set(winner.Path, e.Value)}}}
			return x
		}
	}
	x.Facts = append(x.Facts, finding.Fact{Label: "winner", Text: "the chart writes the later entry itself"})
	return x
}

// DigestDecides tells of tags that stand beside a digest.
var DigestDecides = &analysis.Check{
	Code: "KGW1014",
	Name: "digest decides",
	Doc: analysis.Doc{
		Title: "the image's digest decides, not the tag",
		Text: `The image is written with a tag and with a digest, name:tag@sha256:…; the container runtime takes the digest and
passes over the tag. The tag shows in the manifest and in "kubectl get pods", and another image runs.

An error if the chart presets the digest, a warning if it was given as well.`,
		Before: "--set image.tag=v2   # the chart presets image.digest",
		After:  "--set image.tag=v2,image.digest=",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: ofValues(func(e causality.Effect) bool { _, isText := e.Value.(string); return isText && len(e.Removed) > 0 }, digestDecides),
}

func digestDecides(f *analysis.Facts, e causality.Effect) (finding.Finding, bool) {
	for _, c := range e.Removed {
		image, _ := c.To.(string)
		name, digest, pinned := strings.Cut(image, "@")
		if !pinned || !strings.HasSuffix(c.Field.Field, ".image") || kgateway.Tag(name) != e.Value {
			continue
		}
		for _, l := range values.Leaves(f.World.Computed()) {
			if text, isText := l.Value.(string); !isText || text == "" || !strings.HasSuffix(digest, text) {
				continue
			}
			o := c.Object
			_, given := values.Get(f.Supplied, l.Path)
			cause := causality.Cause{Path: l.Path, Value: l.Value, Supplied: given}
			x := finding.Finding{
				ValuePath: e.Path.String(), Severity: finding.Error, Object: &o, Field: c.Field.Field, Expected: name, Evidence: e.Evidence,
				Message: fmt.Sprintf("%s is rendered, and the digest beside it decides which image runs", show(e.Path, e.Value)),
				Facts:   []finding.Fact{{Label: "field", Text: o.String() + " " + c.Field.Field}, asked(f, e), {Label: "winner", Text: because(cause, "asks it")}},
				Remedies: []finding.Remedy{{
					Summary: "empty " + l.Path.String() + ", so that the tag decides", Edits: []values.Edit{values.Set(l.Path, "")},
					Meant: []finding.Field{c.Field}, Then: []any{name}, Value: e.Value,
				}},
			}
			if given {
				x.Severity = finding.Warning
			}
			return x, true
		}
	}
	return finding.Finding{}, false
}
