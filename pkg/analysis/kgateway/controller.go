package kgateway

import (
	"cmp"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Container is a container of a workload. The controller's is the first of the chart's Deployment.
type Container struct {
	Object  finding.Object
	List    string // containers or initContainers
	Name    string
	Image   string
	Env     []map[string]any
	Content map[string]any // of the Deployment
}

// ControllerIn finds the controller among rendered objects; nil if there is none.
func ControllerIn(objects []rendering.Object) *Container {
	for _, o := range objects {
		if o.Kind == "Deployment" && !o.Hook {
			return containerIn(o.Object, o.Content)
		}
	}
	return nil
}

func containerIn(o finding.Object, content map[string]any) *Container {
	if all := containers(o, content, "containers"); len(all) > 0 {
		return all[0]
	}
	return nil
}

// ContainersIn lists the containers of all workloads among rendered objects, in their order.
func ContainersIn(objects []rendering.Object) []*Container {
	var out []*Container
	for _, o := range objects {
		if o.Kind == "Deployment" || o.Kind == "StatefulSet" || o.Kind == "DaemonSet" {
			out = append(out, containers(o.Object, o.Content, "initContainers")...)
			out = append(out, containers(o.Object, o.Content, "containers")...)
		}
	}
	return out
}

func containers(o finding.Object, content map[string]any, list string) []*Container {
	found, _ := rendering.Lookup(content, "spec.template.spec."+list)
	items, _ := found.([]any)
	var out []*Container
	for _, item := range items {
		m, _ := item.(map[string]any)
		c := &Container{Object: o, List: list, Content: content}
		c.Name, _ = m["name"].(string)
		c.Image, _ = m["image"].(string)
		env, _ := m["env"].([]any)
		for _, x := range env {
			if m, ok := x.(map[string]any); ok {
				c.Env = append(c.Env, m)
			}
		}
		out = append(out, c)
	}
	return out
}

// Last is the position of the entry of the environment that counts for a name; -1 if there is none.
func (c Container) Last(name string) int {
	last := -1
	for i, x := range c.Env {
		if x["name"] == name {
			last = i
		}
	}
	return last
}

// Value is what the environment says of a name; "" if nothing, or what is not known here.
func (c Container) Value(name string) string {
	i := c.Last(name)
	if i < 0 {
		return ""
	}
	text, _ := c.Env[i]["value"].(string)
	return text
}

// Field is the value of a variable.
func (c Container) Field(name string) finding.Field {
	return finding.Field{Object: c.Object, Field: "spec.template.spec." + c.List + "[" + c.Name + "].env[" + name + "].value"}
}

// Tag is the version that an image names; "" if it names none.
func Tag(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[i+1:]
	}
	return ""
}

// Plane is the control plane of one release.
type Plane struct {
	Chart, Version string
	Stored         *Container // as the release renders it
	Live           *Container // nil if it is not there
}

// PlaneOf finds the control plane of a release among its objects, whose namespaces are filled in; nil if the chart is
// none of kgateway's, or has no controller.
func PlaneOf(chart, version, namespace string, stored []rendering.Object, live *snapshot.Snapshot) *Plane {
	c := ControllerIn(stored)
	if c == nil || Controller(chart) == "" {
		return nil
	}
	c.Object.Namespace = cmp.Or(c.Object.Namespace, namespace)
	p := &Plane{Chart: chart, Version: version, Stored: c}
	if live != nil {
		if d := live.Get("Deployment", c.Object.Namespace, c.Object.Name); d != nil {
			p.Live = containerIn(c.Object, d.Object)
		}
	}
	return p
}

// Defaults are what the controller's environment says of proxies: as the release renders it, then as it is live if that
// is another. What it does not say stays open.
func (p Plane) Defaults() []Defaults {
	out := []Defaults{p.defaultsOf(p.Stored)}
	if p.Live != nil {
		if is := p.defaultsOf(p.Live); is != out[0] {
			out = append(out, is)
		}
	}
	return out
}

func (p Plane) defaultsOf(c *Container) Defaults {
	prefix := imageOf[Controller(p.Chart)].env
	d := Defaults{
		Registry: c.Value(prefix + "REGISTRY"), Repository: c.Value(prefix + "REPOSITORY"),
		Tag: c.Value(prefix + "TAG"), PullPolicy: c.Value(prefix + "PULL_POLICY"),
	}
	if p.Chart == "kgateway" {
		d.Repository = "envoy-wrapper" // a constant of the controller of 2.0 to 2.4
	}
	return d
}

// Controllers are the names of classes that the control plane serves. kgateway 2.1 serves two if it is told to.
func (p Plane) Controllers() []string {
	out := []string{Controller(p.Chart)}
	if p.Chart == "kgateway" && Within(p.Version, ">=2.1.0-0 <2.2.0-0") && p.Stored.Value("KGW_ENABLE_AGENTGATEWAY") == "true" {
		out = append(out, FormerAgentgateway)
	}
	return out
}

// Alone says whether no other control plane of the kind could serve the same classes: which one does is not written
// anywhere.
func (p Plane) Alone(snap *snapshot.Snapshot) bool {
	planes := 0
	for _, d := range snap.Kind("Deployment") {
		if d.GetLabels()[p.Chart] == p.Chart && d.GetAnnotations()["meta.helm.sh/release-name"] != "" {
			planes++
		}
	}
	return planes <= 1
}

// Proxies lists the Gateways that the control plane serves; none if another one could serve them.
func (p Plane) Proxies(snap *snapshot.Snapshot) []Proxy {
	if !p.Alone(snap) {
		return nil
	}
	var out []Proxy
	for _, name := range p.Controllers() {
		out = append(out, Proxies(snap, name, p.Version)...)
	}
	return out
}
