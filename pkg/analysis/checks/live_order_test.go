package checks

import (
	"testing"
	"time"

	helmtime "helm.sh/helm/v3/pkg/time"

	"helm.sh/helm/v3/pkg/release"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
)

func TestOrderOfWhatHappened(t *testing.T) {
	t.Parallel()
	s := scene{replace: append(owned("Update", "kubectl-edit", "Update"), "metadata: {name: x-1, namespace: ns, uid: r,", `metadata: {name: x-1, namespace: ns, uid: r, creationTimestamp: "2026-01-02T11:30:01Z",`,
		`{"f:spec": {"f:replicas": {}}}`, `{"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"a"}': {"f:image": {}}}}}}}`, `image: "x:1"`, `image: "x:2"`),
		change: func(t *testing.T, in *analysis.Input) {
			in.Newest = record(t, 2, "failed", map[string]any{"policy": "Always"})
			in.Newest.Release.Info.LastDeployed = helmtime.Time{Time: noon.Add(-time.Minute)}
		}}
	got, _ := analysis.Run(s.facts(t), liveChecks())
	want := map[string]string{
		"spec.replicas": "2026-01-02T11:00:00Z revision 1 deployed; 2026-01-02T11:30:00Z written by kubectl edit; 2026-01-02T11:59:00Z revision 2 failed",
		"spec.template.spec.containers[a].image": "2026-01-02T11:00:00Z revision 1 deployed; 2026-01-02T11:30:00Z written by kubectl edit; " +
			"2026-01-02T11:30:01Z rolled out, ReplicaSet/x-1; 2026-01-02T11:59:00Z revision 2 failed",
	}
	for _, x := range got.Findings {
		if order, found := want[x.Field]; found && textOf(x, "order") == order {
			delete(want, x.Field)
		} else if found {
			t.Errorf("%s: %s", x.Field, textOf(x, "order"))
		}
	}
	if len(want) > 0 {
		t.Errorf("not told: %v", want)
	}
}

// A fresh failure names the hook that did not end well, and no other.
func TestHookThatFailed(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) helmtime.Time { return helmtime.Time{Time: noon.Add(d)} }
	s := scene{change: func(t *testing.T, in *analysis.Input) {
		in.Newest = record(t, 2, "failed", map[string]any{"policy": "Always"})
		in.Newest.Release.Hooks = []*release.Hook{
			{Name: "done", Kind: "Job", Events: []release.HookEvent{"pre-upgrade"}, LastRun: release.HookExecution{StartedAt: at(-2 * time.Minute), Phase: "Succeeded"}},
			{Name: "migrate", Kind: "Job", Events: []release.HookEvent{"pre-upgrade"}, LastRun: release.HookExecution{StartedAt: at(-time.Minute), CompletedAt: at(0), Phase: "Failed"}},
			{Name: "later", Kind: "Job", Events: []release.HookEvent{"post-upgrade"}},
		}
	}}
	got, _ := analysis.Run(s.facts(t), liveChecks())
	if len(got.Findings) != 1 {
		t.Fatalf("got %q", tells(got.Findings))
	}
	if want := "Job/migrate (pre-upgrade): Failed, begun 2026-01-02T11:59:00Z, ended 2026-01-02T12:00:00Z"; textOf(got.Findings[0], "hook") != want {
		t.Errorf("got %s", textOf(got.Findings[0], "hook"))
	}
}
