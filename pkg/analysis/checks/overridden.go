package checks

import (
	"fmt"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Overridden tells of values that are lost before Helm sees them.
var Overridden = &analysis.Check{
	Code: "KGW1012",
	Name: "overridden",
	Doc: analysis.Doc{
		Title: "another place in the HelmRelease or Application gives the value",
		Text: `A HelmRelease of Flux and an Application of Argo CD take values from several places, and merge them before Helm sees
them. A value that stands in a weaker place does nothing. The release record holds only what came out.

Flux merges spec.valuesFrom in its order, then spec.values, and over both the entries with a targetPath. Argo CD merges the
valueFiles, then values or, in its place, valuesObject, then parameters. If there is a valuesObject, values is never read at
all.

An error if a whole text is never read; a warning where the weaker place is the object's own spec; information where a
ConfigMap or Secret is overruled, which may be what it is for.`,
		Before: "argocd app set kgateway -p image.tag=v1   # later somebody changes valuesObject to v2: v1 stays",
		After:  "argocd app unset kgateway -p image.tag",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if !f.Owner.Read() || f.Mode != analysis.Installed {
			return nil, nil
		}
		var out []finding.Finding
		all := f.Owner.Overridden()
		for len(all) > 0 {
			n := 1
			for n < len(all) && all[n].Layer.Place == all[0].Layer.Place && all[n].Winner.Place == all[0].Winner.Place {
				n++
			}
			out = append(out, lostTo(f, all[:n]))
			all = all[n:]
		}
		return out, nil
	},
}

// lostTo tells of the values that one place loses to another.
func lostTo(f *analysis.Facts, lost []gitops.Overridden) finding.Finding {
	o, first := f.Owner, lost[0]
	x := finding.Finding{Severity: finding.Info, Object: &o.Object, Field: first.Layer.Place}
	where := first.Layer.Place + " of " + kept(o)
	if first.Layer.Object != o.Object {
		where = first.Layer.Place + ", to which " + kept(o) + " refers,"
	}
	x.Message = fmt.Sprintf("%s in %s does nothing: %s wins", placed(first.Path, first.Value, first.Layer), where, first.Winner.Place)
	if len(lost) > 1 {
		x.Message = fmt.Sprintf("%d values in %s do nothing: %s wins", len(lost), where, first.Winner.Place)
	} else {
		x.ValuePath = first.Path.String()
	}
	for i, l := range lost {
		if i == 10 {
			x.Facts = append(x.Facts, finding.Fact{Label: "asked", Text: fmt.Sprintf("and %d more", len(lost)-i)})
			break
		}
		x.Facts = append(x.Facts, finding.Fact{Label: "asked", Text: placed(l.Path, l.Value, l.Layer) + "; " + wins(l)})
	}
	next := "take it out of one of the two places"
	switch {
	case first.Layer.Ignored:
		x.Severity = finding.Error
		x.Message = fmt.Sprintf("%s of %s is never read: there is a %s", first.Layer.Place, kept(o), first.Winner.Place)
		next = "put what is meant into valuesObject, and take values out"
	case first.Layer.Object == o.Object:
		x.Severity = finding.Warning
	}
	x.Facts = append(x.Facts, finding.Fact{Label: "next", Text: next})
	return x
}

func wins(l gitops.Overridden) string {
	if l.Wins == nil {
		return "taken away in " + l.Winner.Place
	}
	return placed(l.Path, l.Wins, l.Winner) + " in " + l.Winner.Place
}

// placed writes path=value; what comes from a Secret is hidden whatever its name is.
func placed(p values.Path, v any, from gitops.Layer) string {
	text, isText := v.(string)
	if from.Object.Kind == "Secret" && isText {
		return p.String() + "=" + snapshot.Mask(text)
	}
	return p.String() + "=" + hidden(pathKeys(p), v)
}

// pathKeys are the keys of a path, without list indexes.
func pathKeys(p values.Path) []string {
	var out []string
	for _, s := range p {
		if s.Index < 0 {
			out = append(out, s.Key)
		}
	}
	return out
}
