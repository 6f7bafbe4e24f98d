package checks

import (
	"slices"
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// owned gives the toy's Deployment the managers of its replicas.
func owned(operation, manager, how string) []string {
	return []string{"replicas: 1\n", "replicas: 4\n", "replicas: 1, updatedReplicas: 1, availableReplicas: 1", "replicas: 4, updatedReplicas: 4, availableReplicas: 4",
		"uid: d, generation: 2}", `uid: d, generation: 2, annotations: {meta.helm.sh/release-name: toy, meta.helm.sh/release-namespace: ns}, managedFields: [
  {manager: helm, operation: ` + operation + `, time: "2026-01-02T11:00:00Z", fieldsType: FieldsV1, fieldsV1: {"f:metadata": {"f:annotations": {"f:meta.helm.sh/release-name": {}}}}},
  {manager: ` + manager + `, operation: ` + how + `, time: "2026-01-02T11:30:00Z", fieldsType: FieldsV1, fieldsV1: {"f:spec": {"f:replicas": {}}}}]}`}
}

// What somebody else owns blocks the next upgrade where Helm applies server-side, and only there.
func TestOwnershipDecidesWhatComesNext(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		replace []string
		change  func(*testing.T, *analysis.Input)
		next    string
		step    string
	}{
		"Helm 3": {replace: owned("Update", "kubectl", "Apply"), next: "it stays until the next helm upgrade", step: "helm rollback toy 1 --namespace ns"},
		"Helm 4, by managed fields": {replace: owned("Apply", "kubectl-edit", "Update"), next: "the next helm upgrade fails on this field: kubectl-edit owns it",
			step: "helm rollback toy 1 --namespace ns --force-conflicts"},
		"Helm 4, by its record": {replace: owned("Update", "kubectl-edit", "Update"), change: func(_ *testing.T, in *analysis.Input) { in.Record.ServerSide = true },
			next: "Give --force-conflicts, or let kubectl-edit give the field up", step: "helm rollback toy 1 --namespace ns --force-conflicts"},
		"Helm 4 and a controller": {replace: owned("Apply", "my-operator", "Apply"), next: "takes a field that is forced back again",
			step: "helm rollback toy 1 --namespace ns --force-conflicts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := analysis.Run(scene{replace: c.replace, change: c.change}.facts(t), liveChecks())
			if len(got.Findings) != 1 || got.Findings[0].Code != "KGW2002" {
				t.Fatalf("got %q", tells(got.Findings))
			}
			x := got.Findings[0]
			if text := textOf(x, "next"); !strings.Contains(text, c.next) {
				t.Errorf("next: %s", text)
			}
			if !slices.Contains(x.Steps, c.step) {
				t.Errorf("steps: %q", x.Steps)
			}
		})
	}
}

// The words are those of the API server.
func TestConflictOfAFailedUpgrade(t *testing.T) {
	t.Parallel()
	s := scene{change: func(t *testing.T, in *analysis.Input) {
		in.Newest = record(t, 2, "failed", map[string]any{"replicas": 3})
		in.Newest.Release.Info.Description = `Upgrade "toy" failed: conflict occurred while applying object ns/x apps/v1, Kind=Deployment: ` +
			`Apply failed with 2 conflicts: conflicts with "kubectl-edit" using apps/v1:
- .spec.replicas
conflicts with "scaler" using apps/v1:
- .spec.paused`
	}}
	got, _ := analysis.Run(s.facts(t), liveChecks())
	if len(got.Findings) != 1 {
		t.Fatalf("got %q", tells(got.Findings))
	}
	x := got.Findings[0]
	if text := textOf(x, "owner"); !strings.HasPrefix(text, "kubectl-edit, scaler: ") {
		t.Errorf("owner: %s", text)
	}
	if want := "revision 1, since 2026-01-02T11:00:00Z"; textOf(x, "deployed") != want {
		t.Errorf("deployed: %s", textOf(x, "deployed"))
	}
	if !slices.Equal(x.Steps, []string{"helm rollback toy 2 --namespace ns --force-conflicts"}) {
		t.Errorf("steps: %q", x.Steps)
	}
}

func textOf(x finding.Finding, label string) string {
	for _, f := range x.Facts {
		if f.Label == label {
			return f.Text
		}
	}
	return ""
}
