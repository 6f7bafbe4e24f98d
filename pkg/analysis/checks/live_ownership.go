package checks

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// applied says whether Helm wrote an object by server-side apply, as Helm 4 does by itself: the record says so, and so do
// the managed fields of the object.
func applied(f *analysis.Facts, d drift.Difference) bool {
	if f.Record != nil && f.Record.ServerSide {
		return true
	}
	x := f.Live.Get(d.Object.Kind, d.Namespace, d.Name)
	return slices.ContainsFunc(drift.Writers(x, "metadata.annotations[\"meta.helm.sh/release-name\"]"), func(w drift.Writer) bool {
		return w.Helm && w.Operation == "Apply"
	})
}

// disputed says whether somebody else owns a field that Helm applies: the API server then refuses Helm's next value.
func disputed(f *analysis.Facts, d drift.Difference) bool {
	return d.Manager != "" && !d.Helm && applied(f, d)
}

// conflict is how the API server refuses a server-side apply.
// Source: k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go.
var conflict = regexp.MustCompile(`conflicts? with "([^"]+)"`)

// conflicting lists the managers that own what a failed revision wanted to write, by what Helm recorded.
func conflicting(r *snapshot.Record) []string {
	if r.Release == nil || r.Release.Info == nil {
		return nil
	}
	var out []string
	for _, m := range conflict.FindAllStringSubmatch(r.Release.Info.Description, -1) {
		if name := strings.TrimSpace(m[1]); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
