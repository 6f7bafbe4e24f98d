// Package kgateway is what no rendering can show: facts about kgateway's and agentgateway's versions, and how a
// Gateway becomes a proxy.
//
// It is data and functions of a snapshot. A fact is a row of a table with its source; adding one is a row and a case
// in the test.
package kgateway

import (
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Fact is a value that the chart renders and the controller does not obey.
type Fact struct {
	Charts   []string
	Versions string // of the chart: a range, pre-releases included where a bound ends in -0

	Path    string // of the value, as --set
	Env     string // the variable that carries it and that nobody reads; "" if it is not about one
	Unless  string // the fact does not hold if the value reaches this variable
	Only    any    // the one value that the program has built in; nil: any value is lost
	Because string // what happens instead
	Source  string // the evidence

	Right      string // the path that works; "" if none does
	RightValue any
	Warning    bool // nothing breaks
}

// facts are the values that render and do nothing at run time.
var facts = []Fact{
	{
		Charts: []string{"kgateway"}, Versions: ">=2.1.0-0 <2.5.0-0",
		Path: "controller.xds.tls.enabled", Env: "KGW_XDS_TLS_ENABLED",
		Because: "the controller reads KGW_XDS_TLS: xDS stays plaintext",
		Source:  "kgateway issue 14049",
		Right:   "controller.extraEnv.KGW_XDS_TLS", RightValue: "true",
	},
	{
		Charts: []string{"agentgateway"}, Versions: ">=2.2.0-0 <2.3.0-0",
		Path: "controller.xds.tls.enabled", Env: "KGW_XDS_TLS_ENABLED",
		Because: "the controller reads KGW_XDS_TLS: xDS stays plaintext",
		Source:  "kgateway issue 14049",
		Right:   "controller.extraEnv.KGW_XDS_TLS", RightValue: "true",
	},
	{
		Charts: []string{"agentgateway"}, Versions: ">=1.0.0-0 <1.2.0-0",
		Path: "controller.xds.tls.enabled", Env: "AGW_XDS_TLS_ENABLED",
		Because: "the controller reads AGW_XDS_TLS: xDS stays plaintext",
		Source:  "kgateway issue 14049, whose templates agentgateway 1.0 and 1.1 share",
		Right:   "controller.extraEnv.AGW_XDS_TLS", RightValue: "true",
	},
	{
		Charts: []string{"kgateway", "agentgateway"}, Versions: "<2.5.0-0",
		Path: "controller.service.ports.health", Only: 9093,
		Because: "the controller always answers probes on 9093, so that its Pods are never Ready",
		Source:  "the port is a constant of the controller, and no setting of it is read",
		Right:   "controller.service.ports.health", RightValue: 9093,
	},
	{
		Charts: []string{"kgateway", "agentgateway"}, Versions: "<2.5.0-0",
		Path: "controller.service.ports.metrics", Only: 9092,
		Because: "the controller always serves metrics on 9092, so that scrapers find nothing on the port of the Service",
		Source:  "the port is a constant of the controller, and no setting of it is read",
		Right:   "controller.service.ports.metrics", RightValue: 9092, Warning: true,
	},
	{
		Charts: []string{"kgateway"}, Versions: "<2.0.0-0",
		Path: "controller.service.ports.grpc", Unless: "KGW_XDS_SERVICE_PORT", Only: 9977,
		Because: "the controller and its probe stay on 9977, so that proxies get no configuration",
		Source:  "the chart of February 2025 hands no port to the controller",
		Right:   "controller.service.ports.grpc", RightValue: 9977,
	},
}

// Facts lists what is known of a chart.
func Facts(chart, version string) []Fact {
	var out []Fact
	for _, x := range facts {
		if among(x.Charts, chart) && Within(version, x.Versions) {
			out = append(out, x)
		}
	}
	return out
}

// Moved is a value that no template reads any more, since what it said is said in another place.
type Moved struct {
	Charts   []string
	Versions string
	Path     string // this value, and all below it
	Where    string // the place, in words
	Since    string
	Right    string         // a value that works; "" if an object is the place
	Content  map[string]any // the spec of the GatewayParameters to apply; the value stands where it says Value
	Source   string
}

// Value stands in Moved.Content for the user's value.
type Value struct{}

// moved are the values whose right place is no value, or one that no likeness of names leads to.
var moved = []Moved{
	{
		Charts: []string{"kgateway"}, Versions: ">=2.0.0-beta3 <2.2.0-0", Path: "gateway.aiExtension.enabled",
		Where: "spec.kube.aiExtension.enabled of a GatewayParameters object", Since: "2.0.0-beta3",
		Content: map[string]any{"kube": map[string]any{"aiExtension": map[string]any{"enabled": Value{}}}},
		Source:  "the gateway values left the chart in 2.0.0-beta3",
	},
	{
		Charts: []string{"kgateway"}, Versions: ">=2.2.0-0 <2.5.0-0", Path: "gateway.aiExtension",
		Where: "the agentgateway chart: kgateway's own proxies have no AI extension any more", Since: "2.2.0",
		Source: "spec.kube.aiExtension left GatewayParameters after 2.1",
	},
	{
		Charts: []string{"kgateway"}, Versions: ">=2.2.0-0 <2.5.0-0", Path: "agentgateway.enabled",
		Where: "the agentgateway chart, installed beside this one", Since: "2.2.0", Source: "the charts were split in 2.2.0",
	},
	{
		Charts: []string{"kgateway"}, Versions: ">=2.2.0-0 <2.5.0-0", Path: "agentGateway.enabled",
		Where: "the agentgateway chart, installed beside this one", Since: "2.2.0", Source: "the charts were split in 2.2.0",
	},
	{
		Charts: []string{"kgateway"}, Versions: ">=2.2.0-0 <2.5.0-0", Path: "controller.service.ports.agwGrpc",
		Where: "the agentgateway chart, installed beside this one", Since: "2.2.0", Source: "the charts were split in 2.2.0",
	},
	{
		Charts: []string{"kgateway"}, Versions: ">=2.2.1-0 <2.5.0-0", Path: "inferenceExtension.enabled",
		Where: "the agentgateway chart, installed beside this one", Since: "2.2.1", Source: "the charts were split in 2.2",
	},
	{
		Charts: []string{"kgateway"}, Versions: ">=2.2.0-0 <2.3.0-0", Path: "useRustFormations",
		Where: "the environment of the controller", Since: "2.2.0", Right: "controller.extraEnv.KGW_USE_RUST_FORMATIONS",
		Source: "no chart has the value; the controller reads KGW_USE_RUST_FORMATIONS",
	},
	{
		Charts: []string{"kgateway-crds", "agentgateway-crds"}, Versions: ">=2.0.0-0 <2.5.0-0 || >=1.0.0-0 <1.5.0-0", Path: "",
		Where: "the chart of the controller: this one only holds CRDs and has no values at all", Since: "ever",
		Source: "its templates read none",
	},
}

// MovedOf finds the row about a value; nil if none is.
func MovedOf(chart, version, path string) *Moved {
	for i, x := range moved {
		if among(x.Charts, chart) && Within(version, x.Versions) && (x.Path == "" || path == x.Path || strings.HasPrefix(path, x.Path+".")) {
			return &moved[i]
		}
	}
	return nil
}

// Within says whether a version is in a range; false if it is no version.
func Within(version, versions string) bool {
	v, err := semver.NewVersion(version)
	if err != nil {
		return false
	}
	c, err := semver.NewConstraint(versions)
	return err == nil && c.Check(v)
}

// fill puts the user's value where a table says Value.
func fill(content any, v any) any {
	switch x := content.(type) {
	case Value:
		return v
	case map[string]any:
		out := map[string]any{}
		for k, below := range x {
			out[k] = fill(below, v)
		}
		return out
	}
	return content
}

// Spec is the content of the object to apply, with the user's value in it; nil if there is none.
func (m Moved) Spec(v any) map[string]any {
	if m.Content == nil {
		return nil
	}
	out, _ := fill(m.Content, v).(map[string]any)
	return out
}

func among(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Differ says whether two tags are versions, and different ones. Only the three numbers count: what follows them also
// names variants of one version.
func Differ(a, b string) bool {
	v, err := semver.NewVersion(a)
	if err != nil {
		return false
	}
	w, err := semver.NewVersion(b)
	return err == nil && (v.Major() != w.Major() || v.Minor() != w.Minor() || v.Patch() != w.Patch())
}

// Classes are the GatewayClasses that the controller makes, and gives parameters by gatewayClassParametersRefs; nil
// where the chart has no such value, or that is not known. Source: KGW_ and AGW_GATEWAY_CLASS_PARAMETERS_REFS.
func Classes(chart, version string) []string {
	switch {
	case chart == "kgateway" && Within(version, ">=2.2.0-0 <2.5.0-0"):
		return []string{"kgateway", "kgateway-waypoint", "agentgateway"}
	case chart == "agentgateway" && Within(version, ">=1.0.0-0 <1.5.0-0 || >=2.2.0-0 <2.3.0-0"):
		return []string{"agentgateway"}
	}
	return nil
}
