package drift

import (
	"regexp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Injector is a well-known program that changes Pods, and what it can be known by.
type Injector struct {
	Name    string
	Mark    *regexp.Regexp // of a label or annotation that it leaves on the Pod; nil: it leaves none, and Field says enough
	Field   *regexp.Regexp // that it writes
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
		`^spec\.(initC|c)ontainers\[consul-|^spec\.volumes\[consul-|`+anyContainer+`\.(env\[|volumeMounts\[/consul)`, `consul.*connect-injector`),
	injector("the Vault agent injector", `vault\.hashicorp\.com/agent-inject-status`,
		`^spec\.(initC|c)ontainers\[vault-agent|^spec\.(volumes\[|shareProcessNamespace)|`+anyContainer+`\.volumeMounts\[/(vault|home/vault)`, `vault.*agent-injector`),
	injector("Dapr's sidecar injector", `dapr\.io/sidecar-injected`,
		`^spec\.(initC|c)ontainers\[daprd|^spec\.volumes\[dapr|`+anyContainer+`\.(env\[(DAPR|APP)_|volumeMounts\[/(dapr|var/run/secrets/dapr))`, `dapr-sidecar-injector`),
	injector("the OpenTelemetry operator", `sidecar\.opentelemetry\.io/inject(ed)?|instrumentation\.opentelemetry\.io/inject-[a-z-]+`,
		`^spec\.(initC|c)ontainers\[(otc-container|opentelemetry-)|^spec\.volumes\[opentelemetry-|`+anyContainer+`\.(env\[|volumeMounts\[/otel)`, `opentelemetry-operator.*`),
	injector("the EKS pod identity webhook", ``,
		anyContainer+`\.(env\[AWS_|volumeMounts\[/var/run/secrets/(eks|pods\.eks)\.amazonaws\.com)|^spec\.volumes\[(aws-iam-token|eks-pod-identity-token)\]`, `pod-identity-webhook`),
	injector("the Azure workload identity webhook", ``,
		anyContainer+`\.(env\[AZURE_|volumeMounts\[/var/run/secrets/azure)|^spec\.volumes\[azure-identity-token\]`, `azure-wi-webhook-.*`),
	injector("GKE Autopilot", `autopilot\.gke\.io/resource-adjustment`, `\.resources(\.|$)|\.securityContext(\.|$)|^spec\.(tolerations|nodeSelector)`, `gke-autopilot.*|.*\.common-webhooks\.networking\.gke\.io`),
	injector("OpenShift's SecurityContextConstraints", `openshift\.io/scc`, `securityContext(\.|$)`, ``),
	injector("VerticalPodAutoscaler", `vpaUpdates|vpaObservedContainers`, `\.resources(\.|$)`, `vpa-webhook-config`),
	injector("OPA Gatekeeper", `gatekeeper\.sh/mutations?`, `.`, `gatekeeper-mutating-webhook-configuration`),
	injector("cert-manager", `cert-manager\.io/inject-.*`, `caBundle`, `cert-manager-webhook`),
}

func injector(name, mark, field, webhook string) Injector {
	compile := func(text string) *regexp.Regexp {
		if text == "" {
			return nil
		}
		return regexp.MustCompile("^(" + text + ")$")
	}
	return Injector{name, compile(mark), regexp.MustCompile(field), compile(webhook)}
}

// left gives the label or annotation that shows that the injector was at work on a Pod.
func (in Injector) left(p *unstructured.Unstructured) (mark string, found bool) {
	if in.Mark == nil {
		return "", true
	}
	for _, marks := range []map[string]string{p.GetAnnotations(), p.GetLabels()} {
		for name := range marks {
			if in.Mark.MatchString(name) && (mark == "" || name < mark) {
				mark = name
			}
		}
	}
	return mark, mark != ""
}

// injected names the program that wrote a field, and its webhook where the snapshot holds it.
func (r request) injected(p *unstructured.Unstructured) (culprit, how string) {
	for _, in := range Injectors {
		mark, found := in.left(p)
		if !found || !in.Field.MatchString(r.field) {
			continue
		}
		how = "by what it leaves in the Pods"
		if mark != "" {
			how = "by the Pods' " + mark
		}
		for _, o := range r.snap.Kind(webhookKind) {
			if in.Webhook != nil && in.Webhook.MatchString(o.GetName()) && len(r.webhooks(o)) > 0 {
				return in.Name, how + "; its MutatingWebhookConfiguration/" + o.GetName() + " matches them"
			}
		}
		return in.Name, how
	}
	return "", ""
}
