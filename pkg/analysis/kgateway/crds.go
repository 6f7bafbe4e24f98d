package kgateway

import (
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// The definitions that the controllers and these checks need.
const (
	ParametersCRD             = "gatewayparameters.gateway.kgateway.dev"
	AgentgatewayParametersCRD = "agentgatewayparameters.agentgateway.dev"
	GatewaysCRD               = "gateways.gateway.networking.k8s.io"
)

// parameterField is a field of GatewayParameters with the first line of versions whose definition has it.
type parameterField struct{ path, first string }

// parameterFields are those that came after 2.0.
// Source: the definitions in the charts kgateway-crds 2.0.0, 2.1.0, 2.2.0, 2.3.0 and 2.4.0, compared.
var parameterFields = []parameterField{
	{"kube.deployment.strategy", "2.1"},
	{"kube.envoyContainer.env", "2.1"},
	{"kube.envoyContainer.extraVolumeMounts", "2.1"},
	{"kube.omitDefaultSecurityContext", "2.1"},
	{"kube.podTemplate.extraVolumes", "2.1"},
	{"kube.podTemplate.startupProbe", "2.1"},
	{"kube.podTemplate.topologySpreadConstraints", "2.1"},
	{"kube.service.externalTrafficPolicy", "2.1"},
	{"kube.service.ports", "2.1"},
	{"kube.podTemplate.priorityClassName", "2.2"},
	{"kube.stats.matcher", "2.2"},
	{"kube.deploymentOverlay", "2.3"},
	{"kube.envoyContainer.bootstrap.dnsResolver", "2.3"},
	{"kube.envoyContainer.bootstrap.logFormat", "2.3"},
	{"kube.envoyContainer.extraArgs", "2.3"},
	{"kube.horizontalPodAutoscaler", "2.3"},
	{"kube.podDisruptionBudget", "2.3"},
	{"kube.service.loadBalancerClass", "2.3"},
	{"kube.service.loadBalancerSourceRanges", "2.3"},
	{"kube.serviceAccountOverlay", "2.3"},
	{"kube.serviceOverlay", "2.3"},
	{"kube.verticalPodAutoscaler", "2.3"},
	{"kube.envoyContainer.bootstrap.enableReadinessProbeProxyProtocol", "2.4"},
}

// Definition is a CustomResourceDefinition in the cluster. Of some only the metadata is known.
type Definition struct{ *unstructured.Unstructured }

// DefinitionOf finds a definition; false if the snapshot does not hold it.
func DefinitionOf(snap *snapshot.Snapshot, name string) (Definition, bool) {
	o := snap.Get("CustomResourceDefinition", "", name)
	return Definition{o}, o != nil
}

// Release is the release that says it owns the definition, namespace/name; "" if none does.
func (d Definition) Release() string {
	a := d.GetAnnotations()
	if a["meta.helm.sh/release-name"] == "" {
		return ""
	}
	return a["meta.helm.sh/release-namespace"] + "/" + a["meta.helm.sh/release-name"]
}

// Bundle is the version and the channel of the Gateway API that the definition comes from.
func (d Definition) Bundle() (version, channel string) {
	a := d.GetAnnotations()
	return a["gateway.networking.k8s.io/bundle-version"], a["gateway.networking.k8s.io/channel"]
}

// Serves says whether the API server serves a version of the kind; also true if that is not known.
func (d Definition) Serves(version string) bool {
	all := d.versions()
	return all == nil || slices.ContainsFunc(all, func(x any) bool {
		v, _ := x.(map[string]any)
		return v["name"] == version && v["served"] == true
	})
}

// Forgotten lists the versions in which objects may be stored and that the definition does not have any more.
func (d Definition) Forgotten() []string {
	all := d.versions()
	if all == nil {
		return nil
	}
	stored, _, _ := unstructured.NestedStringSlice(d.Object, "status", "storedVersions")
	return slices.DeleteFunc(stored, func(version string) bool {
		return slices.ContainsFunc(all, func(x any) bool {
			v, _ := x.(map[string]any)
			return v["name"] == version
		})
	})
}

// Lacks lists the fields that the controller of a version reads from GatewayParameters and that the definition does not
// have, so that the API server drops them; none if the schema or the version is not known.
func (d Definition) Lacks(version string) []string {
	spec := d.schema()
	line := lineOf(version)
	if spec == nil || !slices.Contains(lines["KGW_"], line) {
		return nil
	}
	var out []string
	for _, f := range parameterFields {
		if f.first <= line && !allows(spec, f.path) {
			out = append(out, "spec."+f.path)
		}
	}
	return out
}

// schema is that of the spec of v1alpha1, the only version there has been.
func (d Definition) schema() map[string]any {
	for _, x := range d.versions() {
		v, _ := x.(map[string]any)
		if v["name"] != "v1alpha1" {
			continue
		}
		spec, _, _ := unstructured.NestedFieldNoCopy(v, "schema", "openAPIV3Schema", "properties", "spec")
		m, _ := spec.(map[string]any)
		return m
	}
	return nil
}

// versions are those of the kind; nil if only the metadata is known.
func (d Definition) versions() []any {
	all, _, _ := unstructured.NestedFieldNoCopy(d.Object, "spec", "versions") // half a megabyte: no copy
	list, _ := all.([]any)
	return list
}

// allows says whether a schema has a field, or takes whatever is given there.
func allows(schema map[string]any, path string) bool {
	for key := range strings.SplitSeq(path, ".") {
		if schema["x-kubernetes-preserve-unknown-fields"] == true || schema["additionalProperties"] != nil {
			return true
		}
		properties, _ := schema["properties"].(map[string]any)
		below, found := properties[key].(map[string]any)
		if !found {
			return false
		}
		schema = below
	}
	return true
}

// Dropped lists, of the fields that a definition lacks, those that kubectl apply gave to parameters and that are not in
// the object.
func Dropped(parameters *unstructured.Unstructured, lacks []string) []string {
	var applied map[string]any
	text := parameters.GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"]
	if text == "" || json.Unmarshal([]byte(text), &applied) != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(lacks), func(field string) bool {
		_, asked := rendering.Lookup(applied, field)
		_, there := rendering.Lookup(parameters.Object, field)
		return !asked || there
	})
}

// Later lists the fields that only definitions of later lines than a version's have.
func Later(version string) []string {
	line := lineOf(version)
	var out []string
	for _, f := range parameterFields {
		if line != "" && f.first > line {
			out = append(out, "spec."+f.path)
		}
	}
	return out
}

// SameLine says whether two versions have the same major and minor number; also true if one is not known.
func SameLine(a, b string) bool {
	x, y := lineOf(a), lineOf(b)
	return x == "" || y == "" || x == y
}
