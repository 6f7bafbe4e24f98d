package checks

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/kgateway"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// plane is the control plane of an installed release; nil if it has none, or without a cluster.
func plane(f *analysis.Facts) *kgateway.Plane {
	chart, version := chartOf(f)
	if f.Mode != analysis.Installed || f.Live == nil {
		return nil
	}
	return kgateway.PlaneOf(chart, version, f.Release.Namespace, stored(f), f.Live)
}

// proxies lists the Gateways that the release's controller serves.
func proxies(f *analysis.Facts) []kgateway.Proxy {
	if p := plane(f); p != nil {
		return p.Proxies(f.Live)
	}
	return nil
}

// defaults are what the controller's environment says of proxies; see kgateway.Plane.
func defaults(f *analysis.Facts) []kgateway.Defaults {
	if p := plane(f); p != nil {
		return p.Defaults()
	}
	return nil
}

// Parameters tells of references to parameters that the controller cannot use.
var Parameters = &analysis.Check{
	Code: "KGW4101",
	Name: "parameters",
	Doc: analysis.Doc{
		Title: "the proxy's parameters cannot be used",
		Text: `A Gateway or its GatewayClass refers to parameters that do not exist, stand in another namespace, or are of a kind
that the class's controller does not take; or the controller itself rejects them.

The controller then makes no proxy, and updates one that is there no more: whatever Helm values or parameters say from
then on does not arrive. kgateway 2.0 says nothing of it on the Gateway; 2.4 sets Accepted to False, and Programmed to
True all the same.`,
		Before: "spec: {infrastructure: {parametersRef: {group: gateway.kgateway.dev, kind: GatewayParameters, name: no-such}}}",
		After:  "kubectl get gatewayparameters --namespace shop   # the Gateway's own namespace",
		Since:  "0.1.0", Severity: finding.Error,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		at := map[string]int{}
		for _, p := range proxies(f) {
			wrong := false
			for _, r := range p.References {
				if r.Wrong == "" {
					continue
				}
				wrong = true
				key := r.By.Kind + "\x00" + r.String() + "\x00" + r.Wrong
				if i, told := at[key]; told {
					out[i].Facts = append(out[i].Facts, finding.Fact{Label: "and", Text: p.Object().String() + " in " + p.Object().Namespace})
					continue
				}
				at[key] = len(out)
				out = append(out, unusable(f, p, r))
			}
			if why := p.Rejection(); why != "" && !wrong && len(p.References) > 0 {
				out = append(out, rejected(p, why))
			}
		}
		return out, nil
	},
}

func unusable(f *analysis.Facts, p kgateway.Proxy, r kgateway.Reference) finding.Finding {
	o := r.By
	x := finding.Finding{
		Severity: finding.Error, Object: &o, Field: "spec.infrastructure.parametersRef",
		Message: fmt.Sprintf("%s refers to %s: %s", r.By, r, r.Wrong),
		Facts:   []finding.Fact{{Label: "gateway", Text: p.Object().String() + " in " + p.Object().Namespace}, {Label: "proxy", Text: proxyState(p)}},
	}
	if r.By.Kind == "GatewayClass" {
		x.Field = "spec.parametersRef"
	}
	if why := p.Rejection(); why != "" {
		x.Facts = append(x.Facts, finding.Fact{Label: "status", Text: "Accepted=False, InvalidParameters: " + why})
	}
	if same := kgateway.Namesakes(f.Live, r); len(same) > 0 {
		x.Facts = append(x.Facts, finding.Fact{Label: "meant?", Text: "one of that name is in namespace " + strings.Join(same, ", ")})
	}
	x.Steps = []string{kubectl("edit", r.By)}
	if r.Namespace != "" {
		x.Steps = append([]string{"kubectl get " + quote(strings.ToLower(r.Kind)) + " --namespace " + quote(r.Namespace)}, x.Steps...)
	}
	return x
}

func proxyState(p kgateway.Proxy) string {
	if p.Deployment == nil {
		return "there is none"
	}
	return "Deployment/" + p.Deployment.GetName() + " stays as it is: the controller does not update it"
}

func rejected(p kgateway.Proxy, why string) finding.Finding {
	o := p.Object()
	return finding.Finding{
		Severity: finding.Error, Object: &o, Field: "spec.infrastructure.parametersRef",
		Message: fmt.Sprintf("the controller rejects the parameters of %s", o),
		Facts:   []finding.Fact{{Label: "status", Text: "Accepted=False, InvalidParameters: " + why}, {Label: "proxy", Text: proxyState(p)}},
		Steps:   []string{kubectl("get", o) + " --output yaml"},
	}
}

// ProxyDiffers tells of proxies that are not what the chain of sources says.
var ProxyDiffers = &analysis.Check{
	Code: "KGW4102",
	Name: "proxy drift",
	Doc: analysis.Doc{
		Title: "the proxy is not what its sources say",
		Text: `Every field of a proxy is decided by the last that speaks of it: what is built into the controller, the controller's
environment (from the chart's top-level image values), the parameters of the GatewayClass, those of the Gateway, and
overlays in either of them. The live Deployment or Service has another value: somebody changed it, or the controller does not reconcile it.

Compared is what the sources speak of, and what is known of the controller's own: image, pull policy, replicas,
resources, environment, security contexts, placement, labels, annotations, probes, pull secrets, the Service's type and
address. Overlays (kgateway 2.3, agentgateway 1.0) are laid over what the other sources say, as strategic merge
patches. Nothing is said of a proxy whose parameters cannot be used (KGW4101), or while the controller itself is being
rolled out; and nothing of replicas that nobody decides or that an autoscaler does.

An error if a supplied value decides the field, otherwise a warning.`,
		Before: "kubectl --namespace shop edit deployment http   # imagePullPolicy: Never",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		at := map[string]int{}
		for _, d := range proxyDifferences(f) {
			from := d.Source()
			from.By = finding.Object{} // the same parameters, whoever refers to them
			key := strings.Join([]string{d.Object.Kind, d.Field.Field, from.String(), rendering.Show(d.Value), rendering.Show(d.live), d.writer.Manager}, "\x00")
			if i, told := at[key]; told {
				out[i].Facts = append(out[i].Facts, finding.Fact{Label: "and", Text: d.Object.String() + " in " + d.Object.Namespace})
				continue
			}
			at[key] = len(out)
			out = append(out, proxyDiffers(f, d))
		}
		return out, nil
	},
}

// proxyDifference is a field of a proxy that is not what the chain says.
type proxyDifference struct {
	kgateway.Want
	proxy  kgateway.Proxy
	live   any
	whole  map[string]any // the missing part of the object, where it is more than the field
	writer drift.Writer
}

func proxyDifferences(f *analysis.Facts) []proxyDifference {
	if !installed(f) {
		return nil
	}
	says := defaults(f)
	if len(says) == 0 || !settled(f) {
		return nil
	}
	_, version := chartOf(f)
	var out []proxyDifference
	for _, p := range proxies(f) {
		if p.Deployment == nil || !p.Sound() || p.SelfManaged() {
			continue
		}
		chain := p.Chain(version, says...)
		var mine []proxyDifference
		for _, w := range chain {
			live := p.Deployment
			if w.Object.Kind == "Service" {
				live = p.Service
			}
			if d, differs := differsFrom(f, p, live, w); differs {
				mine = append(mine, d)
			}
		}
		out = append(out, collapsed(mine)...)
		out = append(out, byHand(p, chain)...)
	}
	return out
}

// collapsed makes one difference of those below a table or item that is not there at all, or should not be.
func collapsed(all []proxyDifference) []proxyDifference {
	var out []proxyDifference
	at := map[finding.Field]int{}
	gone := map[finding.Field]bool{}
	for _, d := range all {
		if d.Value == any(rendering.Absent{}) {
			gone[d.Field] = true
		}
	}
	for _, d := range all {
		if slices.ContainsFunc(above(d.Field), func(f finding.Field) bool { return gone[f] }) {
			continue
		}
		live := d.proxy.Deployment
		if d.Kind == "Service" {
			live = d.proxy.Service
		}
		top := finding.Field{Object: d.Object, Field: missing(live.Object, d.Field.Field)}
		i, told := at[top]
		if !told || top.Field == "" {
			at[top] = len(out)
			out = append(out, d)
			continue
		}
		if out[i].Field != top {
			value := rendering.Put(map[string]any{}, out[i].Field.Field, out[i].Value)
			out[i].Field, out[i].Value, out[i].whole = top, lookup(value, top.Field), value
		}
		out[i].whole = rendering.Put(out[i].whole, d.Field.Field, d.Value)
		out[i].Value = lookup(out[i].whole, top.Field)
	}
	return out
}

// missing is the outermost part of a field that an object does not have; "" if it has the field.
func missing(content map[string]any, field string) string {
	if _, found := rendering.Lookup(content, field); found {
		return ""
	}
	for _, f := range above(finding.Field{Field: field}) {
		if _, found := rendering.Lookup(content, f.Field); !found {
			return f.Field
		}
	}
	return field
}

// above lists the tables and items that a field is in, the outermost first.
func above(f finding.Field) []finding.Field {
	var out []finding.Field
	for i := 1; i < len(f.Field); i++ {
		if f.Field[i] != '.' && f.Field[i] != '[' {
			continue
		}
		out = append(out, finding.Field{Object: f.Object, Field: f.Field[:i]})
		if end := strings.IndexByte(f.Field[i:], ']'); f.Field[i] == '[' && end > 0 {
			i += end // names may hold dots
		}
	}
	return out
}

// settled says whether the controller runs as it should: while it is replaced, proxies follow the old one.
func settled(f *analysis.Facts) bool {
	c := kgateway.ControllerIn(stored(f))
	if c == nil {
		return false
	}
	w := drift.Running(f.Live, namespaced(f, c.Object))
	return w != nil && w.Rollout().State == drift.Complete
}

func differsFrom(f *analysis.Facts, p kgateway.Proxy, live *unstructured.Unstructured, w kgateway.Want) (proxyDifference, bool) {
	d := proxyDifference{Want: w, proxy: p, live: lookup(live.Object, w.Field.Field)}
	for _, v := range append([]any{w.Value}, w.Or...) {
		if drift.Same(live.GetAPIVersion(), live.GetKind(), w.Field.Field, v, d.live) {
			return d, false
		}
	}
	if w.Field.Field == "spec.replicas" && drift.Scaler(live, f.Live) != nil {
		return d, false
	}
	if all := drift.Writers(live, w.Field.Field); len(all) > 0 {
		d.writer = all[0]
	}
	return d, true
}

// byHand lists the fields that the chain does not decide and that the controller does not own, as it would if they were
// its own: kubectl alone owns them, or nobody does. A restart asked for by kubectl rollout is no drift, and replicas
// that nobody decides may be scaled.
func byHand(p kgateway.Proxy, chain []kgateway.Want) []proxyDifference {
	var out []proxyDifference
	for _, o := range []*unstructured.Unstructured{p.Deployment, p.Service} {
		if o == nil || !slices.ContainsFunc(o.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool { return m.Operation == metav1.ManagedFieldsOperationApply }) {
			continue
		}
		writers := drift.WritersOf(o)
		spec, _ := o.Object["spec"].(map[string]any)
		rendering.Leaves("spec", spec, func(field string, v any) {
			f := finding.Field{Object: finding.Object{Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()}, Field: field}
			if field == "spec.replicas" || strings.Contains(field, "kubectl.kubernetes.io/") || len(kgateway.About(chain, f)) > 0 {
				return
			}
			all := writers(field)
			strange := func(w drift.Writer) bool { return !strings.HasPrefix(w.Manager, "kubectl") }
			if slices.ContainsFunc(all, strange) || len(all) == 0 && !everyKeyOwned(field) {
				return
			}
			d := proxyDifference{Want: kgateway.Want{Field: f, Value: rendering.Absent{}}, proxy: p, live: v}
			if len(all) > 0 {
				d.writer = all[0]
			}
			out = append(out, d)
		})
	}
	return out
}

// everyKeyOwned says whether a field is in a table or list in which the API server has no defaults, so that each entry
// has an owner.
func everyKeyOwned(field string) bool {
	return strings.HasPrefix(field, "spec.template.metadata.") || strings.HasSuffix(field, "].value") && strings.Contains(field, ".env[")
}

func proxyDiffers(f *analysis.Facts, d proxyDifference) finding.Finding {
	o := d.Object
	kind, field := o.Kind, d.Field.Field
	x := finding.Finding{
		Severity: finding.Warning, Object: &o, Field: field, Since: d.writer.Time,
		Expected: plainValue(kind, field, d.Value), Actual: plainValue(kind, field, d.live),
		Message: fmt.Sprintf("the proxy %s runs %s=%s, its sources say %s", o, field, shown(kind, field, d.live), shown(kind, field, d.Value)),
		Facts:   []finding.Fact{{Label: "gateway", Text: d.proxy.Object().String() + " in " + d.proxy.Object().Namespace}, {Label: "field", Text: field}},
	}
	switch _, absent := d.Value.(rendering.Absent); {
	case absent && len(d.Said) == 0 && strings.HasPrefix(d.writer.Manager, "kubectl"):
		x.Message = fmt.Sprintf("%s of the proxy %s was set by hand to %s", field, o, shown(kind, field, d.live))
	case absent && len(d.Said) == 0:
		x.Message = fmt.Sprintf("%s of the proxy %s is %s, which none of its sources says", field, o, shown(kind, field, d.live))
	default:
		x.Facts = append(x.Facts, finding.Fact{Label: "sources", Text: shown(kind, field, d.Value) + ", from " + d.Source().String()})
		for _, s := range d.Lost() {
			x.Facts = append(x.Facts, finding.Fact{Label: "before", Text: shown(kind, field, s.Value) + ", from " + s.Source.String()})
		}
		if e := behind(f, d.Source()); e != nil {
			x.Severity, x.ValuePath = finding.Error, e.Path.String()
			x.Facts = append(x.Facts, asked(f, *e))
		}
	}
	addRunning(f, &x, d.Value)
	x.Facts = append(x.Facts, finding.Fact{Label: "writer", Text: writer(drift.Difference{Writer: d.writer, Live: d.live})})
	x.Steps = []string{kubectl("get", o) + " --output yaml --show-managed-fields"}
	return x
}

// behind finds the supplied value that a default of the controller comes from.
func behind(f *analysis.Facts, s kgateway.Source) *causality.Effect {
	if s.Env == "" {
		return nil
	}
	for i, e := range f.Effects {
		if slices.ContainsFunc(e.Removed, func(c rendering.Change) bool { return carries(c, s.Env) }) {
			return &f.Effects[i]
		}
	}
	return nil
}

// GivesWay tells of the chart's image values that some proxies take and others do not.
var GivesWay = &analysis.Check{
	Code: "KGW4104",
	Name: "gives way to parameters",
	Doc: analysis.Doc{
		Title: "some proxies' parameters overrule the value",
		Text: `image.pullPolicy, image.tag and image.registry are the defaults of all proxies. Parameters of a GatewayClass or
Gateway that speak of the same field win, as they should; the value then does not hold for those proxies.

Information: it is what parameters are for.`,
		Before: "--set image.pullPolicy=Always   # and a GatewayParameters with spec.kube.envoyContainer.image.pullPolicy: IfNotPresent",
		Since:  "0.1.0", Severity: finding.Info,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if !installed(f) {
			return nil, nil
		}
		var out []finding.Finding
		for _, part := range []struct{ env, path string }{
			{"KGW_DEFAULT_IMAGE_PULL_POLICY", "kube.envoyContainer.image.pullPolicy"},
			{"KGW_DEFAULT_IMAGE_REGISTRY", "kube.envoyContainer.image.registry"},
			{"KGW_DEFAULT_IMAGE_TAG", "kube.envoyContainer.image.tag"},
		} {
			if e := behind(f, kgateway.Source{Env: part.env}); e != nil {
				out = append(out, givesWay(f, *e, part.path)...)
			}
		}
		return out, nil
	},
}

func givesWay(f *analysis.Facts, e causality.Effect, path string) []finding.Finding {
	x := finding.Finding{ValuePath: e.Path.String(), Severity: finding.Info, Facts: []finding.Fact{asked(f, e)}}
	all, lost := 0, 0
	for _, p := range proxies(f) {
		if p.Deployment == nil || !p.Sound() || p.SelfManaged() {
			continue
		}
		all++
		said, found := p.Decides(path)
		if !found || rendering.Equal(said.Value, e.Value) {
			continue
		}
		lost++
		x.Facts = append(x.Facts, finding.Fact{Label: "proxy", Text: fmt.Sprintf("%s in %s: %v, from %s", p.Object(), p.Object().Namespace, said.Value, said.Source)})
	}
	if lost == 0 {
		return nil
	}
	x.Message = fmt.Sprintf("%s gives way to parameters in %d of %s", show(e.Path, e.Value), lost, plural(all, "proxy", "proxies"))
	return []finding.Finding{x}
}

// Skew tells of proxies that are meant to run another version than the controller.
var Skew = &analysis.Check{
	Code: "KGW4105",
	Name: "version skew",
	Doc: analysis.Doc{
		Title: "controller and proxies are meant to be of different versions",
		Text: `The controller's image follows controller.image.tag, else image.tag; the proxies follow image.tag alone, or their
parameters. A controller and its own proxy image (envoy-wrapper) of different versions are not tested together.

Told of what the sources say, and only where both tags are versions.`,
		Before: "--set controller.image.tag=v2.0.1",
		After:  "--set image.tag=v2.0.1",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if !installed(f) {
			return nil, nil
		}
		c, says := kgateway.ControllerIn(stored(f)), defaults(f)
		if c == nil || len(says) == 0 {
			return nil, nil
		}
		_, version := chartOf(f)
		var out []finding.Finding
		at := map[string]int{}
		for _, p := range proxies(f) {
			if p.Deployment == nil || !p.Sound() || p.SelfManaged() {
				continue
			}
			for _, w := range p.Chain(version, says[0]) {
				image, _ := w.Value.(string)
				if !strings.HasSuffix(w.Field.Field, ".image") || !strings.Contains(image, "/envoy-wrapper:") || !kgateway.Differ(kgateway.Tag(image), kgateway.Tag(c.Image)) {
					continue
				}
				from := w.Source()
				from.By = finding.Object{}
				key := image + "\x00" + from.String()
				if i, told := at[key]; told {
					out[i].Facts = append(out[i].Facts, finding.Fact{Label: "and", Text: p.Object().String() + " in " + p.Object().Namespace})
					continue
				}
				at[key] = len(out)
				out = append(out, skew(f, c, p, w, image))
			}
		}
		return out, nil
	},
}

func skew(f *analysis.Facts, c *kgateway.Container, p kgateway.Proxy, w kgateway.Want, image string) finding.Finding {
	o := w.Object
	x := finding.Finding{
		Severity: finding.Warning, Object: &o, Field: w.Field.Field, Expected: kgateway.Tag(c.Image), Actual: kgateway.Tag(image),
		Message: fmt.Sprintf("the controller is %s, the proxy %s is meant to be %s", kgateway.Tag(c.Image), o, kgateway.Tag(image)),
		Facts: []finding.Fact{
			{Label: "gateway", Text: p.Object().String() + " in " + p.Object().Namespace},
			{Label: "controller", Text: c.Image}, {Label: "proxy", Text: image + ", from " + w.Source().String()},
		},
	}
	own := values.Keys("controller", "image", "tag")
	if i := slices.IndexFunc(f.Effects, func(e causality.Effect) bool { return e.Path.Equal(own) && len(e.Removed) > 0 }); i >= 0 && w.Source().Env != "" {
		x.ValuePath = own.String()
		x.Facts = append(x.Facts, asked(f, f.Effects[i]))
		x.Remedies = []finding.Remedy{{
			Summary: "set image.tag, which both follow", Meant: []finding.Field{c.Field(w.Source().Env)},
			Edits: []values.Edit{values.Set(values.Keys("image", "tag"), f.Effects[i].Value), values.Set(own, f.Effects[i].Default)},
		}}
	}
	return x
}

// ClassDropped tells of GatewayClass parameters that the Gateway's own put out of force as a whole.
var ClassDropped = &analysis.Check{
	Code: "KGW4106",
	Name: "class parameters dropped",
	Doc: analysis.Doc{
		Title: "the GatewayClass's parameters do not count for this Gateway",
		Text: `Parameters of a Gateway are laid over those of its GatewayClass, field by field. kgateway 2.1 drops the class's
parameters whole where the Gateway's own set omitDefaultSecurityContext: true.`,
		Before: "spec: {kube: {omitDefaultSecurityContext: true}}   # in the Gateway's parameters, kgateway 2.1",
		After:  "repeat in the Gateway's parameters what the class's say, or upgrade",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		var out []finding.Finding
		for _, p := range proxies(f) {
			if !p.Dropped || !p.Sound() {
				continue
			}
			o := p.Object()
			out = append(out, finding.Finding{
				Severity: finding.Warning, Object: &o, Field: "spec.infrastructure.parametersRef",
				Message: fmt.Sprintf("%s does not count for %s", p.References[0], o),
				Facts: []finding.Fact{{Label: "because", Text: fmt.Sprintf("%s sets spec.kube.omitDefaultSecurityContext, and this version then drops the parameters of %s",
					p.References[1], p.References[0].By)}},
				Steps: []string{kubectl("edit", finding.Object{Kind: p.References[1].Kind, Namespace: p.References[1].Namespace, Name: p.References[1].Name})},
			})
		}
		return out, nil
	},
}

// NoProxy tells of Gateways that the controller has accepted and that have no proxy.
var NoProxy = &analysis.Check{
	Code: "KGW4107",
	Name: "no proxy",
	Doc: analysis.Doc{
		Title: "the Gateway is accepted, and has no proxy",
		Text: `The controller has accepted the Gateway and has not left its proxy to somebody else (selfManaged), yet there is no
Deployment that belongs to it: somebody deleted it, or the controller does not get to make it.

A warning. Nothing is said where the proxies' Deployments could not be read.`,
		Before: "kubectl --namespace shop delete deployment http",
		After:  "kubectl --namespace kgateway-system rollout restart deployment kgateway   # it makes what is missing",
		Since:  "0.1.0", Severity: finding.Warning,
	},
	Run: func(f *analysis.Facts) ([]finding.Finding, error) {
		if !installed(f) || !settled(f) {
			return nil, nil
		}
		all := proxies(f)
		if slices.ContainsFunc(f.Live.Header.Gaps, func(g snapshot.Gap) bool { return strings.Contains(strings.ToLower(g.What), "deployment") }) ||
			!slices.ContainsFunc(all, func(p kgateway.Proxy) bool { return p.Deployment != nil }) {
			return nil, nil // not read, or none is made at all: that is the controller's trouble
		}
		var out []finding.Finding
		for _, p := range all {
			listeners, _, _ := unstructured.NestedSlice(p.Gateway.Object, "spec", "listeners")
			if p.Deployment != nil || !p.Sound() || p.SelfManaged() || !p.Accepted() || len(listeners) == 0 || p.Gateway.GetDeletionTimestamp() != nil {
				continue
			}
			o := p.Object()
			out = append(out, finding.Finding{
				Severity: finding.Warning, Object: &o,
				Message: fmt.Sprintf("%s is accepted, and no Deployment belongs to it", o),
				Facts:   []finding.Fact{{Label: "status", Text: "Accepted=True"}},
				Steps:   []string{"kubectl get deployments --namespace " + quote(o.Namespace) + " --selector " + quote("gateway.networking.k8s.io/gateway-name="+o.Name)},
			})
		}
		return out, nil
	},
}
