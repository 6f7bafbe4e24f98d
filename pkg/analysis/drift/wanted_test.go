package drift_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
)

// Only what is not as it should be has reasons to be read.
func TestWants(t *testing.T) {
	t.Parallel()
	deployment := `{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {template: {spec: {containers: [{name: a, image: "x:2"}]}}}}`
	stalled := strings.Replace(waiting, "conditions: [", `conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate}, `, 1)
	for name, c := range map[string]struct {
		rendered, text string
		want           string // namespaces of mutators, number of stuck workloads, nodes
	}{
		"all is well":     {deployment, fmt.Sprintf(run, "", complete, template2, made("", asTemplate)), "[] 0 []"},
		"admission":       {deployment, fmt.Sprintf(run, "", complete, template2, made("", never)), "[ns] 0 []"},
		"a stall":         {deployment, fmt.Sprintf(run, "", stalled, template2, made("", asTemplate)), "[] 1 []"},
		"another release": {strings.Replace(deployment, "name: x", "name: y", 1), fmt.Sprintf(run, "", stalled, template2, made("", never)), "[] 0 []"},
		"another group": {`{apiVersion: apps.kruise.io/v1beta1, kind: StatefulSet, metadata: {name: s}}`,
			"apiVersion: apps.kruise.io/v1beta1\nkind: StatefulSet\nmetadata: {name: s, namespace: ns}\n", "[] 0 []"},
		"two images": {deployment, fmt.Sprintf(run, "", complete, `{containers: [{name: a, image: "x:2"}]}`, plainPod) + imagePods("x:2", [2]string{"x@sha256:" + strings.Repeat("a", 64), "m"}, [2]string{"x@sha256:" + strings.Repeat("b", 64), "n"}),
			"[] 0 [node-m node-n]"},
		"changed when it was stored": {deployment, strings.Replace(fmt.Sprintf(run, "", complete, strings.Replace(template2, "x:2", "mirror/x:2", 1), strings.Replace(made("", asTemplate), "x:2", "mirror/x:2", 1)),
			"uid: d, generation: 2}", `uid: d, generation: 2, managedFields: [{manager: helm, operation: Update, time: "2026-01-02T10:00:00Z", fieldsV1: {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"a"}': {"f:image": {}}}}}}}}]}`, 1), "[ns] 0 []"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := drift.Wants(rendered(t, c.rendered), read(t, c.text), "ns")
			if got := fmt.Sprintf("%v %d %v", w.Namespaces, len(w.Stuck), w.Nodes); got != c.want || w.Mutators != (len(w.Namespaces) > 0) || !slices.IsSorted(w.Nodes) {
				t.Errorf("got %s, mutators %v, want %s", got, w.Mutators, c.want)
			}
		})
	}
}
