package checks

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/kgateway"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// crdChecks compare the controller with the definitions in the cluster.
func crdChecks() []*analysis.Check {
	return []*analysis.Check{OtherCRDs, LackingCRD, DroppedField, NotServed, GatewayAPI}
}

// OtherCRDs tells of a release of CRDs of another version than the controller's.
var OtherCRDs = &analysis.Check{
	Code: "KGW4201",
	Name: "other CRDs",
	Doc: analysis.Doc{
		Title: "the release of the CRDs is of another version than the controller",
		Text: `kgateway and agentgateway come as two charts, the controller and its CRDs, which belong together. The deployed release
of the CRDs has another version than the controller. The CRDs themselves carry no version, so that nothing else shows it.

A warning where major or minor number differ, else information. What the CRDs lack is told by KGW4202.`,
		Before: "helm upgrade kgateway … --version v2.4.0   # and kgateway-crds is still v2.1.0",
		After:  "helm upgrade kgateway-crds oci://cr.kgateway.dev/kgateway-dev/charts/kgateway-crds --version v2.4.0 --namespace kgateway-system",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		p := plane(f)
		if p == nil {
			return nil, nil
		}
		var out []finding.Finding
		for _, r := range deployedOf(f.Live, p.Chart+"-crds") {
			version := r.Release.Chart.Metadata.Version
			if !kgateway.Differ(version, p.Version) {
				continue
			}
			x := finding.Finding{
				Severity: finding.Info, Expected: p.Version, Actual: version,
				Message: fmt.Sprintf("release %s/%s is %s-crds %s, the controller is %s %s", r.Namespace, r.Name, p.Chart, version, p.Chart, p.Version),
				Steps:   []string{upgradeCRDs(p, r.Name, r.Namespace)},
			}
			if !kgateway.SameLine(version, p.Version) {
				x.Severity = finding.Warning
			}
			out = append(out, x)
		}
		return out, nil
	},
}

// deployedOf lists the deployed revisions of the releases of a chart.
func deployedOf(snap *snapshot.Snapshot, chart string) []snapshot.Record {
	return slices.DeleteFunc(snap.Records(), func(r snapshot.Record) bool {
		return r.Release == nil || r.Status != "deployed" || r.Release.Chart.Name() != chart
	})
}

func upgradeCRDs(p *kgateway.Plane, name, namespace string) string {
	address := "oci://cr.kgateway.dev/kgateway-dev/charts/kgateway-crds"
	if p.Chart == "agentgateway" {
		address = "oci://cr.agentgateway.dev/charts/agentgateway-crds"
	}
	return fmt.Sprintf("helm upgrade --install %s %s --version %s --namespace %s", quote(name), address, quote(p.Version), quote(namespace))
}

// LackingCRD tells of fields that the controller reads and the definition does not have.
var LackingCRD = &analysis.Check{
	Code: "KGW4202",
	Name: "CRD too old",
	Doc: analysis.Doc{
		Title: "the CRD lacks fields that this version of the controller reads",
		Text: `The schema of gatewayparameters.gateway.kgateway.dev in the cluster is older than the controller. The API server drops
the fields that it does not have when an object is written, without a word unless the writer asks for one, so that they
never reach a proxy.

Which fields there should be is known of kgateway 2.0 to 2.4. Nothing is said as long as there are no GatewayParameters.`,
		Before: "the CRDs of kgateway-crds 2.2.0 beside a controller 2.4.0",
		After:  "helm upgrade --install kgateway-crds oci://cr.kgateway.dev/kgateway-dev/charts/kgateway-crds --version v2.4.0 --namespace kgateway-system",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		p, lacks := lackingFields(f)
		if len(lacks) == 0 || len(f.Live.Kind("GatewayParameters")) == 0 {
			return nil, nil
		}
		o := finding.Object{Kind: "CustomResourceDefinition", Name: kgateway.ParametersCRD}
		x := finding.Finding{
			Severity: finding.Warning, Object: &o,
			Message: fmt.Sprintf("%s lacks %s that %s %s reads", o, plural(len(lacks), "field", "fields"), p.Chart, p.Version),
			Facts:   []finding.Fact{{Label: "lacks", Text: some(lacks, 6)}, ownerOf(f)},
			Steps:   []string{upgradeCRDs(p, "kgateway-crds", f.Release.Namespace)},
		}
		return []finding.Finding{x}, nil
	},
}

// lackingFields gives the fields of the parameters that the definition in the cluster lacks; no plane if none is known to.
func lackingFields(f *analysis.Facts) (*kgateway.Plane, []string) {
	p := plane(f)
	if p == nil || p.Chart != "kgateway" {
		return nil, nil
	}
	d, found := kgateway.DefinitionOf(f.Live, kgateway.ParametersCRD)
	if !found {
		return p, nil
	}
	return p, d.Lacks(p.Version)
}

func ownerOf(f *analysis.Facts) finding.Fact {
	d, _ := kgateway.DefinitionOf(f.Live, kgateway.ParametersCRD)
	if owner := d.Release(); owner != "" {
		return finding.Fact{Label: "owner", Text: "release " + owner}
	}
	return finding.Fact{Label: "owner", Text: "no release: it was not installed by Helm"}
}

func some(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:n], ", "), len(list)-n)
}

// DroppedField tells of what was applied to parameters and did not get into them.
var DroppedField = &analysis.Check{
	Code: "KGW4203",
	Name: "dropped field",
	Doc: analysis.Doc{
		Title: "the API server dropped a field of the parameters",
		Text: `kubectl apply gave the parameters a field that is not in the object: the CRD of that time did not have it. The
evidence is kubectl's own annotation of what was applied. Once the CRD has the field, applying the parameters again
is enough.

A field counts that the CRD in the cluster lacks or, if its schema is not known, that came with a later version than the
release of the CRDs.`,
		Before: "spec: {kube: {deploymentOverlay: {spec: {replicas: 3}}}}   # and the CRDs are those of 2.2",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		p, lacks := lackingFields(f)
		if p == nil {
			return nil, nil
		}
		if _, found := kgateway.DefinitionOf(f.Live, kgateway.ParametersCRD); !found {
			for _, r := range deployedOf(f.Live, "kgateway-crds") {
				lacks = append(lacks, kgateway.Later(r.Release.Chart.Metadata.Version)...)
			}
		}
		var out []finding.Finding
		for _, o := range f.Live.Kind("GatewayParameters") {
			if dropped := kgateway.Dropped(o, lacks); len(dropped) > 0 {
				out = append(out, droppedField(p, o, dropped))
			}
		}
		return out, nil
	},
}

func droppedField(p *kgateway.Plane, o *unstructured.Unstructured, dropped []string) finding.Finding {
	object := finding.Object{Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()}
	return finding.Finding{
		Severity: finding.Error, Object: &object, Field: dropped[0],
		Message: fmt.Sprintf("%s was applied to %s and dropped: the CRD does not have it", some(dropped, 3), object),
		Facts:   []finding.Fact{{Label: "evidence", Text: "kubectl.kubernetes.io/last-applied-configuration has it, the object does not"}},
		Steps:   []string{upgradeCRDs(p, "kgateway-crds", p.Stored.Object.Namespace), "kubectl apply --filename …   # the parameters once more"},
	}
}

// NotServed tells of versions of the parameters that are not served, or stored and forgotten.
var NotServed = &analysis.Check{
	Code: "KGW4204",
	Name: "version not served",
	Doc: analysis.Doc{
		Title: "the CRD does not serve the version that the controller reads, or forgot one that objects are stored in",
		Text: `The controllers read their parameters as v1alpha1. A CRD that does not serve it hides them all. Versions in
status.storedVersions that spec.versions does not have any more cannot be read back: objects that are stored so are lost
to everybody until the version is back.`,
		Before: "spec: {versions: [{name: v1alpha1, served: false}]}",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		p := plane(f)
		if p == nil {
			return nil, nil
		}
		name := kgateway.ParametersCRD
		if p.Chart == "agentgateway" {
			name = kgateway.AgentgatewayParametersCRD
		}
		d, found := kgateway.DefinitionOf(f.Live, name)
		if !found {
			return nil, nil
		}
		o := finding.Object{Kind: "CustomResourceDefinition", Name: name}
		x := finding.Finding{Severity: finding.Error, Object: &o, Steps: []string{kubectl("get", o) + " --output yaml"}}
		var out []finding.Finding
		if !d.Serves("v1alpha1") {
			x.Field, x.Message = "spec.versions[v1alpha1].served", fmt.Sprintf("%s does not serve v1alpha1, which the controller reads", o)
			out = append(out, x)
		}
		if forgotten := d.Forgotten(); len(forgotten) > 0 {
			x.Field, x.Message = "status.storedVersions", fmt.Sprintf("objects may be stored as %s, which %s does not have any more", strings.Join(forgotten, ", "), o)
			out = append(out, x)
		}
		return out, nil
	},
}

// GatewayAPI tells of a Gateway API that does not fit the controller.
var GatewayAPI = &analysis.Check{
	Code: "KGW4205",
	Name: "Gateway API",
	Doc: analysis.Doc{
		Title: "the Gateway API in the cluster does not fit",
		Text: `The controller itself says on its GatewayClasses whether it supports the version of the Gateway API's CRDs (condition
SupportedVersion). And values that ask for experimental features (KGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES, or AGW_…)
do nothing with CRDs of the standard channel, which do not have those kinds and fields.

Which versions fit which controller is not known beyond that, so nothing else is said.`,
		Before: "--set-string controller.extraEnv.KGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES=true   # standard channel",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		p := plane(f)
		if p == nil {
			return nil, nil
		}
		bundle, channel := "", ""
		if d, found := kgateway.DefinitionOf(f.Live, kgateway.GatewaysCRD); found {
			bundle, channel = d.Bundle()
		}
		out := unsupported(f, p, bundle)
		for _, e := range f.Effects {
			name := extraEnv(e.Path)
			if channel == "standard" && strings.HasSuffix(name, "_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES") && fmt.Sprint(e.Value) == "true" {
				out = append(out, standardChannel(f, e, bundle))
			}
		}
		return out, nil
	},
}

// unsupported tells what the controller says of the Gateway API, once for all its classes.
func unsupported(f *analysis.Facts, p *kgateway.Plane, bundle string) []finding.Finding {
	for _, class := range f.Live.Kind("GatewayClass") {
		name, _, _ := unstructured.NestedString(class.Object, "spec", "controllerName")
		if !slices.Contains(p.Controllers(), name) {
			continue
		}
		conditions, _, _ := unstructured.NestedSlice(class.Object, "status", "conditions")
		for _, x := range conditions {
			c, _ := x.(map[string]any)
			if c["type"] != "SupportedVersion" || c["status"] != "False" {
				continue
			}
			o := finding.Object{Kind: "GatewayClass", Name: class.GetName()}
			out := finding.Finding{
				Severity: finding.Warning, Object: &o,
				Message: fmt.Sprintf("%s %s does not support the Gateway API of the cluster", p.Chart, p.Version),
				Facts:   []finding.Fact{{Label: "status", Text: fmt.Sprintf("SupportedVersion=False, %v: %v", c["reason"], c["message"])}},
				Steps:   []string{"kubectl get customresourcedefinition gateways.gateway.networking.k8s.io --output yaml   # its annotations"},
			}
			if bundle != "" {
				out.Facts = append(out.Facts, finding.Fact{Label: "there", Text: "Gateway API " + bundle})
			}
			return []finding.Finding{out}
		}
	}
	return nil
}

func standardChannel(f *analysis.Facts, e causality.Effect, bundle string) finding.Finding {
	o := finding.Object{Kind: "CustomResourceDefinition", Name: kgateway.GatewaysCRD}
	return finding.Finding{
		ValuePath: e.Path.String(), Severity: finding.Warning, Object: &o,
		Message: fmt.Sprintf("%s asks for experimental features, and the Gateway API of the cluster is of the standard channel", show(e.Path, e.Value)),
		Facts:   []finding.Fact{asked(f, e), {Label: "there", Text: strings.TrimSpace("Gateway API " + bundle + ", channel standard")}},
		Steps:   []string{"kubectl get customresourcedefinition gateways.gateway.networking.k8s.io --output yaml   # its annotations"},
	}
}
