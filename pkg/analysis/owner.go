package analysis

import (
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
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
