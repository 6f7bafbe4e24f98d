package checks

import (
	"fmt"
	"strings"
	"time"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Unsynced tells of a HelmRelease or Application that asks for what the release does not have.
var Unsynced = &analysis.Check{
	Code: "KGW2006",
	Name: "not synced",
	Doc: analysis.Doc{
		Title: "what Flux or Argo CD was told is not in the release",
		Text: `The HelmRelease or Application asks for values that the release does not have: it is suspended, it is not synced by
itself, its reconciliation fails, or it was changed a moment ago. The values of the release are those of its last revision,
or of Argo CD's last sync; the new ones have reached nothing yet.

An error if values differ. A warning while the tool may still be at work, or if all values are the same and it says that it
fails: the next change will not come through.`,
		Before: "flux suspend helmrelease kgateway   # and then a commit that nobody sees",
		After:  "flux resume helmrelease kgateway",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		o := f.Owner
		if f.Mode != analysis.Installed || !o.Read() || o.Tool == gitops.ArgoCD && f.Record != nil {
			return nil, nil // a record that was there before Argo CD took over says nothing
		}
		var asked []finding.Fact
		var paths []string
		if o.Complete() {
			asked, paths = unsynced(f)
		}
		state := o.State()
		if reported(f) || len(asked) == 0 && state.Ready != "False" {
			return nil, nil
		}
		return []finding.Finding{notSynced(f, state, asked, paths)}, nil
	},
}

// reported says whether NotApplied tells of the same: a revision with these values failed, or is pending.
func reported(f *analysis.Facts) bool {
	r := unfinished(f)
	return r != nil && r.Release != nil && (!f.Owner.Complete() || rendering.Equal(f.Owner.Values(), r.Release.Config))
}

// unsynced lists the values that the object asks for and the release has not, and those that it only has still.
func unsynced(f *analysis.Facts) (facts []finding.Fact, paths []string) {
	asks := f.Owner.Values()
	tell := func(p values.Path, text string) {
		paths = append(paths, p.String())
		if len(paths) <= 10 {
			facts = append(facts, finding.Fact{Label: "asked", Text: text})
		}
	}
	for _, l := range values.Leaves(asks) {
		has, found := values.Get(f.Supplied, l.Path)
		if found && rendering.Equal(has, l.Value) {
			continue
		}
		text := fmt.Sprintf("%s=%s", l.Path, hidden(pathKeys(l.Path), l.Value))
		if found {
			text += "; the release has " + hidden(pathKeys(l.Path), has)
		}
		tell(l.Path, text)
	}
	for _, l := range values.Leaves(f.Supplied) {
		if _, has := values.Get(asks, l.Path); !has {
			tell(l.Path, fmt.Sprintf("%s taken out; the release has %s", l.Path, hidden(pathKeys(l.Path), l.Value)))
		}
	}
	if n := len(paths) - 10; n > 0 {
		facts = append(facts, finding.Fact{Label: "asked", Text: fmt.Sprintf("and %d more", n)})
	}
	return facts, paths
}

func notSynced(f *analysis.Facts, state gitops.State, asked []finding.Fact, paths []string) finding.Finding {
	o := f.Owner
	x := finding.Finding{Severity: finding.Error, Object: &o.Object, Since: state.Since}
	x.Message = fmt.Sprintf("%s asks for %s that the release does not have", kept(o), plural(len(paths), "value", "values"))
	switch {
	case len(asked) == 0:
		x.Severity = finding.Warning
		x.Message = fmt.Sprintf("%s fails: the release has its values, and a change of them will not come through", kept(o))
	case atWork(f, state):
		x.Severity = finding.Warning
	}
	if len(paths) == 1 {
		x.ValuePath = paths[0]
	}
	x.Facts = append(x.Facts, asked...)
	x.Facts = append(x.Facts, finding.Fact{Label: "because", Text: reason(o, state)})
	if state.Since != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "since", Text: state.Since})
	}
	if atWork(f, state) && x.Severity == finding.Warning {
		x.Facts = append(x.Facts, finding.Fact{Label: "perhaps", Text: string(o.Tool) + " is still at work: look again in some minutes"})
	}
	x.Steps = putBack(f)
	if state.Ready == "False" && !o.Suspended() {
		x.Steps = append([]string{kubectl("describe", o.Object)}, x.Steps...)
	}
	return x
}

// reason says why the object is not in the release.
func reason(o *gitops.Owner, s gitops.State) string {
	switch {
	case o.Suspended():
		return "it is suspended (spec.suspend): Flux does not look at it"
	case s.Ready == "False":
		return strings.TrimSuffix(shorten(s.Reason+": "+s.Message), ": ")
	case o.Tool == gitops.ArgoCD && !o.Automated():
		return "it is not synced by itself (spec.syncPolicy has no automated)"
	case s.Behind:
		return "Flux has not looked at its newest generation yet"
	case s.Ready == "Unknown":
		return strings.TrimSuffix(shorten(s.Reason+": "+s.Message), ": ")
	}
	return fmt.Sprintf("not known: %s says that all is well", o.Tool)
}

// atWork says whether the tool may be busy with the object right now.
func atWork(f *analysis.Facts, s gitops.State) bool {
	if f.Owner.Suspended() || f.Now.IsZero() || s.Ready != "Unknown" && !s.Behind {
		return false
	}
	since, err := time.Parse(time.RFC3339, s.Since)
	return err == nil && f.Now.Sub(since) < patience
}
