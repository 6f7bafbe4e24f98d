package causality

import (
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// maxVersions is how many Kubernetes versions are tried for one value.
const maxVersions = 3

// onOtherClusters recognises a value that templates ask only on another cluster: one that has an API, or is of another
// Kubernetes version. It is judged there, and what it does there it misses.
func (t *trial) onOtherClusters() bool {
	if t.elsewhere {
		return false
	}
	e := t.e
	for _, k := range t.otherClusters() {
		inner := t.worlds.on(t.judge, k)
		if inner == nil {
			continue
		}
		there := inner.leaf(t.leaf)
		if there.Verdict == finding.Unread || there.Verdict == finding.Unknown {
			continue
		}
		reason, did := t.because(k)
		e.Verdict, e.Reason, e.Site, e.Stack = finding.Gated, reason, there.Site, there.Stack
		e.Winners, e.Gates = there.Winners, there.Gates
		e.Misses = missedThere(there, nil, rendering.Site{})
		e.Evidence = append(e.Evidence, finding.Evidence{Did: did, Saw: e.Path.String() + " decides " + decided(there)},
			finding.Evidence{Did: "left the cluster as it is", Saw: "no value of " + e.Path.String() + " changes anything"})
		return true
	}
	return false
}

// because says what the cluster is not, and what was done about it.
func (t *trial) because(k rendering.Cluster) (reason, did string) {
	var lacks, has []string
	if len(k.APIVersions) > 0 {
		apis := strings.Join(k.APIVersions, ", ")
		lacks, has = append(lacks, "the cluster has no API "+apis), append(has, "that has "+apis)
	}
	if k.KubeVersion != "" {
		lacks = append(lacks, "the cluster is of Kubernetes "+t.world.KubeVersion()+", the template asks for another version")
		has = append(has, "of Kubernetes "+k.KubeVersion)
	}
	return strings.Join(lacks, "; "), "rendered for a cluster " + strings.Join(has, " and ")
}

// otherClusters proposes clusters on which the conditions around the reads of the value come out otherwise.
func (t *trial) otherClusters() []rendering.Cluster {
	var apis, versions []string
	ask := func(c *chart.Cond) {
		each(c, func(c *chart.Cond) {
			text, _ := c.Literal.(string)
			switch {
			case c.Op == chart.Capability && text != "" && !t.world.HasAPI(text):
				apis = append(apis, text)
			case c.Op == chart.KubeVersion && len(versions) < maxVersions:
				if v, found := rendering.VersionWhere(text, !c.Truth, t.world.KubeVersion()); found && !slices.Contains(versions, v) {
					versions = append(versions, v)
				}
			}
		})
	}
	for _, r := range t.reads {
		for _, g := range r.Guards {
			if !g.Holds {
				ask(g.Cond)
			}
		}
		for _, c := range r.When {
			ask(c)
		}
		ask(r.Cond)
	}
	if len(apis)+len(versions) == 0 {
		for _, c := range t.reading.Clusters(t.e.Path) {
			ask(c)
		}
	}
	slices.Sort(apis)
	apis = slices.Compact(apis)
	var out []rendering.Cluster
	if len(apis) > 0 {
		out = append(out, rendering.Cluster{APIVersions: apis})
	}
	for _, v := range versions {
		out = append(out, rendering.Cluster{KubeVersion: v})
	}
	if len(apis) > 0 && len(versions) > 0 {
		out = append(out, rendering.Cluster{KubeVersion: versions[0], APIVersions: apis})
	}
	return out
}

// each visits a condition and those that it is made of.
func each(c *chart.Cond, visit func(*chart.Cond)) {
	if c == nil {
		return
	}
	visit(c)
	for _, a := range c.Args {
		each(a, visit)
	}
}
