package cmd

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/deciders"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/kgateway"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/printer"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// gatewayOf is the Gateway that a controller made an object for; "" for other objects.
func gatewayOf(x *unstructured.Unstructured) string {
	for _, r := range x.GetOwnerReferences() {
		if r.Kind == "Gateway" && strings.HasPrefix(r.APIVersion, "gateway.networking.k8s.io/") {
			return r.Name
		}
	}
	return ""
}

// servedProxy is a proxy with the release whose controller made it.
type servedProxy struct {
	facts *analysis.Facts
	plane *kgateway.Plane
	proxy kgateway.Proxy
}

// explainProxy finds who decides a field of a proxy: no release has it, its sources do. No facts: it is not known which
// release's controller made it.
func (o *WhyOptions) explainProxy(snap *snapshot.Snapshot, live *unstructured.Unstructured, y *printer.Why) (*analysis.Facts, error) {
	s, err := o.servedBy(snap, live, y)
	if err != nil || s == nil {
		return nil, err
	}
	y.Gateway, y.Class = live.GetNamespace()+"/"+s.proxy.Gateway.GetName(), s.proxy.Class.GetName()
	y.Release, y.Revision = s.facts.Release.Namespace+"/"+s.facts.Release.Name, s.facts.Release.Revision
	chain := s.proxy.Chain(s.plane.Version, s.plane.Defaults()...)
	about := kgateway.About(chain, finding.Field{Object: y.Object, Field: y.Field})
	meant := map[string]any{}
	for _, w := range about {
		y.Chain = append(y.Chain, s.links(w, y)...)
		meant = rendering.Put(meant, w.Field.Field, w.Value)
	}
	y.Rendered, _ = rendering.Lookup(meant, y.Field)
	y.Setting = s.proxy.Setting(y.Object.Kind, y.Field)
	y.Note = s.note(about, y)
	return s.facts, nil
}

// servedBy finds the release whose controller serves the object's Gateway; nil, and a note, if none is known to.
func (o *WhyOptions) servedBy(snap *snapshot.Snapshot, live *unstructured.Unstructured, y *printer.Why) (*servedProxy, error) {
	scope := o.Scope
	scope.Namespace, scope.Chart = "", ""
	inputs, report, err := scope.inputs(snap, nil)
	if err != nil {
		y.Incomplete = report.Incomplete
		return nil, nil //nolint:nilerr // there is no release at all, which the note says
	}
	for _, in := range inputs {
		name, version := in.Chart.Name(), in.Chart.Metadata.Version
		plane := kgateway.PlaneOf(name, version, in.Release.Namespace, stored(in), snap)
		if plane == nil {
			continue
		}
		all := plane.Proxies(snap)
		i := slices.IndexFunc(all, func(p kgateway.Proxy) bool { return isObject(p.Deployment, live) || isObject(p.Service, live) })
		if i < 0 {
			continue
		}
		in.Only = values.Keys("") // no value is to be judged
		f, err := analysis.Gather(in)
		if err != nil {
			return nil, err
		}
		y.Incomplete = unread(report.Incomplete, in.Release.Name)
		return &servedProxy{f, plane, all[i]}, nil
	}
	for _, i := range report.Incomplete {
		i.Fatal = false
		y.Incomplete = append(y.Incomplete, i)
	}
	y.Note = unservedNote(snap, live)
	return nil, nil
}

// unservedNote says of an object of a Gateway why nobody is known to make it; "" if that is not known.
func unservedNote(snap *snapshot.Snapshot, live *unstructured.Unstructured) string {
	gateway := snap.Get("Gateway.gateway.networking.k8s.io", live.GetNamespace(), gatewayOf(live))
	if gateway == nil {
		return ""
	}
	name, _, _ := unstructured.NestedString(gateway.Object, "spec", "gatewayClassName")
	class := snap.Get("GatewayClass", "", name)
	if class == nil {
		return fmt.Sprintf("it belongs to Gateway/%s, whose GatewayClass/%s is not there: no controller is known to update it", gateway.GetName(), name)
	}
	controller, _, _ := unstructured.NestedString(class.Object, "spec", "controllerName")
	return fmt.Sprintf("it belongs to Gateway/%s, whose GatewayClass/%s names %s: no release is known to run that controller, or several are", gateway.GetName(), name, controller)
}

// isObject says whether two copies are of one object, which may have been read twice.
func isObject(a, b *unstructured.Unstructured) bool {
	return a != nil && a.GroupVersionKind() == b.GroupVersionKind() && a.GetNamespace() == b.GetNamespace() && a.GetName() == b.GetName()
}

// links says what the sources say of one field, the winner first; behind a variable of the controller come the values
// of the release that decide it.
func (s *servedProxy) links(w kgateway.Want, y *printer.Why) []printer.Link {
	var out []printer.Link
	for i, said := range w.Said {
		l := printer.Link{Path: said.Path, Value: shown(said.Value), Role: string(deciders.Content), Decides: w.Decides(i), Source: "parameters"}
		o := said.Object
		l.Object = &o
		switch {
		case said.Env != "":
			l.Path, l.Source, l.Origin = said.Env, "environment", "environment of the controller, the default of all its proxies"
			o = s.plane.Stored.Object
		case said.BuiltIn():
			l.Source, l.Origin, l.Object = "built-in", "built into the controller of "+s.plane.Chart+" "+s.plane.Version, nil
		case said.Overlay:
			l.Source, l.Origin = "overlay", "laid over all else"
		case said.By.Name == "":
			l.Source = "gateway"
		}
		if said.By.Name != "" {
			l.By = said.By.String()
		}
		if w.Field.Field != y.Field {
			l.Field = w.Field.Field
		}
		out = append(out, l)
		if said.Env != "" {
			out = append(out, s.behind(said.Env, l)...)
		}
	}
	return out
}

// behind is the chain of values of the release that decide a variable of the controller.
func (s *servedProxy) behind(name string, env printer.Link) []printer.Link {
	if s.facts.World == nil {
		return nil
	}
	c := kgateway.ControllerIn(s.facts.World.Baseline().Objects())
	if c == nil {
		return nil
	}
	target, _, found := deciders.Find(s.facts.World, c.Object, c.Field(name).Field)
	if !found {
		return nil
	}
	var out []printer.Link
	chain, _ := deciders.Of(s.facts.World, s.facts.Reading, target)
	for _, d := range chain {
		l := link(s.facts, d)
		l.Decides = l.Decides && env.Decides
		l.Source, l.Field = "value", env.Field
		out = append(out, l)
	}
	return out
}

// note says what the chain does not: that it is not followed, or that nobody speaks of the field, and who could.
func (s *servedProxy) note(about []kgateway.Want, y *printer.Why) string {
	p := s.proxy
	kind := "GatewayParameters"
	if p.Controller == kgateway.Agentgateway {
		kind = "AgentgatewayParameters"
	}
	for _, r := range p.References {
		if r.Wrong != "" {
			return fmt.Sprintf("the controller does not update this proxy: %s refers to %s: %s", r.By, r, r.Wrong)
		}
	}
	if why := p.Rejection(); why != "" {
		return "the controller does not update this proxy: " + why
	}
	for _, w := range about {
		if len(w.Or) > 0 && w.Field.Field == y.Field && slices.ContainsFunc(w.Or, func(v any) bool { return rendering.Equal(v, y.Live) }) {
			return "the controller runs with another environment than the release gives it"
		}
	}
	if slices.ContainsFunc(about, func(w kgateway.Want) bool { return len(w.Said) > 0 }) {
		return ""
	}
	if y.Setting != "" {
		return fmt.Sprintf("none of its sources says it; %s of the Gateway or of its class can, at %s", kind, y.Setting)
	}
	return "none of its sources says it: the controller writes it as it is made, or it is a default of the API server"
}
