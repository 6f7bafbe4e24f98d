package kgateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// web is a Gateway with parameters of its class and of its own, in place of CLASS and OWN, and a proxy with the Pod POD.
const web = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: c}
spec: {controllerName: CONTROLLER, parametersRef: {group: GROUP, kind: KIND, name: wide, namespace: sys}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: shop, uid: w}
spec: {gatewayClassName: c, infrastructure: {labels: {team: edge}, parametersRef: {group: GROUP, kind: KIND, name: own}}}
---
apiVersion: GROUP/v1alpha1
kind: KIND
metadata: {name: wide, namespace: sys}
spec: CLASS
---
apiVersion: GROUP/v1alpha1
kind: KIND
metadata: {name: own, namespace: shop}
spec: OWN
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, ownerReferences: [{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, name: web, uid: w}]}
spec: {template: {spec: POD}}
`

func TestChain(t *testing.T) {
	t.Parallel()
	envoy := strings.NewReplacer("CONTROLLER", Envoy, "GROUP", "gateway.kgateway.dev", "KIND", "GatewayParameters")
	agentgateway := strings.NewReplacer("CONTROLLER", Agentgateway, "GROUP", "agentgateway.dev", "KIND", "AgentgatewayParameters")
	for _, c := range []struct {
		name            string
		kinds           *strings.Replacer
		version         string
		class, own, pod string
		field           string
		want            string // the value, then who decides
	}{
		{"the Gateway's win", envoy, "v2.1.0", "{kube: {deployment: {replicas: 3}}}", "{kube: {deployment: {replicas: 2}}}", "{}", "spec.replicas", "2 own"},
		{"tables merge", envoy, "v2.1.0", "{kube: {podTemplate: {nodeSelector: {a: x}}}}", "{kube: {podTemplate: {nodeSelector: {b: z}}}}", "{}", "spec.template.spec.nodeSelector.a", "x wide"},
		{"an empty table takes away", envoy, "v2.1.0", "{kube: {podTemplate: {nodeSelector: {a: x}}}}", "{kube: {podTemplate: {nodeSelector: {}}}}", "{nodeSelector: {a: x}}", "spec.template.spec.nodeSelector", "absent"},
		{"lists join, the class's first", envoy, "v2.1.0", "{kube: {podTemplate: {tolerations: [{key: a}]}}}", "{kube: {podTemplate: {tolerations: [{key: b}]}}}", "{}", "spec.template.spec.tolerations", `[{"key":"a"},{"key":"b"}] own wide`},
		{"what nobody says", envoy, "v2.1.0", "{}", "{}", "{tolerations: [{key: a}]}", "spec.template.spec.tolerations", "absent"},
		{"variables by name", envoy, "v2.1.0", "{kube: {envoyContainer: {env: [{name: A, value: x}]}}}", "{kube: {envoyContainer: {env: [{name: A, value: z}]}}}", "{}", "spec.template.spec.containers[kgateway-proxy].env[A].value", "z own"},
		{"a digest", envoy, "v2.1.0", "{kube: {envoyContainer: {image: {registry: r, repository: e, tag: t}}}}", "{kube: {envoyContainer: {image: {digest: 'sha256:0'}}}}", "{}", "spec.template.spec.containers[kgateway-proxy].image", "r/e:t@sha256:0 own wide wide wide"},
		{"the class's overlay beats the Gateway's field", envoy, "v2.3.0", "{kube: {deploymentOverlay: {spec: {replicas: 9}}}}", "{kube: {deployment: {replicas: 2}}}", "{}", "spec.replicas", "9 wide"},
		{"the Gateway's overlay is laid last", envoy, "v2.3.0", "{kube: {deploymentOverlay: {spec: {replicas: 9}}}}", "{kube: {deploymentOverlay: {spec: {replicas: 8}}}}", "{}", "spec.replicas", "8 own"},
		{"an overlay takes an item away", envoy, "v2.3.0", "{kube: {envoyContainer: {env: [{name: A, value: x}]}}}", "{kube: {deploymentOverlay: {spec: {template: {spec: {containers: [{name: kgateway-proxy, env: [{name: A, $patch: delete}]}]}}}}}}",
			"{containers: [{name: kgateway-proxy}]}", "spec.template.spec.containers[kgateway-proxy].env[A].value", "absent own"},
		{"no overlays in 2.2", envoy, "v2.2.0", "{}", "{kube: {deploymentOverlay: {spec: {replicas: 8}}}}", "{}", "spec.replicas", ""},
		{"the Gateway hands on its labels", envoy, "v2.4.0", "{}", "{}", "{}", "metadata.labels.team", ""},
		{"agentgateway's overlay", agentgateway, "v1.2.0", "{deployment: {spec: {replicas: 3}}}", "{}", "{}", "spec.replicas", "3 wide"},
		{"agentgateway's resources", agentgateway, "v1.2.0", "{resources: {requests: {cpu: 1m}}}", "{resources: {requests: {cpu: 2m}}}", "{}", "spec.template.spec.containers[agentgateway].resources.requests.cpu", "2m own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.NewReplacer("CLASS", c.class, "OWN", c.own, "POD", c.pod).Replace(c.kinds.Replace(web))
			snap, err := snapshot.Read(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			controller := Envoy
			if c.kinds == agentgateway {
				controller = Agentgateway
			}
			p := Proxies(snap, controller, c.version)[0]
			chain := p.Chain(c.version, Defaults{})
			i := slices.IndexFunc(chain, func(w Want) bool { return w.Field.Field == c.field })
			got := ""
			if i >= 0 {
				got = rendering.Show(chain[i].Value)
				for n, s := range chain[i].Said {
					if chain[i].Decides(n) {
						got += fmt.Sprintf(" %s", s.Object.Name)
					}
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
