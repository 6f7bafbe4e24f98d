package drift

import (
	"slices"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Wanted is what else is to be read for the reasons of what is not as it should be. It is empty for a release whose
// objects and Pods are what was rendered and whose rollouts are complete.
type Wanted struct {
	Mutators   bool        // the webhooks and policies that change objects on their way in
	Namespaces []string    // whose labels, limits and own policies matter to them
	Stuck      []*Workload // whose events, and the quotas of their namespaces, tell why they do not go on
	Nodes      []string    // that run different images of one tag: their architecture matters
}

// Wants looks at the objects that a release rendered, as the snapshot holds them.
func Wants(rendered []rendering.Object, live *snapshot.Snapshot, releaseNamespace string) Wanted {
	var out Wanted
	for _, d := range Compare(rendered, live, releaseNamespace) {
		if d.admitted() {
			out.changed(d.Namespace)
		}
	}
	for _, o := range rendered {
		x := Live(live, o, releaseNamespace)
		if x == nil || !IsWorkload(o.Kind) {
			continue
		}
		w := Running(live, finding.Object{Kind: o.Kind, Namespace: x.GetNamespace(), Name: o.Name})
		if w == nil {
			continue // a kind of the same name in another group
		}
		if len(Admission(w)) > 0 {
			out.changed(x.GetNamespace())
		}
		if w.Rollout().State != Complete {
			out.Stuck = append(out.Stuck, w)
		}
		out.Nodes = append(out.Nodes, w.unlikeNodes()...)
	}
	slices.Sort(out.Nodes)
	out.Nodes = slices.Compact(out.Nodes)
	return out
}

func (w *Wanted) changed(namespace string) {
	w.Mutators = true
	if namespace != "" && !slices.Contains(w.Namespaces, namespace) {
		w.Namespaces = append(w.Namespaces, namespace)
	}
}
