package checks

import (
	"fmt"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// applies names what writes the rendered objects again.
func applies(f *analysis.Facts) string {
	if f.Owner != nil {
		return string(f.Owner.Tool)
	}
	return "helm upgrade"
}

// putBack are the commands that write all that is rendered again: by what keeps the release, else by Helm.
func putBack(f *analysis.Facts) []string {
	if f.Owner == nil {
		return []string{rollback(f, f.Record.Revision)}
	}
	var out []string
	for _, words := range f.Owner.Resync() {
		for i := range words {
			words[i] = quote(words[i])
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

// keptFuture says what becomes of a difference in a release that Flux or Argo CD keeps.
func keptFuture(f *analysis.Facts, d drift.Difference) string {
	o := f.Owner
	switch {
	case wroteIt(f, d):
		return string(o.Tool) + " wrote it itself: what it applied last was rendered from another chart, other values, or changed after rendering"
	case d.Returns:
		return fmt.Sprintf("it comes back: %s writes the field again when %s puts it back, and must let go of it first", d.By, o.Tool)
	case ignored(f, d):
		return "it stays: Argo CD is told not to look at this field (ignoreDifferences of " + kept(o) + ")"
	case o.Read() && o.Suspended():
		return "it stays: nobody puts it back while " + kept(o) + " is suspended"
	case o.SelfHeal():
		return string(o.Tool) + " puts it back by itself (" + healing(o) + "): if it stays, something writes it again"
	case o.Tool == gitops.Flux:
		return "it stays until Flux makes the next revision: it looks at the live objects only with driftDetection"
	case o.Read() && !o.Automated():
		return "it stays until somebody syncs: " + kept(o) + " is not synced by itself"
	}
	return "it stays until the next sync, which a change in Git starts: without selfHeal Argo CD leaves what was changed in the cluster"
}

func healing(o *gitops.Owner) string {
	if o.Tool == gitops.Flux {
		return "driftDetection"
	}
	return "selfHeal"
}

// kept names the object that keeps the release.
func kept(o *gitops.Owner) string {
	return fmt.Sprintf("%s %s/%s", o.Object.Kind, o.Object.Namespace, o.Object.Name)
}

// wroteIt says whether the field was last written by what keeps the release.
func wroteIt(f *analysis.Facts, d drift.Difference) bool {
	return f.Owner.Tool == gitops.ArgoCD && strings.HasPrefix(d.Manager, "argocd")
}

func ignored(f *analysis.Facts, d drift.Difference) bool {
	group, _, found := strings.Cut(d.APIVersion, "/")
	if !found {
		group = ""
	}
	return f.Owner.Ignores(group, d.Object.Kind, d.Object.Name, "/"+strings.ReplaceAll(d.Field.Field, ".", "/"))
}

// tracked says whether a difference of a release without a record is none: Argo CD's own label, or an object that it
// does not list, so that nobody looked for it.
func tracked(f *analysis.Facts, d drift.Difference) bool {
	if f.Record != nil {
		return false
	}
	if d.Kind == drift.Missing {
		return !f.Keeps(d.Rendered)
	}
	return d.Field.Field == `metadata.labels["app.kubernetes.io/instance"]` && d.Live == any(f.Owner.Object.Name)
}

// keptFailure says what to do about a revision that failed in a release that Flux or Argo CD keeps.
func keptFailure(f *analysis.Facts, x *finding.Finding) {
	o := f.Owner
	if s := o.State(); s.Ready == "False" {
		x.Facts = append(x.Facts, finding.Fact{Label: string(o.Tool) + " said", Text: shorten(s.Reason + ": " + s.Message)})
	}
	x.Facts = append(x.Facts, finding.Fact{Label: "next", Text: "put the values right in " + kept(o) + ": " + string(o.Tool) + " tries a changed one at once, and undoes a helm rollback"})
	x.Steps = append([]string{kubectl("describe", o.Object)}, putBack(f)...)
}

// shorten cuts a message down to one line that can be read.
func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:297], "") + "…"
	}
	return text
}
