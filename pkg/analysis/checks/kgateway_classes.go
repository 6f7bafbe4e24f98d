package checks

import (
	"fmt"
	"slices"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/kgateway"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// NoController tells of GatewayClasses that no controller serves.
var NoController = &analysis.Check{
	Code: "KGW4108",
	Name: "no controller",
	Doc: analysis.Doc{
		Title: "no controller serves the GatewayClass",
		Text: `Gateways ask for a class that does not exist, or whose controllerName is none of the controllers that run: kgateway's is
kgateway.dev/kgateway; that of agentgateway is agentgateway.dev/agentgateway, and was kgateway.dev/agentgateway in
kgateway 2.1. Nobody makes proxies for them, and proxies that are there are not updated any more.

Of a class that names a controller of another project it is only told if its Gateways still have proxies of kgateway's.
Nothing is said where the classes could not be read.`,
		Before: "spec: {controllerName: kgateway.dev/agentgateway}     # GatewayClass, after the upgrade to 2.2",
		After:  "spec: {controllerName: agentgateway.dev/agentgateway} # a new GatewayClass: the field cannot be changed",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		p := plane(f)
		if p == nil || !speaksForAll(f) {
			return nil, nil
		}
		running := append(kgateway.Running(f.Live), p.Controllers()...)
		var out []finding.Finding
		for _, u := range kgateway.Unserveds(f.Live, running) {
			out = append(out, noController(u, running))
		}
		return out, nil
	},
}

// speaksForAll says whether this release is the one that tells of what concerns all control planes: the first of those that
// there are.
func speaksForAll(f *analysis.Facts) bool {
	for _, r := range f.Live.Records() {
		if r.Release != nil && kgateway.Controller(r.Release.Chart.Name()) != "" {
			return r.Name == f.Release.Name && r.Namespace == f.Release.Namespace
		}
	}
	return true
}

func noController(u kgateway.Unserved, running []string) finding.Finding {
	o := finding.Object{Kind: "GatewayClass", Name: u.Class}
	x := finding.Finding{
		Severity: finding.Error, Object: &o, Field: "spec.controllerName", Actual: u.Controller,
		Message: fmt.Sprintf("no controller serves %s: it names %s", o, u.Controller),
		Steps:   []string{"kubectl get gatewayclasses"},
	}
	if u.Controller == "" {
		x.Message, x.Field, x.Actual = fmt.Sprintf("there is no %s", o), "", nil
	}
	for i, g := range u.Gateways {
		if i == 3 {
			x.Facts = append(x.Facts, finding.Fact{Label: "gateway", Text: fmt.Sprintf("%d more", len(u.Gateways)-i)})
			break
		}
		x.Facts = append(x.Facts, finding.Fact{Label: "gateway", Text: fmt.Sprintf("Gateway/%s in %s", g.GetName(), g.GetNamespace())})
	}
	for _, d := range u.Left {
		x.Facts = append(x.Facts, finding.Fact{Label: "proxy", Text: fmt.Sprintf("%s in %s stays as it is: no controller updates it", d, d.Namespace)})
	}
	slices.Sort(running)
	for _, name := range slices.Compact(running) {
		x.Facts = append(x.Facts, finding.Fact{Label: "running", Text: name})
	}
	return x
}

// LeftAlone tells of proxies that parameters leave to somebody else.
var LeftAlone = &analysis.Check{
	Code: "KGW4109",
	Name: "self-managed",
	Doc: analysis.Doc{
		Title: "the parameters are selfManaged, and a proxy that the controller made is still there",
		Text: `spec.selfManaged tells the controller to make no proxy. One that it had made before stays, with the values of that
time: nothing that is said from then on arrives in it.`,
		Before: "spec: {selfManaged: {}}   # GatewayParameters of a Gateway that had a proxy",
		After:  "kubectl --namespace shop delete deployment http   # once a proxy of one's own serves, or take selfManaged out",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, p := range proxies(f) {
			by, is := p.Decides("selfManaged")
			if !is || p.Deployment == nil {
				continue
			}
			o := finding.Object{Kind: "Deployment", Namespace: p.Deployment.GetNamespace(), Name: p.Deployment.GetName()}
			out = append(out, finding.Finding{
				Severity: finding.Warning, Object: &o,
				Message: fmt.Sprintf("the controller leaves %s alone: the parameters of %s are selfManaged", o, p.Object()),
				Facts: []finding.Fact{
					{Label: "gateway", Text: p.Object().String() + " in " + p.Object().Namespace}, {Label: "because", Text: by.Source.String()},
				},
				Steps: []string{kubectl("get", o) + " --output yaml --show-managed-fields"},
			})
		}
		return out, nil
	},
}

// Outdone tells of what parameters say and others say over.
var Outdone = &analysis.Check{
	Code: "KGW4110",
	Name: "outdone parameters",
	Doc: analysis.Doc{
		Title: "another source decides what the parameters say",
		Text: `What the parameters of a GatewayClass say gives way, field by field, to the Gateway's own parameters, and both to
overlays (kgateway 2.3, agentgateway 1.0). The finding lists what is said in vain, and who decides; "kubectl
kgw-doctor why deploy/GATEWAY FIELD" prints the whole chain of one field.

Information: it is what the Gateway's own parameters are for.`,
		Before: "spec: {kube: {deployment: {replicas: 3}}}   # of the GatewayClass; the Gateway's say 2",
		Since:  "0.1.0", Severity: finding.Info,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if !installed(f) {
			return nil, nil
		}
		_, version := chartOf(f)
		var out []finding.Finding
		at := map[finding.Object]int{}
		for _, p := range proxies(f) {
			if p.Sound() && !p.SelfManaged() {
				out = outdone(out, at, p, p.Chain(version, defaults(f)...))
			}
		}
		return out, nil
	},
}

const mostOutdone = 6 // facts of one finding

// outdone adds what the sources of one proxy say in vain, one finding for each object that says it.
func outdone(out []finding.Finding, at map[finding.Object]int, p kgateway.Proxy, chain []kgateway.Want) []finding.Finding {
	for _, w := range chain {
		for _, s := range w.Lost() {
			if s.By.Name == "" || rendering.Equal(s.Value, w.Value) {
				continue
			}
			i, told := at[s.Object]
			if !told {
				i = len(out)
				o := s.Object
				at[o] = i
				out = append(out, finding.Finding{
					Severity: finding.Info, Object: &o, Message: fmt.Sprintf("%s of %s is outdone in some fields", o, s.By),
				})
			}
			if len(out[i].Facts) == mostOutdone {
				out[i].Facts = append(out[i].Facts, finding.Fact{Label: "and", Text: "more: why lists the chain of a field"})
			}
			if len(out[i].Facts) > mostOutdone {
				continue
			}
			kind, field := w.Object.Kind, w.Field.Field
			out[i].Facts = append(out[i].Facts, finding.Fact{Label: "field", Text: fmt.Sprintf("%s in %s: %s=%s, but %s from %s", p.Object(), p.Object().Namespace,
				s.Path, shown(kind, field, s.Value), shown(kind, field, w.Value), w.Source())})
		}
	}
	return out
}

// ScaledAway tells of proxies that somebody scaled to nothing, and that nobody scales back.
var ScaledAway = &analysis.Check{
	Code: "KGW4111",
	Name: "scaled to nothing",
	Doc: analysis.Doc{
		Title: "the proxy has no replicas, and none of its sources says how many",
		Text: `From kgateway 2.1 on the controller leaves the replicas of a proxy to others, so that an autoscaler can decide. Where
there is none, and the parameters say nothing, a scale from outside stays for ever: also one to nothing.`,
		Before: "kubectl --namespace shop scale deployment http --replicas 0",
		After:  "kubectl --namespace shop scale deployment http --replicas 1   # or spec.kube.deployment.replicas of GatewayParameters",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if !installed(f) {
			return nil, nil
		}
		_, version := chartOf(f)
		var out []finding.Finding
		for _, p := range proxies(f) {
			if p.Deployment == nil || !p.Sound() || p.SelfManaged() || !rendering.Equal(lookup(p.Deployment.Object, "spec.replicas"), 0) || drift.Scaler(p.Deployment, f.Live) != nil {
				continue
			}
			o := finding.Object{Kind: "Deployment", Namespace: p.Deployment.GetNamespace(), Name: p.Deployment.GetName()}
			at := finding.Field{Object: o, Field: "spec.replicas"}
			if len(kgateway.About(p.Chain(version, defaults(f)...), at)) > 0 {
				continue // KGW4102 tells, or it is meant
			}
			x := finding.Finding{
				Severity: finding.Warning, Object: &o, Field: at.Field, Actual: 0,
				Message: fmt.Sprintf("%s has no replicas, and nobody decides how many there are", o),
				Facts:   []finding.Fact{{Label: "gateway", Text: p.Object().String() + " in " + p.Object().Namespace}},
				Steps:   []string{kubectl("scale", o) + " --replicas 1"},
			}
			if all := drift.Writers(p.Deployment, at.Field); len(all) > 0 {
				x.Since = all[0].Time
				x.Facts = append(x.Facts, finding.Fact{Label: "writer", Text: writer(drift.Difference{Writer: all[0], Live: 0})})
			}
			out = append(out, x)
		}
		return out, nil
	},
}
