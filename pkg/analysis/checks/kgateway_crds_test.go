package checks

import (
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// crdRelease is the record of a release of a chart without templates.
func crdRelease(t *testing.T, chart, version string) *unstructured.Unstructured {
	t.Helper()
	c := &helmchart.Chart{Metadata: &helmchart.Metadata{Name: chart, Version: version, APIVersion: "v2"}}
	record, err := json.Marshal(release.Release{Name: chart, Namespace: "sys", Version: 1, Chart: c, Info: &release.Info{Status: release.StatusDeployed}})
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
		"metadata":   map[string]any{"name": "sh.helm.release.v1." + chart + ".v1", "namespace": "sys", "labels": map[string]any{"owner": "helm", "name": chart, "status": "deployed", "version": "1"}},
		"stringData": map[string]any{"release": base64.StdEncoding.EncodeToString(record)},
	}}
}

// definition is one of which the schema has the given fields below spec, and the versions are served as given.
func definition(name string, served bool, stored []any, paths ...string) *unstructured.Unstructured {
	root := map[string]any{"type": "object"}
	for _, p := range paths {
		at := root
		for _, key := range strings.Split(p, ".") {
			properties, _ := at["properties"].(map[string]any)
			if properties == nil {
				properties = map[string]any{}
				at["properties"] = properties
			}
			below, _ := properties[key].(map[string]any)
			if below == nil {
				below = map[string]any{"type": "object"}
				properties[key] = below
			}
			at = below
		}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"versions": []any{map[string]any{"name": "v1alpha1", "served": served, "storage": true,
			"schema": map[string]any{"openAPIV3Schema": map[string]any{"properties": map[string]any{"spec": root}}}}}},
		"status": map[string]any{"storedVersions": stored},
	}}
}

var fields21 = []string{"kube.deployment.strategy", "kube.envoyContainer.env", "kube.envoyContainer.extraVolumeMounts", "kube.omitDefaultSecurityContext",
	"kube.podTemplate.extraVolumes", "kube.podTemplate.startupProbe", "kube.podTemplate.topologySpreadConstraints", "kube.service.externalTrafficPolicy", "kube.service.ports"}

// gatewayAPI is the definition of Gateways, of which only the metadata is read.
func gatewayAPI(channel string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "gateways.gateway.networking.k8s.io", "annotations": map[string]any{
			"gateway.networking.k8s.io/bundle-version": "v1.3.0", "gateway.networking.k8s.io/channel": channel}},
	}}
}

func TestCRDs(t *testing.T) {
	t.Parallel()
	const parameters, applied = "gatewayparameters.gateway.kgateway.dev", `metadata: {name: small, namespace: shop}`
	lost := strings.Replace(applied, "{", `{annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"spec":{"kube":{"envoyContainer":{"env":[]},"podTemplate":{"priorityClassName":"high"}}}}'}, `, 1)
	for _, c := range []struct {
		name     string
		version  string
		supplied map[string]any
		replace  []string
		more     []*unstructured.Unstructured
		tells    []string
	}{
		{name: "nothing is known of the CRDs"},
		{name: "all fit", more: []*unstructured.Unstructured{crdRelease(t, "kgateway-crds", "2.1.0"), definition(parameters, true, []any{"v1alpha1"}, fields21...), gatewayAPI("standard")}},
		{name: "a patch apart", more: []*unstructured.Unstructured{crdRelease(t, "kgateway-crds", "v2.1.2")}, tells: []string{"KGW4201 info"}},
		{name: "a line apart", more: []*unstructured.Unstructured{crdRelease(t, "kgateway-crds", "v2.0.4")}, tells: []string{"KGW4201 warning"}},
		{name: "the other project's", more: []*unstructured.Unstructured{crdRelease(t, "agentgateway-crds", "v1.0.0")}},
		{name: "a schema of 2.0", more: []*unstructured.Unstructured{definition(parameters, true, []any{"v1alpha1"}, "kube.deployment.replicas")}, tells: []string{"KGW4202 warning CustomResourceDefinition/" + parameters}},
		{name: "a schema of 2.0, and no parameters", replace: []string{"kind: GatewayParameters\nmetadata", "kind: Unasked\nmetadata"}, more: []*unstructured.Unstructured{definition(parameters, true, []any{"v1alpha1"})}},
		{name: "a newer schema", more: []*unstructured.Unstructured{definition(parameters, true, []any{"v1alpha1"}, append(fields21, "kube.deploymentOverlay")...)}},
		{name: "only the metadata", more: []*unstructured.Unstructured{{Object: map[string]any{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": parameters}}}}},
		{name: "a version of which nothing is known", version: "v2.9.0", replace: []string{"v2.1.0", "v2.9.0"}, more: []*unstructured.Unstructured{definition(parameters, true, []any{"v1alpha1"})}},
		{name: "a field that was dropped", version: "v2.2.0", replace: []string{"v2.1.0", "v2.2.0", applied, lost}, more: []*unstructured.Unstructured{definition(parameters, true, nil, fields21...)},
			tells: []string{"KGW4203 error GatewayParameters/small spec.kube.podTemplate.priorityClassName", "KGW4202 warning CustomResourceDefinition/" + parameters}},
		{name: "a field that was dropped, by the release of the CRDs", version: "v2.2.0", replace: []string{"v2.1.0", "v2.2.0", applied, lost}, more: []*unstructured.Unstructured{crdRelease(t, "kgateway-crds", "v2.1.0")},
			tells: []string{"KGW4203 error GatewayParameters/small spec.kube.podTemplate.priorityClassName", "KGW4201 warning"}},
		{name: "a field taken out since it was applied", version: "v2.2.0", replace: []string{"v2.1.0", "v2.2.0", applied, lost}, more: []*unstructured.Unstructured{definition(parameters, true, nil, append(fields21, "kube.podTemplate.priorityClassName", "kube.stats.matcher")...)}},
		{name: "not served", more: []*unstructured.Unstructured{definition(parameters, false, []any{"v1alpha1"}, fields21...)}, tells: []string{"KGW4204 error CustomResourceDefinition/" + parameters + " spec.versions[v1alpha1].served"}},
		{name: "stored in a version that is no more", more: []*unstructured.Unstructured{definition(parameters, true, []any{"v1alpha1", "v1beta1"}, fields21...)}, tells: []string{"KGW4204 error CustomResourceDefinition/" + parameters + " status.storedVersions"}},
		{name: "experimental features, standard channel", version: "v2.2.0", replace: []string{"v2.1.0", "v2.2.0"}, supplied: tree("controller.extraEnv.KGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES", "true"),
			more: []*unstructured.Unstructured{gatewayAPI("standard")}, tells: []string{"KGW4205 warning CustomResourceDefinition/gateways.gateway.networking.k8s.io controller.extraEnv.KGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES"}},
		{name: "experimental features, experimental channel", version: "v2.2.0", replace: []string{"v2.1.0", "v2.2.0"}, supplied: tree("controller.extraEnv.KGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES", "true"), more: []*unstructured.Unstructured{gatewayAPI("experimental")}},
		{name: "the controller says no", replace: []string{"spec: {controllerName: kgateway.dev/kgateway}", "spec: {controllerName: kgateway.dev/kgateway}\nstatus: {conditions: [{type: SupportedVersion, status: \"False\", reason: UnsupportedVersion, message: no}]}"},
			tells: []string{"KGW4205 warning GatewayClass/kgateway"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.supplied == nil {
				c.supplied = map[string]any{}
			}
			if c.version == "" {
				c.version = "v2.1.0"
			}
			f := shopFacts(t, c.version, c.supplied, c.replace...)
			f.Live.Objects = append(f.Live.Objects, c.more...)
			got, incomplete := analysis.Run(f, crdChecks())
			if is := tells(got.Findings); !slices.Equal(is, c.tells) || len(incomplete) > 0 {
				t.Errorf("got  %q\nwant %q\n%v", is, c.tells, incomplete)
			}
		})
	}
}

// The charts' own definitions have all that the controller of their version reads, and those of the line before do not.
func TestRealCRDs(t *testing.T) {
	t.Parallel()
	for i, version := range []string{"v2.0.0", "v2.1.0", "v2.2.0", "v2.3.0", "v2.4.0"} {
		crds := chartDefinitions(t, "kgateway-crds-"+version)
		for j, controller := range []string{"v2.0.0", "v2.1.0", "v2.2.0", "v2.3.0", "v2.4.0"} {
			f := shopFacts(t, controller, map[string]any{}, "v2.1.0", controller)
			f.Live.Objects = append(f.Live.Objects, crds...)
			got, _ := analysis.Run(f, crdChecks())
			if lacks := len(got.Findings) == 1 && got.Findings[0].Code == "KGW4202"; lacks != (i < j) || len(got.Findings) > 1 {
				t.Errorf("CRDs %s, controller %s: %q", version, controller, tells(got.Findings))
			}
		}
	}
}

// chartDefinitions reads the definitions that a real chart holds; the test is skipped where it is not there.
func chartDefinitions(t *testing.T, chart string) []*unstructured.Unstructured {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "tar", "-xzOf", "../../../../shared/charts/"+chart+".tgz", "kgateway-crds/templates/gateway.kgateway.dev_gatewayparameters.yaml").Output()
	if err != nil {
		t.Skip("the charts are not here")
	}
	return objectsIn(t, string(text))
}

func objectsIn(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	snap, err := snapshot.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return snap.Objects
}
