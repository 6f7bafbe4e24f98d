package checks

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
var realFindings = []string{
	"KGW4101 error Gateway/dangling spec.infrastructure.parametersRef",
	"KGW4104 info image.pullPolicy",
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

// One field changed gives exactly one finding more, of all checks that look at live objects.
func TestRealProxiesChanged(t *testing.T) {
	t.Parallel()
	container := func(o map[string]any) map[string]any {
		list, _, _ := unstructured.NestedSlice(o, "spec", "template", "spec", "containers")
		m, _ := list[0].(map[string]any)
		return m
	}
	inContainer := func(key string, v any) func(map[string]any) {
		return func(o map[string]any) {
			c := container(o)
			c[key] = v
			_ = unstructured.SetNestedSlice(o, []any{c}, "spec", "template", "spec", "containers")
		}
	}
	at := func(v any, path ...string) func(map[string]any) {
		return func(o map[string]any) { _ = unstructured.SetNestedField(o, v, path...) }
	}
	for _, c := range []struct {
		kind, namespace, name string
		change                func(map[string]any)
		tells                 string
	}{
		{"Deployment", "shop", "plain", inContainer("imagePullPolicy", "Never"), "KGW4102 error Deployment/plain spec.template.spec.containers[kgateway-proxy].imagePullPolicy image.pullPolicy"},
		{"Deployment", "shop", "plain", inContainer("image", "cr.kgateway.dev/kgateway-dev/envoy-wrapper:v1.9.9"), "KGW4102 warning Deployment/plain spec.template.spec.containers[kgateway-proxy].image"},
		{"Deployment", "shop", "tuned", at(int64(5), "spec", "replicas"), "KGW4102 warning Deployment/tuned spec.replicas"},
		{"Deployment", "shop", "tuned", at("windows", "spec", "template", "spec", "nodeSelector", "kubernetes.io/os"), `KGW4102 warning Deployment/tuned spec.template.spec.nodeSelector["kubernetes.io/os"]`},
		{"Deployment", "shop", "both", inContainer("resources", map[string]any{"limits": map[string]any{"memory": "256Mi"}, "requests": map[string]any{"cpu": "200m", "memory": "128Mi"}}), "KGW4102 warning Deployment/both spec.template.spec.containers[kgateway-proxy].resources.requests.cpu"},
		{"Service", "shop", "plain", at("ClusterIP", "spec", "type"), "KGW4102 warning Service/plain spec.type"},
		{"Gateway", "shop", "tuned", at("nobody", "spec", "infrastructure", "parametersRef", "name"), "KGW4101 error Gateway/tuned spec.infrastructure.parametersRef"},
		{"Gateway", "shop", "tuned", at("ConfigMap", "spec", "infrastructure", "parametersRef", "kind"), "KGW4101 error Gateway/tuned spec.infrastructure.parametersRef"},
		{"GatewayClass", "", "classy", at("shop", "spec", "parametersRef", "namespace"), "KGW4101 error GatewayClass/classy spec.parametersRef"},
		{"GatewayParameters", "shop", "small", at(int64(4), "spec", "kube", "deployment", "replicas"), "KGW4102 warning Deployment/both spec.replicas"},
		{"GatewayParameters", "kgateway-system", "class-wide", at("NodePort", "spec", "kube", "service", "type"), "KGW4102 warning Service/both spec.type"},
		{"Deployment", "kgateway-system", "kgateway", func(o map[string]any) {
			c := container(o)
			env, _ := c["env"].([]any)
			for _, x := range env {
				if m, _ := x.(map[string]any); m["name"] == "KGW_DEFAULT_IMAGE_PULL_POLICY" {
					m["value"] = "Never"
				}
			}
			_ = unstructured.SetNestedSlice(o, []any{c}, "spec", "template", "spec", "containers")
		}, "KGW2002"},
		{"Deployment", "shop", "plain", func(o map[string]any) { o["kind"] = "Gone" }, "KGW4107 warning Gateway/plain"},
	} {
		for _, version := range []string{"v2.0.0", "v2.4.0"} {
			t.Run(version+" "+c.kind+" "+c.name+" "+c.tells, func(t *testing.T) {
				t.Parallel()
				snap := realSnapshot(t, version)
				was := diagnose(t, snap, append(liveChecks(), kgatewayChecks()...))
				c.change(snap.Get(c.kind, c.namespace, c.name).Object)
				got := diagnose(t, snap, append(liveChecks(), kgatewayChecks()...))
				more := slices.DeleteFunc(got, func(s string) bool { return slices.Contains(was, s) })
				if len(more) != 1 || !strings.HasPrefix(more[0], c.tells) {
					t.Errorf("got %q", more)
				}
			})
		}
	}
}
