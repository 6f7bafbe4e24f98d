package drift_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
)

// header says that the doctor read the snapshot, so that what is not in it is not there.
const header = "\n---\napiVersion: kgw-doctor/v1\nkind: Snapshot\ntakenAt: \"2026-01-02T12:00:00Z\"\n"

// made writes the Pod's metadata below what TestCulprits writes, and its spec.
func made(metadata, spec string) string {
	return "  creationTimestamp: \"2026-01-02T11:00:00Z\"\n  labels: {app: x}\n" + metadata + "\nspec: " + spec
}

const (
	asTemplate = `{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent}]}`
	never      = `{containers: [{name: a, image: "x:2", imagePullPolicy: Never}]}`
	always     = `{containers: [{name: a, image: "x:2", imagePullPolicy: Always}]}`
	namespace  = "\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ns, labels: {team: edge, kubernetes.io/metadata.name: ns}}\n"
	onPods     = `rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]`
	pullPolicy = "spec.template.spec.containers[a].imagePullPolicy"
)

// hook is a configuration of one webhook, made before the Pod unless the rest says otherwise.
func hook(name, webhook string) string {
	return "\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: " + name +
		", creationTimestamp: \"2026-01-01T00:00:00Z\"}\nwebhooks: [{name: a.b.c, " + webhook + "}]\n"
}

func policy(name, spec, expression string) string {
	return fmt.Sprintf(`
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: %s}
spec:
  %s
  mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: '%s'}}]
`, name, spec, expression)
}

func binding(policy, spec string) string {
	return "\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicyBinding\nmetadata: {name: of-" + policy + "}\nspec: {policyName: " + policy + spec + "}\n"
}

const (
	podConstraints = `matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]}`
	setsNever      = `Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, imagePullPolicy: "Never"})}}`
	setsNodes      = `Object{spec: Object.spec{nodeSelector: {"disk": "ssd"}}}`
)

func limitRange(name, values string) string {
	return "\n---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: " + name + ", namespace: ns}\nspec: {limits: [{type: Container, " + values + "}]}\n"
}

func kyverno(name, rule string) string {
	return "\n---\napiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: " + name + "}\nspec: {rules: [{name: r, " + rule + "}]}\n"
}

const kyvernoNever = `mutate: {patchStrategicMerge: {spec: {containers: [{(name): "*", imagePullPolicy: Never}]}}}`

// culprits are Pods, what else is in the cluster, and who is told: culprit, field, then suspects. One that nothing is
// told of is as every Pod is.
var culprits = map[string]struct {
	pod   string
	tells []string
}{
	"nothing": {made("", asTemplate), nil},
	"what every Pod gets": {made("", `
  nodeName: n
  priority: 0
  priorityClassName: high
  preemptionPolicy: PreemptLowerPriority
  serviceAccount: x
  enableServiceLinks: true
  containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent, volumeMounts: [{name: kube-api-access-abcde, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]}]
  volumes: [{name: kube-api-access-abcde, projected: {}}]
  tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists}, {key: node.kubernetes.io/unreachable, operator: Exists}]
`), nil},
	"notes of others": {made("  annotations: {cni.projectcalico.org/podIP: 10.0.0.1}", asTemplate), nil},
	"a toleration":    {made("", asTemplate[:len(asTemplate)-1]+", tolerations: [{key: dedicated, operator: Exists}]}"), []string{" spec.template.spec.tolerations[dedicated]"}},

	"AlwaysPullImages": {made("", always), []string{"AlwaysPullImages " + pullPolicy}},
	"AlwaysPullImages, and a webhook that may do the same": {made("", always) + hook("mine", onPods),
		[]string{" " + pullPolicy + " AlwaysPullImages (its signature: every container pulls always) MutatingWebhookConfiguration/mine"}},
	"AlwaysPullImages, and webhooks that cannot": {made("", always) + hook("pod-identity-webhook", onPods) + hook("x", onPods+", objectSelector: {matchLabels: {app: other}}"),
		[]string{"AlwaysPullImages " + pullPolicy}},
	"not all containers pull always": {made("", `{initContainers: [{name: i, image: "x:2", imagePullPolicy: Never}], containers: [{name: a, image: "x:2", imagePullPolicy: Always}]}`),
		[]string{" " + pullPolicy, " spec.template.spec.initContainers[i]"}},
	"a later Pod does not pull always": {made("", always) + "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: later, namespace: z, creationTimestamp: \"2026-01-02T11:59:00Z\"}\nspec: " + asTemplate,
		[]string{" " + pullPolicy}},

	"LimitRanger, by the LimitRange": {made(`  annotations: {kubernetes.io/limit-ranger: "LimitRanger plugin set: cpu, memory limit for container a"}`,
		`{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent, resources: {limits: {cpu: "1", memory: 1Gi}}}]}`) +
		limitRange("other", "default: {cpu: 2}") + limitRange("defaults", "default: {cpu: 1000m, memory: 1024Mi}"),
		[]string{"LimitRange/defaults spec.template.spec.containers[a].resources.limits.cpu", "LimitRange/defaults spec.template.spec.containers[a].resources.limits.memory"}},
	"LimitRanger, of which half is another's": {made(`  annotations: {kubernetes.io/limit-ranger: "LimitRanger plugin set: cpu limit for container a"}`,
		`{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent, resources: {limits: {cpu: "1", example.com/gpu: 1}}}]}`) + limitRange("defaults", "default: {cpu: 1}"),
		[]string{` spec.template.spec.containers[a].resources.limits["example.com/gpu"]`, "LimitRange/defaults spec.template.spec.containers[a].resources.limits.cpu"}},
	"LimitRanger, by a LimitRange that is gone": {made(`  annotations: {kubernetes.io/limit-ranger: "LimitRanger plugin set: cpu request for container a"}`,
		`{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent, resources: {requests: {cpu: "1"}}}]}`) + limitRange("changed", "defaultRequest: {cpu: 2}"),
		[]string{"LimitRanger spec.template.spec.containers[a].resources.requests.cpu"}},
	"LimitRanger, before a webhook added a container": {made(`  annotations: {kubernetes.io/limit-ranger: "LimitRanger plugin set: cpu limit for container proxy"}`,
		`{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent, resources: {limits: {cpu: "1"}}}]}`) + limitRange("defaults", "default: {cpu: 1}"),
		[]string{"LimitRange/defaults spec.template.spec.containers[a].resources.limits.cpu"}},
	"LimitRanger did not set this one": {made(`  annotations: {kubernetes.io/limit-ranger: "LimitRanger plugin set: memory limit for container a"}`,
		`{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent, resources: {limits: {cpu: "1"}}}]}`) + limitRange("defaults", "default: {cpu: 2}"),
		[]string{" spec.template.spec.containers[a].resources.limits.cpu"}},

	"Istio": {made(`  annotations: {sidecar.istio.io/status: "{}"}`, `{containers: [{name: a, image: "x:2", imagePullPolicy: Never}, {name: istio-proxy, image: p}], volumes: [{name: istio-envoy}]}`) + hook("istio-sidecar-injector", onPods),
		[]string{" " + pullPolicy, "the Istio sidecar injector spec.template.spec.containers[istio-proxy]", "the Istio sidecar injector spec.template.spec.volumes[istio-envoy]"}},
	"Linkerd": {made(`  annotations: {linkerd.io/proxy-version: "2"}`, `{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent}, {name: linkerd-proxy, image: p}]}`),
		[]string{"the Linkerd proxy injector spec.template.spec.containers[linkerd-proxy]"}},
	"a sidecar of nobody known": {made("", `{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent}, {name: agent, image: p}]}`) + hook("agent-injector", onPods),
		[]string{"MutatingWebhookConfiguration/agent-injector spec.template.spec.containers[agent]"}},
	"pod identity": {made("", `{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent, env: [{name: AWS_ROLE_ARN, value: x}]}], volumes: [{name: aws-iam-token, projected: {}}]}`),
		[]string{"the EKS pod identity webhook spec.template.spec.containers[a].env[AWS_ROLE_ARN]", "the EKS pod identity webhook spec.template.spec.volumes[aws-iam-token]"}},
	"not pod identity": {made("", `{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent, env: [{name: AWS_REGION, value: x}]}]}`),
		[]string{" spec.template.spec.containers[a].env[AWS_REGION]"}},
	"Gatekeeper": {made(`  annotations: {gatekeeper.sh/mutations: "Assign//never:1"}`, never) + hook("gatekeeper-mutating-webhook-configuration", onPods),
		[]string{"OPA Gatekeeper " + pullPolicy}},
	"Gatekeeper, or another": {made(`  annotations: {gatekeeper.sh/mutations: "Assign//never:1"}`, never) + hook("mine", onPods),
		[]string{" " + pullPolicy + " OPA Gatekeeper (the Pods' gatekeeper.sh/mutations: Assign//never:1) MutatingWebhookConfiguration/mine"}},
	"VerticalPodAutoscaler": {made(`  annotations: {vpaUpdates: "Pod resources updated by of-x: container 0: cpu request"}`, `{containers: [{name: a, image: "x:2", imagePullPolicy: IfNotPresent, resources: {requests: {cpu: 2}}}]}`),
		[]string{"VerticalPodAutoscaler/of-x spec.template.spec.containers[a].resources.requests.cpu"}},

	"Kyverno, by its annotation": {made("  annotations:\n    policies.kyverno.io/last-applied-patches: |\n      mirror.use-mirror.kyverno.io: replaced /spec/containers/0/image\n",
		`{containers: [{name: a, image: "mirror/x:2", imagePullPolicy: IfNotPresent}]}`),
		[]string{"Kyverno policy use-mirror, rule mirror spec.template.spec.containers[a].image"}},
	"Kyverno, but it is not known what": {made(`  annotations: {policies.kyverno.io/last-applied-patches: x}`, never), []string{"Kyverno " + pullPolicy}},
	"Kyverno, by a rule that matches": {made("", never) + hook("kyverno-resource-mutating-webhook-cfg", onPods) + namespace +
		kyverno("pull", "match: {any: [{resources: {kinds: [Pod], namespaces: [n*]}}]}, "+kyvernoNever) +
		kyverno("elsewhere", "match: {any: [{resources: {kinds: [Pod], namespaces: [other]}}]}, "+kyvernoNever) +
		kyverno("excluded", "match: {any: [{resources: {kinds: [Pod]}}]}, exclude: {any: [{resources: {namespaces: [ns]}}]}, "+kyvernoNever),
		[]string{"Kyverno ClusterPolicy/pull, rule r " + pullPolicy}},

	"a policy that gives the value": {made("", never) + policy("never", podConstraints, setsNever) + binding("never", "") + policy("nodes", podConstraints, setsNodes) + binding("nodes", "") + hook("mine", onPods),
		[]string{"MutatingAdmissionPolicy/never (binding of-never) " + pullPolicy}},
	"a policy without binding": {made("", never) + policy("never", podConstraints, setsNever), []string{" " + pullPolicy}},
	"a policy bound elsewhere": {made("", never) + namespace + policy("never", podConstraints, setsNever) +
		binding("never", ", matchResources: {namespaceSelector: {matchLabels: {team: core}}}"), []string{" " + pullPolicy}},
	"a policy bound here, with parameters": {made("", never) + namespace + policy("never", podConstraints, strings.ReplaceAll(setsNever, `"Never"`, "params.data.policy")) +
		binding("never", ", paramRef: {name: pulls}, matchResources: {namespaceSelector: {matchLabels: {team: edge}}}"),
		[]string{"MutatingAdmissionPolicy/never (with the parameters of pulls, binding of-never) " + pullPolicy}},
	"a policy that leaves these out": {made("", never) + policy("never", "matchConstraints: {resourceRules: [{apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['*']}], excludeResourceRules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: ['*']}]}", setsNever) + binding("never", ""),
		[]string{" " + pullPolicy}},
	"two policies that give the value": {made("", never) + policy("one", podConstraints, setsNever) + binding("one", "") + policy("two", podConstraints, setsNever) + binding("two", ""),
		[]string{" " + pullPolicy + " MutatingAdmissionPolicy/one (binding of-one; its text names the field) MutatingAdmissionPolicy/two (binding of-two; its text names the field)"}},

	"the only webhook that matches": {made("", never) + hook("mine", onPods) + hook("services", `rules: [{apiGroups: [""], resources: [services], operations: [CREATE]}]`) +
		hook("updates", `rules: [{apiGroups: [""], resources: [pods], operations: [UPDATE]}]`) + hook("of-another-label", onPods+", objectSelector: {matchExpressions: [{key: app, operator: NotIn, values: [x]}]}") +
		hook("apps", `rules: [{apiGroups: [apps], resources: ["*"], operations: ["*"]}]`) + hook("cluster", `rules: [{apiGroups: ["*"], resources: ["*"], operations: ["*"], scope: Cluster}]`),
		[]string{"MutatingWebhookConfiguration/mine " + pullPolicy}},
	"a webhook that came later": {made("", never) + strings.ReplaceAll(hook("late", onPods), "2026-01-01", "2026-01-03"), []string{" " + pullPolicy}},
	"several webhooks, one with conditions": {made("", never) + hook("mine", onPods+", reinvocationPolicy: IfNeeded") + hook("perhaps", `rules: [{apiGroups: ["*"], resources: ["*/*"], operations: ["*"]}], matchConditions: [{name: c, expression: x}]`),
		[]string{" " + pullPolicy + " MutatingWebhookConfiguration/mine (asked again after others) MutatingWebhookConfiguration/perhaps (may match: it has match conditions)"}},
	"a webhook of other namespaces": {made("", never) + namespace + hook("here", onPods+", namespaceSelector: {matchLabels: {team: edge}}") + hook("there", onPods+", namespaceSelector: {matchLabels: {team: core}}"),
		[]string{"MutatingWebhookConfiguration/here " + pullPolicy}},
	"a webhook of namespaces that were not read": {made("", never) + hook("mine", onPods+", namespaceSelector: {matchLabels: {team: edge}}") +
		hook("there", onPods+", namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [other]}]}"),
		[]string{"MutatingWebhookConfiguration/mine " + pullPolicy}},

	"the namespace's nodes": {made("", asTemplate[:len(asTemplate)-1]+", nodeSelector: {pool: edge}}") + strings.ReplaceAll(namespace, "labels:", "annotations: {scheduler.alpha.kubernetes.io/node-selector: pool=edge}, labels:"),
		[]string{"Namespace/ns spec.template.spec.nodeSelector.pool"}},
	"a label of the template": {strings.Replace(made("", asTemplate), "app: x", "app: z", 1), []string{" spec.template.metadata.labels.app"}},
}

func TestCulprits(t *testing.T) {
	t.Parallel()
	for name, c := range culprits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, d := range drift.Admission(running(t, fmt.Sprintf(run, "", complete, template2, c.pod)+header)) {
				got = append(got, strings.TrimRight(d.Culprit+" "+d.Field+" "+strings.Join(d.Suspects, " "), " "))
				if d.Since != "2026-01-02T11:00:00Z" || (d.How == "") != (d.Culprit == "") {
					t.Errorf("since %q, known by %q", d.Since, d.How)
				}
			}
			if !slices.Equal(got, c.tells) {
				t.Errorf("got  %q\nwant %q", got, c.tells)
			}
		})
	}
}

// What was not read may be there: nobody is named for being the only one.
func TestNobodyIsTheOnlyOneUnseen(t *testing.T) {
	t.Parallel()
	pod := made("", never) + hook("mine", onPods)
	for _, unread := range []string{"", strings.Replace(header, "takenAt", "gaps: [{what: mutatingadmissionpolicies of the cluster, why: forbidden}]\ntakenAt", 1)} {
		got := drift.Admission(running(t, fmt.Sprintf(run, "", complete, template2, pod)+unread))
		if len(got) != 1 || got[0].Culprit != "" || !slices.Equal(got[0].Suspects, []string{"MutatingWebhookConfiguration/mine"}) {
			t.Errorf("got %+v", got)
		}
	}
}

// The API server fills these in for Pods, and not for templates.
func TestFilledInForPods(t *testing.T) {
	t.Parallel()
	const template = `{hostNetwork: true, tolerations: [{key: a, operator: Exists}], containers: [{name: a, ports: [{containerPort: 80}], resources: {limits: {cpu: 1, memory: 1Gi, x/gpu: 1}}}]}`
	const pod = `spec: {hostNetwork: true, tolerations: [{key: a, operator: Exists}, {key: x/gpu, operator: Exists}, {key: node.kubernetes.io/not-ready, operator: Exists}],
  containers: [{name: a, ports: [{containerPort: 80, hostPort: 80}], resources: {limits: {cpu: 1, memory: 1Gi, x/gpu: 1}, requests: {cpu: 1000m, memory: 1024Mi, x/gpu: 1}}}]}`
	if got := drift.Admission(running(t, fmt.Sprintf(run, "", complete, template, pod))); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
	got := drift.Admission(running(t, fmt.Sprintf(run, "", complete, template, strings.Replace(pod, "requests: {cpu: 1000m", "requests: {cpu: 500m", 1))))
	if len(got) != 1 || !strings.Contains(got[0].Field, "requests") {
		t.Errorf("got %+v", got)
	}
}

// A field that Helm alone owns and that is not as Helm wrote it was changed at admission, by what matches the object.
func TestAdmittedObjects(t *testing.T) {
	t.Parallel()
	const live = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: x
  namespace: ns
  managedFields:
  - {manager: %s, operation: Update, time: "2026-01-02T11:00:00Z", fieldsV1: {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"a"}': {"f:imagePullPolicy": {}}}}}}}}
spec: {template: {spec: {containers: [{name: a, imagePullPolicy: Never}]}}}
`
	const constraints = `matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [%s]}]}`
	want := rendered(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {template: {spec: {containers: [{name: a, imagePullPolicy: IfNotPresent}]}}}}`)
	onDeployments := strings.NewReplacer(`""`, "apps", "pods", "deployments").Replace(onPods)
	for name, c := range map[string]struct{ manager, cluster, culprit string }{
		"nobody":                 {"helm", "", ""},
		"a policy":               {"helm", policy("never", fmt.Sprintf(constraints, "UPDATE"), setsNever) + binding("never", ""), "MutatingAdmissionPolicy/never (binding of-never)"},
		"a policy on deletions":  {"helm", policy("never", fmt.Sprintf(constraints, "DELETE"), setsNever) + binding("never", ""), ""},
		"the only webhook":       {"helm", hook("mine", onDeployments) + hook("on-pods", onPods), "MutatingWebhookConfiguration/mine"},
		"a webhook made later":   {"helm", strings.ReplaceAll(hook("mine", onDeployments), "2026-01-01", "2026-01-03"), ""},
		"Kyverno, for Pods":      {"helm", kyverno("pull", "match: {any: [{resources: {kinds: [Pod]}}]}, "+kyvernoNever), "Kyverno ClusterPolicy/pull, rule r"},
		"Kyverno, for Jobs":      {"helm", kyverno("pull", "match: {any: [{resources: {kinds: [Job]}}]}, "+kyvernoNever), ""},
		"somebody else wrote it": {"kubectl-edit", hook("mine", onDeployments), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := drift.Compare(want, read(t, fmt.Sprintf(live, c.manager)+c.cluster+header), "ns")
			if len(got) != 1 || got[0].Culprit != c.culprit {
				t.Errorf("got %+v", got)
			}
		})
	}
}
