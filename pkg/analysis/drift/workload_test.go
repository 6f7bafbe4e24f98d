package drift_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// run is a Deployment of two revisions: %[1]s goes into its spec, %[2]s is its status, %[3]s the template in charge,
// %[4]s the Pod of it.
const run = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: x, namespace: ns, uid: d, generation: 2}
spec:
  replicas: 1
  %[1]s
  template:
    metadata: {labels: {app: x}}
    spec: %[3]s
status: %[2]s
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: x-new
  namespace: ns
  uid: n
  annotations: {deployment.kubernetes.io/revision: "10"}
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: x, uid: d, controller: true}]
spec:
  template:
    metadata: {labels: {app: x}}
    spec: %[3]s
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: x-old
  namespace: ns
  uid: o
  annotations: {deployment.kubernetes.io/revision: "9"}
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: x, uid: d, controller: true}]
spec: {template: {spec: {containers: [{name: a, image: "x:1"}]}}}
---
apiVersion: v1
kind: Pod
metadata:
  name: x-new-1
  namespace: ns
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: x-new, uid: n, controller: true}]
%[4]s
`

const (
	template2 = `{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent, resources: {}}]}`
	complete  = `{observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1}`
	waiting   = `{observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 1, conditions: [{type: Progressing, status: "True", reason: ReplicaSetUpdated}]}`
	plainPod  = `spec: {containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent}]}`
	oldPod    = `
---
apiVersion: v1
kind: Pod
metadata: {name: x-old-1, namespace: ns, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: x-old, uid: o, controller: true}]}
spec: {containers: [{name: a, image: "x:1", imagePullPolicy: IfNotPresent}]}
`
)

func running(t *testing.T, text string) *drift.Workload {
	t.Helper()
	w := drift.Running(read(t, text), finding.Object{Kind: "Deployment", Namespace: "ns", Name: "x"})
	if w == nil {
		t.Fatal("there is no such Deployment")
	}
	return w
}

func TestRollout(t *testing.T) {
	t.Parallel()
	pod := func(status string) string { return plainPod + "\nstatus: " + status }
	for name, c := range map[string]struct {
		text  string
		state drift.State
		says  string
	}{
		"complete":     {fmt.Sprintf(run, "", complete, template2, plainPod), drift.Complete, ""},
		"goes on":      {fmt.Sprintf(run, "", waiting, template2, plainPod+oldPod), drift.Progressing, "not ready"},
		"not observed": {fmt.Sprintf(run, "", strings.ReplaceAll(complete, "observedGeneration: 2", "observedGeneration: 1"), template2, plainPod), drift.Progressing, "has not seen"},
		"paused":       {fmt.Sprintf(run, "paused: true", waiting[:len(waiting)-1]+", updatedReplicas: 0}", template2, plainPod), drift.Paused, "DeploymentPaused"},
		"paused, but nothing is kept back": {
			fmt.Sprintf(run, "paused: true", complete, template2, plainPod), drift.Complete, ""},
		"image": {fmt.Sprintf(run, "", waiting, template2, pod(`{containerStatuses: [{name: a, state: {waiting: {reason: ImagePullBackOff, message: no such image}}}]}`)),
			drift.Stalled, "ImagePullBackOff container a: no such image"},
		"crash": {fmt.Sprintf(run, "", waiting, template2, pod(`{containerStatuses: [{name: a, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, reason: Error}}}]}`)),
			drift.Stalled, "exit code 1"},
		"being made": {fmt.Sprintf(run, "", waiting, template2, pod(`{containerStatuses: [{name: a, state: {waiting: {reason: ContainerCreating}}}]}`)),
			drift.Progressing, "not ready"},
		"unschedulable": {fmt.Sprintf(run, "", waiting, template2, pod(`{conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: no nodes}]}`)),
			drift.Stalled, "Unschedulable no nodes"},
		"quota": {fmt.Sprintf(run, "", strings.ReplaceAll(waiting, "conditions: [", `conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: exceeded quota}, `), template2, plainPod),
			drift.Stalled, "FailedCreate exceeded quota"},
		"probe": {fmt.Sprintf(run, "", strings.ReplaceAll(waiting, `status: "True", reason: ReplicaSetUpdated`, `status: "False", reason: ProgressDeadlineExceeded, message: too late`), template2,
			pod(`{conditions: [{type: Ready, status: "False"}]}`)) + `
---
apiVersion: v1
kind: Event
metadata: {name: e, namespace: ns}
type: Warning
reason: Unhealthy
message: probe failed
involvedObject: {kind: Pod, name: x-new-1, namespace: ns}
`, drift.Stalled, "probe failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := running(t, c.text).Rollout()
			if said := got.Reason + " " + got.Message; got.State != c.state || !strings.Contains(said, c.says) {
				t.Errorf("got %s, %q", got.State, said)
			}
		})
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	w := running(t, fmt.Sprintf(run, "", waiting, template2, plainPod+oldPod))
	const image = "spec.template.spec.containers[a].image"
	got := w.Value(image, "x:2")
	if got.Live != "x:2" || got.ReplicaSet != "x:2" || got.Pods == nil || *got.Pods != (finding.Pods{Total: 2, Matching: 1}) {
		t.Errorf("got %+v, pods %v", got, got.Pods)
	}
	if w.ReplicaSet.GetName() != "x-new" || len(w.Old) != 1 || w.Old[0].Revision != "9" {
		t.Errorf("revision 10 is not newer than 9: %s, %+v", w.ReplicaSet.GetName(), w.Old)
	}
	if got := w.Behind(); !slices.Equal(got, []string{image, "spec.template.metadata.labels.app"}) && !slices.Equal(got, []string{"spec.template.metadata.labels.app", image}) {
		t.Errorf("behind: %q", got)
	}
	if got := w.Value("spec.replicas", 1); got.Pods != nil || got.ReplicaSet != nil {
		t.Errorf("replicas are no field of the template: %+v", got)
	}
	if got := w.PodValues(image); len(got) != 2 || got[0].Pods != 1 {
		t.Errorf("got %+v", got)
	}
}

// Pods that could not be listed are not none.
func TestPodsNotRead(t *testing.T) {
	t.Parallel()
	const alone = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, namespace: ns}\nspec: {template: {spec: {containers: [{name: a}]}}}\nstatus: {replicas: 1, updatedReplicas: 1, availableReplicas: 1}\n"
	if got := running(t, alone).Value("spec.template.spec.containers[a].name", "a"); got.Pods != nil {
		t.Errorf("got %+v", got.Pods)
	}
}

// The Pods of a StatefulSet have volumes for its claims, and those of an older template are told by their label.
func TestStatefulSet(t *testing.T) {
	t.Parallel()
	const text = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: s, namespace: ns, generation: 1}
spec:
  replicas: 2
  updateStrategy: %s
  volumeClaimTemplates: [{metadata: {name: data}}]
  template: {spec: {containers: [{name: a, image: "x:2"}]}}
status: {observedGeneration: 1, replicas: 2, updatedReplicas: 1, availableReplicas: 2, updateRevision: s-2}
---
apiVersion: v1
kind: Pod
metadata: {name: s-0, namespace: ns, labels: {controller-revision-hash: s-1}, ownerReferences: [{kind: StatefulSet, name: s, controller: true}]}
spec: {containers: [{name: a, image: "x:1"}], volumes: [{name: data, persistentVolumeClaim: {claimName: data-s-0}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: s-1, namespace: ns, labels: {controller-revision-hash: s-2}, ownerReferences: [{kind: StatefulSet, name: s, controller: true}]}
spec: {containers: [{name: a, image: "x:2"}], volumes: [{name: data, persistentVolumeClaim: {claimName: data-s-1}}]}
`
	for strategy, state := range map[string]drift.State{
		"{type: OnDelete}": drift.Complete, "{rollingUpdate: {partition: 1}}": drift.Complete, "{type: RollingUpdate}": drift.Progressing,
	} {
		w := drift.Running(read(t, fmt.Sprintf(text, strategy)), finding.Object{Kind: "StatefulSet", Namespace: "ns", Name: "s"})
		if got := drift.Admission(w); len(got) > 0 {
			t.Errorf("admission: %+v", got)
		}
		if r := w.Rollout(); r.State != state || len(w.Old) != 1 || len(w.Current) != 1 {
			t.Errorf("%s: rollout %+v, %d old, %d current", strategy, r, len(w.Old), len(w.Current))
		}
		if got := w.Behind(); !slices.Equal(got, []string{"spec.template.spec.containers[a].image"}) {
			t.Errorf("behind: %q", got)
		}
	}
}
