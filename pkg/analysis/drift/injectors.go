package drift

import (
	"maps"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// Injector is a well-known program that changes Pods, and what it can be known by.
type Injector struct {
	Name    string
	Mark    *regexp.Regexp // the name of a label, annotation or volume that it leaves in the Pod
	Field   *regexp.Regexp // that it writes; nil: it may be any
	Webhook *regexp.Regexp // the names of its MutatingWebhookConfiguration; nil: it has none
}

const anyContainer = `^spec\.(initC|c)ontainers\[[^\]]+\]`

// Injectors are tried in this order. A new one is one line and one case in TestCulprits. Sources: the programs' own
// charts and documentation.
var Injectors = []Injector{
	injector("the Istio sidecar injector", `sidecar\.istio\.io/status|istio\.io/rev`,
		`^spec\.(initC|c)ontainers\[(istio-|enable-core-dump)|^spec\.volumes\[(istio|workload-|credential-)|`+anyContainer+`\.(readiness|liveness|startup)Probe\.|^spec\.securityContext\.fsGroup$|^metadata\.annotations\["prometheus\.io/`,
		`istio-sidecar-injector|istio-revision-tag`),
	injector("the Linkerd proxy injector", `linkerd\.io/(proxy-version|created-by|trust-root-sha256)`,
		`^spec\.(initC|c)ontainers\[linkerd-|^spec\.volumes\[linkerd-|`+anyContainer+`\.env\[_?LINKERD`, `linkerd-proxy-injector`),
	injector("the Consul injector", `consul\.hashicorp\.com/connect-inject-status`,
		`^spec\.(initC|c)ontainers\[consul-|^spec\.volumes\[consul-|`+anyContainer+`\.(env\[CONSUL_|volumeMounts\[/consul)`, `consul.*connect-injector`),
	injector("the Vault agent injector", `vault\.hashicorp\.com/agent-inject-status`,
		`^spec\.(initC|c)ontainers\[vault-agent|^spec\.(volumes\[(home-(init|sidecar)|vault-)|shareProcessNamespace)|`+anyContainer+`\.volumeMounts\[/(vault|home/vault)`, `vault.*agent-injector`),
	injector("Dapr's sidecar injector", `dapr\.io/sidecar-injected`,
		`^spec\.(initC|c)ontainers\[daprd|^spec\.volumes\[dapr|`+anyContainer+`\.(env\[(DAPR|APP)_|volumeMounts\[/(dapr|var/run/secrets/dapr))`, `dapr-sidecar-injector`),
	injector("the OpenTelemetry operator", `sidecar\.opentelemetry\.io/inject(ed)?|instrumentation\.opentelemetry\.io/inject-[a-z-]+`,
		`^spec\.(initC|c)ontainers\[(otc-container|opentelemetry-)|^spec\.volumes\[opentelemetry-|`+anyContainer+`\.(env\[(OTEL_|JAVA_TOOL_OPTIONS|NODE_OPTIONS|PYTHONPATH|CORECLR_|DOTNET_)|volumeMounts\[/otel)`, `opentelemetry-operator.*`),
	injector("the EKS pod identity webhook", `aws-iam-token|eks-pod-identity-token`,
		anyContainer+`\.(env\[AWS_|volumeMounts\[/var/run/secrets/(eks|pods\.eks)\.amazonaws\.com)|^spec\.volumes\[(aws-iam-token|eks-pod-identity-token)\]`, `pod-identity-webhook`),
	injector("the Azure workload identity webhook", `azure-identity-token`,
		anyContainer+`\.(env\[AZURE_|volumeMounts\[/var/run/secrets/azure)|^spec\.volumes\[azure-identity-token\]`, `azure-wi-webhook-.*`),
	injector("GKE Autopilot", `autopilot\.gke\.io/resource-adjustment`, `\.resources(\.|$)|\.securityContext(\.|$)|^spec\.(tolerations|nodeSelector)`, `gke-autopilot.*|.*\.common-webhooks\.networking\.gke\.io`),
	injector("OpenShift's SecurityContextConstraints", `openshift\.io/scc`, `securityContext(\.|$)`, ``),
	injector("VerticalPodAutoscaler", `vpaUpdates|vpaObservedContainers`, `\.resources(\.|$)`, `vpa-webhook-config`),
	injector("OPA Gatekeeper", `gatekeeper\.sh/mutations`, ``, `gatekeeper-mutating-webhook-configuration`),
}

func injector(name, mark, field, webhook string) Injector {
	whole := func(text string) *regexp.Regexp {
		if text == "" {
			return nil
		}
		return regexp.MustCompile("^(" + text + ")$")
	}
	in := Injector{Name: name, Mark: whole(mark), Webhook: whole(webhook)}
	if field != "" {
		in.Field = regexp.MustCompile(field)
	}
	return in
}

// left gives what shows that the injector was at work on a Pod; empty if nothing does.
func (in Injector) left(p *unstructured.Unstructured) (mark string) {
	names := slices.Concat(slices.Collect(maps.Keys(p.GetAnnotations())), slices.Collect(maps.Keys(p.GetLabels())))
	volumes, _, _ := unstructured.NestedSlice(p.Object, "spec", "volumes")
	names = append(names, rendering.ItemNames(volumes)...)
	slices.Sort(names)
	if i := slices.IndexFunc(names, in.Mark.MatchString); i >= 0 {
		return names[i]
	}
	return ""
}

// injected names the program that wrote a field, and its webhook where the snapshot holds it.
func (r request) injected(p *unstructured.Unstructured) (culprit, how string) {
	for _, in := range Injectors {
		if in.Field == nil || !in.Field.MatchString(r.field) {
			continue
		}
		mark := in.left(p)
		if mark == "" {
			continue
		}
		how = "by the Pods' " + mark
		for _, o := range r.snap.Kind(webhookKind) {
			if in.Webhook != nil && in.Webhook.MatchString(o.GetName()) && len(r.webhooks(o)) > 0 {
				return in.Name, how + "; its MutatingWebhookConfiguration/" + o.GetName() + " matches them"
			}
		}
		return in.Name, how
	}
	return "", ""
}

// signs are of programs that changed the Pod, and may have changed any field of it.
func signs(p *unstructured.Unstructured) []Mutator {
	var out []Mutator
	for _, in := range Injectors {
		if in.Field != nil {
			continue
		}
		if mark := in.left(p); mark != "" {
			out = append(out, Mutator{Name: in.Name, Remarks: []string{"the Pods' " + mark + ": " + p.GetAnnotations()[mark]}, hook: in.Webhook})
		}
	}
	return append(out, kyvernoSigns(p)...)
}
