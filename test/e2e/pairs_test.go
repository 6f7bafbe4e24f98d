//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// defect is one thing that goes wrong with a release of the chart kgateway.
type defect struct {
	name  string
	set   string   // given at the installation
	do    []string // commands in a shell, in the release's namespace, in the order of the list
	wait  string   // condition, as a shell has it
	tells string
	hides string // the defect that is no more once this one is there
}

// The order is that in which they can happen without undoing each other: a failed upgrade makes missing objects again.
var defects = []defect{
	{name: "shadowed", set: "image.pullPolicy=Always",
		tells: "error KGW1001 Deployment/kgateway spec.template.spec.containers[kgateway].imagePullPolicy image.pullPolicy"},
	{name: "refused", do: []string{`! helm upgrade kgateway "$CHARTS/kgateway" -n "$NS" --reuse-values --set controller.service.ports.grpc=99999`},
		tells: "error KGW2001 controller.service.ports.grpc"},
	{name: "image", do: []string{`kubectl -n "$NS" set image deployment/kgateway kgateway=registry.example/kgateway:0.1.1`},
		tells: "warning KGW2002 Deployment/kgateway spec.template.spec.containers[kgateway].image"},
	{name: "environment", do: []string{`kubectl -n "$NS" set env deployment/kgateway KGW_LOG_LEVEL=warn`},
		tells: "error KGW2002 Deployment/kgateway spec.template.spec.containers[kgateway].env[KGW_LOG_LEVEL].value controller.logLevel"},
	{name: "scale", do: []string{`kubectl -n "$NS" scale deployment/kgateway --replicas=2`},
		tells: "error KGW2002 Deployment/kgateway spec.replicas replicaCount"},
	{name: "autoscaler", hides: "scale", do: []string{`kubectl -n "$NS" create -f - <<< '{"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", ` +
		`"metadata": {"name": "h"}, "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "kgateway"}, "minReplicas": 3, "maxReplicas": 5}}'`},
		wait:  `test "$(kubectl -n "$NS" get deployment kgateway -o jsonpath={.spec.replicas})" = 3`,
		tells: "info KGW2002 Deployment/kgateway spec.replicas replicaCount"},
	{name: "missing", do: []string{`kubectl -n "$NS" delete serviceaccount kgateway`},
		tells: "error KGW2003 ServiceAccount/kgateway"},
	{name: "service", do: []string{`kubectl -n "$NS" patch service kgateway -p '{"spec":{"ports":[{"port":9977,"targetPort":1}]}}'`},
		tells: "warning KGW2002 Service/kgateway spec.ports[grpc-xds].targetPort"},
}

// TestPairs makes every two defects in one release. The doctor finds both, and nothing else.
func TestPairs(t *testing.T) {
	t.Setenv("PATH", shared.path)
	t.Setenv("KUBECONFIG", filepath.Join(shared.dir, "kubeconfig"))
	t.Setenv("CHARTS", shared.charts)
	type pair struct {
		a, b defect
		got  []string
		err  error
	}
	var pairs []*pair
	for i, a := range defects {
		for _, b := range defects[i+1:] {
			pairs = append(pairs, &pair{a: a, b: b})
		}
	}
	// Most of the time is waiting, so that more of them are played than there are processors.
	slots, all := make(chan struct{}, 6), sync.WaitGroup{}
	for _, p := range pairs {
		all.Go(func() {
			slots <- struct{}{}
			p.got, p.err = played(p.a, p.b)
			<-slots
		})
	}
	all.Wait()
	for _, p := range pairs {
		t.Run(p.a.name+" and "+p.b.name, func(t *testing.T) {
			want := slices.Sorted(slices.Values([]string{p.a.tells, p.b.tells}))
			if p.b.hides == p.a.name {
				want = []string{p.b.tells}
			}
			if p.err != nil || !slices.Equal(p.got, want) {
				t.Errorf("%v\nfound\n  %s\nwant\n  %s", p.err, strings.Join(p.got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}

// played installs the release, makes the defects and asks the doctor.
func played(all ...defect) ([]string, error) {
	namespace, set := "pair", "replicaCount=1,controller.logLevel=debug"
	for _, d := range all {
		namespace += "-" + d.name
		if d.set != "" {
			set += "," + d.set
		}
	}
	script := []string{"set -e", `helm install kgateway "$CHARTS/kgateway" -n "$NS" --create-namespace --set ` + set}
	for _, d := range all {
		script = append(script, d.do...)
		if d.wait != "" {
			script = append(script, "for i in $(seq 120); do "+d.wait+" && break; sleep 0.5; done")
		}
	}
	script = append(script, `kubectl -n "$NS" rollout status deployment/kgateway --timeout=90s`)
	cmd := exec.Command("bash", "-c", strings.Join(script, "\n"))
	cmd.Env = append(os.Environ(), "NS="+namespace)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	out, err := exec.Command("kubectl", "kgw-doctor", "kgateway", "-n", namespace, "-o", "json").Output()
	if len(out) == 0 {
		return nil, fmt.Errorf("no report: %w", err)
	}
	return told(out)
}
