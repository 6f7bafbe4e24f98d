package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// findOwner looks for what keeps the release.
func (f *Facts) findOwner() {
	if f.Mode != Installed || f.Owner != nil || f.Live == nil {
		return
	}
	var manifests []string
	for _, r := range []*snapshot.Record{f.Newest, f.Record} {
		if r != nil && r.Release != nil {
			manifests = append(manifests, r.Release.Manifest)
		}
	}
	f.Owner = gitops.Find(f.Live, f.Release.Namespace, f.Release.Name, f.Supplied, manifests...)
}

// postRendered says whether a difference between the stored manifest and the rendering is only that Flux labelled what
// it installs.
func (f *Facts) postRendered(c rendering.Change) bool {
	if f.Owner == nil || f.Owner.Tool != gitops.Flux {
		return false
	}
	if c.Field.Field == "metadata.labels" {
		return onlyOrigin(c.From) && noLabels(c.To)
	}
	key, found := strings.CutPrefix(c.Field.Field, `metadata.labels["`)
	return found && gitops.IsOrigin(strings.TrimSuffix(key, `"]`))
}

func onlyOrigin(v any) bool {
	labels, _ := v.(map[string]any)
	for key := range labels {
		if !gitops.IsOrigin(key) {
			return false
		}
	}
	return len(labels) > 0
}

func noLabels(v any) bool {
	labels, isTable := v.(map[string]any)
	_, absent := v.(rendering.Absent)
	return absent || v == nil || isTable && len(labels) == 0
}

// unrecorded says whether Argo CD's Application stands for a release record.
func (f *Facts) unrecorded() bool { return f.Mode == Installed && f.Record == nil && f.Owner.Read() }

// doubtFiles takes back verdicts that a value in a file which was not read could change: it may open a gate.
func (f *Facts) doubtFiles() {
	if !f.unrecorded() || f.Owner.Complete() {
		return
	}
	for _, g := range f.Owner.Gaps {
		f.Incomplete = append(f.Incomplete, finding.Incomplete{What: g.Place + " of Application " + f.Owner.Object.Name, Why: g.Why, Release: f.Release.Name,
			Remedy: "kubectl kgw-doctor preflight takes the files with --values"})
	}
	for i := range f.Effects {
		if e := &f.Effects[i]; e.Verdict.Ineffective() || e.Verdict == finding.Partial {
			e.Verdict, e.Reason = finding.Unknown, "other values were not read: "+f.Owner.Gaps[0].Place
			e.Winners, e.Gates, e.Misses = nil, nil, nil
		}
	}
}

// compareApplied wonders whether the chart that was given is the Application's.
func (f *Facts) compareApplied() {
	if !f.unrecorded() {
		return
	}
	asked := strings.TrimPrefix(f.Owner.Source().Revision, "v")
	if has := strings.TrimPrefix(f.Chart.Metadata.Version, "v"); f.Owner.Source().Chart != "" && exact(asked) && asked != has {
		f.Incomplete = append(f.Incomplete, finding.Incomplete{What: "chart of release " + f.Release.Name, Release: f.Release.Name,
			Why: fmt.Sprintf("the one given is version %s, and the Application asks for %s", f.Chart.Metadata.Version, f.Owner.Source().Revision)})
	}
	if strangers := f.strangers(); len(strangers) > 0 {
		f.Incomplete = append(f.Incomplete, finding.Incomplete{What: "objects " + strings.Join(strangers, ", "), Release: f.Release.Name,
			Why: "the chart that was given renders them, and Argo CD does not know them: they were not looked for"})
	}
}

// exact says whether a version is one version, not a range such as 2 or 2.1.x.
func exact(version string) bool {
	return strings.Count(version, ".") >= 2 && version[0] >= '0' && version[0] <= '9' && !strings.ContainsAny(version, "*xX <>=|,~^")
}

// strangers are rendered objects that Argo CD does not list among those it keeps.
func (f *Facts) strangers() []string {
	known := f.Owner.Objects()
	if len(known) == 0 {
		return nil
	}
	var out []string
	for _, o := range f.World.Baseline().Objects() {
		if !o.Hook && !f.Keeps(o.Object) {
			out = append(out, o.Object.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Keeps says whether Argo CD lists a rendered object among those that it keeps; others were not looked for.
func (f *Facts) Keeps(o finding.Object) bool {
	return slices.ContainsFunc(f.Owner.Objects(), func(a gitops.AppliedObject) bool { return a.GVK.Kind == o.Kind && a.Name == o.Name })
}
