package checks

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/release"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// planeChart is a chart of the shape of kgateway's: the controller's image, environment and ports.
func planeChart(name, version string) *helmchart.Chart {
	return &helmchart.Chart{
		Metadata: &helmchart.Metadata{Name: name, Version: version, AppVersion: version, APIVersion: "v2"},
		Values: map[string]any{
			"image":            map[string]any{"registry": "r.io", "tag": "", "pullPolicy": "IfNotPresent"},
			"imagePullSecrets": []any{}, "nodeSelector": map[string]any{},
			"controller": map[string]any{
				"image": map[string]any{"tag": "", "registry": ""}, "extraEnv": map[string]any{}, "logLevel": "info",
				"xds":     map[string]any{"tls": map[string]any{"enabled": false}},
				"service": map[string]any{"ports": map[string]any{"health": 9093, "metrics": 9092}},
			},
		},
		Templates: []*helmchart.File{{Name: "templates/deployment.yaml", Data: []byte(`apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Chart.Name }}, namespace: sys}
spec:
  template:
    spec:
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets: {{ toJson . }}
      {{- end }}
      {{- with .Values.nodeSelector }}
      nodeSelector: {{ toJson . }}
      {{- end }}
      containers:
      - name: controller
        image: {{ .Values.controller.image.registry | default .Values.image.registry }}/kgateway:{{ .Values.controller.image.tag | default .Values.image.tag | default .Chart.Version }}
        ports:
        - {name: health, containerPort: {{ .Values.controller.service.ports.health }}}
        - {name: metrics, containerPort: {{ .Values.controller.service.ports.metrics }}}
        env:
        - {name: KGW_LOG_LEVEL, value: {{ .Values.controller.logLevel | quote }}}
        - {name: KGW_DEFAULT_IMAGE_REGISTRY, value: {{ .Values.image.registry | quote }}}
        - {name: KGW_DEFAULT_IMAGE_TAG, value: {{ .Values.image.tag | default .Chart.Version | quote }}}
        - {name: KGW_DEFAULT_IMAGE_PULL_POLICY, value: {{ .Values.image.pullPolicy | quote }}}
        {{- range $k, $v := .Values.controller.extraEnv }}
        - {name: {{ $k }}, value: {{ $v | quote }}}
        {{- end }}
        - {name: KGW_ENABLE_AGENTGATEWAY, value: "false"}
        {{- if .Values.controller.xds.tls.enabled }}
        - {name: KGW_XDS_TLS_ENABLED, value: "true"}
        {{- end }}
`)}},
	}
}

// shop is what a controller of 2.1 makes of two Gateways: plain, and tuned with parameters.
const shop = `apiVersion: kgw-doctor/v1
kind: Snapshot
serverVersion: v1.37.2
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kgateway}
spec: {controllerName: kgateway.dev/kgateway}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: other}
spec: {controllerName: example.com/other}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: foreign, namespace: shop}
spec: {gatewayClassName: other, infrastructure: {parametersRef: {group: example.com, kind: X, name: gone}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: plain, namespace: shop, uid: p}
spec: {gatewayClassName: kgateway}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: tuned, namespace: shop, uid: t}
spec: {gatewayClassName: kgateway, infrastructure: {parametersRef: {group: gateway.kgateway.dev, kind: GatewayParameters, name: small}}}
---
apiVersion: gateway.kgateway.dev/v1alpha1
kind: GatewayParameters
metadata: {name: small, namespace: shop}
spec: {kube: {envoyContainer: {image: {pullPolicy: Never}, env: [{name: A, value: b}]}, podTemplate: {imagePullSecrets: [{name: s}], nodeSelector: {disk: ssd}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: plain
  namespace: shop
  labels: {gateway.networking.k8s.io/gateway-name: plain}
  ownerReferences: [{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, name: plain, uid: p, controller: true}]
  managedFields:
  - {manager: kgateway.dev/kgateway, operation: Apply, apiVersion: apps/v1, fieldsType: FieldsV1, fieldsV1: {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"kgateway-proxy"}': {".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {}}}}}}}}
spec: {replicas: 7, template: {spec: {containers: [{name: kgateway-proxy, image: "r.io/envoy-wrapper:v2.1.0", imagePullPolicy: IfNotPresent}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: tuned
  namespace: shop
  labels: {gateway.networking.k8s.io/gateway-name: tuned}
  ownerReferences: [{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, name: tuned, uid: t, controller: true}]
spec: {template: {spec: {imagePullSecrets: [{name: s}], nodeSelector: {disk: ssd}, containers: [{name: kgateway-proxy, image: "r.io/envoy-wrapper:v2.1.0", imagePullPolicy: Never, env: [{name: A, value: b}]}]}}}
---
apiVersion: v1
kind: Service
metadata:
  name: plain
  namespace: shop
  ownerReferences: [{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, name: plain, uid: p, controller: true}]
spec: {type: LoadBalancer}
`

// shopFacts installs the plane with values beside the shop, whose text is changed by pairs.
func shopFacts(t *testing.T, version string, supplied map[string]any, replace ...string) *analysis.Facts {
	t.Helper()
	c := planeChart("kgateway", version)
	in := analysis.Input{
		Mode: analysis.Installed, Chart: c, Supplied: supplied, Now: noon, ChartArgument: "./chart",
		Release: rendering.Release{Name: "kgateway", Namespace: "sys", Revision: 1}, Cluster: rendering.Cluster{KubeVersion: "v1.37.2"},
	}
	r, err := rendering.New(c, in.Release, in.Cluster)
	if err != nil {
		t.Fatal(err)
	}
	w, err := rendering.NewWorld(r, supplied)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := w.Baseline().Text("kgateway/templates/deployment.yaml")
	cluster := shop
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(cluster, replace[i]) {
			t.Fatalf("the shop holds no %q", replace[i])
		}
		cluster = strings.ReplaceAll(cluster, replace[i], replace[i+1])
	}
	cluster += "---\n" + text + "status: {observedGeneration: 0, replicas: 1, updatedReplicas: 1, availableReplicas: 1}\n"
	if in.Live, err = snapshot.Read(strings.NewReader(cluster)); err != nil {
		t.Fatal(err)
	}
	in.Record = &snapshot.Record{Name: "kgateway", Namespace: "sys", Revision: 1, Status: "deployed", Release: &release.Release{
		Name: "kgateway", Namespace: "sys", Version: 1, Chart: c, Config: supplied, Manifest: text, Info: &release.Info{Status: release.StatusDeployed},
	}}
	f, err := analysis.Gather(in)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func tree(path string, v any) map[string]any {
	out := v
	for _, k := range slices.Backward(strings.Split(path, ".")) {
		out = map[string]any{k: out}
	}
	return out.(map[string]any)
}

// Cases of KGW4001 to KGW4105: each with the values and the change in the cluster that make it, and what is told.
func TestKgatewayChecks(t *testing.T) {
	t.Parallel()
	const policyOf = "spec.template.spec.containers[kgateway-proxy].imagePullPolicy"
	for _, c := range []struct {
		name     string
		version  string
		supplied map[string]any
		replace  []string
		tells    []string
		fix      string // the first flag's argument; "" if nothing is proved
	}{
		{name: "as installed"},
		{name: "TLS under a name that nobody reads", supplied: tree("controller.xds.tls.enabled", true),
			tells: []string{"KGW4001 error Deployment/kgateway spec.template.spec.containers[controller].env[KGW_XDS_TLS_ENABLED].name controller.xds.tls.enabled"},
			fix:   "controller.extraEnv.KGW_XDS_TLS=true"},
		{name: "TLS, and the right way too", supplied: map[string]any{"controller": map[string]any{
			"xds": map[string]any{"tls": map[string]any{"enabled": true}}, "extraEnv": map[string]any{"KGW_XDS_TLS": "true"}}}},
		{name: "TLS off", supplied: tree("controller.xds.tls.enabled", false)},
		{name: "a version without the defect", version: "v2.5.0", supplied: tree("controller.xds.tls.enabled", true)},
		{name: "health port", supplied: tree("controller.service.ports.health", 9999),
			tells: []string{"KGW4001 error Deployment/kgateway spec.template.spec.containers[controller].ports[health].containerPort controller.service.ports.health"},
			fix:   "controller.service.ports.health=9093"},
		{name: "metrics port as built in", supplied: tree("controller.service.ports.metrics", 9092)},
		{name: "a variable with its words in another order", version: "v2.2.0", supplied: tree("controller.extraEnv.KGW_ENABLE_GATEWAY_API_EXPERIMENTAL_FEATURES", "true"),
			replace: []string{"v2.1.0", "v2.2.0"},
			tells:   []string{"KGW4002 error Deployment/kgateway spec.template.spec.containers[controller].env[KGW_ENABLE_GATEWAY_API_EXPERIMENTAL_FEATURES].value controller.extraEnv.KGW_ENABLE_GATEWAY_API_EXPERIMENTAL_FEATURES"},
			fix:     "controller.extraEnv.KGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES=true"},
		{name: "a variable of a later version", supplied: tree("controller.extraEnv.KGW_ADMIN_BIND_ADDRESS", "0.0.0.0"),
			tells: []string{"KGW4002 error Deployment/kgateway spec.template.spec.containers[controller].env[KGW_ADMIN_BIND_ADDRESS].value controller.extraEnv.KGW_ADMIN_BIND_ADDRESS"}},
		{name: "variables that are read, and one of the user's own", supplied: tree("controller.extraEnv", map[string]any{"KGW_XDS_AUTH": "false", "KGW_XDS_FIRST_CONNECT_DELAY": "0", "MY_OWN": "1"})},
		{name: "a version that is not known", version: "v9.0.0", supplied: tree("controller.extraEnv.KGW_NO_SUCH", "1"), replace: []string{"v2.1.0", "v9.0.0"}},
		{name: "a variable that the chart writes again", supplied: tree("controller.extraEnv.KGW_ENABLE_AGENTGATEWAY", "true"),
			tells: []string{"KGW4003 error Deployment/kgateway spec.template.spec.containers[controller].env[KGW_ENABLE_AGENTGATEWAY].value controller.extraEnv.KGW_ENABLE_AGENTGATEWAY"}},
		{name: "a value that the user's own variable overrides", supplied: map[string]any{"controller": map[string]any{"logLevel": "warn", "extraEnv": map[string]any{"KGW_LOG_LEVEL": "debug"}}},
			tells: []string{"KGW4003 warning Deployment/kgateway spec.template.spec.containers[controller].env[KGW_LOG_LEVEL].value controller.logLevel"},
			fix:   "controller.extraEnv.KGW_LOG_LEVEL=warn"},
		{name: "a variable over the chart's own", supplied: tree("controller.extraEnv.KGW_LOG_LEVEL", "debug")},
		{name: "the AI extension is in the parameters", supplied: tree("gateway.aiExtension.enabled", true), tells: []string{"KGW4004 info gateway.aiExtension.enabled"}},

		{name: "parameters that are not there", replace: []string{"metadata: {name: small,", "metadata: {name: large,"},
			tells: []string{"KGW4101 error Gateway/tuned spec.infrastructure.parametersRef"}},
		{name: "parameters in another namespace", replace: []string{"{name: small, namespace: shop}", "{name: small, namespace: sys}"},
			tells: []string{"KGW4101 error Gateway/tuned spec.infrastructure.parametersRef"}},
		{name: "parameters of another kind", replace: []string{"kind: GatewayParameters, name: small", "kind: ConfigMap, name: small"},
			tells: []string{"KGW4101 error Gateway/tuned spec.infrastructure.parametersRef"}},
		{name: "parameters that were not looked for", replace: []string{"serverVersion: v1.37.2", "x: y", "kind: GatewayParameters\nmetadata", "kind: Unasked\nmetadata"}},
		{name: "parameters that may not be read", replace: []string{"serverVersion: v1.37.2", "serverVersion: v1.37.2\ngaps: [{what: gatewayparameters in all namespaces, why: forbidden}]", "kind: GatewayParameters\nmetadata", "kind: Unasked\nmetadata"}},
		{name: "parameters that the controller rejects", replace: []string{"name: small}}}\n", "name: small}}}\nstatus: {conditions: [{type: Accepted, status: \"False\", reason: InvalidParameters, message: no}]}\n"},
			tells: []string{"KGW4101 error Gateway/tuned spec.infrastructure.parametersRef"}},

		{name: "a proxy that somebody changed", replace: []string{"imagePullPolicy: IfNotPresent}]}}}", "imagePullPolicy: Never}]}}}"},
			tells: []string{"KGW4102 warning Deployment/plain " + policyOf}},
		{name: "a proxy without the value that was given", supplied: tree("image.pullPolicy", "Always"),
			tells: []string{"KGW4102 error Deployment/plain " + policyOf + " image.pullPolicy", "KGW4104 info image.pullPolicy"}},
		{name: "a variable of the parameters", replace: []string{"imagePullPolicy: Never, env: [{name: A, value: b}]", "imagePullPolicy: Never"},
			tells: []string{"KGW4102 warning Deployment/tuned spec.template.spec.containers[kgateway-proxy].env[A].value"}},
		{name: "self-managed", replace: []string{"spec: {kube: {envoyContainer: {image: {pullPolicy: Never}, env: [{name: A, value: b}]}, podTemplate: {imagePullSecrets: [{name: s}], nodeSelector: {disk: ssd}}}}", "spec: {selfManaged: {}}"},
			tells: []string{"KGW4109 warning Deployment/tuned"}},
		{name: "scaled to nothing", replace: []string{"spec: {replicas: 7,", "spec: {replicas: 0,"}, tells: []string{"KGW4111 warning Deployment/plain spec.replicas"}},
		{name: "scaled to nothing by the parameters", replace: []string{"spec: {kube: {envoyContainer", "spec: {kube: {deployment: {replicas: 0}, envoyContainer", "spec: {template: {spec: {imagePullSecrets", "spec: {replicas: 0, template: {spec: {imagePullSecrets"}},
		{name: "self-managed, and no proxy left", replace: []string{"spec: {kube: {envoyContainer: {image: {pullPolicy: Never}, env: [{name: A, value: b}]}, podTemplate: {imagePullSecrets: [{name: s}], nodeSelector: {disk: ssd}}}}", "spec: {selfManaged: {}}", "name: tuned, uid: t, controller", "name: tuned, uid: former, controller"}},
		{name: "a class that is not there", replace: []string{"spec: {gatewayClassName: kgateway}", "spec: {gatewayClassName: kgatway}"}, tells: []string{"KGW4108 error GatewayClass/kgatway"}},
		{name: "a class of a controller that is no more", replace: []string{"controllerName: example.com/other", "controllerName: agentgateway.dev/agentgateway"}, tells: []string{"KGW4108 error GatewayClass/other spec.controllerName"}},
		{name: "overlaid", version: "v2.3.0", replace: []string{"v2.1.0", "v2.3.0", "spec: {kube: {envoyContainer", "spec: {kube: {deploymentOverlay: {spec: {template: {spec: {containers: [{name: kgateway-proxy, imagePullPolicy: Always}]}}}}, envoyContainer", "imagePullPolicy: Never, env", "imagePullPolicy: Always, env"}, tells: []string{"KGW4110 info GatewayParameters/small"}},
		{name: "an overlay that nobody laid", version: "v2.3.0", replace: []string{"v2.1.0", "v2.3.0", "spec: {kube: {envoyContainer", "spec: {kube: {deploymentOverlay: {spec: {template: {spec: {containers: [{name: kgateway-proxy, imagePullPolicy: Always}]}}}}, envoyContainer"},
			tells: []string{"KGW4102 warning Deployment/tuned " + policyOf, "KGW4110 info GatewayParameters/small"}},
		{name: "an overlay that takes away", version: "v2.3.0", replace: []string{"v2.1.0", "v2.3.0", "spec: {kube: {envoyContainer", "spec: {kube: {deploymentOverlay: {spec: {template: {spec: {nodeSelector: null}}}}, envoyContainer"},
			tells: []string{"KGW4102 warning Deployment/tuned spec.template.spec.nodeSelector", "KGW4110 info GatewayParameters/small"}},
		{name: "an overlay before there were any", replace: []string{"spec: {kube: {envoyContainer", "spec: {kube: {deploymentOverlay: {spec: {replicas: 1}}, envoyContainer"}},
		{name: "a field by kubectl edit", replace: []string{"  - {manager: kgateway.dev", "  - {manager: kubectl-edit, operation: Update, apiVersion: apps/v1, fieldsType: FieldsV1, fieldsV1: {\"f:spec\": {\"f:template\": {\"f:spec\": {\"f:priorityClassName\": {}}}}}}\n  - {manager: kgateway.dev", "spec: {replicas: 7, template: {spec: {", "spec: {replicas: 7, template: {spec: {priorityClassName: high, "},
			tells: []string{"KGW4102 warning Deployment/plain spec.template.spec.priorityClassName"}},

		{name: "pull secrets of the controller alone", supplied: map[string]any{"imagePullSecrets": []any{map[string]any{"name": "s"}}}, tells: []string{"KGW4103 info imagePullSecrets[0].name"}},
		{name: "a value that gives way", supplied: tree("image.pullPolicy", "Always"), replace: []string{"imagePullPolicy: IfNotPresent}]}}}", "imagePullPolicy: Always}]}}}"},
			tells: []string{"KGW4104 info image.pullPolicy"}},
		{name: "another version of the controller", supplied: tree("controller.image.tag", "v2.1.1"),
			tells: []string{"KGW4105 warning Deployment/plain spec.template.spec.containers[kgateway-proxy].image controller.image.tag"}, fix: "image.tag=v2.1.1"},
		{name: "the class's parameters dropped", replace: []string{"spec: {controllerName: kgateway.dev/kgateway}", "spec: {controllerName: kgateway.dev/kgateway, parametersRef: {group: gateway.kgateway.dev, kind: GatewayParameters, name: small, namespace: shop}}",
			"spec: {kube: {envoyContainer", "spec: {kube: {omitDefaultSecurityContext: true, envoyContainer", "spec: {replicas: 7, template: {spec: {containers: [{name: kgateway-proxy, image: \"r.io/envoy-wrapper:v2.1.0\", imagePullPolicy: IfNotPresent}]}}}",
			"spec: {template: {spec: {imagePullSecrets: [{name: s}], nodeSelector: {disk: ssd}, containers: [{name: kgateway-proxy, image: \"r.io/envoy-wrapper:v2.1.0\", imagePullPolicy: Never, env: [{name: A, value: b}]}]}}}"},
			tells: []string{"KGW4106 warning Gateway/tuned spec.infrastructure.parametersRef"}},
		{name: "a proxy deleted", replace: []string{"name: small}}}\n", "name: small}}, listeners: [{name: http}]}\nstatus: {conditions: [{type: Accepted, status: \"True\"}]}\n", "kind: Gateway, name: tuned, uid: t", "kind: Gateway, name: tuned, uid: former"},
			tells: []string{"KGW4107 warning Gateway/tuned"}},
		{name: "a version with a digest", version: "2.1.1+0123", tells: []string{"KGW4006 error Deployment/kgateway spec.template.spec.containers[controller].image"}, fix: "image.tag=v2.1.1",
			replace: []string{"v2.1.0", "2.1.1+0123"}},
		{name: "another version of both", supplied: tree("image.tag", "v2.1.1"), replace: []string{"v2.1.0", "v2.1.1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.supplied == nil {
				c.supplied = map[string]any{}
			}
			if c.version == "" {
				c.version = "v2.1.0"
			} else if len(c.replace) == 0 {
				c.replace = []string{"v2.1.0", c.version}
			}
			f := shopFacts(t, c.version, c.supplied, c.replace...)
			got, incomplete := analysis.Run(f, kgatewayChecks())
			if len(incomplete) > 0 {
				t.Errorf("incomplete: %+v", incomplete)
			}
			if !slices.Equal(tells(got.Findings), c.tells) {
				t.Errorf("got  %q\nwant %q", tells(got.Findings), c.tells)
			}
			if is := firstFix(f, got); is != c.fix {
				t.Errorf("fix %q, want %q", is, c.fix)
			}
		})
	}
}

func firstFix(f *analysis.Facts, r finding.Release) string {
	for _, x := range fix.Prove(f, r).Findings {
		for _, v := range x.Fixes {
			return v.Set()[0]
		}
	}
	return ""
}

// The object to apply is printed whole, and only as shell words that are safe to paste.
func TestParametersArePrintedWhole(t *testing.T) {
	t.Parallel()
	f := shopFacts(t, "v2.1.0", map[string]any{"nodeSelector": map[string]any{"disk": "s'sd"}})
	got, _ := analysis.Run(f, kgatewayChecks())
	want := []string{
		`printf %s '{"apiVersion":"gateway.kgateway.dev/v1alpha1","kind":"GatewayParameters","metadata":{"name":"plain","namespace":"shop"},"spec":{"kube":{"podTemplate":{"nodeSelector":{"disk":"s'\''sd"}}}}}' | kubectl apply --filename -`,
		`kubectl patch gateway/plain --namespace shop --type merge --patch '{"spec":{"infrastructure":{"parametersRef":{"group":"gateway.kgateway.dev","kind":"GatewayParameters","name":"plain"}}}}'`,
	}
	if len(got.Findings) != 1 || !slices.Equal(got.Findings[0].Steps, want) {
		t.Errorf("got %+v", got.Findings)
	}
}

// realCase is a value for a real chart and what the knowledge says of it; the names are those of the chart files.
var realCases = []struct {
	chart, path string
	value       any
	tells       string // "": nothing
	fix         string
}{
	{"kgateway-v2.1.0", "controller.xds.tls.enabled", true, "KGW4001", "controller.extraEnv.KGW_XDS_TLS=true"},
	{"kgateway-v2.2.0", "controller.xds.tls.enabled", true, "KGW4001", "controller.extraEnv.KGW_XDS_TLS=true"},
	{"kgateway-v2.3.0", "controller.xds.tls.enabled", true, "KGW4001", "controller.extraEnv.KGW_XDS_TLS=true"},
	{"kgateway-v2.4.0", "controller.xds.tls.enabled", true, "", ""},
	{"agentgateway-v2.2.0", "controller.xds.tls.enabled", true, "KGW4001", "controller.extraEnv.KGW_XDS_TLS=true"},
	{"agentgateway-v1.0.0", "controller.xds.tls.enabled", true, "KGW4001", "controller.extraEnv.AGW_XDS_TLS=true"},
	{"kgateway-v2.0.5", "controller.service.ports.health", 9000, "KGW4001", "controller.service.ports.health=9093"},
	{"kgateway-v2.4.0", "controller.service.ports.health", 9000, "KGW4001", "controller.service.ports.health=9093"},
	{"kgateway-v2.0.2", "controller.service.ports.health", 9000, "", ""}, // not rendered at all: KGW1004
	{"kgateway-v2.1.0", "controller.service.ports.metrics", 9000, "KGW4001", "controller.service.ports.metrics=9092"},
	{"agentgateway-v1.4.0", "controller.service.ports.metrics", 9092, "", ""},
	{"kgateway-v0.0.0-20250224", "controller.service.ports.grpc", 9000, "KGW4001", "controller.service.ports.grpc=9977"},
	{"kgateway-v2.0.0-beta2", "controller.service.ports.grpc", 9000, "", ""},
	{"kgateway-v2.4.0", "controller.service.ports.grpc", 9000, "", ""},
	{"kgateway-v2.2.0", "controller.extraEnv.KGW_ENABLE_GATEWAY_API_EXPERIMENTAL_FEATURES", "true", "KGW4002", "controller.extraEnv.KGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES=true"},
	{"kgateway-v2.4.0", "controller.extraEnv.KGW_XDS_TLS", "true", "", ""},
	{"kgateway-v2.4.0", "controller.extraEnv.KGW_USE_RUST_FORMATIONS", "true", "KGW4002", ""},
	{"kgateway-v2.2.0", "controller.extraEnv.KGW_USE_RUST_FORMATIONS", "true", "", ""},
	{"agentgateway-v1.2.0", "controller.extraEnv.KGW_XDS_AUTH", "false", "KGW4002", "controller.extraEnv.AGW_XDS_AUTH=false"},
	{"agentgateway-v1.2.0", "controller.extraEnv.AGW_XDS_AUTH", "false", "", ""},
	{"kgateway-v2.2.0", "controller.extraEnv.KGW_ENABLE_AGENTGATEWAY", "true", "KGW4003", ""},
	{"kgateway-v2.1.0", "controller.extraEnv.KGW_ENABLE_AGENTGATEWAY", "true", "", ""},
	{"kgateway-v2.0.0", "gateway.aiExtension.enabled", true, "KGW4004", ""},
	{"kgateway-v2.2.0", "agentGateway.enabled", true, "KGW4004", ""},
	{"kgateway-v2.1.0", "agentgateway.enabled", true, "", ""},
	{"kgateway-v2.2.0", "useRustFormations", false, "KGW4004", "controller.extraEnv.KGW_USE_RUST_FORMATIONS=false"},
	{"kgateway-v2.4.0", "gatewayClassParametersRefs.kgatway", map[string]any{"name": "a", "namespace": "b"}, "KGW4005", ""},
	{"kgateway-v2.4.0", "gatewayClassParametersRefs.kgateway", map[string]any{"name": "a", "namespace": "b"}, "", ""},
	{"agentgateway-v1.4.0", "gatewayClassParametersRefs.kgateway", map[string]any{"name": "a", "namespace": "b"}, "KGW4005", ""},
	{"kgateway-crds-v2.1.0", "controller.image.pullPolicy", "Always", "KGW4004", ""},
}

// What is known of versions holds of the real charts, and every fix is proved on them.
func TestKnowledgeOnRealCharts(t *testing.T) {
	t.Parallel()
	for _, c := range realCases {
		t.Run(c.chart+" "+c.path, func(t *testing.T) {
			t.Parallel()
			ch, err := loader.Load(filepath.Join("../../../../shared/charts", c.chart+".tgz"))
			if err != nil {
				t.Skip("the charts are not here")
			}
			f, err := analysis.Gather(analysis.Input{
				Mode: analysis.Preflight, Chart: ch, Supplied: tree(c.path, c.value), ChartArgument: "./chart",
				Release: rendering.Release{Name: "r", Namespace: "ns", Revision: 1}, Cluster: rendering.Cluster{KubeVersion: "v1.33.0"},
			})
			if err != nil {
				t.Fatal(err)
			}
			got, _ := analysis.Run(f, kgatewayChecks())
			codes := ""
			for _, x := range got.Findings {
				codes += x.Code
			}
			if is := firstFix(f, got); codes != c.tells || is != c.fix {
				t.Errorf("got %q fix %q, want %q %q", codes, is, c.tells, c.fix)
			}
		})
	}
}

// A chart with its own values, and a chart that is none of kgateway's, say nothing.
func TestChartsAsTheyAreSayNothing(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("../../../../shared/charts/*.tgz") // a bad pattern is not possible
	for _, file := range files {
		ch, err := loader.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := analysis.Gather(analysis.Input{
			Mode: analysis.Preflight, Chart: ch, Supplied: map[string]any{},
			Release: rendering.Release{Name: "r", Namespace: "ns", Revision: 1}, Cluster: rendering.Cluster{KubeVersion: "v1.33.0"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, incomplete := analysis.Run(f, kgatewayChecks()); len(got.Findings) > 0 || len(incomplete) > 0 {
			t.Errorf("%s: %q %v", filepath.Base(file), tells(got.Findings), incomplete)
		}
	}
}
