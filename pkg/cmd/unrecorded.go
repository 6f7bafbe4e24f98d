package cmd

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cluster"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// unrecorded makes inputs of the releases that Argo CD keeps: Helm has no record of them. Their values are those of the
// last sync, their chart has to be given.
func (s *Scope) unrecorded(snap *snapshot.Snapshot, names []string) ([]analysis.Input, []finding.Incomplete, error) {
	var inputs []analysis.Input
	var incomplete []finding.Incomplete
	for _, o := range gitops.Unrecorded(snap) {
		if !s.wants(o, names) {
			continue
		}
		if s.Chart == "" {
			incomplete = append(incomplete, chartMissing(o))
			continue
		}
		in, err := s.synced(snap, o)
		if err != nil {
			return nil, nil, err
		}
		inputs = append(inputs, in)
	}
	return inputs, incomplete, nil
}

func (s *Scope) wants(o *gitops.Owner, names []string) bool {
	if s.File != nil && s.Namespace != "" && o.Namespace != s.Namespace {
		return false
	}
	if len(names) == 0 {
		return slices.Contains(cluster.Charts, o.Source().Name())
	}
	return slices.Contains(names, o.Release) || slices.Contains(names, o.Object.Name)
}

// chartMissing says how to get the chart that an Application names.
func chartMissing(o *gitops.Owner) finding.Incomplete {
	source := o.Source()
	out := finding.Incomplete{What: "values of release " + o.Namespace + "/" + o.Release, Release: o.Release, Fatal: true,
		Why: fmt.Sprintf("Argo CD keeps the release (Application %s/%s), and no Helm record that would hold its chart: give the chart with --chart", o.Object.Namespace, o.Object.Name)}
	if words := source.Get(); words != nil {
		out.Remedy = fix.Command(words...)
	} else {
		out.Remedy = fmt.Sprintf("--chart %s, from revision %s of %s", fix.Command(source.Path), cmp.Or(source.Revision, "HEAD"), source.RepoURL)
	}
	return out
}

// synced is the input of a release without a record.
func (s *Scope) synced(snap *snapshot.Snapshot, o *gitops.Owner) (analysis.Input, error) {
	source := o.Source()
	in := analysis.Input{
		Budget: causality.Budget{Renders: s.Renders},
		Mode:   analysis.Installed, Supplied: o.Applied(), Owner: o, Live: snap, Now: s.Now, ChartArgument: s.Chart,
		// helm template always renders a first revision.
		Release: rendering.Release{Name: o.Release, Namespace: cmp.Or(source.Namespace, o.Namespace), Revision: 1},
		Cluster: clusterOf(snap, ""),
	}
	if source.KubeVersion != "" {
		in.Cluster.KubeVersion = source.KubeVersion
	}
	in.Cluster.APIVersions = slices.Concat(in.Cluster.APIVersions, source.APIVersions)
	var err error
	in.Chart, err = loadChart(s.Chart)
	return in, err
}
