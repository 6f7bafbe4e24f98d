package checks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/kgateway"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// podSetting is a value for the controller's Pod that people expect to reach proxies, with the path of the same setting
// in the parameters of each controller; "" if it has none, or the value does reach its proxies.
type podSetting struct {
	value               string
	envoy, agentgateway string
	field               string // of the proxy; $ stands for its container
	versions            string // of the chart; "": all
}

const podOverlay = "deployment.spec.template.spec."

// ofPods are the settings that the charts have at the top level or, from kgateway 2.3 on, below controller as well.
// Source: GatewayParameters of kgateway 2.0 to 2.4, AgentgatewayParameters of agentgateway 1.0 to 1.4.
var ofPods = []podSetting{
	{"imagePullSecrets", "kube.podTemplate.imagePullSecrets", podOverlay + "imagePullSecrets", "spec.template.spec.imagePullSecrets", ""},
	{"nodeSelector", "kube.podTemplate.nodeSelector", podOverlay + "nodeSelector", "spec.template.spec.nodeSelector", ""},
	{"tolerations", "kube.podTemplate.tolerations", podOverlay + "tolerations", "spec.template.spec.tolerations", ""},
	{"affinity", "kube.podTemplate.affinity", podOverlay + "affinity", "spec.template.spec.affinity", ""},
	{"topologySpreadConstraints", "kube.podTemplate.topologySpreadConstraints", podOverlay + "topologySpreadConstraints", "spec.template.spec.topologySpreadConstraints", ""},
	{"priorityClassName", "kube.podTemplate.priorityClassName", podOverlay + "priorityClassName", "spec.template.spec.priorityClassName", ">=2.2.0-0 || <2.0.0-0"},
	{"resources", "kube.envoyContainer.resources", "resources", "spec.template.spec.containers[$].resources", ""},
}

// ofImages are the settings of images that are the controller's alone.
// Source: the environment that the charts give the controller, and what of it each controller takes for its proxies.
var ofImages = []podSetting{
	{"controller.image.registry", "kube.envoyContainer.image.registry", "", "registry", ""},
	{"image.registry", "", "image.registry", "registry", ">=2.2.0-0 <2.3.0-0"}, // agentgateway of that time has its own built in
	{"image.pullPolicy", "", "image.pullPolicy", "spec.template.spec.containers[$].imagePullPolicy", ""},
}

func podSettings() []podSetting {
	out := slices.Concat(ofPods, ofImages)
	for _, s := range ofPods {
		s.value = "controller." + s.value
		out = append(out, s)
	}
	return out
}

// path is where the parameters of a proxy say the setting; "" if they do not.
func (s podSetting) path(p kgateway.Proxy) string {
	switch p.Controller {
	case kgateway.Envoy:
		return s.envoy
	case kgateway.Agentgateway:
		return s.agentgateway
	}
	return ""
}

// NotForProxies tells of values that are in force for the controller and can never reach its proxies.
var NotForProxies = &analysis.Check{
	Code: "KGW4103",
	Name: "not for proxies",
	Doc: analysis.Doc{
		Title: "the value is for the controller alone, its proxies do not get it",
		Text: `The chart runs the controller; the controller makes the proxies, from its defaults and from GatewayParameters.
Pull secrets, resources, node selectors, tolerations and affinity of the chart are the controller's own, and so is
controller.image: none of them reaches a proxy, although many are set with the proxies in mind.

Told only if there are proxies that have no such setting. The object that gives it to them is printed whole.

Information: the value does what it is for.`,
		Before: "--set imagePullSecrets[0].name=registry   # the proxies' Pods have no pull secret",
		After:  "kubectl apply -f parameters.yaml          # GatewayParameters, spec.kube.podTemplate.imagePullSecrets",
		Since:  "0.1.0", Severity: finding.Info,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if f.World == nil || !installed(f) {
			return nil, nil
		}
		var out []finding.Finding
		_, version := chartOf(f)
		for _, s := range podSettings() {
			if s.versions != "" && !kgateway.Within(version, s.versions) {
				continue
			}
			path, err := values.Parse(s.value)
			if err != nil {
				return nil, err
			}
			given := slices.IndexFunc(f.Effects, func(e causality.Effect) bool { return e.Path.HasPrefix(path) && len(e.Removed) > 0 })
			value, _ := values.Get(f.World.Computed(), path)
			if given < 0 || value == nil {
				continue
			}
			if without := s.lacking(f, value); len(without) > 0 {
				out = append(out, notForProxies(f, f.Effects[given], path, value, s.path(without[0]), without))
			}
		}
		return out, nil
	},
}

// lacking lists the proxies that no parameters give a setting, and that do not have it otherwise.
func (s podSetting) lacking(f *analysis.Facts, value any) []kgateway.Proxy {
	var out []kgateway.Proxy
	for _, p := range proxies(f) {
		path := s.path(p)
		if path == "" || p.Deployment == nil || !p.Sound() || p.SelfManaged() || p.Says(path) || p.Says("kube.deploymentOverlay") || !s.missing(p, value) {
			continue
		}
		out = append(out, p)
	}
	return out
}

func (s podSetting) missing(p kgateway.Proxy, value any) bool {
	container := "spec.template.spec.containers[" + p.Container() + "]"
	if s.field == "registry" {
		image, _ := lookup(p.Deployment.Object, container+".image").(string)
		return image != "" && !strings.HasPrefix(image, fmt.Sprint(value)+"/")
	}
	switch is := lookup(p.Deployment.Object, strings.Replace(s.field, "spec.template.spec.containers[$]", container, 1)).(type) {
	case rendering.Absent, nil:
		return true
	case map[string]any:
		return len(is) == 0
	case string:
		return is != value
	}
	return false
}

func notForProxies(f *analysis.Facts, e causality.Effect, path values.Path, value any, parameters string, without []kgateway.Proxy) finding.Finding {
	x := finding.Finding{
		ValuePath: e.Path.String(), Severity: finding.Info,
		Message: fmt.Sprintf("%s is the controller's: %s without it", path, plural(len(without), "proxy runs", "proxies run")),
		Facts:   []finding.Fact{asked(f, e)},
	}
	for i, p := range without {
		if i == 3 {
			x.Facts = append(x.Facts, finding.Fact{Label: "proxy", Text: fmt.Sprintf("%d more", len(without)-i)})
			break
		}
		x.Facts = append(x.Facts, finding.Fact{Label: "proxy", Text: p.Object().String() + " in " + p.Object().Namespace})
	}
	spec := value
	for _, key := range slices.Backward(strings.Split(parameters, ".")) {
		spec = map[string]any{key: spec}
	}
	content, _ := spec.(map[string]any)
	x.Steps = give(without[0], content)
	return x
}

// give is how a proxy gets a setting: the parameters that it has are patched, or it gets some.
func give(p kgateway.Proxy, spec map[string]any) []string {
	for _, r := range slices.Backward(p.References) {
		if r.By.Kind == "Gateway" {
			return []string{kubectl("patch", r.Object()) + " --type merge --patch " + quote(asJSON(map[string]any{"spec": spec}))}
		}
	}
	o := p.Object()
	group, kind := kgateway.ParametersOf(p.Controller)
	ref := map[string]any{"group": group, "kind": kind, "name": o.Name}
	return []string{
		apply(parametersObject(p.Controller, o.Name, o.Namespace, spec)),
		kubectl("patch", o) + " --type merge --patch " + quote(asJSON(map[string]any{"spec": map[string]any{"infrastructure": map[string]any{"parametersRef": ref}}})),
	}
}

func parametersObject(controller, name, namespace string, spec map[string]any) map[string]any {
	group, kind := kgateway.ParametersOf(controller)
	return map[string]any{
		"apiVersion": group + "/v1alpha1", "kind": kind, "metadata": map[string]any{"name": name, "namespace": namespace}, "spec": spec,
	}
}

// apply is a command that makes an object, which is in it whole.
func apply(object map[string]any) string {
	return "printf %s " + quote(asJSON(object)) + " | kubectl apply --filename -"
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "{}" // what was read as JSON can be written as JSON
	}
	return string(b)
}
