package analysis

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// head is the release without findings.
func (f *Facts) head() finding.Release {
	out := finding.Release{
		Name: f.Release.Name, Namespace: f.Release.Namespace, Revision: f.Release.Revision,
		Chart:        finding.ChartRef{Name: f.Chart.Name(), Version: f.Chart.Metadata.Version, AppVersion: f.Chart.Metadata.AppVersion},
		Reproduction: string(f.Reproduction), ReproductionReason: f.ReproductionReason,
	}
	switch {
	case f.Mode == Preflight:
		out.Status = "preflight"
	case f.Mode == Audit:
		out.Status, out.Name, out.Namespace, out.Revision = "audit", "", "", 0
	case f.Record == nil && f.Owner.Read():
		state := f.Owner.State()
		out.Revision, out.Updated, out.Status = 0, state.Since, "not synced"
		if state.Synced {
			out.Status = "synced"
		}
	case f.Record != nil:
		out.Status, out.Revision = f.Record.Status, f.Record.Revision
		if r := f.Record.Release; r != nil && r.Info != nil && !r.Info.LastDeployed.IsZero() {
			out.Updated = r.Info.LastDeployed.UTC().Format(time.RFC3339)
		}
	}
	for _, e := range f.Effects {
		out.Values = append(out.Values, valueOf(e))
	}
	return out
}

func valueOf(e causality.Effect) finding.Value {
	v := finding.Value{
		Path: e.Path.String(), Value: e.Value, Verdict: e.Verdict, Reason: e.Reason, Template: e.Site.String(),
		Winners: paths(e.Winners), Gates: paths(e.Gates),
	}
	for _, c := range e.Reaches {
		v.Reaches = append(v.Reaches, c.Field)
	}
	for _, m := range e.Misses {
		x := finding.Miss{Field: m.Field, Template: m.Site.String()}
		if len(m.Winners) > 0 {
			x.Winner = m.Winners[0].Path.String()
		}
		if len(m.Gates) > 0 {
			x.Gate = m.Gates[0].Path.String()
		}
		v.Misses = append(v.Misses, x)
	}
	return v
}

func paths(causes []causality.Cause) []string {
	out := []string{}
	for _, c := range causes {
		out = append(out, c.Path.String())
	}
	return out
}

// fingerprint names a finding across runs: what it is about, not what the values are just now.
func fingerprint(r finding.Release, x finding.Finding) string {
	parts := []string{r.Namespace, r.Name, x.Code, x.ValuePath, x.Field}
	if x.Object != nil {
		parts = append(parts, x.Object.Kind, x.Object.Namespace, x.Object.Name)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
