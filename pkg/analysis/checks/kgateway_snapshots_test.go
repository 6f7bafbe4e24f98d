package checks

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// realSnapshot reads what a real controller of a version made; the test is skipped where that is not there.
func realSnapshot(t *testing.T, version string) *snapshot.Snapshot {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../../../shared/snapshots", "kgateway-"+version+".json.gz"))
	if err != nil {
		t.Skip("the snapshots are not here")
	}
	snap, err := snapshot.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// diagnose runs the checks on every release of a snapshot.
func diagnose(t *testing.T, snap *snapshot.Snapshot, checks []*analysis.Check) []string {
	t.Helper()
	var out []string
	for _, r := range snap.Records() {
		f, err := analysis.Gather(analysis.Input{
			Mode: analysis.Installed, Chart: r.Release.Chart, Supplied: r.Release.Config, Live: snap, Record: &r,
			Release: rendering.Release{Name: r.Name, Namespace: r.Namespace, Revision: 1}, Cluster: rendering.Cluster{KubeVersion: "v1.37.2"},
		})
		if err != nil {
			t.Fatal(err)
		}
		got, incomplete := analysis.Run(f, checks)
		for _, x := range incomplete {
			t.Errorf("incomplete: %+v", x)
		}
		out = append(out, tells(got.Findings)...)
	}
	return out
}

// What is true of them, by the one who made them: dangling has parameters that do not exist; image.pullPolicy is in
// force for plain, and gives way in tuned and both.
// The GatewayClass's parameters give way to the Gateway's own in both.
var realFindings = []string{
	"KGW4101 error Gateway/dangling spec.infrastructure.parametersRef",
	"KGW4104 info image.pullPolicy",
	"KGW4110 info GatewayParameters/class-wide",
}

func TestRealProxies(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v2.0.0", "v2.4.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			if got := diagnose(t, realSnapshot(t, version), kgatewayChecks()); !slices.Equal(got, realFindings) {
				t.Errorf("got %q", got)
			}
		})
	}
}
