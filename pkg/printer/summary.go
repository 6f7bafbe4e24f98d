package printer

import (
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

	redundant, partial, lost, unknown int
}

// Summarize counts the findings by severity and the supplied values by verdict.
func Summarize(r fix.Report) Summary {
	var s Summary
	for _, release := range r.Releases {
		for _, f := range release.Findings {
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
			switch {
			case v.Verdict == finding.Effective:
				s.Effective++
			case v.Verdict == finding.Redundant:
				s.redundant++
			case v.Verdict == finding.Partial:
				s.partial++
			case v.Verdict.Ineffective():
				s.lost++
			default:
				s.unknown++
			}
		}
	}
	return s
}
