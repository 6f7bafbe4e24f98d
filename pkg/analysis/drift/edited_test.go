package drift_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
)

// managed are the managed fields of a Pod whose image %s and whose labels kubectl wrote after the ReplicaSet
// controller had made it.
const managed = `  managedFields:
  - {manager: kube-controller-manager, operation: Update, time: "2026-01-02T11:00:00Z", fieldsV1: {"f:metadata": {"f:ownerReferences": {}}, "f:spec": {"f:containers": {'k:{"name":"a"}': {"f:imagePullPolicy": {}%s}}}}}
  - {manager: kubectl-set, operation: Update, time: "2026-01-02T11:30:00Z", fieldsV1: {"f:spec": {"f:containers": {'k:{"name":"a"}': {"f:image": {}}}}}}
  - {manager: kubectl, operation: Update, subresource: ephemeralcontainers, time: "2026-01-02T11:40:00Z", fieldsV1: {"f:spec": {"f:ephemeralContainers": {'k:{"name":"d"}': {}}}}}
`

func TestEdited(t *testing.T) {
	t.Parallel()
	edited := strings.ReplaceAll(asTemplate, "x:2", "x:test")
	for name, c := range map[string]struct {
		metadata, spec string
		edits          []string // who, what, when
		admission      int      // differences that are admission's
	}{
		"as made":                {fmt.Sprintf(managed, ""), asTemplate, nil, 0},
		"kubectl set image":      {fmt.Sprintf(managed, ""), edited, []string{"kubectl set spec.template.spec.containers[a].image 2026-01-02T11:30:00Z"}, 0},
		"its maker had it too":   {fmt.Sprintf(managed, `, "f:image": {}`), edited, nil, 1},
		"nothing is known":       {"", edited, nil, 1},
		"kubectl debug":          {fmt.Sprintf(managed, ""), asTemplate[:len(asTemplate)-1] + ", ephemeralContainers: [{name: d, image: busybox}]}", []string{"kubectl debug spec.template.spec.ephemeralContainers[d] 2026-01-02T11:40:00Z"}, 0},
		"another is admission's": {fmt.Sprintf(managed, ""), strings.ReplaceAll(edited, "IfNotPresent", "Never"), []string{"kubectl set spec.template.spec.containers[a].image 2026-01-02T11:30:00Z"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := running(t, fmt.Sprintf(run, "", complete, template2, made(c.metadata, c.spec)))
			var got []string
			for _, e := range drift.Edited(w) {
				got = append(got, e.By+" "+e.Field+" "+e.Time)
			}
			if strings.Join(got, "\n") != strings.Join(c.edits, "\n") {
				t.Errorf("got  %q\nwant %q", got, c.edits)
			}
			if n := len(drift.Admission(w)); n != c.admission {
				t.Errorf("%d differences are admission's, want %d", n, c.admission)
			}
		})
	}
}
