package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// event is something that happened, as far as the cluster remembers it.
type event struct{ at, what string }

// order tells in which order a field came to be what it is: revisions, the edit, the rollout of its template. Nothing
// where the edit is without a time, as kubectl scale leaves it.
func order(f *analysis.Facts, d drift.Difference) []finding.Fact {
	if d.Time == "" || d.By == "" {
		return nil
	}
	all := append(revisions(f), event{d.Time, "written by " + d.By})
	if w := drift.Running(f.Live, d.Object); w != nil && w.ReplicaSet != nil && strings.HasPrefix(d.Field.Field, "spec.template.") {
		if made := w.ReplicaSet.GetCreationTimestamp(); !made.IsZero() {
			all = append(all, event{made.UTC().Format(time.RFC3339), "rolled out, ReplicaSet/" + w.ReplicaSet.GetName()})
		}
	}
	return told(all)
}

// revisions are the one that is deployed, and a later one that was tried.
func revisions(f *analysis.Facts) []event {
	var out []event
	for _, r := range []*snapshot.Record{f.Record, f.Newest} {
		if at := updated(r); at != "" {
			out = append(out, event{at, fmt.Sprintf("revision %d %s", r.Revision, r.Status)})
		}
	}
	return out
}

// told writes events in their order; those of the same second in that of the list.
func told(all []event) []finding.Fact {
	if len(all) < 2 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b event) int { return strings.Compare(a.at, b.at) })
	var texts []string
	for _, e := range all {
		texts = append(texts, e.at+" "+e.what)
	}
	return []finding.Fact{{Label: "order", Text: strings.Join(texts, "; ")}}
}
