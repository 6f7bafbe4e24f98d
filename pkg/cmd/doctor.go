package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/release"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/checks"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cluster"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// doctor is the engine of the program: read, think, prove. The printer says.
type doctor struct{}

// libraryVersion is the Kubernetes version that charts are rendered for where no server and no flag says another: that
// of the client library in go.mod. Helm's own default, in a plain build, is v1.20.0.
const libraryVersion = "v1.37.2"

// diagnose is the middle of the program, for one release.
func diagnose(in analysis.Input) (fix.Release, []finding.Incomplete, *analysis.Facts, error) {
	// Helm tells of clashes in values through the global logger, in the middle of the report.
	log.SetOutput(io.Discard)
	facts, err := analysis.Gather(in)
	if err != nil {
		return fix.Release{}, nil, nil, err
	}
	found, incomplete := analysis.Run(facts, checks.All())
	return fix.Prove(facts, found), incomplete, facts, nil
}

func (d doctor) Check(ctx context.Context, o *CheckOptions) (fix.Report, error) {
	snap, err := o.Snapshot(ctx, o.Releases...)
	if err != nil {
		return fix.Report{}, err
	}
	inputs, report, err := o.inputs(snap, o.Releases)
	if err != nil {
		return report, err
	}
	return run(inputs, report)
}

// run diagnoses releases one after the other. A broken one never keeps the others from being diagnosed.
func run(inputs []analysis.Input, report fix.Report) (fix.Report, error) {
	for _, in := range inputs {
		name := in.Release.Namespace + "/" + in.Release.Name
		done, incomplete, facts, err := diagnose(in)
		if err != nil {
			report.Incomplete = append(report.Incomplete, finding.Incomplete{What: "release " + name, Why: err.Error(), Fatal: true, Release: in.Release.Name})
			continue
		}
		for i := range incomplete {
			incomplete[i].Fatal = true
		}
		if facts.RenderErr != nil && len(done.Findings) == 0 {
			incomplete = append(incomplete, finding.Incomplete{What: "values of release " + name, Why: facts.ReproductionReason, Fatal: true, Release: in.Release.Name})
		}
		report.Releases = append(report.Releases, done)
		report.Incomplete = append(report.Incomplete, incomplete...)
		report.Checked = append(report.Checked, checked(facts))
	}
	return report, nil
}

// checked says in words what was looked at.
func checked(f *analysis.Facts) string {
	name, objects := fmt.Sprintf("release %s revision %d", f.Release.Name, f.Release.Revision), len(f.StoredObjects)
	if f.Reproduction == analysis.Unrecorded && f.World != nil {
		name, objects = "release "+f.Release.Name, len(f.World.Baseline().Objects())
	}
	text := fmt.Sprintf("%s: %s, %s", name, count(len(f.Leaves), "value"), count(objects, "rendered object"))
	if f.Live != nil {
		text += ", the live objects and their Pods"
	}
	return text
}

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// inputs chooses from a snapshot what is to be diagnosed: the named releases, or those of the kgateway charts.
func (s *Scope) inputs(snap *snapshot.Snapshot, names []string) ([]analysis.Input, fix.Report, error) {
	report := fix.Report{}
	for _, g := range snap.Header.Gaps {
		report.Incomplete = append(report.Incomplete, finding.Incomplete{
			What: g.What, Why: g.Why, Remedy: g.Remedy, Release: g.Release, Fatal: !g.Optional,
		})
	}
	groups := map[string][]snapshot.Record{}
	var order []string
	for _, r := range snap.Records() {
		if s.File != nil && s.Namespace != "" && r.Namespace != s.Namespace {
			continue
		}
		if len(names) > 0 && !slices.Contains(names, r.Name) {
			continue
		}
		k := r.Namespace + "/" + r.Name
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], r)
	}
	var inputs []analysis.Input
	for _, k := range order {
		current, newest := s.choose(groups[k])
		if current.Err != nil || current.Release == nil {
			why := "the record does not hold the revision asked for"
			if current.Err != nil {
				why = current.Err.Error()
			}
			report.Incomplete = append(report.Incomplete, finding.Incomplete{What: "release " + k, Why: why, Fatal: true, Release: current.Name})
			continue
		}
		if len(names) == 0 && !slices.Contains(cluster.Charts, chartName(current.Release.Chart)) {
			continue
		}
		in, err := s.installed(snap, current, newest)
		if err != nil {
			return nil, report, err
		}
		inputs = append(inputs, in)
	}
	more, incomplete, err := s.unrecorded(snap, names)
	if err != nil {
		return nil, report, err
	}
	inputs, report.Incomplete = append(inputs, more...), append(report.Incomplete, incomplete...)
	if len(inputs) == 0 && s.File != nil && len(report.Incomplete) == 0 {
		what := "release of a kgateway chart"
		if len(names) > 0 {
			what = "release " + strings.Join(names, ", ")
		}
		return nil, report, fmt.Errorf("the snapshot holds no %s; it holds %s", what, held(snap))
	}
	return inputs, report, nil
}

func held(snap *snapshot.Snapshot) string {
	var out []string
	for _, r := range snap.Records() {
		if n := r.Namespace + "/" + r.Name; !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return "no Helm release at all"
	}
	return "the releases " + strings.Join(out, ", ")
}

func chartName(c *helmchart.Chart) string {
	if c == nil || c.Metadata == nil {
		return ""
	}
	return c.Metadata.Name
}

// choose picks the revision to judge, the newest deployed one unless another is asked for, and the newest if that is
// another.
func (s *Scope) choose(records []snapshot.Record) (current snapshot.Record, newest *snapshot.Record) {
	current = records[len(records)-1]
	last := current
	for i := len(records) - 1; i >= 0; i-- {
		if s.Revision > 0 && records[i].Revision == s.Revision || s.Revision == 0 && records[i].Status == release.StatusDeployed.String() {
			current = records[i]
			break
		}
	}
	if s.Revision == 0 && last.Revision != current.Revision {
		newest = &last
	}
	return current, newest
}

func (s *Scope) installed(snap *snapshot.Snapshot, current snapshot.Record, newest *snapshot.Record) (analysis.Input, error) {
	c := current.Release.Chart
	in := analysis.Input{
		Budget: causality.Budget{Renders: s.Renders},
		Mode:   analysis.Installed, Chart: c, Supplied: current.Release.Config,
		Release: rendering.Release{
			Name: current.Name, Namespace: current.Namespace, Revision: current.Revision, IsUpgrade: current.Revision > 1,
		},
		Cluster: clusterOf(snap, current.Release.Manifest), Record: &current, Newest: newest, Live: snap, Now: s.Now,
	}
	if s.Chart != "" {
		given, err := loadChart(s.Chart)
		if err != nil {
			return in, err
		}
		in.Chart, in.ChartArgument = given, s.Chart
	}
	if in.Supplied == nil {
		in.Supplied = map[string]any{}
	}
	if in.ChartArgument == "" {
		in.ChartArgument, in.ChartVersion = chartAddress(c)
	}
	return in, nil
}

// clusterOf is what templates see of the cluster of a snapshot. A snapshot made with kubectl does not say which APIs
// there were: those of the objects that Helm rendered, at least.
func clusterOf(snap *snapshot.Snapshot, manifest string) rendering.Cluster {
	k := rendering.Cluster{KubeVersion: libraryVersion, APIVersions: snap.Header.APIVersions}
	if snap.Header.ServerVersion != "" {
		k.KubeVersion = snap.Header.ServerVersion
	}
	if len(k.APIVersions) == 0 {
		objects, _ := rendering.ParseManifest("", manifest)
		for _, o := range objects {
			k.APIVersions = append(k.APIVersions, o.APIVersion, o.APIVersion+"/"+o.Kind)
		}
		slices.Sort(k.APIVersions)
		k.APIVersions = slices.Compact(k.APIVersions)
	}
	return k
}

// chartAddress is where a chart can be had: the public address of the kgateway charts, else a word that no command
// takes for a chart.
func chartAddress(c *helmchart.Chart) (address, version string) {
	switch name := chartName(c); name {
	case "kgateway", "kgateway-crds":
		return "oci://cr.kgateway.dev/kgateway-dev/charts/" + name, c.Metadata.Version
	case "agentgateway", "agentgateway-crds":
		return "oci://cr.agentgateway.dev/charts/" + name, c.Metadata.Version
	default:
		return "<CHART " + name + ">", c.Metadata.Version
	}
}

func loadChart(path string) (*helmchart.Chart, error) {
	if strings.HasPrefix(path, "oci://") || strings.HasPrefix(path, "https://") || strings.HasPrefix(path, "http://") {
		return nil, fmt.Errorf("chart %s: only a directory or an archive is read: get it first, for example with helm pull %s", path, path)
	}
	c, err := loader.Load(path)
	if err != nil {
		return nil, fmt.Errorf("load chart %s: %w", path, err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("load chart %s: %w", path, err)
	}
	return c, nil
}

func (d doctor) Preflight(ctx context.Context, o *PreflightOptions) (fix.Report, error) {
	c, err := loadChart(o.ChartRef)
	if err != nil {
		return fix.Report{}, err
	}
	in := analysis.Input{
		Budget: causality.Budget{Renders: o.Renders},
		Mode:   analysis.Preflight, Chart: c, Supplied: o.Values, Now: o.Now, Given: o.Given, ChartArgument: o.ChartRef,
		Release: rendering.Release{Name: o.Release, Namespace: o.Namespace, Revision: 1},
		Cluster: rendering.Cluster{KubeVersion: libraryVersion},
	}
	if in.Release.Namespace == "" {
		in.Release.Namespace = "default"
	}
	report := fix.Report{}
	if !o.Offline {
		if in, report, err = o.onto(ctx, in); err != nil {
			return report, err
		}
	} else if o.KubeVersion == "" {
		o.Notice("rendered for Kubernetes %s; --kube-version says another", libraryVersion)
	}
	if o.KubeVersion != "" {
		in.Cluster.KubeVersion = o.KubeVersion
	}
	in.Cluster.APIVersions = slices.Concat(in.Cluster.APIVersions, o.APIVersions)
	return run([]analysis.Input{in}, report)
}

// onto puts a preflight onto the release that is there, if there is one.
func (o *PreflightOptions) onto(ctx context.Context, in analysis.Input) (analysis.Input, fix.Report, error) {
	report := fix.Report{}
	scope := o.Scope
	scope.RecordsOnly = true
	if scope.Namespace == "" && scope.Cluster != nil {
		if ns, _, err := scope.Cluster.ToRawKubeConfigLoader().Namespace(); err == nil {
			scope.Namespace = ns
		}
	}
	if scope.Namespace != "" {
		in.Release.Namespace = scope.Namespace
	}
	snap, err := scope.Snapshot(ctx, o.Release)
	if err != nil && !errors.Is(err, cluster.ErrNoRelease) || snap == nil {
		return in, report, err
	}
	in.Cluster = clusterOf(snap, "")
	for _, g := range snap.Header.Gaps {
		report.Incomplete = append(report.Incomplete, finding.Incomplete{What: g.What, Why: g.Why, Remedy: g.Remedy, Release: g.Release, Fatal: !g.Optional})
	}
	var records []snapshot.Record
	for _, r := range snap.Records() {
		if r.Name == o.Release && (scope.Namespace == "" || r.Namespace == scope.Namespace) {
			records = append(records, r)
		}
	}
	if len(records) == 0 {
		return in, report, nil
	}
	current, _ := scope.choose(records)
	if current.Err != nil {
		return in, report, fmt.Errorf("release %s: %w", o.Release, current.Err)
	}
	in.Release.Namespace, in.Release.IsUpgrade = current.Namespace, true
	in.Release.Revision = records[len(records)-1].Revision + 1
	in.Chart, in.Supplied, err = reuse(o.Reuse, in.Chart, o.Values, current.Release)
	return in, report, err
}

// reuse joins the values of the release with the given ones, as helm upgrade does.
func reuse(mode Reuse, c *helmchart.Chart, given map[string]any, old *release.Release) (*helmchart.Chart, map[string]any, error) {
	switch {
	case mode == ReuseValues:
		return rendering.ReuseValues(c, given, old.Chart, old.Config)
	case mode == ResetThenReuseValues:
		return c, rendering.MergeTables(given, old.Config), nil
	case mode == ReuseAuto && len(given) == 0 && len(old.Config) > 0:
		return c, values.Copy(old.Config), nil
	}
	return c, given, nil
}

func (d doctor) Audit(_ context.Context, o *AuditOptions) (fix.Report, error) {
	c, err := loadChart(o.ChartRef)
	if err != nil {
		return fix.Report{}, err
	}
	var against *helmchart.Chart
	if o.Against != "" {
		if against, err = loadChart(o.Against); err != nil {
			return fix.Report{}, err
		}
	}
	k := rendering.Cluster{KubeVersion: libraryVersion, APIVersions: o.APIVersions}
	if o.KubeVersion != "" {
		k.KubeVersion = o.KubeVersion
	}
	return run([]analysis.Input{{
		Budget: causality.Budget{Renders: o.Renders},
		Mode:   analysis.Audit, Chart: c, Against: against, Supplied: map[string]any{}, Now: o.Now, Cluster: k, ChartArgument: o.ChartRef,
		Release: rendering.Release{Name: "release", Namespace: "namespace", Revision: 1},
	}}, fix.Report{})
}

func (d doctor) Snapshot(ctx context.Context, s *Scope, releases []string) (*snapshot.Snapshot, error) {
	return s.Snapshot(ctx, releases...)
}

// errNoRecord says that what a diagnosis reads is not known, since no release record could be read.
var errNoRecord = errors.New("no release record could be read")

// Rights says what a check of the releases asks the API server for.
func (d doctor) Rights(ctx context.Context, s *Scope, releases []string) ([]cluster.Right, error) {
	if s.File != nil {
		return nil, errors.New("rights asks a cluster, and does not read a snapshot")
	}
	reader, current, err := s.reader()
	if err != nil {
		return nil, err
	}
	rights, snap, err := reader.Rights(ctx, s.target(current, releases))
	if err == nil && len(snap.Records()) == 0 || errors.Is(err, cluster.ErrNoRelease) {
		return nil, fmt.Errorf("%w: %w", errNoRecord, cmp.Or(err, errors.New("only live objects tell of the release")))
	}
	return rights, err
}
