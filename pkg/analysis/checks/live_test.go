package checks

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	helmtime "helm.sh/helm/v3/pkg/time"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// toy is a chart of a Deployment, a Service and, if asked for, a Secret and a field that Kubernetes does not know.
func toy() *helmchart.Chart {
	return &helmchart.Chart{
		Metadata: &helmchart.Metadata{Name: "toy", Version: "1.0.0", APIVersion: "v2"},
		Values:   map[string]any{"policy": "IfNotPresent", "replicas": 1, "tag": "1", "port": 80, "misspelt": "", "password": "", "migration": "a"},
		Templates: []*helmchart.File{
			{Name: "templates/deployment.yaml", Data: []byte(`apiVersion: apps/v1
kind: Deployment
metadata: {name: x, namespace: {{ .Release.Namespace }}}
spec:
  replicas: {{ .Values.replicas }}
  template:
    metadata: {labels: {app: x}}
    spec:
      {{- with .Values.misspelt }}
      nodeSelektor: {disk: {{ . }}}
      {{- end }}
      containers: [{name: a, image: "x:{{ .Values.tag }}", imagePullPolicy: {{ .Values.policy }}}]
`)},
			{Name: "templates/service.yaml", Data: []byte(`apiVersion: v1
kind: Service
metadata: {name: x}
spec: {ports: [{port: {{ .Values.port }}}]}
`)},
			{Name: "templates/secret.yaml", Data: []byte(`{{ with .Values.password }}apiVersion: v1
kind: Secret
metadata: {name: x}
stringData: {password: {{ . }}}
{{ end }}`)},
			{Name: "templates/hook.yaml", Data: []byte(`apiVersion: v1
kind: ConfigMap
metadata: {name: hook, annotations: {helm.sh/hook: pre-upgrade}}
data: {migration: {{ .Values.migration | quote }}}
`)},
		},
	}
}

// live is what the toy makes with its defaults, read by the doctor.
const live = `apiVersion: kgw-doctor/v1
kind: Snapshot
takenAt: "2026-01-02T12:00:00Z"
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: x, namespace: ns, uid: d, generation: 2}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: x}}
    spec:
      containers: [{name: a, image: "x:1", imagePullPolicy: IfNotPresent}]
status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: x-1, namespace: ns, uid: r, ownerReferences: [{kind: Deployment, name: x, uid: d, controller: true}]}
spec: {template: {metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: "x:1", imagePullPolicy: IfNotPresent}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: x-1-p, namespace: ns, labels: {app: x}, ownerReferences: [{kind: ReplicaSet, name: x-1, uid: r, controller: true}]}
spec: {containers: [{name: a, image: "x:1", imagePullPolicy: IfNotPresent}]}
---
apiVersion: v1
kind: Service
metadata: {name: x, namespace: ns}
spec: {type: ClusterIP, ports: [{port: 80, protocol: TCP}]}
---
apiVersion: v1
kind: Secret
metadata: {name: x, namespace: ns}
data: {password: aHVudGVyMg==}
`

// manifest renders the toy as Helm would have stored it.
func manifest(t *testing.T, supplied map[string]any) string {
	t.Helper()
	r, err := rendering.New(toy(), rendering.Release{Name: "toy", Namespace: "ns", Revision: 1}, rendering.Cluster{KubeVersion: "v1.37.2"})
	if err != nil {
		t.Fatal(err)
	}
	w, err := rendering.NewWorld(r, supplied)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, text := range w.Baseline().Texts() {
		out = append(out, text)
	}
	slices.Sort(out)
	return strings.Join(out, "\n---\n")
}

func record(t *testing.T, revision int, status string, supplied map[string]any) *snapshot.Record {
	t.Helper()
	return &snapshot.Record{Name: "toy", Namespace: "ns", Revision: revision, Status: status, Release: &release.Release{
		Name: "toy", Namespace: "ns", Version: revision, Chart: toy(), Config: supplied, Manifest: manifest(t, supplied),
		Hooks: []*release.Hook{{Path: "toy/templates/hook.yaml", Manifest: hookOf(supplied)}},
		Info:  &release.Info{Status: release.Status(status), Description: "it went wrong", LastDeployed: helmtime.Time{Time: noon.Add(-time.Hour)}},
	}}
}

// hookOf is the toy's hook, as Helm would have stored it.
func hookOf(supplied map[string]any) string {
	migration := "a"
	if m, given := supplied["migration"].(string); given {
		migration = m
	}
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hook, annotations: {helm.sh/hook: pre-upgrade}}\ndata: {migration: " + migration + "}\n"
}

// scene is an installed release: what was supplied, what is different in the cluster, what else is known.
type scene struct {
	name     string
	supplied map[string]any
	replace  []string // old, new pairs in the live objects
	change   func(*testing.T, *analysis.Input)
	tells    []string // code severity object field [value path]
}

func (s scene) facts(t *testing.T) *analysis.Facts {
	t.Helper()
	if s.supplied == nil {
		s.supplied = map[string]any{}
	}
	text := live
	for i := 0; i < len(s.replace); i += 2 {
		if !strings.Contains(text, s.replace[i]) {
			t.Fatalf("the live objects hold no %q", s.replace[i])
		}
		text = strings.ReplaceAll(text, s.replace[i], s.replace[i+1])
	}
	snap, err := snapshot.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	in := analysis.Input{
		Mode: analysis.Installed, Chart: toy(), Supplied: s.supplied, Live: snap, Now: noon,
		Release: rendering.Release{Name: "toy", Namespace: "ns", Revision: 1}, Cluster: rendering.Cluster{KubeVersion: "v1.37.2"},
		Record: record(t, 1, "deployed", s.supplied),
	}
	if s.change != nil {
		s.change(t, &in)
	}
	f, err := analysis.Gather(in)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func tells(found []finding.Finding) []string {
	var out []string
	for _, x := range found {
		words := []string{x.Code, x.Severity.String()}
		if x.Object != nil {
			words = append(words, x.Object.String())
		}
		for _, w := range []string{x.Field, x.ValuePath} {
			if w != "" {
				words = append(words, w)
			}
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

const policy = "spec.template.spec.containers[a].imagePullPolicy"

// The Pod of the toy: what it is owned by, who made it and who edited it, what it runs.
const (
	ofPod  = "kind: ReplicaSet, name: x-1, uid: r, controller: true}]}"
	podOne = "\nspec: {containers: [{name: a, image: \"x:1\", imagePullPolicy: IfNotPresent}]}"
	madeBy = `kind: ReplicaSet, name: x-1, uid: r, controller: true}],
  managedFields: [{manager: kube-controller-manager, operation: Update, time: "2026-01-02T11:00:00Z", fieldsV1: {"f:metadata": {"f:ownerReferences": {}}, "f:spec": {"f:containers": {'k:{"name":"a"}': {"f:imagePullPolicy": {}}}}}},
    {manager: kubectl-set, operation: Update, time: "2026-01-02T11:30:00Z", fieldsV1: {"f:spec": {"f:containers": {'k:{"name":"a"}': {"f:image": {}}}}}}]}`
)

// statusOf says that the Pod runs an image whose digest is made of one digit.
func statusOf(digit string) string {
	return "\nstatus: {containerStatuses: [{name: a, imageID: docker.io/library/x@sha256:" + strings.Repeat(digit, 64) + "}]}"
}

// What the report says to do is about the one who keeps it from going on.
func TestUnblock(t *testing.T) {
	t.Parallel()
	f := scene{}.facts(t)
	w := workloads(f)[0]
	for _, c := range []struct {
		r     drift.Rollout
		field string
		steps string
	}{
		{drift.Rollout{Reason: "FailedCreate", By: "ResourceQuota/few"}, "", "kubectl describe resourcequota/few --namespace ns"},
		{drift.Rollout{Reason: "FailedCreate", By: "ValidatingAdmissionPolicy/p"}, "", "kubectl describe validatingadmissionpolicy/p"},
		{drift.Rollout{Reason: "FailedCreate", By: "ServiceAccount/x, which is not there"}, "", "kubectl describe replicaset/x-1 --namespace ns"},
		{drift.Rollout{Reason: "CrashLoopBackOff", Pod: "p", Container: "a"}, "", "kubectl logs pod/p --namespace ns --container a --previous; kubectl describe pod/p --namespace ns"},
		{drift.Rollout{Reason: "ErrImagePull", Pod: "p", Container: "a"}, "spec.template.spec.containers[a].image", "kubectl describe pod/p --namespace ns"},
		{drift.Rollout{Reason: "Unschedulable", Pod: "p"}, "", "kubectl describe pod/p --namespace ns"},
	} {
		if got := strings.Join(unblock(w, c.r), "; "); got != c.steps {
			t.Errorf("%s: got %s, want %s", c.r.Reason, got, c.steps)
		}
		if got := blocking(w, c.r); got != c.field {
			t.Errorf("%s: field %q, want %q", c.r.Reason, got, c.field)
		}
	}
}

// everywhere replaces a text in the Deployment, its ReplicaSet and its Pod; in the Deployment alone that is the third.
var scenes = []scene{
	{name: "clean"},
	{name: "clean with values", supplied: map[string]any{"policy": "Always", "port": 81},
		replace: []string{"imagePullPolicy: IfNotPresent", "imagePullPolicy: Always", "port: 80", "port: 81"}},
	{name: "drift of a field that a value decides", supplied: map[string]any{"policy": "Always"},
		tells: []string{"KGW2002 error Deployment/x " + policy + " policy"}},
	{name: "drift of a field that no value decides", replace: []string{"port: 80", "port: 81"},
		tells: []string{"KGW2002 warning Service/x spec.ports[80]"}},
	{name: "scaled by hand", replace: []string{"replicas: 1\n", "replicas: 0\n", "replicas: 1, updatedReplicas: 1, availableReplicas: 1", "replicas: 0"},
		tells: []string{"KGW2002 warning Deployment/x spec.replicas"}},
	{name: "scaled by an autoscaler", replace: []string{"replicas: 1\n", "replicas: 2\n", "replicas: 1, updatedReplicas: 1, availableReplicas: 1", "replicas: 2, updatedReplicas: 2, availableReplicas: 2",
		"kind: Service\n", "kind: Service\n", "data: {password: aHVudGVyMg==}\n", `data: {password: aHVudGVyMg==}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: h, namespace: ns}
spec: {scaleTargetRef: {kind: Deployment, name: x}}
`}, tells: []string{"KGW2002 info Deployment/x spec.replicas"}},
	{name: "missing", replace: []string{"kind: Service\nmetadata: {name: x,", "kind: Service\nmetadata: {name: y,"},
		tells: []string{"KGW2003 error Service/x"}},
	{name: "missing with its kind", replace: []string{"kind: Service\nmetadata: {name: x,", "kind: Service\nmetadata: {name: y,", "takenAt:", "apiVersions: [apps/v1/Deployment]\ntakenAt:"},
		tells: []string{"KGW2003 error Service/x"}},
	{name: "not read, so not missing", replace: []string{"kind: Service\nmetadata: {name: x,", "kind: Service\nmetadata: {name: y,",
		"takenAt:", "gaps: [{what: Service ns/x, why: forbidden}]\ntakenAt:"}},
	{name: "dropped", supplied: map[string]any{"misspelt": "ssd"},
		tells: []string{"KGW2005 error Deployment/x spec.template.spec.nodeSelektor misspelt"}},
	{name: "another secret", supplied: map[string]any{"password": "correct horse"},
		tells: []string{"KGW2002 error Secret/x data.password password"}},
	{name: "the same secret", supplied: map[string]any{"password": "hunter2"}},
	{name: "a failed upgrade", change: func(t *testing.T, in *analysis.Input) {
		in.Newest = record(t, 2, "failed", map[string]any{"policy": "Always"})
	}, tells: []string{"KGW2001 error policy"}},
	{name: "a failed upgrade that changed something", replace: []string{"port: 80", "port: 81"}, change: func(t *testing.T, in *analysis.Input) {
		in.Newest = record(t, 2, "failed", map[string]any{"port": 81, "policy": "Always"})
	}, tells: []string{"KGW2001 error"}},
	{name: "a failed upgrade whose port was refused", change: func(t *testing.T, in *analysis.Input) {
		in.Newest = record(t, 2, "failed", map[string]any{"port": 99999})
	}, tells: []string{"KGW2001 error port"}},
	{name: "a pending upgrade", change: func(t *testing.T, in *analysis.Input) {
		in.Newest = record(t, 2, "pending-upgrade", map[string]any{})
	}, tells: []string{"KGW2001 error"}},
	{name: "an upgrade at work", change: func(t *testing.T, in *analysis.Input) {
		in.Newest = record(t, 2, "pending-upgrade", map[string]any{})
		in.Newest.Release.Info.LastDeployed = helmtime.Time{Time: noon.Add(-time.Minute)}
	}, tells: []string{"KGW2001 warning"}},
	{name: "a failed install", change: func(t *testing.T, in *analysis.Input) {
		in.Record.Status = "failed"
	}, tells: []string{"KGW2001 error"}},
	{name: "an older revision", supplied: map[string]any{"policy": "Always"}, change: func(t *testing.T, in *analysis.Input) {
		in.Record.Status = "superseded"
	}},
	{name: "a post-renderer", supplied: map[string]any{"policy": "Always"}, change: func(t *testing.T, in *analysis.Input) {
		in.Record.Release.Manifest = strings.ReplaceAll(in.Record.Release.Manifest, "Always", "IfNotPresent")
	}, tells: []string{"KGW2004 error Deployment/x " + policy + " policy"}},
	{name: "a post-renderer, of part of what a value decides", supplied: map[string]any{"password": "hunter2"}, change: func(t *testing.T, in *analysis.Input) {
		in.Chart.Templates[2].Data = append(in.Chart.Templates[2].Data, []byte("\n---\n{{ with .Values.password }}{apiVersion: v1, kind: Secret, metadata: {name: x2}, stringData: {password: {{ . }}}}{{ end }}")...)
		in.Record.Release.Manifest += "\n---\n{apiVersion: v1, kind: Secret, metadata: {name: x2}, stringData: {password: hunter3}}"
		in.Live.Objects = append(in.Live.Objects, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
			"metadata": map[string]any{"name": "x2", "namespace": "ns"}, "data": map[string]any{"password": "aHVudGVyMw=="}}})
	}, tells: []string{"KGW2004 warning Secret/x2 stringData.password password"}},
	{name: "an edited record", change: func(t *testing.T, in *analysis.Input) {
		in.Record.Release.Manifest = strings.ReplaceAll(in.Record.Release.Manifest, "port: 80", "port: 81")
	}, tells: []string{"KGW2004 info Service/x spec.ports[80].port"}},
	{name: "an edited hook", supplied: map[string]any{"migration": "b"}, change: func(t *testing.T, in *analysis.Input) {
		in.Record.Release.Hooks[0].Manifest = hookOf(nil)
	}, tells: []string{"KGW2004 error ConfigMap/hook data.migration migration"}},
	{name: "a hook that Helm passes over", change: func(t *testing.T, in *analysis.Input) {
		in.Chart.Templates[3].Data = []byte("{apiVersion: v1, kind: ConfigMap, metadata: {name: hook, annotations: {helm.sh/hook: crd-install}}}")
		in.Record.Release.Hooks = nil
	}},
	{name: "a hook that is rendered and not stored", change: func(t *testing.T, in *analysis.Input) {
		in.Record.Release.Hooks = nil
	}, tells: []string{"KGW2004 info ConfigMap/hook"}},
	{name: "a post-renderer, somewhere else", replace: []string{"port: 80", "port: 81"}, change: func(t *testing.T, in *analysis.Input) {
		in.Record.Release.Manifest = strings.ReplaceAll(in.Record.Release.Manifest, "port: 80", "port: 81")
	}, tells: []string{"KGW2004 info Service/x spec.ports[80].port"}},
	{name: "admission overrules a value", supplied: map[string]any{"tag": "1"}, replace: []string{
		"kind: ReplicaSet, name: x-1, uid: r, controller: true}]}\nspec: {containers: [{name: a, image: \"x:1\", imagePullPolicy: IfNotPresent}",
		"kind: ReplicaSet, name: x-1, uid: r, controller: true}]}\nspec: {containers: [{name: a, image: \"x:1\", imagePullPolicy: Always}"},
		tells: []string{"KGW3002 warning Deployment/x " + policy}},
	{name: "stalled", replace: []string{"replicas: 1, updatedReplicas: 1, availableReplicas: 1", "replicas: 1, updatedReplicas: 1, availableReplicas: 0, conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}]"},
		tells: []string{"KGW3001 error Deployment/x"}},
	{name: "stalled on an image that a value names", supplied: map[string]any{"tag": "1"}, replace: []string{
		"updatedReplicas: 1, availableReplicas: 1}", "updatedReplicas: 1, availableReplicas: 0}", ofPod + podOne, ofPod + podOne + `
status: {containerStatuses: [{name: a, state: {waiting: {reason: ImagePullBackOff, message: not found}}}]}`},
		tells: []string{"KGW3001 error Deployment/x spec.template.spec.containers[a].image tag"}},
	{name: "stalled on a probe", replace: []string{
		"updatedReplicas: 1, availableReplicas: 1}", "updatedReplicas: 1, availableReplicas: 0}", "data: {password: aHVudGVyMg==}\n", `data: {password: aHVudGVyMg==}
---
apiVersion: v1
kind: Event
metadata: {name: e, namespace: ns}
type: Warning
reason: Unhealthy
message: "Startup probe failed"
involvedObject: {kind: Pod, name: x-1-p, fieldPath: "spec.containers{a}"}
`}, tells: []string{"KGW3001 error Deployment/x spec.template.spec.containers[a].startupProbe"}},
	{name: "changed at admission, as Helm's own", supplied: map[string]any{"policy": "Always"}, replace: []string{"kind: Deployment\nmetadata: {name: x, namespace: ns, uid: d, generation: 2}", `kind: Deployment
metadata: {name: x, namespace: ns, uid: d, generation: 2, managedFields: [{manager: helm, operation: Update, time: "2026-01-02T11:00:00Z", fieldsV1: {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"a"}': {"f:imagePullPolicy": {}}}}}}}}]}`},
		tells: []string{"KGW2002 error Deployment/x " + policy + " policy"}},
	{name: "paused", replace: []string{"spec:\n  replicas: 1", "spec:\n  paused: true\n  replicas: 1", "updatedReplicas: 1", "updatedReplicas: 0"},
		tells: []string{"KGW3001 warning Deployment/x spec.paused"}},
	{name: "pods of an older revision", replace: []string{"metadata: {name: x-1, namespace: ns, uid: r,", `metadata: {name: x-1, namespace: ns, uid: r, annotations: {deployment.kubernetes.io/revision: "2"},`,
		"data: {password: aHVudGVyMg==}\n", `data: {password: aHVudGVyMg==}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: x-0, namespace: ns, uid: o, annotations: {deployment.kubernetes.io/revision: "1"}, ownerReferences: [{kind: Deployment, name: x, uid: d, controller: true}]}
spec: {template: {spec: {containers: [{name: a, image: "x:0"}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: x-0-p, namespace: ns, labels: {app: x}, ownerReferences: [{kind: ReplicaSet, name: x-0, uid: o, controller: true}]}
spec: {containers: [{name: a, image: "x:0", imagePullPolicy: IfNotPresent}]}
---
apiVersion: v1
kind: Pod
metadata: {name: x-0-q, namespace: ns, deletionTimestamp: "2026-01-02T12:00:00Z", ownerReferences: [{kind: ReplicaSet, name: x-0, uid: o, controller: true}]}
spec: {containers: [{name: a, image: "x:0"}]}
`}, supplied: map[string]any{"tag": "1"}, tells: []string{"KGW3003 warning Deployment/x tag"}},
	{name: "a Pod edited by hand", supplied: map[string]any{"tag": "1"}, replace: []string{ofPod + "\nspec: {containers: [{name: a, image: \"x:1\"",
		madeBy + "\nspec: {containers: [{name: a, image: \"x:test\""}, tells: []string{"KGW3004 error Deployment/x spec.template.spec.containers[a].image tag"}},
	{name: "kubectl debug", replace: []string{ofPod + "\nspec: {containers: [{name: a,", ofPod + "\nspec: {ephemeralContainers: [{name: debugger, image: busybox}], containers: [{name: a,"},
		tells: []string{"KGW3004 info Deployment/x spec.template.spec.ephemeralContainers[debugger]"}},
	{name: "a tag that was moved", replace: []string{ofPod + podOne, ofPod + podOne + statusOf("a") + `
---
apiVersion: v1
kind: Pod
metadata: {name: x-1-q, namespace: ns, labels: {app: x}, ownerReferences: [{kind: ReplicaSet, name: x-1, uid: r, controller: true}]}` + podOne + statusOf("b")},
		tells: []string{"KGW3005 warning Deployment/x spec.template.spec.containers[a].image"}},
	{name: "a digest that no Pod runs", supplied: map[string]any{"tag": "1@sha256:" + strings.Repeat("c", 64)}, replace: []string{
		"x:1\"", "x:1@sha256:" + strings.Repeat("c", 64) + "\"", "IfNotPresent}]}\n---\napiVersion: v1\nkind: Service", "IfNotPresent}]}" + statusOf("a") + "\n---\napiVersion: v1\nkind: Service"},
		tells: []string{"KGW3005 info Deployment/x spec.template.spec.containers[a].image tag"}},
	{name: "no cluster", supplied: map[string]any{"policy": "Always"}, change: func(_ *testing.T, in *analysis.Input) { in.Live = nil }},
}

func TestLiveChecks(t *testing.T) {
	t.Parallel()
	for _, s := range slices.Concat(scenes, keptScenes) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got, incomplete := analysis.Run(s.facts(t), liveChecks())
			if len(incomplete) > 0 {
				t.Errorf("incomplete: %+v", incomplete)
			}
			if !slices.Equal(tells(got.Findings), s.tells) {
				t.Errorf("got  %q\nwant %q", tells(got.Findings), s.tells)
			}
			for _, x := range got.Findings {
				if text := fmt.Sprint(x.Message, x.Facts, x.Expected, x.Actual, x.Steps); strings.Contains(text, "hunter2") || strings.Contains(text, "aHVudGVyMg") || strings.Contains(text, "horse") {
					t.Errorf("it tells a secret: %s", text)
				}
			}
		})
	}
}

// Every live check is seen to speak in one of the scenes, and to be silent in another.
func TestLiveChecksHaveScenes(t *testing.T) {
	t.Parallel()
	if err := analysis.Validate(liveChecks()); err != nil {
		t.Error(err)
	}
	all := ""
	for _, s := range slices.Concat(scenes, keptScenes) {
		all += strings.Join(s.tells, "\n") + "\n"
	}
	for _, c := range liveChecks() {
		if !strings.Contains(all, c.Code) {
			t.Errorf("no scene tells %s", c.Code)
		}
	}
}

func TestRunning(t *testing.T) {
	t.Parallel()
	f := scene{supplied: map[string]any{"policy": "Always", "port": 81}}.facts(t)
	x := finding.Finding{Object: &finding.Object{Kind: "Deployment", Name: "x", Namespace: "ns"}, Field: policy}
	addRunning(f, &x, "Always")
	if x.Actual != "IfNotPresent" || x.Pods == nil || *x.Pods != (finding.Pods{Total: 1}) || len(x.Facts) != 1 ||
		x.Facts[0].Text != "IfNotPresent     in the Deployment, its ReplicaSet, 1 of 1 pod" {
		t.Errorf("got %+v", x)
	}
	x = finding.Finding{Object: &finding.Object{Kind: "Service", Name: "x"}, Field: "spec.ports[80].port"}
	f.StoredObjects[0].Namespace = "ns"
	addRunning(f, &x, 81)
	if !rendering.Equal(x.Actual, 80) || len(x.Facts) != 1 {
		t.Errorf("got %+v", x)
	}
	f.Live = nil
	x = finding.Finding{Object: &finding.Object{Kind: "Service", Name: "x"}, Field: "spec.ports[80].port"}
	if addRunning(f, &x, 81); x.Actual != nil || len(x.Facts) > 0 {
		t.Errorf("without a cluster: %+v", x)
	}
}

func TestLiveMismatch(t *testing.T) {
	t.Parallel()
	f := scene{supplied: map[string]any{"policy": "Always", "tag": "1", "port": 80}}.facts(t)
	for _, e := range f.Effects {
		got := liveMismatch(f, e)
		if wants := e.Path.String() == "policy"; wants != (len(got) > 0) {
			t.Errorf("%s: %v", e.Path, got)
		}
	}
}

// Clean installs of the real charts say nothing; one field changed gives one finding.
func TestRealInstallsSayNothing(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("../../../../shared/snapshots/*.json.gz") // a bad pattern is not possible
	if len(files) == 0 {
		t.Skip("the snapshots are not here")
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		snap, err := snapshot.Read(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range snap.Records() {
			f, err := analysis.Gather(analysis.Input{
				Mode: analysis.Installed, Chart: r.Release.Chart, Supplied: r.Release.Config, Live: snap, Record: &r,
				Release: rendering.Release{Name: r.Name, Namespace: r.Namespace, Revision: 1}, Cluster: rendering.Cluster{KubeVersion: "v1.37.2"},
			})
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := analysis.Run(f, liveChecks()); len(got.Findings) > 0 {
				t.Errorf("%s %s: %q", filepath.Base(name), r.Name, tells(got.Findings))
			}
		}
	}
}
