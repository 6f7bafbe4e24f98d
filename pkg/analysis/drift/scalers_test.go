package drift_test

import (
	"fmt"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
)

const taken = `apiVersion: kgw-doctor/v1
kind: Snapshot
takenAt: "2026-01-02T00:00:00Z"
---
`

// Who decides the replicas: whoever wrote them, unless an autoscaler that is at work will write them again.
func TestWhoScales(t *testing.T) {
	t.Parallel()
	const when = `time: "2026-01-02T00:00:00Z"`
	hpa := func(more string) string {
		return "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: ns" + more + "\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: x}}\n---\n"
	}
	active := "}\nstatus: {conditions: [{type: AbleToScale, status: 'True'}, {type: ScalingActive, status: 'True'}, {type: ScalingLimited, status: 'False'}]}"
	blind := "}\nstatus: {conditions: [{type: AbleToScale, status: 'True'}, {type: ScalingActive, status: 'False', reason: FailedGetResourceMetric, message: no metrics}]}"
	keda := func(annotations string) string {
		return "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: k, namespace: ns, annotations: {" + annotations + "}}\nspec: {scaleTargetRef: {name: x}}\n---\n"
	}
	byHand, byController := fmt.Sprintf(scaled, "kubectl", "scale", ""), fmt.Sprintf(scaled, "kube-controller-manager", "scale", when)
	want := `{apiVersion: apps/v1, kind: Deployment, metadata: {name: x, namespace: ns}, spec: {replicas: 1}}`
	for name, c := range map[string]struct {
		live       string
		by, scaler string
		idle       string
		autoscaled bool
		returns    bool
	}{
		"by hand":                      {live: byHand, by: "kubectl scale"},
		"by hand, and the scaler acts": {live: byHand + hpa(active), by: "kubectl scale", scaler: "HorizontalPodAutoscaler/h", autoscaled: true},
		"by hand, and the scaler is blind": {live: byHand + hpa(blind), by: "kubectl scale", scaler: "HorizontalPodAutoscaler/h",
			idle: "FailedGetResourceMetric: no metrics"},
		"by a scaler that is blind by now": {live: byController + hpa(blind), by: "HorizontalPodAutoscaler/h", scaler: "HorizontalPodAutoscaler/h",
			idle: "FailedGetResourceMetric: no metrics", autoscaled: true, returns: true},
		"by a scaler that is gone":        {live: taken + byController, by: "a HorizontalPodAutoscaler that is not there any more"},
		"by a scaler that was not read":   {live: byController, by: "a HorizontalPodAutoscaler", returns: true},
		"KEDA owns the other":             {live: byController + hpa(", ownerReferences: [{kind: ScaledObject, name: k}]"+active) + keda(""), by: "ScaledObject/k (KEDA)", scaler: "ScaledObject/k (KEDA)", autoscaled: true, returns: true},
		"KEDA, and the other is not hers": {live: byController + keda("") + hpa(active), by: "ScaledObject/k (KEDA)", scaler: "ScaledObject/k (KEDA)", autoscaled: true, returns: true},
		"KEDA is paused": {live: byHand + keda(`autoscaling.keda.sh/paused: "true"`), by: "kubectl scale", scaler: "ScaledObject/k (KEDA)",
			idle: "it is paused: annotation autoscaling.keda.sh/paused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := drift.Compare(rendered(t, want), read(t, c.live), "ns")
			if len(all) != 1 {
				t.Fatalf("got %+v", all)
			}
			scaler, idle := "", ""
			if all[0].Scaler != nil {
				scaler, idle = all[0].Scaler.String(), all[0].Scaler.Idle
			}
			if all[0].By != c.by || scaler != c.scaler || idle != c.idle || all[0].Autoscaled() != c.autoscaled || all[0].Returns != c.returns {
				t.Errorf("by %q, scaler %q, idle %q, autoscaled %v, returns %v", all[0].By, scaler, idle, all[0].Autoscaled(), all[0].Returns)
			}
		})
	}
}

func TestZeroSwitchesAnAutoscalerOff(t *testing.T) {
	t.Parallel()
	s := read(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, namespace: ns}\nspec: {replicas: 0}\n---\n"+
		"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: ns}\nspec: {scaleTargetRef: {kind: Deployment, name: x}}\n")
	if a := drift.Scaler(s.Objects[0], s); a == nil || a.Idle != "0 replicas switch it off" {
		t.Errorf("got %+v", a)
	}
}

func TestResizer(t *testing.T) {
	t.Parallel()
	const vpa = "apiVersion: autoscaling.k8s.io/v1\nkind: VerticalPodAutoscaler\nmetadata: {name: v, namespace: ns}\nspec: {targetRef: {kind: Deployment, name: %s}, updatePolicy: {updateMode: %s}}\n---\n"
	for _, c := range []struct{ target, mode, want string }{
		{"x", "Auto", "VerticalPodAutoscaler/v"}, {"x", "InPlaceOrRecreate", "VerticalPodAutoscaler/v"}, {"x", `"Off"`, ""}, {"y", "Auto", ""},
	} {
		s := read(t, object("apps/v1", "Deployment", "")+"---\n"+fmt.Sprintf(vpa, c.target, c.mode))
		if got := drift.Resizer(s.Objects[0], s); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.target, c.mode, got, c.want)
		}
	}
}
