package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/release"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// NotApplied tells of a revision that failed, or never ended.
var NotApplied = &analysis.Check{
	Code: "KGW2001",
	Name: "not applied",
	Doc: analysis.Doc{
		Title: "the newest revision was not applied",
		Text: `An install, upgrade or rollback failed, or never ended. "helm get values" shows the values of that revision all
the same, as if they were in force; what is deployed is an older revision, or nothing.

A failed upgrade may have changed some objects before it failed: Helm does not take that back unless it is told to
(--atomic). The finding says how many of the fields that the revision changes are live already.

A pending revision that is older than ten minutes is one whose helm process is gone: Helm refuses further upgrades
("another operation is in progress") until a rollback. A younger one may still be at work, and is a warning.`,
		Before: "helm upgrade kgateway … --set image.tag=no-such-tag --wait   # fails",
		After:  "helm rollback kgateway 1   # or an upgrade with values that work",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		r := unfinished(f)
		if r == nil {
			return nil, nil
		}
		return []finding.Finding{notApplied(f, r)}, nil
	},
}

// unfinished is the revision that failed or is pending; nil if the newest one is deployed.
func unfinished(f *analysis.Facts) *snapshot.Record {
	if f.Mode != analysis.Installed {
		return nil
	}
	for _, r := range []*snapshot.Record{f.Newest, f.Record} {
		if r != nil && (r.Status == "failed" || r.Status == "uninstalling" || strings.HasPrefix(r.Status, "pending")) && (r == f.Record || r.Revision > recordRevision(f)) {
			return r
		}
	}
	return nil
}

// updated is when a revision was deployed, or tried; "" where the record does not say.
func updated(r *snapshot.Record) string {
	if r == nil || r.Release == nil || r.Release.Info == nil || r.Release.Info.LastDeployed.IsZero() {
		return ""
	}
	return r.Release.Info.LastDeployed.UTC().Format(time.RFC3339)
}

func recordRevision(f *analysis.Facts) int {
	if f.Record == nil {
		return 0
	}
	return f.Record.Revision
}

// patience is how long a pending revision may still be at work: twice Helm's own time-out.
const patience = 10 * time.Minute

func notApplied(f *analysis.Facts, r *snapshot.Record) finding.Finding {
	x := finding.Finding{Severity: finding.Error}
	x.Message = fmt.Sprintf("revision %d of release %s %s", r.Revision, f.Release.Name, state(r.Status))
	deployed := r != f.Record
	if deployed {
		x.Message += fmt.Sprintf(": what is deployed is revision %d", f.Record.Revision)
		if at := updated(f.Record); at != "" {
			x.Facts = append(x.Facts, finding.Fact{Label: "deployed", Text: fmt.Sprintf("revision %d, since %s", f.Record.Revision, at)})
		}
	}
	pending := r.Status != "failed"
	if r.Release != nil && r.Release.Info != nil {
		info := r.Release.Info
		if info.Description != "" {
			x.Facts = append(x.Facts, said(info.Description)...)
		}
		if !info.LastDeployed.IsZero() {
			x.Since = info.LastDeployed.UTC().Format(time.RFC3339)
			x.Facts = append(x.Facts, finding.Fact{Label: "since", Text: x.Since})
			if pending && !f.Now.IsZero() && f.Now.Sub(info.LastDeployed.Time) < patience {
				x.Severity = finding.Warning
				x.Facts = append(x.Facts, finding.Fact{Label: "perhaps", Text: "helm is still at work: look again in some minutes"})
			}
		}
	}
	x.Facts = append(x.Facts, hooks(r)...)
	notInForce(f, r, &x)
	made(f, r, &x)
	afterFailure(f, r, deployed, &x)
	return x
}

// state makes a verb of Helm's word.
func state(status string) string {
	if status == "failed" {
		return status
	}
	return "is " + status
}

// said is what Helm recorded, an error to a line. The API server can have a lot to say about one object.
func said(description string) []finding.Fact {
	var out []finding.Fact
	for i, line := range strings.FieldsFunc(description, func(r rune) bool { return r == '\n' }) {
		line = strings.TrimLeft(line, "\t *")
		if line == "" {
			continue
		}
		if i == 6 {
			out = append(out, finding.Fact{Label: "helm said", Text: "and more: helm status"})
			break
		}
		if len(line) > 500 {
			line = strings.ToValidUTF8(line[:497], "") + "…"
		}
		out = append(out, finding.Fact{Label: "helm said", Text: line})
	}
	return out
}

// hooks says which hooks ran and did not end well: a release fails with the first of them.
func hooks(r *snapshot.Record) []finding.Fact {
	if r.Release == nil {
		return nil
	}
	var out []finding.Fact
	for _, h := range r.Release.Hooks {
		run := h.LastRun
		if run.StartedAt.IsZero() || run.Phase == "Succeeded" {
			continue
		}
		text := fmt.Sprintf("%s/%s (%s): %s, begun %s", h.Kind, h.Name, events(h), run.Phase, run.StartedAt.UTC().Format(time.RFC3339))
		if !run.CompletedAt.IsZero() {
			text += ", ended " + run.CompletedAt.UTC().Format(time.RFC3339)
		}
		out = append(out, finding.Fact{Label: "hook", Text: text})
	}
	return out
}

func events(h *release.Hook) string {
	var out []string
	for _, e := range h.Events {
		out = append(out, e.String())
	}
	return strings.Join(out, ", ")
}

// notInForce adds the values that were given in the revision and were other ones, or none, in the deployed one.
func notInForce(f *analysis.Facts, r *snapshot.Record, x *finding.Finding) {
	if r.Release == nil {
		return
	}
	before := map[string]any{}
	if r != f.Record && f.Record != nil && f.Record.Release != nil {
		before = f.Record.Release.Config
	}
	var paths []string
	tell := func(p values.Path, text string) {
		paths = append(paths, p.String())
		if len(paths) <= 10 {
			x.Facts = append(x.Facts, finding.Fact{Label: "asked", Text: text})
		}
	}
	for _, l := range values.Leaves(r.Release.Config) {
		was, had := values.Get(before, l.Path)
		if had && rendering.Equal(was, l.Value) {
			continue
		}
		keys := strings.Split(l.Path.String(), ".")
		text := fmt.Sprintf("%s=%s in revision %d", l.Path, hidden(keys, l.Value), r.Revision)
		if had {
			text += fmt.Sprintf("; %s in revision %d", hidden(keys, was), f.Record.Revision)
		}
		tell(l.Path, text)
	}
	for _, l := range values.Leaves(before) {
		if _, has := values.Get(r.Release.Config, l.Path); !has {
			tell(l.Path, fmt.Sprintf("%s taken out in revision %d; %s in revision %d", l.Path, r.Revision, hidden(strings.Split(l.Path.String(), "."), l.Value), f.Record.Revision))
		}
	}
	if len(paths) == 1 {
		x.ValuePath = paths[0]
	}
	if n := len(paths) - 10; n > 0 {
		x.Facts = append(x.Facts, finding.Fact{Label: "asked", Text: fmt.Sprintf("and %d more", n)})
	}
}

// made says what of the revision is in the cluster all the same.
func made(f *analysis.Facts, r *snapshot.Record, x *finding.Finding) {
	if f.Live == nil || r.Release == nil {
		return
	}
	objects, _ := rendering.ParseManifest("", r.Release.Manifest)
	objects = slices.DeleteFunc(objects, func(o rendering.Object) bool { return o.Hook })
	differ := drift.Compare(objects, f.Live, f.Release.Namespace)
	var missing []string
	for _, d := range differ {
		if d.Kind == drift.Missing {
			missing = append(missing, d.Object.String())
		}
	}
	if len(missing) > 0 {
		x.Facts = append(x.Facts, finding.Fact{Label: "missing", Text: few(missing)})
	}
	if r == f.Record || f.Record == nil || f.Record.Release == nil {
		return
	}
	total, live := 0, 0
	for _, c := range rendering.DiffObjects(stored(f), objects) {
		if _, gone := c.To.(rendering.Absent); gone || c.Field.Field == "" {
			continue
		}
		total++
		if seen(f, objects, c.Object) && !slices.ContainsFunc(differ, func(d drift.Difference) bool { return d.Rendered == c.Object && overlap(whole(d), c.Field.Field) }) {
			live++
		}
	}
	if live > 0 {
		x.Facts = append(x.Facts, finding.Fact{Label: "live", Text: fmt.Sprintf("%d of %s that the revision changes: helm had applied that before it stopped", live, plural(total, "field", "fields"))})
	} else if total > 0 {
		x.Facts = append(x.Facts, finding.Fact{Label: "live", Text: fmt.Sprintf("none of %s that the revision changes", plural(total, "field", "fields"))})
	}
}

func seen(f *analysis.Facts, objects []rendering.Object, name finding.Object) bool {
	return slices.ContainsFunc(objects, func(o rendering.Object) bool {
		return o.Object == name && drift.Live(f.Live, o, f.Release.Namespace) != nil
	})
}

// few lists names on one line, five at most.
func few(names []string) string {
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + fmt.Sprintf(" and %d more", len(names)-5)
	}
	return strings.Join(names, ", ")
}

// afterFailure says what to do. A first revision has nothing to go back to.
func afterFailure(f *analysis.Facts, r *snapshot.Record, deployed bool, x *finding.Finding) {
	name, namespace := quote(f.Release.Name), quote(f.Release.Namespace)
	owners := conflicting(r)
	next := "put right what Helm said, then helm upgrade --install"
	step := fmt.Sprintf("helm status %s --namespace %s --revision %d", name, namespace, r.Revision)
	if f.Owner != nil {
		keptFailure(f, x)
		return
	}
	switch {
	case deployed && len(owners) > 0:
		x.Facts = append(x.Facts, finding.Fact{Label: "owner", Text: strings.Join(owners, ", ") + ": field manager of what the revision wanted to write; Helm applies server-side, and the API server refuses to take a field from its owner"})
		next = fmt.Sprintf("apply revision %d with --force-conflicts, or let %s give the fields up and upgrade again", r.Revision, strings.Join(owners, ", "))
		step = rollback(f, r.Revision) + " --force-conflicts"
	case deployed:
		next = fmt.Sprintf("go back to revision %d, then upgrade with values that work", f.Record.Revision)
		step = rollback(f, f.Record.Revision)
	case r.Status != "failed":
		next = "if no other helm is at work: uninstall, then install again"
		step = "helm uninstall " + name + " --namespace " + namespace
	}
	x.Facts = append(x.Facts, finding.Fact{Label: "next", Text: next})
	x.Steps = []string{step}
}
