package kgateway

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// The controllers that make proxies, as GatewayClasses name them.
const (
	Envoy        = "kgateway.dev/kgateway"
	Agentgateway = "agentgateway.dev/agentgateway"
)

// parametersOf is the kind of parameters that the classes of a controller take.
var parametersOf = map[string]struct{ group, kind string }{
	Envoy:        {"gateway.kgateway.dev", "GatewayParameters"},
	Agentgateway: {"agentgateway.dev", "AgentgatewayParameters"},
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

// Defaults is what the environment of the controller says of every proxy.
type Defaults struct{ Registry, Repository, Tag, PullPolicy string }

// Source is who decides a field: the controller's environment, or parameters.
type Source struct {
	Env    string         // the variable; "" for parameters
	Object finding.Object // of the parameters
	By     finding.Object // who refers to them
	Path   string         // in the parameters
}

func (s Source) String() string {
	switch {
	case s.Env != "":
		return "the controller's default, " + s.Env
	case s.Object.Name == "":
		return "built into the controller"
	}
	return fmt.Sprintf("%s %s/%s, %s, of %s", s.Object.Kind, s.Object.Namespace, s.Object.Name, s.Path, s.By)
}

// Want is a field of a proxy with the value that the chain gives it. Or is what the same chain gives over other
// defaults.
type Want struct {
	finding.Field
	Value  any
	Or     []any
	Source Source
	Lost   []Said // what earlier sources say, the nearest first
}

// Said is what one source says of a field.
type Said struct {
	Source
	Value any
}

// Chain lists the fields of a proxy that the chain decides, the service's last. Fields that an overlay touches are
// left out: overlays beat everything and are not read here.
//
// Defaults are what the controller says of proxies: the first is what it should say, the others what it may still say.
// Order: GatewayClass parameters, then the Gateway's; scalars replace, tables and lists merge.
// Source: kgateway's deployer, GatewayParameters of 2.0 to 2.4.
func (p Proxy) Chain(version string, defaults ...Defaults) []Want {
	c := chainOf(p)
	if c.container == "" || len(defaults) == 0 {
		return nil
	}
	out := c.image(defaults)
	out = append(out, c.replicas(version)...)
	for _, t := range c.tables {
		out = append(out, c.table(t.path, t.field)...)
	}
	out = append(out, c.named()...)
	out = append(out, c.service()...)
	return slices.DeleteFunc(out, c.overlaid)
}

// table is a part of the parameters that becomes a part of the Deployment, key by key.
type table struct{ path, field string }

type chain struct {
	proxy     Proxy
	container string
	tables    []table
	imagePath string
	envPath   string
}

// chainOf says where parameters hold what. agentgateway 1.x has its own kind with other paths.
func chainOf(p Proxy) chain {
	c := chain{proxy: p}
	switch p.Controller {
	case Envoy:
		c.container = "kgateway-proxy"
		c.imagePath, c.envPath = "kube.envoyContainer.image", "kube.envoyContainer.env"
		c.tables = []table{
			{"kube.envoyContainer.resources", c.field("resources")},
			{"kube.podTemplate.nodeSelector", "spec.template.spec.nodeSelector"},
			{"kube.podTemplate.extraLabels", "spec.template.metadata.labels"},
		}
	case Agentgateway:
		c.container = "agentgateway"
		c.imagePath, c.envPath = "image", "env"
		c.tables = []table{{"resources", c.field("resources")}}
	}
	return c
}

func (c chain) field(name string) string {
	return "spec.template.spec.containers[" + c.container + "]." + name
}

func (c chain) deployment(field string) finding.Field {
	o := finding.Object{Kind: "Deployment", Namespace: c.proxy.Gateway.GetNamespace(), Name: c.proxy.Gateway.GetName()}
	if d := c.proxy.Deployment; d != nil {
		o.Name = d.GetName()
	}
	return finding.Field{Object: o, Field: field}
}

// said lists what the sources say of one path of their spec, the winner first.
func (c chain) said(path string) []Said {
	var out []Said
	for _, r := range slices.Backward(c.proxy.References) {
		if r.Found == nil || c.proxy.Dropped && r.By.Kind == "GatewayClass" {
			continue
		}
		spec, _ := r.Found.Object["spec"].(map[string]any)
		if v, found := rendering.Lookup(spec, path); found && v != nil {
			out = append(out, Said{Source{Object: finding.Object{Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}, By: r.By, Path: "spec." + path}, v})
		}
	}
	return out
}

// text is one part of the image: the parameters' word, else the environment's.
func (c chain) text(part, env, fallback string) []Said {
	out := c.said(c.imagePath + "." + part)
	if fallback != "" {
		out = append(out, Said{Source{Env: env}, fallback})
	}
	return out
}

// image gives the image and its pull policy. Nothing is said of an image that is not known in full.
func (c chain) image(defaults []Defaults) []Want {
	prefix := "KGW_DEFAULT_IMAGE_"
	if c.proxy.Controller == Agentgateway {
		prefix = "AGW_PROXY_IMAGE_"
	}
	var images, policies []any
	var by, policy Said
	var lost []Said
	for i, d := range defaults {
		registry, repository, tag := c.text("registry", prefix+"REGISTRY", d.Registry), c.text("repository", prefix+"REPOSITORY", d.Repository), c.text("tag", prefix+"TAG", d.Tag)
		if len(registry) == 0 || len(repository) == 0 || len(tag) == 0 || len(c.said(c.imagePath+".digest")) > 0 {
			break
		}
		images = append(images, fmt.Sprintf("%v/%v:%v", registry[0].Value, repository[0].Value, tag[0].Value))
		if i == 0 {
			by = tag[0]
			for _, x := range []Said{repository[0], registry[0]} {
				if by.Env != "" && x.Env == "" {
					by = x
				}
			}
		}
	}
	for i, d := range defaults {
		if all := c.text("pullPolicy", prefix+"PULL_POLICY", d.PullPolicy); len(all) > 0 {
			policies = append(policies, all[0].Value)
			if i == 0 {
				policy, lost = all[0], all[1:]
			}
		}
	}
	var out []Want
	if len(images) == len(defaults) {
		out = append(out, Want{Field: c.deployment(c.field("image")), Value: images[0], Or: images[1:], Source: by.Source})
	}
	if len(policies) == len(defaults) {
		out = append(out, Want{Field: c.deployment(c.field("imagePullPolicy")), Value: policies[0], Or: policies[1:], Source: policy.Source, Lost: lost})
	}
	return out
}

// replicas are 1 by default in 2.0; from 2.1 on nobody decides unless the parameters do, so that an autoscaler can.
func (c chain) replicas(version string) []Want {
	if c.proxy.Controller != Envoy {
		return nil
	}
	all := c.said("kube.deployment.replicas")
	if len(all) == 0 && Within(version, ">=2.0.0 <2.1.0-0") {
		all = []Said{{Value: 1}}
	}
	if len(all) == 0 {
		return nil
	}
	return []Want{{Field: c.deployment("spec.replicas"), Value: all[0].Value, Source: all[0].Source, Lost: all[1:]}}
}

// table gives one want for each key, at any depth, that a source speaks of.
func (c chain) table(path, field string) []Want {
	wants := map[string]Want{}
	for _, s := range c.said(path) {
		content, _ := s.Value.(map[string]any)
		rendering.Leaves("", content, func(below string, v any) {
			if _, empty := v.(map[string]any); empty || v == nil {
				return
			}
			key := join(field, below)
			s := Said{s.Source, v}
			s.Path = join(s.Path, below)
			if w, found := wants[key]; found {
				w.Lost = append(w.Lost, s)
				wants[key] = w
				return
			}
			wants[key] = Want{Field: c.deployment(key), Value: v, Source: s.Source}
		})
	}
	var out []Want
	for _, k := range slices.Sorted(maps.Keys(wants)) {
		out = append(out, wants[k])
	}
	return out
}

func join(path, below string) string {
	if strings.HasPrefix(below, "[") {
		return path + below
	}
	return path + "." + below
}

// named gives the lists whose items have names: environment and pull secrets. Only plain values are followed.
func (c chain) named() []Want {
	var out []Want
	seen := map[string]bool{}
	add := func(s Said, item, below string, v any) {
		field := item + below
		if !seen[field] && v != nil {
			seen[field] = true
			out = append(out, Want{Field: c.deployment(field), Value: v, Source: s.Source})
		}
	}
	for _, s := range c.said(c.envPath) {
		for name, item := range items(s.Value) {
			add(s, c.field("env["+name+"]"), ".value", item["value"])
		}
	}
	if c.proxy.Controller == Envoy {
		for _, s := range c.said("kube.podTemplate.imagePullSecrets") {
			for name := range items(s.Value) {
				add(s, "spec.template.spec.imagePullSecrets["+name+"]", ".name", name)
			}
		}
	}
	slices.SortFunc(out, func(a, b Want) int { return strings.Compare(a.Field.Field, b.Field.Field) })
	return out
}

func items(v any) map[string]map[string]any {
	out := map[string]map[string]any{}
	list, _ := v.([]any)
	for _, x := range list {
		if m, ok := x.(map[string]any); ok {
			if name, ok := m["name"].(string); ok {
				out[name] = m
			}
		}
	}
	return out
}

// service gives the type of the proxy's Service: the parameters', else LoadBalancer. Waypoints have another default.
func (c chain) service() []Want {
	if c.proxy.Controller != Envoy || c.proxy.Service == nil {
		return nil
	}
	all := c.said("kube.service.type")
	if len(all) == 0 {
		if strings.Contains(c.proxy.Class.GetName(), "waypoint") {
			return nil
		}
		all = []Said{{Value: "LoadBalancer"}}
	}
	o := finding.Object{Kind: "Service", Namespace: c.proxy.Service.GetNamespace(), Name: c.proxy.Service.GetName()}
	return []Want{{Field: finding.Field{Object: o, Field: "spec.type"}, Value: all[0].Value, Source: all[0].Source, Lost: all[1:]}}
}

// overlaid says whether an overlay (kgateway 2.3, agentgateway 1.0) may decide the field: any overlay of that kind of
// object counts, since what it does to one field is the strategy of a patch.
func (c chain) overlaid(w Want) bool {
	paths := []string{"kube.deploymentOverlay", "deploymentOverlay", "deployment"}
	if w.Object.Kind == "Service" {
		paths = []string{"kube.serviceOverlay", "serviceOverlay", "service"}
	}
	return slices.ContainsFunc(paths, func(p string) bool { return len(c.said(p)) > 0 })
}

// SelfManaged says whether the parameters leave the proxy to somebody else.
func (p Proxy) SelfManaged() bool { return len(chainOf(p).said("selfManaged")) > 0 }

// Says tells whether any parameters of the proxy speak of a path of their spec.
func (p Proxy) Says(path string) bool { return len(chainOf(p).said(path)) > 0 }

// Container is the name of the proxy's container.
func (p Proxy) Container() string { return chainOf(p).container }

// Decides is what the parameters say of a path of their spec in the end.
func (p Proxy) Decides(path string) (Said, bool) {
	if all := chainOf(p).said(path); len(all) > 0 {
		return all[0], true
	}
	return Said{}, false
}
