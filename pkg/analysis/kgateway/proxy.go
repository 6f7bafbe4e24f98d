package kgateway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// The controllers that make proxies, as GatewayClasses name them. The former Agentgateway is that of kgateway 2.1.
const (
	Envoy              = "kgateway.dev/kgateway"
	Agentgateway       = "agentgateway.dev/agentgateway"
	FormerAgentgateway = "kgateway.dev/agentgateway"
)

// parametersOf is the kind of parameters that the classes of a controller take.
var parametersOf = map[string]struct{ group, kind string }{
	Envoy:              {"gateway.kgateway.dev", "GatewayParameters"},
	Agentgateway:       {"agentgateway.dev", "AgentgatewayParameters"},
	FormerAgentgateway: {"gateway.kgateway.dev", "GatewayParameters"},
}

// ParametersOf is the kind of parameters that the classes of a controller take.
func ParametersOf(controller string) (group, kind string) {
	p := parametersOf[controller]
	return p.group, p.kind
}

// ours says whether the name of a controller is one of this project's, or is meant to be.
func ours(controller string) bool {
	return strings.HasPrefix(controller, "kgateway.dev/") || strings.HasPrefix(controller, "agentgateway.dev/")
}

// Controller is the name by which classes ask for the control plane of a chart; "" for another chart.
func Controller(chart string) string {
	switch chart {
	case "kgateway":
		return Envoy
	case "agentgateway":
		return Agentgateway
	}
	return ""
}

// Reference is a parametersRef. By is the Gateway or GatewayClass that has it.
type Reference struct {
	By                           finding.Object
	Group, Kind, Namespace, Name string
	Wrong                        string                     // what is wrong with it; "" if nothing is known to be
	Found                        *unstructured.Unstructured // nil if it is not there, or was not read
}

// Object names the parameters.
func (r Reference) Object() finding.Object {
	return finding.Object{Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
}

func (r Reference) String() string { return r.Kind + " " + r.Namespace + "/" + r.Name }

// Proxy is one Gateway with what its proxy is made from, and the proxy.
type Proxy struct {
	Gateway    *unstructured.Unstructured
	Class      *unstructured.Unstructured
	Controller string
	References []Reference                // the class's, then the Gateway's; later wins
	Dropped    bool                       // the class's parameters do not count: see dropped
	Deployment *unstructured.Unstructured // nil if there is none in the snapshot
	Service    *unstructured.Unstructured
}

// Object names the Gateway.
func (p Proxy) Object() finding.Object {
	return finding.Object{Kind: "Gateway", Namespace: p.Gateway.GetNamespace(), Name: p.Gateway.GetName()}
}

// Sound says whether the parameters are all there, so that the chain is known.
func (p Proxy) Sound() bool {
	return !slices.ContainsFunc(p.References, func(r Reference) bool { return r.Found == nil || r.Wrong != "" }) && !p.rejected()
}

// Rejection is what the controller says of a Gateway whose parameters it does not take; "" if it takes them.
func (p Proxy) Rejection() string {
	if c := p.accepted(); c["status"] == "False" && c["reason"] == "InvalidParameters" {
		return cmp.Or(fmt.Sprint(c["message"]), "InvalidParameters")
	}
	return ""
}

// Accepted says whether the controller has accepted the Gateway.
func (p Proxy) Accepted() bool { return p.accepted()["status"] == "True" }

func (p Proxy) accepted() map[string]any {
	conditions, _, _ := unstructured.NestedSlice(p.Gateway.Object, "status", "conditions")
	for _, c := range conditions {
		if m, _ := c.(map[string]any); m["type"] == "Accepted" {
			return m
		}
	}
	return nil
}

// waypoint says whether the proxy serves a mesh: the controller has other defaults for those.
func (p Proxy) waypoint() bool { return strings.Contains(p.Class.GetName(), "waypoint") }

func (p Proxy) rejected() bool { return p.Rejection() != "" }

// Proxies lists the Gateways whose class a controller serves, sorted by namespace and name. The version is the
// control plane's.
func Proxies(snap *snapshot.Snapshot, controller, version string) []Proxy {
	var out []Proxy
	made := owned(snap)
	for _, g := range snap.Kind("Gateway") {
		if g.GroupVersionKind().Group != "gateway.networking.k8s.io" {
			continue
		}
		name, _, _ := unstructured.NestedString(g.Object, "spec", "gatewayClassName")
		class := snap.Get("GatewayClass", "", name)
		if class == nil || controllerOf(class) != controller {
			continue
		}
		p := Proxy{Gateway: g, Class: class, Controller: controller}
		p.References = slices.Concat(references(snap, class, controller), references(snap, g, controller))
		p.Dropped = dropped(p, version)
		p.Deployment = made[ownedBy("Deployment", g.GetNamespace(), g.GetName(), string(g.GetUID()))]
		p.Service = made[ownedBy("Service", g.GetNamespace(), g.GetName(), string(g.GetUID()))]
		out = append(out, p)
	}
	return out
}

// dropped says whether kgateway 2.1 forgets the class's parameters: it does where the Gateway's own parameters set
// omitDefaultSecurityContext. Source: the deployer of kgateway 2.1.0 to 2.1.2.
func dropped(p Proxy, version string) bool {
	if len(p.References) != 2 || !Within(version, ">=2.1.0-0 <2.2.0-0") || p.References[1].Found == nil {
		return false
	}
	is, _, _ := unstructured.NestedBool(p.References[1].Found.Object, "spec", "kube", "omitDefaultSecurityContext")
	return is
}

func controllerOf(class *unstructured.Unstructured) string {
	name, _, _ := unstructured.NestedString(class.Object, "spec", "controllerName")
	return name
}

// references reads the parametersRef of a GatewayClass (spec) or Gateway (spec.infrastructure, in its own namespace).
func references(snap *snapshot.Snapshot, o *unstructured.Unstructured, controller string) []Reference {
	where := []string{"spec", "infrastructure", "parametersRef"}
	if o.GetKind() == "GatewayClass" {
		where = []string{"spec", "parametersRef"}
	}
	ref, found, _ := unstructured.NestedStringMap(o.Object, where...)
	if !found {
		return nil
	}
	r := Reference{
		By:    finding.Object{Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()},
		Group: ref["group"], Kind: ref["kind"], Name: ref["name"], Namespace: cmp.Or(o.GetNamespace(), ref["namespace"]),
	}
	want, known := parametersOf[controller]
	if known && (r.Group != want.group || r.Kind != want.kind) {
		r.Wrong = fmt.Sprintf("the controller %s takes a %s of %s, not a %s of %s", controller, want.kind, want.group, r.Kind, r.Group)
		return []Reference{r}
	}
	if r.Namespace == "" {
		r.Wrong = "it names no namespace, which a GatewayClass has to"
		return []Reference{r}
	}
	r.Found = snap.Get(r.Kind+"."+r.Group, r.Namespace, r.Name)
	if r.Found == nil && parametersRead(snap, r) {
		r.Wrong = "there is no such object"
	}
	return []Reference{r}
}

// parametersRead says whether the snapshot would hold the parameters if they were there. One made with kubectl holds
// what its maker asked for, so it has to hold some of that kind.
func parametersRead(snap *snapshot.Snapshot, r Reference) bool {
	for _, gap := range snap.Header.Gaps {
		if strings.Contains(strings.ToLower(gap.What), "parameters") {
			return false
		}
	}
	if snap.Unread(r.Kind, r.Namespace, r.Name) != nil || snap.Header.Namespace != "" && snap.Header.Namespace != r.Namespace {
		return false
	}
	return snap.Header.ServerVersion != "" || len(snap.Kind(r.Kind)) > 0
}

// Namesakes lists the namespaces that hold parameters of the name that a reference means.
func Namesakes(snap *snapshot.Snapshot, r Reference) []string {
	var out []string
	for _, o := range snap.Kind(r.Kind) {
		if o.GetName() == r.Name && o.GetNamespace() != r.Namespace {
			out = append(out, o.GetNamespace())
		}
	}
	return out
}

// owned indexes what controllers made for Gateways by kind, namespace and the Gateway that owns it.
func owned(snap *snapshot.Snapshot) map[finding.Object]*unstructured.Unstructured {
	out := map[finding.Object]*unstructured.Unstructured{}
	for _, o := range snap.Kind("Deployment", "Service") {
		for _, r := range o.GetOwnerReferences() {
			key := ownedBy(o.GetKind(), o.GetNamespace(), r.Name, string(r.UID))
			if r.Kind == "Gateway" && strings.HasPrefix(r.APIVersion, "gateway.networking.k8s.io/") && out[key] == nil {
				out[key] = o
			}
		}
	}
	return out
}

// ownedBy is a key: an object of that kind with the name and UID of its Gateway.
func ownedBy(kind, namespace, gateway, uid string) finding.Object {
	return finding.Object{Kind: kind, Namespace: namespace, Name: gateway + "\x00" + uid}
}
