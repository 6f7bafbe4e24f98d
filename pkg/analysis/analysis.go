// Package analysis is the order of thought: facts are gathered once, in a fixed order, and checks read them.
//
// It knows no check: they import this package, and the caller passes them in.
package analysis

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Mode says what is judged.
type Mode int

// Installed is a release that is there. Preflight is one as it would be. Audit is a chart without a release: its
// declared values are judged by whether another value there would show.
const (
	Installed Mode = iota
	Preflight
	Audit
)

// Input is one release, or one chart, to be judged.
type Input struct {
	Mode     Mode
	Chart    *helmchart.Chart
	Supplied map[string]any
	Release  rendering.Release
	Cluster  rendering.Cluster

	Record *snapshot.Record   // the revision that is judged; nil without a cluster
	Newest *snapshot.Record   // the newest revision, if that is another one (a failed or pending upgrade)
	Live   *snapshot.Snapshot // nil without a cluster: nothing is said of live objects
	Owner  *gitops.Owner      // that keeps the release; nil: Helm alone does. Gather looks for it if it is nil
	Now    time.Time

	ChartArgument string   // what helm is called with: a path, an oci:// address or a placeholder
	ChartVersion  string   // for --version; "" for a path
	Given         []string // preflight: helm's value flags as they were given, words
	Only          values.Path
	Against       *helmchart.Chart // audit: an older chart to compare with
	Budget        causality.Budget
}

// Reproduction says how a rendering of today compares with the manifest that the record holds.
type Reproduction string

// Exact: the same objects. Noise: they differ in what random functions made. Mismatch: they differ. Impossible: the
// chart cannot be rendered from what is there. Unrecorded: it renders, and there is no record to compare with.
const (
	Exact      Reproduction = "exact"
	Noise      Reproduction = "noise"
	Mismatch   Reproduction = "mismatch"
	Impossible Reproduction = "impossible"
	Unrecorded Reproduction = "none"
)

// Facts is all that is known of one release before anything is said about it. Checks only read it.
type Facts struct {
	Input
	Renderer  *rendering.Renderer
	World     *rendering.World // nil if the chart does not render
	Older     *rendering.World // of Against; nil without one, or if it does not render
	RenderErr error            // the chart does not render with these values; World is then of fewer of them
	Blamed    [][]values.Leaf  // of RenderErr: sets of supplied values, each enough to take away; World is without the first
	Reading   *chart.Reading
	Leaves    []values.Leaf
	Effects   []causality.Effect // one per leaf
	Missing   []string           // subcharts that Chart.yaml names and that are not there

	Reproduction       Reproduction
	ReproductionReason string
	StoredObjects      []rendering.Object // parsed from the record's manifest
	Mismatches         []rendering.Change // between the record's manifest and today's rendering
	Incomplete         []finding.Incomplete
}

// Doc is the documentation of a check.
type Doc struct {
	Title    string // no capital, no period
	Text     string // Markdown
	Before   string // an example that gives the finding
	After    string // the same, put right
	Since    string
	Severity finding.Severity
}

// Check is one thing worth telling. Run only reads the facts. An error means that the check could not decide; it
// becomes an Incomplete, never a finding.
type Check struct {
	Code string
	Name string
	Doc  Doc
	Run  func(*Facts) ([]finding.Finding, error)
}

// Validate finds what is wrong with a list of checks: codes that are not unique, documentation that is missing.
func Validate(checks []*Check) error {
	seen := map[string]bool{}
	var errs []error
	for _, c := range checks {
		switch {
		case seen[c.Code]:
			errs = append(errs, fmt.Errorf("code %s comes twice", c.Code))
		case c.Run == nil || c.Doc.Title == "" || c.Doc.Text == "" || c.Doc.Since == "":
			errs = append(errs, fmt.Errorf("check %s is not complete: it needs a title, a text, since and a function", c.Code))
		}
		seen[c.Code] = true
	}
	return errors.Join(errs...)
}

// Gather renders, reads and judges. The error is an input that cannot be judged at all; a chart that does not render
// is a fact.
func Gather(in Input) (*Facts, error) {
	f := &Facts{Input: in, Reproduction: Impossible}
	f.findOwner()
	f.Leaves = values.Leaves(in.Supplied)
	f.Missing = rendering.MissingSubcharts(in.Chart)
	r, err := rendering.New(in.Chart, in.Release, in.Cluster)
	if err != nil {
		return nil, err
	}
	f.Renderer = r
	supplied := in.Supplied
	if in.Mode == Audit {
		supplied = map[string]any{}
	}
	f.World, f.RenderErr = rendering.NewWorld(r, supplied)
	if f.RenderErr == nil && in.Mode != Audit {
		// The schema is Helm's, not the templates': values that it refuses are never rendered.
		f.RenderErr = r.Schema(supplied)
	}
	if f.RenderErr != nil {
		f.World = nil
		f.ReproductionReason = f.RenderErr.Error()
		if len(f.Missing) > 0 {
			f.ReproductionReason = f.missingReason()
		}
		f.renderFewer()
		if f.World == nil {
			f.unknownForAll()
			return f, nil
		}
	}
	f.renderOlder()
	f.Reading = chart.ReadTemplates(f.World)
	f.World.Reach(f.Reading.May)
	if in.Mode == Audit {
		f.Leaves = values.Leaves(f.World.Defaults())
	}
	if len(in.Only) > 0 {
		f.Leaves = slices.DeleteFunc(f.Leaves, func(l values.Leaf) bool { return !l.Path.HasPrefix(in.Only) })
	}
	f.reproduce()
	budget := in.Budget
	budget.Presets = in.Mode == Audit
	f.Effects = causality.Judge(f.World, f.Reading, f.Leaves, budget)
	f.doubtBlamed()
	f.doubtSubcharts()
	f.doubtFiles()
	f.compareApplied()
	f.recallReuse()
	return f, nil
}

// renderFewer renders a chart that fails without the values that make it fail, so that the others can be judged.
func (f *Facts) renderFewer() {
	if f.Mode == Audit || len(f.Missing) > 0 {
		return
	}
	if f.Blamed = blame(f.Renderer, f.Supplied, f.RenderErr); len(f.Blamed) == 0 {
		return
	}
	w, err := rendering.NewWorld(f.Renderer, values.Apply(f.Supplied, removals(f.Blamed[0])...))
	if err == nil {
		f.World = w
	}
}

// doubtBlamed takes back what was said of values that were not there when the others were judged.
func (f *Facts) doubtBlamed() {
	for i := range f.Effects {
		if e := &f.Effects[i]; f.blamed(e.Path) {
			*e = causality.Effect{Path: e.Path, Value: e.Value, Verdict: finding.Unknown, Reason: "the chart does not render with it: " + f.RenderErr.Error()}
		}
	}
}

// recallReuse tells why a value may say the same as the chart of a later revision: helm upgrade --reuse-values writes
// the values of the revision before over those of the chart, and stores the chart so.
func (f *Facts) recallReuse() {
	if f.Mode != Installed || f.Release.Revision < 2 || f.ChartArgument != "" && f.ChartVersion == "" {
		return
	}
	for i := range f.Effects {
		e := &f.Effects[i]
		if e.Verdict == finding.Redundant && e.HasDefault && rendering.Equal(e.Default, e.Value) {
			e.Reason = "the chart in the record says the same: by its own default, or because helm upgrade --reuse-values wrote the earlier value there"
		}
	}
}

// renderOlder renders the chart that an audit compares with, for the same release and cluster.
func (f *Facts) renderOlder() {
	if f.Against == nil {
		return
	}
	r, err := rendering.New(f.Against, f.Release, f.Cluster)
	if err == nil {
		f.Older, err = rendering.NewWorld(r, map[string]any{})
	}
	if err != nil {
		f.Incomplete = append(f.Incomplete, finding.Incomplete{What: "the older chart " + f.Against.Name() + " " + f.Against.Metadata.Version, Why: err.Error()})
	}
}

func (f *Facts) missingReason() string {
	where := "the chart holds no subchart " + strings.Join(f.Missing, ", ")
	if f.Record != nil && f.Mode == Installed {
		where = "the release record never holds subcharts (" + strings.Join(f.Missing, ", ") + "): give the chart with --chart"
	}
	return where
}

// unknownForAll is for a chart that does not render: no value can be judged.
func (f *Facts) unknownForAll() {
	for _, l := range f.Leaves {
		f.Effects = append(f.Effects, causality.Effect{Path: l.Path, Value: l.Value, Verdict: finding.Unknown, Reason: "the chart cannot be rendered: " + f.ReproductionReason})
	}
}

// doubtSubcharts takes back verdicts on values that only a missing subchart could read.
func (f *Facts) doubtSubcharts() {
	if len(f.Missing) == 0 {
		return
	}
	mine := map[string]bool{"global": true, "tags": true}
	for _, d := range f.Chart.Metadata.Dependencies {
		if d != nil && slices.Contains(f.Missing, d.Name) {
			mine[d.Name], mine[d.Alias] = true, true
			for _, c := range strings.Split(d.Condition, ",") {
				mine[strings.TrimSpace(c)] = true
			}
		}
	}
	for i := range f.Effects {
		e := &f.Effects[i]
		if e.Verdict.Ineffective() && (mine[e.Path[0].Key] || mine[e.Path.String()]) {
			e.Verdict, e.Reason = finding.Unknown, f.missingReason()
			e.Winners, e.Gates, e.Misses = nil, nil, nil
		}
	}
}

// Run asks every check and gives the release's result, findings worst first.
func Run(f *Facts, checks []*Check) (finding.Release, []finding.Incomplete) {
	out := f.head()
	incomplete := slices.Clone(f.Incomplete)
	for _, c := range checks {
		found, err := c.Run(f)
		if err != nil {
			incomplete = append(incomplete, finding.Incomplete{What: "check " + c.Code + " of release " + out.Name, Why: err.Error(), Release: out.Name})
		}
		for _, x := range found {
			if x.Code == "" {
				x.Code = c.Code
			}
			if x.Title == "" {
				x.Title = c.Doc.Title
			}
			x.Fingerprint = fingerprint(out, x)
			out.Findings = append(out.Findings, x)
		}
	}
	slices.SortStableFunc(out.Findings, func(a, b finding.Finding) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		if c := strings.Compare(a.Code, b.Code); c != 0 {
			return c
		}
		return strings.Compare(a.ValuePath, b.ValuePath)
	})
	for _, e := range f.Effects {
		if e.Verdict == finding.Unknown && f.RenderErr == nil {
			incomplete = append(incomplete, finding.Incomplete{What: "value " + e.Path.String(), Why: e.Reason, Release: out.Name})
		}
	}
	return out, incomplete
}
