package analysis

import (
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/release"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// reproduce compares today's rendering with the stored manifest and the stored hooks.
func (f *Facts) reproduce() {
	if f.RenderErr != nil {
		// It is impossible, for the reason given: the World is of fewer values.
		if f.Record != nil && f.Record.Release != nil {
			f.StoredObjects, _ = rendering.ParseManifest("", f.Record.Release.Manifest)
		}
		return
	}
	if f.Record == nil || f.Record.Release == nil || f.Mode != Installed {
		f.Reproduction, f.ReproductionReason = Exact, ""
		if f.Mode == Installed {
			f.Reproduction = Unrecorded
		}
		return
	}
	f.StoredObjects, _ = rendering.ParseManifest("", f.Record.Release.Manifest)
	stored := slices.DeleteFunc(slices.Clone(f.StoredObjects), isHook)
	stored = append(stored, storedHooks(f.Record.Release)...)
	today := slices.DeleteFunc(slices.Clone(f.World.Baseline().Objects()), unknownHook)
	noise := f.World.Noise()
	f.Reproduction = Exact
	for _, c := range rendering.DiffObjects(stored, today) {
		if noise[c.ID()] {
			f.Reproduction = Noise
			continue
		}
		if !f.postRendered(c) {
			f.Mismatches = append(f.Mismatches, c)
		}
	}
	if len(f.Mismatches) == 0 {
		return
	}
	f.Reproduction = Mismatch
	f.ReproductionReason = fmt.Sprintf("%d fields of the stored manifest are not what its chart and values render today", len(f.Mismatches))
	if len(f.Missing) > 0 {
		f.ReproductionReason += "; " + f.missingReason()
	}
}

func isHook(o rendering.Object) bool { return o.Hook }

// storedHooks are the objects of a record's hooks, which Helm keeps apart from the manifest.
func storedHooks(r *release.Release) []rendering.Object {
	var out []rendering.Object
	for _, h := range r.Hooks {
		objects, _ := rendering.ParseManifest(h.Path, h.Manifest)
		out = append(out, objects...)
	}
	return out
}

// hookEvents are the events that Helm knows. Source: helm.sh/helm/v3 pkg/releaseutil/manifest_sorter.go.
var hookEvents = []string{"pre-install", "post-install", "pre-delete", "post-delete", "pre-upgrade", "post-upgrade", "pre-rollback",
	"post-rollback", "test", "test-success"}

// unknownHook says whether Helm passes a hook over: one of its events is unknown, such as crd-install of Helm 2.
func unknownHook(o rendering.Object) bool {
	if !o.Hook {
		return false
	}
	events, _ := rendering.Lookup(o.Content, `metadata.annotations["helm.sh/hook"]`)
	text, _ := events.(string)
	return slices.ContainsFunc(strings.Split(text, ","), func(e string) bool {
		return !slices.Contains(hookEvents, strings.ToLower(strings.TrimSpace(e)))
	})
}
