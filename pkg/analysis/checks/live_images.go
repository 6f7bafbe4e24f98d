package checks

import (
	"fmt"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Digests tells of Pods that run another image than the one that was asked for, under the same name.
var Digests = &analysis.Check{
	Code: "KGW3005",
	Name: "image digests",
	Doc: analysis.Doc{
		Title: "Pods do not run the image that was asked for",
		Text: `The status of the Pods says by digest what they run. Pods of one template that ask for the same tag run different
digests: the tag was moved, and each node runs what it had under that name when it looked. Or the template asks for a
digest, and the Pods run another one of the same repository.

Only digests of one repository are compared. On nodes of different architectures, different digests of one tag are
as they should be; where the nodes could not be read the finding says so. A digest may also name a list of images, of
which a Pod runs one: if no Pod runs the digest that was asked for, that is information.`,
		Before: "--set image.tag=latest   # two nodes, two images",
		After:  "--set image.tag=v2.0.0, or a digest",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, w := range workloads(f) {
			for _, i := range drift.Images(w.Workload) {
				out = append(out, unlikeImages(f, w, i))
			}
		}
		return out, nil
	},
}

func unlikeImages(f *analysis.Facts, w runningWorkload, i drift.RunImage) finding.Finding {
	x := finding.Finding{
		Severity: finding.Warning, Object: &w.object, Field: i.Field, Expected: i.Asked, Since: i.Since,
		Message: fmt.Sprintf("the Pods of %s run %d different images of %s", w.object, len(i.Running), i.Asked),
		Steps:   []string{kubectl("rollout restart", w.object)},
	}
	total, matching := i.Count()
	x.Facts = digestFacts(i)
	switch {
	case i.Digest == "":
		x.Facts = append(x.Facts, finding.Fact{Label: "because", Text: tagMoved(i)})
	case matching == 0:
		x.Severity, x.Steps = finding.Info, nil
		x.Message = fmt.Sprintf("the Pods of %s run another digest of the image than the one that is asked for", w.object)
		x.Facts = append(x.Facts, finding.Fact{Label: "because", Text: "not known: the digest that is asked for may name a list of images for several architectures, of which the Pods run one"})
	default:
		x.Message = fmt.Sprintf("%d of %s of %s run another digest of the image than the one that is asked for", total-matching, plural(total, "Pod", "Pods"), w.object)
	}
	if i.Digest != "" {
		x.Pods = &finding.Pods{Total: total, Matching: matching}
	}
	askedFor(f, &x, finding.Field{Object: w.rendered, Field: i.Field})
	return x
}

// digestFacts says what was asked for, and which Pods run what.
func digestFacts(i drift.RunImage) []finding.Fact {
	out := []finding.Fact{{Label: "asked", Text: i.Asked + "     imagePullPolicy " + i.Policy}}
	for _, d := range i.Running {
		text := fmt.Sprintf("%s     in %s: %s", d.Digest, plural(len(d.Pods), "Pod", "Pods"), few(d.Pods))
		if d.Arch != "" {
			text += ", on " + d.Arch
		}
		out = append(out, finding.Fact{Label: "running", Text: text})
	}
	if i.Since != "" {
		out = append(out, finding.Fact{Label: "since", Text: i.Since})
	}
	return out
}

// tagMoved says why one tag may be several images, and what follows.
func tagMoved(i drift.RunImage) string {
	text := "the tag was moved in the registry: a Pod runs what the tag meant when its node pulled it"
	if !i.Sure {
		text += ", unless the nodes are of different architectures"
	}
	if i.Policy != "Always" {
		text += "; with imagePullPolicy " + i.Policy + " a node that has the tag does not ask again, so that a restart alone is not enough"
	}
	return text
}
