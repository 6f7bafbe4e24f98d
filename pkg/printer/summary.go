package printer

import (
	"reflect"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

// Summary counts what a report holds.
type Summary struct {
	Errors    int `json:"errors"`
	Warnings  int `json:"warnings"`
	Infos     int `json:"infos"`
	Values    int `json:"values"`
	Effective int `json:"effective"`

	inForce, unapplied, overruled, partial, lost, needless, unknown int
}

// applied says whether the values of a release reached the cluster, as far as Helm's status tells.
func applied(r fix.Release) bool {
	return r.Status != "failed" && !strings.HasPrefix(r.Status, "pending")
}

// Summarize counts the findings by severity and the supplied values by verdict.
func Summarize(r fix.Report) Summary {
	var s Summary
	for _, release := range r.Releases {
		told, overruled := map[string]bool{}, map[string]bool{}
		for _, f := range release.Findings {
			told[f.ValuePath] = true
			if release.Revision > 0 && f.Object != nil && f.Expected != nil && !reflect.DeepEqual(f.Expected, f.Actual) {
				overruled[f.ValuePath] = true
			}
			switch f.Severity {
			case finding.Error:
				s.Errors++
			case finding.Warning:
				s.Warnings++
			default:
				s.Infos++
			}
		}
		for _, v := range release.Values {
			s.Values++
			if v.Verdict == finding.Effective {
				s.Effective++
			}
			switch {
			case !applied(release) && !v.Verdict.Ineffective() && v.Verdict != finding.Unknown:
				s.unapplied++
			case (v.Verdict == finding.Effective || v.Verdict == finding.Redundant) && overruled[v.Path]:
				s.overruled++
			case v.Verdict == finding.Effective || v.Verdict == finding.Redundant:
				s.inForce++
			case v.Verdict == finding.Partial:
				s.partial++
			case v.Verdict.Ineffective() && release.Status != "audit" && !told[v.Path]:
				s.needless++ // nothing is lost: the winner says the same
			case v.Verdict.Ineffective():
				s.lost++
			default:
				s.unknown++
			}
		}
	}
	return s
}
