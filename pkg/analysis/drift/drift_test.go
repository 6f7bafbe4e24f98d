package drift_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// read makes a snapshot of YAML documents.
func read(t *testing.T, text string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rendered(t *testing.T, text string) []rendering.Object {
	t.Helper()
	out, bad := rendering.ParseManifest("", text)
	if bad > 0 {
		t.Fatalf("%d documents are no objects", bad)
	}
	return out
}

// told writes differences as "kind field".
func told(all []drift.Difference) []string {
	out := []string{}
	for _, d := range all {
		out = append(out, strings.TrimSpace(string(d.Kind)+" "+d.Field.Field))
	}
	return out
}

// object writes a whole object around what differs between the cases.
func object(apiVersion, kind, rest string) string {
	return fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: x, namespace: ns}\n%s\n", apiVersion, kind, rest)
}

func deployment(podSpec string) string {
	return object("apps/v1", "Deployment", "spec: {template: {spec: "+podSpec+"}}")
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		want, live string
		tells      []string
	}{
		{"quantities", deployment(`{containers: [{name: a, resources: {limits: {cpu: 1000m, memory: 1Gi}}}]}`),
			deployment(`{containers: [{name: a, resources: {limits: {cpu: "1", memory: 1024Mi}}}]}`), nil},
		{"another quantity", deployment(`{containers: [{name: a, resources: {limits: {cpu: 1000m, memory: 1Gi}}}]}`),
			deployment(`{containers: [{name: a, resources: {limits: {cpu: "1", memory: 512Mi}}}]}`),
			[]string{"differs spec.template.spec.containers[a].resources.limits.memory"}},
		{"a number as a quantity", deployment(`{containers: [{name: a, resources: {limits: {cpu: 1}}}]}`),
			deployment(`{containers: [{name: a, resources: {limits: {cpu: "1"}}}]}`), nil},
		{"storage", object("v1", "PersistentVolumeClaim", `spec: {resources: {requests: {storage: 1Gi}}, accessModes: [A, B]}`),
			object("v1", "PersistentVolumeClaim", `spec: {resources: {requests: {storage: 1024Mi}}, accessModes: [B, A]}`), nil},
		{"port by number or text", deployment(`{containers: [{name: a, livenessProbe: {httpGet: {port: "8080"}}}]}`),
			deployment(`{containers: [{name: a, livenessProbe: {httpGet: {port: 8080}}}]}`), nil},
		{"another port", deployment(`{containers: [{name: a, livenessProbe: {httpGet: {port: 8081}}}]}`),
			deployment(`{containers: [{name: a, livenessProbe: {httpGet: {port: 8080}}}]}`),
			[]string{"differs spec.template.spec.containers[a].livenessProbe.httpGet.port"}},
		{"defaults and empties", deployment(`{securityContext: {}, nodeSelector: null, tolerations: [], containers: [{name: a, resources: {}, command: []}], hostNetwork: false}`),
			deployment(`{dnsPolicy: ClusterFirst, containers: [{name: a, imagePullPolicy: Always}]}`), nil},
		{"false where it is not none", deployment(`{enableServiceLinks: false, containers: []}`),
			deployment(`{containers: []}`), []string{"differs spec.template.spec.enableServiceLinks"}},
		{"env by name in another order", deployment(`{containers: [{name: a, env: [{name: A, value: "1"}, {name: B, value: "2"}]}]}`),
			deployment(`{containers: [{name: a, env: [{name: B, value: "2"}, {name: C, value: "3"}, {name: A, value: "1"}]}]}`), nil},
		{"env that is gone", deployment(`{containers: [{name: a, env: [{name: A, value: "1"}]}]}`),
			deployment(`{containers: [{name: a, env: []}]}`), []string{"differs spec.template.spec.containers[a].env[A]"}},
		{"rendered twice", object("v1", "ConfigMap", "data: {a: one}") + "---\n" + object("v1", "ConfigMap", "data: {a: two}"), object("v1", "ConfigMap", "data: {a: two}"), nil},
		{"a table that is gone", deployment(`{containers: [{name: a, readinessProbe: {periodSeconds: 3, tcpSocket: {port: 1}}}]}`),
			deployment(`{containers: [{name: a}]}`), []string{"differs spec.template.spec.containers[a].readinessProbe"}},
		{"args are one list", deployment(`{containers: [{name: a, args: [x, y]}]}`),
			deployment(`{containers: [{name: a, args: [x, y, z]}]}`), []string{"differs spec.template.spec.containers[a].args"}},
		{"ports by number, names or not", deployment(`{containers: [{name: a, ports: [{containerPort: 80, name: http}]}]}`),
			deployment(`{containers: [{name: a, ports: [{containerPort: 81}, {containerPort: 80, name: http, protocol: TCP}]}]}`), nil},
		{"the same port twice", object("v1", "Service", `spec: {ports: [{port: 53, protocol: UDP, name: a}, {port: 53, protocol: TCP, name: b}]}`),
			object("v1", "Service", `spec: {ports: [{port: 53, protocol: TCP, name: b}, {port: 53, protocol: UDP, name: a}]}`), nil},
		{"stringData", object("v1", "Secret", `stringData: {a: hello}`), object("v1", "Secret", `data: {a: aGVsbG8=}`), nil},
		{"another stringData", object("v1", "Secret", `stringData: {a: hello}`), object("v1", "Secret", `data: {a: aGVsbG8h}`), []string{"differs data.a"}},
		{"base64 in lines", object("v1", "Secret", "data: {a: \"aGVs\\nbG8=\"}"), object("v1", "Secret", `data: {a: aGVsbG8=}`), nil},
		{"a number in an annotation", object("v1", "ConfigMap", `data: {port: 8080}`), object("v1", "ConfigMap", `data: {port: "8080"}`), nil},
		{"misspelt in the template", deployment(`{imagePullSecret: [{name: x}], containers: []}`), deployment(`{containers: []}`),
			[]string{"dropped spec.template.spec.imagePullSecret"}},
		{"status", object("v1", "Service", `status: {loadBalancer: {ingress: [{ip: 1.1.1.1}]}}`), object("v1", "Service", ``), nil},
		{"headless", object("v1", "Service", `spec: {clusterIP: None, type: ""}`), object("v1", "Service", `spec: {clusterIP: None, type: ClusterIP, clusterIPs: [None]}`), nil},
		{"owner of a certificate", object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", `webhooks: [{name: a.b.c, clientConfig: {caBundle: Zm9v}}]`),
			object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", `webhooks: [{name: a.b.c, clientConfig: {caBundle: YmFy}}]`), nil},
		{"rules by position", object("rbac.authorization.k8s.io/v1", "Role", `rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]`),
			object("rbac.authorization.k8s.io/v1", "Role", `rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]`), []string{"differs rules[0].verbs"}},
		{"a rule more", object("rbac.authorization.k8s.io/v1", "Role", `rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]`),
			object("rbac.authorization.k8s.io/v1", "Role", `rules: [{apiGroups: [""], resources: [pods], verbs: [get]}, {apiGroups: [""], resources: [secrets], verbs: [get]}]`), []string{"differs rules"}},
		{"custom resource", object("gateway.kgateway.dev/v1alpha1", "GatewayParameters", `spec: {kube: {deployment: {replicas: 2}}, off: false}`),
			object("gateway.kgateway.dev/v1alpha1", "GatewayParameters", `spec: {kube: {deployment: {replicas: 3}}}`), []string{"differs spec.kube.deployment.replicas"}},
		{"aggregated role", object("rbac.authorization.k8s.io/v1", "ClusterRole", "rules: [{verbs: [list], apiGroups: ['']}]"),
			object("rbac.authorization.k8s.io/v1", "ClusterRole", "aggregationRule: {clusterRoleSelectors: []}\nrules: [{verbs: [get], apiGroups: ['']}]"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := told(drift.Compare(rendered(t, c.want), read(t, c.live), "ns"))
			if !slices.Equal(got, append([]string{}, c.tells...)) {
				t.Errorf("got %q, want %q", got, c.tells)
			}
		})
	}
}

// What is not in the snapshot is missing only if somebody looked.
func TestMissingNeedsALook(t *testing.T) {
	t.Parallel()
	const want = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x}\n"
	const other = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: other, namespace: shop}\n"
	header := func(gaps string) string {
		return "apiVersion: kgw-doctor/v1\nkind: Snapshot\ntakenAt: 2026-01-01T00:00:00Z\n" + gaps + "\n---\n" + "apiVersion: v1\nkind: Node\nmetadata: {name: n}\n"
	}
	for name, c := range map[string]struct {
		live  string
		tells []string
	}{
		"read by the doctor":           {header(""), []string{"missing"}},
		"forbidden":                    {header("gaps: [{what: ServiceAccount ns/x, why: forbidden}]"), nil},
		"list forbidden":               {header("gaps: [{what: serviceaccounts in namespace ns, why: forbidden}]"), nil},
		"something else forbidden":     {header("gaps: [{what: Role ns/x, why: forbidden}]"), []string{"missing"}},
		"kubectl, of another kind":     {"apiVersion: v1\nkind: Node\nmetadata: {name: n}\n", nil},
		"kubectl, others of that kind": {other, []string{"missing"}},
		"there":                        {strings.ReplaceAll(strings.ReplaceAll(other, "other", "x"), "shop", "ns"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := told(drift.Compare(rendered(t, want), read(t, c.live), "ns")); !slices.Equal(got, append([]string{}, c.tells...)) {
				t.Errorf("got %q, want %q", got, c.tells)
			}
		})
	}
}

const scaled = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: x
  namespace: ns
  annotations: {meta.helm.sh/release-name: r, meta.helm.sh/release-namespace: ns}
  managedFields:
  - manager: helm
    operation: Update
    time: "2026-01-01T00:00:00Z"
    fieldsType: FieldsV1
    fieldsV1: {"f:metadata": {"f:annotations": {"f:meta.helm.sh/release-name": {}}}, "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"a"}': {".": {}, "f:image": {}, "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {"f:name": {}}}}}}}}}
  - manager: %s
    operation: Update
    subresource: %s
    fieldsType: FieldsV1
    %s
    fieldsV1: {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"a"}': {"f:image": {}}}}}}}
spec: {replicas: 5, template: {spec: {containers: [{name: a, image: "x:2", ports: [{containerPort: 80, protocol: TCP, name: web}]}]}}}
---
`

func TestWriters(t *testing.T) {
	t.Parallel()
	const hpa = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: ns, labels: {%s}}\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: %s}}\n"
	const when = `time: "2026-01-02T00:00:00Z"`
	want := `{apiVersion: apps/v1, kind: Deployment, metadata: {name: x, namespace: ns}, spec: {replicas: 1}}`
	for name, c := range map[string]struct {
		live    string
		by      string
		time    string
		returns bool
	}{
		"kubectl scale": {fmt.Sprintf(scaled, "kubectl", "scale", ""), "kubectl scale", "", false},
		"HPA":           {fmt.Sprintf(scaled, "kube-controller-manager", "scale", when) + fmt.Sprintf(hpa, "", "x"), "HorizontalPodAutoscaler/h", "2026-01-02T00:00:00Z", true},
		"HPA of another": {fmt.Sprintf(scaled, "kubectl-edit", `""`, when) + fmt.Sprintf(hpa, "", "y"),
			"kubectl edit", "2026-01-02T00:00:00Z", false},
		"KEDA":     {fmt.Sprintf(scaled, "kube-controller-manager", "scale", when) + fmt.Sprintf(hpa, "scaledobject.keda.sh/name: k", "x"), "ScaledObject/k (KEDA)", "2026-01-02T00:00:00Z", true},
		"set":      {fmt.Sprintf(scaled, "kubectl-set", `""`, when), "kubectl set", "2026-01-02T00:00:00Z", false},
		"operator": {fmt.Sprintf(scaled, "my-operator", `""`, when), "the controller my-operator", "2026-01-02T00:00:00Z", true},
		"somebody": {fmt.Sprintf(scaled, "deploy-bot", `""`, when), "field manager deploy-bot", "2026-01-02T00:00:00Z", false},
		"Argo CD":  {fmt.Sprintf(scaled, "argocd-controller", `""`, when), "Argo CD", "2026-01-02T00:00:00Z", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := drift.Compare(rendered(t, want), read(t, c.live), "ns")
			if len(all) != 1 || all[0].By != c.by || all[0].Time != c.time || all[0].Returns != c.returns {
				t.Errorf("got %+v", all)
			}
		})
	}
}

func TestWritersOfListItems(t *testing.T) {
	t.Parallel()
	x := read(t, fmt.Sprintf(scaled, "kubectl-set", `""`, `time: "2026-01-02T00:00:00Z"`)).Objects[0]
	for field, want := range map[string]string{
		"spec.template.spec.containers[a].image":           "kubectl-set",
		"spec.template.spec.containers[a].ports[web].name": "helm",
		"spec.template.spec.containers[a].command":         "",
		"spec.template.spec.containers[b].image":           "",
	} {
		got := ""
		if all := drift.Writers(x, field); len(all) > 0 {
			got = all[0].Manager
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", field, got, want)
		}
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	const two = `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: ns, annotations: {meta.helm.sh/release-name: %s, meta.helm.sh/release-namespace: ns}}
---
apiVersion: v1
kind: Service
metadata: {name: b, namespace: ns, annotations: {meta.helm.sh/release-name: r, meta.helm.sh/release-namespace: ns}}
---
apiVersion: v1
kind: Service
metadata: {name: c, namespace: ns, annotations: {meta.helm.sh/release-name: r, meta.helm.sh/release-namespace: ns}}
`
	want := rendered(t, "{apiVersion: v1, kind: Service, metadata: {name: a}}\n---\n{apiVersion: v1, kind: Service, metadata: {name: b}}\n---\n{apiVersion: v1, kind: Service, metadata: {name: c}}\n")
	if got := told(drift.Compare(want, read(t, fmt.Sprintf(two, "other")), "ns")); !slices.Equal(got, []string{"foreign"}) {
		t.Errorf("got %q", got)
	}
	if got := told(drift.Compare(want, read(t, fmt.Sprintf(two, "r")), "ns")); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

// What a real API server and controller made differs in nothing from what Helm rendered.
func TestRealInstallsDoNotDrift(t *testing.T) {
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
		s := read(t, string(data))
		redacted := s.Redact()
		for _, r := range redacted.Records() {
			if got := drift.Compare(rendered(t, r.Release.Manifest), redacted, r.Namespace); len(got) > 0 {
				t.Errorf("%s %s, redacted: %q", filepath.Base(name), r.Name, told(got))
			}
		}
		for _, r := range s.Records() {
			want := rendered(t, r.Release.Manifest)
			if got := drift.Compare(want, s, r.Namespace); len(got) > 0 {
				t.Errorf("%s %s: %q", filepath.Base(name), r.Name, told(got))
			}
			for _, o := range want {
				if w := drift.Running(s, o.Object); w != nil && (w.Rollout().State != drift.Complete || len(drift.Admission(w)) > 0 || len(w.Old) > 0 || len(w.Pods) != 1) {
					t.Errorf("%s %s: rollout %+v, admission %+v", filepath.Base(name), o.Object, w.Rollout(), drift.Admission(w))
				}
			}
		}
		for _, x := range s.Kind("Deployment") {
			if w := drift.Running(s, named(x)); len(drift.Admission(w)) > 0 {
				t.Errorf("%s %s: %+v", filepath.Base(name), x.GetName(), drift.Admission(w))
			}
		}
	}
}

func named(x *unstructured.Unstructured) finding.Object {
	return finding.Object{Kind: x.GetKind(), Namespace: x.GetNamespace(), Name: x.GetName()}
}
