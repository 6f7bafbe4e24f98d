package printer

import (
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

func kgateway() finding.Release {
	return finding.Release{
		Name: "kgateway", Namespace: "kgateway-system", Revision: 3, Status: "deployed", Updated: "2026-02-24T10:00:00Z",
		Chart:        finding.ChartRef{Name: "kgateway", Version: "v2.0.0-rc.1"},
		Reproduction: "exact",
	}
}

func lostReport() fix.Report {
	deployment := finding.Object{Kind: "Deployment", Name: "kgateway", Namespace: "kgateway-system"}
	pullPolicy := finding.Field{Object: deployment, Field: "spec.template.spec.containers[kgateway].imagePullPolicy"}
	r := kgateway()
	r.Values = []finding.Value{
		{Path: "controller.logLevel", Value: "debug", Verdict: finding.Effective, Reaches: []finding.Field{{Object: deployment, Field: "spec.template.spec.containers[kgateway].env[KGW_LOG_LEVEL].value"}}},
		{Path: "image.pullPolicy", Value: "Always", Verdict: finding.Shadowed, Winners: []string{"controller.image.pullPolicy"},
			Misses: []finding.Miss{{Field: pullPolicy, Winner: "controller.image.pullPolicy", Template: "kgateway/templates/deployment.yaml:34"}}},
		{Path: "image.tag", Value: "2", Verdict: finding.Redundant},
		{Path: "serviceAccount.annotations.note", Value: nil, Verdict: finding.Unknown, Reason: "the release record holds no subcharts"},
	}
	return fix.Report{Releases: []fix.Release{{Release: r, Findings: []fix.Finding{
		{
			Finding: finding.Finding{
				Code: "KGW1001", Severity: finding.Error, Title: "value has no effect: shadowed",
				Message:   "image.pullPolicy=Always does not reach Deployment/kgateway",
				ValuePath: "image.pullPolicy", Object: &deployment, Field: pullPolicy.Field, Expected: "Always", Actual: "IfNotPresent",
				Pods: &finding.Pods{Total: 2},
				Facts: []finding.Fact{
					{Label: "field", Text: "spec.template.spec.containers[kgateway].imagePullPolicy"},
					{Label: "asked", Text: "Always           given in revision 3"},
					{Label: "running", Text: "IfNotPresent     in the Deployment, its ReplicaSet, 2 of 2 pods"},
					{Label: "winner", Text: "controller.image.pullPolicy=IfNotPresent, preset by the chart (values.yaml:59); templates/deployment.yaml:34 asks it first, image.pullPolicy only if it is empty"},
					{Label: "proof", Text: "with controller.image.pullPolicy emptied the field becomes Always; with it in place no value of image.pullPolicy reaches it"},
				},
				Fingerprint: "0123",
			},
			Refused: []fix.Refused{{Summary: "set it twice", Set: []string{"a=b"}, Reason: "the chart does not render"}},
		},
		{Finding: finding.Finding{
			Code: "KGW3001", Severity: finding.Warning, Message: "2 of 2 pods were started before the last change",
			Facts: []finding.Fact{{Label: "object", Text: "Deployment/kgateway"}, {Label: "object", Text: "Deployment/gw"}, {Label: "longest label", Text: "x"}},
			Steps: []string{"kubectl --context kind-kind rollout restart deployment/kgateway --namespace kgateway-system", "kubectl rollout status deployment/kgateway -n kgateway-system"},
		}},
		{Finding: finding.Finding{Code: "KGW1009", Severity: finding.Info, Title: "only a title"}},
	}}}}
}

func cleanReport() fix.Report {
	r := kgateway()
	r.Values = []finding.Value{{Path: "a", Value: 1, Verdict: finding.Effective}, {Path: "b", Value: 2, Verdict: finding.Redundant}}
	return fix.Report{
		Releases: []fix.Release{{Release: r}},
		Checked:  []string{"2 values against 14 objects", "14 objects against the live ones", "1 Deployment, its ReplicaSet and 2 Pods"},
	}
}

// hostileReport has in every place what a stranger could write into a release record.
func hostileReport() fix.Report {
	const bad = "x\x1b[2J\u202e\u200b\r\n\x07"
	o := finding.Object{Kind: bad, Name: bad, Namespace: bad}
	return fix.Report{
		Releases: []fix.Release{{
			Release: finding.Release{
				Name: bad, Namespace: bad, Revision: 1, Status: bad, Chart: finding.ChartRef{Name: bad, Version: bad},
				Reproduction: "mismatch", ReproductionReason: bad,
				Values: []finding.Value{{Path: bad, Value: bad, Verdict: finding.Shadowed, Winners: []string{bad}, Gates: []string{bad}, Reason: bad}},
			},
			Findings: []fix.Finding{{Finding: finding.Finding{
				Code: bad, Message: bad, Object: &o, Facts: []finding.Fact{{Label: bad, Text: bad}}, Steps: []string{bad},
			}, Refused: []fix.Refused{{Set: []string{bad}, Reason: bad}}}},
		}},
		Incomplete: []finding.Incomplete{{What: bad, Why: bad, Remedy: bad, Release: bad}},
		Checked:    []string{bad},
	}
}
