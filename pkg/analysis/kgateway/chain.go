package kgateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Chain lists the fields of a proxy that its sources decide, sorted by object and field: of settings that only the
// sources write also those that stand in the live object and that nobody speaks of, as absent.
//
// Defaults are what the controller says of proxies: the first is what it should say, the others what it may still say.
// Order, later wins: what is built in, the controller's defaults, the GatewayClass's parameters, the Gateway's, the
// overlays of the class's parameters, those of the Gateway's.
// Source: the deployers of kgateway 2.0 to 2.4 and of agentgateway 1.0 to 1.4.
func (p Proxy) Chain(version string, defaults ...Defaults) []Want {
	if len(defaults) == 0 || containerOf[p.Controller] == "" {
		return nil
	}
	c := chain{proxy: p, overlays: p.overlays(version)}
	out := c.all(version, defaults[0])
	for _, d := range defaults[1:] {
		for _, other := range c.all(version, d) {
			i := slices.IndexFunc(out, func(w Want) bool { return w.Field == other.Field })
			if i >= 0 && !rendering.Equal(out[i].Value, other.Value) {
				out[i].Or = append(out[i].Or, other.Value)
			}
		}
	}
	return out
}

type chain struct {
	proxy    Proxy
	overlays []overlay
}

func (c chain) all(version string, d Defaults) []Want {
	wants := map[finding.Field]Want{}
	for _, w := range slices.Concat(c.image(d), c.settings(), c.arguments(version)) {
		wants[w.Field] = w
	}
	for _, b := range c.builtIn(version) {
		wants[b.Field] = c.over(wants[b.Field], b)
	}
	maps.DeleteFunc(wants, func(f finding.Field, _ Want) bool { return c.uncertain(version, f.Field) })
	if Within(version, known) || c.proxy.Controller == Agentgateway {
		c.strangers(wants)
	}
	c.infrastructure(wants)
	c.overlaid(wants)
	var out []Want
	for _, f := range slices.SortedFunc(maps.Keys(wants), byField) {
		out = append(out, wants[f])
	}
	return out
}

func byField(a, b finding.Field) int {
	return strings.Compare(a.Kind+"\x00"+a.Field, b.Kind+"\x00"+b.Field)
}

// over lays what parameters say over what is built in. Labels that the controller needs are its own, and so are its
// variables: what comes of a second opinion on them is not known.
func (c chain) over(w, b Want) Want {
	switch list, isList := b.Value.([]any); {
	case len(w.Said) == 0:
		return b
	case isList:
		if more, some := w.Value.([]any); some {
			w.Value = slices.Concat(list, more)
		}
	case strings.Contains(b.Field.Field, ".labels") || strings.Contains(b.Field.Field, ".env["):
		w.Value = c.live(b.Field)
	}
	w.Said = append(w.Said, b.Said...)
	return w
}

// object is the live object of a kind that the proxy is made of; nil if it is not there.
func (c chain) object(kind string) *unstructured.Unstructured {
	if kind == "Service" {
		return c.proxy.Service
	}
	return c.proxy.Deployment
}

// there says whether anything can be said of the kind: of a Service only if it is there, since some have none.
func (c chain) there(kind string) bool { return kind != "Service" || c.proxy.Service != nil }

// live is what stands in a field; rendering.Absent if there is nothing.
func (c chain) live(f finding.Field) any {
	if o := c.object(f.Kind); o != nil {
		if v, found := rendering.Lookup(o.Object, f.Field); found && v != nil {
			return v
		}
	}
	return rendering.Absent{}
}

func (c chain) expand(field string) string {
	return strings.ReplaceAll(field, "$", containerOf[c.proxy.Controller])
}

// at is a field of one of the proxy's objects, which have the Gateway's name unless that is too long.
func (c chain) at(kind, field string) finding.Field {
	o := finding.Object{Kind: kind, Namespace: c.proxy.Gateway.GetNamespace(), Name: c.proxy.Gateway.GetName()}
	if live := c.object(kind); live != nil {
		o.Name = live.GetName()
	}
	return finding.Field{Object: o, Field: c.expand(field)}
}

// said lists what the parameters say of one path of their spec, the winner first.
func (c chain) said(path string) []Said {
	var out []Said
	for _, r := range slices.Backward(c.proxy.References) {
		if r.Found == nil || c.proxy.Dropped && r.By.Kind == "GatewayClass" {
			continue
		}
		spec, _ := r.Found.Object["spec"].(map[string]any)
		if v, found := rendering.Lookup(spec, path); found && v != nil {
			out = append(out, Said{Source: Source{Object: r.Object(), By: r.By, Path: "spec." + path}, Value: v})
		}
	}
	return out
}

// image gives the image and its pull policy. Nothing is said of an image that is not known in full.
func (c chain) image(d Defaults) []Want {
	at := imageOf[c.proxy.Controller]
	if c.proxy.Controller == FormerAgentgateway {
		d = Defaults{PullPolicy: d.PullPolicy}
	}
	part := func(key, env, fallback string) []Said {
		out := c.said(at.path + "." + key)
		switch {
		case fallback == "":
		case key == "repository" && c.proxy.Controller == Envoy:
			out = append(out, Said{Value: fallback}) // no variable says it
		default:
			out = append(out, Said{Source: Source{Env: at.env + env}, Value: fallback})
		}
		if key != "pullPolicy" {
			for i := range out {
				out[i].Part = key
			}
		}
		return out
	}
	var out []Want
	if all := part("pullPolicy", "PULL_POLICY", d.PullPolicy); len(all) > 0 {
		out = append(out, Want{Field: c.at("Deployment", container+"imagePullPolicy"), Value: all[0].Value, Said: all})
	}
	registry, repository, tag := part("registry", "REGISTRY", d.Registry), part("repository", "REPOSITORY", d.Repository), part("tag", "TAG", d.Tag)
	if len(registry) == 0 || len(repository) == 0 || len(tag) == 0 {
		return out
	}
	w := Want{Field: c.at("Deployment", container+"image"), Value: fmt.Sprintf("%v/%v:%v", registry[0].Value, repository[0].Value, tag[0].Value)}
	w.Said = inOrder(tag, repository, registry)
	if digest := part("digest", "", ""); len(digest) > 0 {
		w.Or = []any{fmt.Sprintf("%v/%v@%v", registry[0].Value, repository[0].Value, digest[0].Value)}
		w.Value = fmt.Sprintf("%v@%v", w.Value, digest[0].Value)
		w.Said = inOrder(digest, w.Said)
	}
	return append(out, w)
}

// inOrder puts what is said of the parts of an image in one order: parameters before the environment, and of the same
// rank the tag first.
func inOrder(parts ...[]Said) []Said {
	var out []Said
	for _, p := range parts {
		out = append(out, p...)
	}
	rank := func(s Said) int {
		switch {
		case s.BuiltIn():
			return 3
		case s.Env != "":
			return 2
		case s.By.Kind == "GatewayClass":
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(a, b Said) int { return rank(a) - rank(b) })
	return out
}

// infrastructure takes the labels and annotations that the Gateway itself hands on (spec.infrastructure): they count
// where they show, since not every version takes them.
func (c chain) infrastructure(wants map[finding.Field]Want) {
	for _, part := range []string{"labels", "annotations"} {
		given, _, _ := unstructured.NestedMap(c.proxy.Gateway.Object, "spec", "infrastructure", part)
		for key, v := range given {
			for _, at := range [][2]string{{"Deployment", "metadata."}, {"Deployment", "spec.template.metadata."}, {"Service", "metadata."}} {
				f := c.at(at[0], rendering.JoinField(at[1]+part, key))
				if c.there(at[0]) && rendering.Equal(c.live(f), v) {
					path := rendering.JoinField("spec.infrastructure."+part, key)
					said := Said{Source: Source{Object: c.proxy.Object(), Path: path}, Value: v}
					wants[f] = Want{Field: f, Value: v, Said: append([]Said{said}, wants[f].Said...)}
				}
			}
		}
	}
}

// About chooses, of a chain, what it says of one field of an object: the field itself, else those below it, else what the
// field is a part of.
func About(chain []Want, f finding.Field) []Want {
	var at, below, around []Want
	for _, w := range chain {
		switch {
		case w.Object != f.Object:
		case w.Field.Field == f.Field:
			at = append(at, w)
		case under(w.Field.Field, f.Field):
			below = append(below, w)
		case under(f.Field, w.Field.Field):
			around = append(around, w)
		}
	}
	switch {
	case len(at) > 0:
		return at
	case len(below) > 0:
		return below
	}
	return around
}

// Setting is the path, in parameters of the controller, that says a field of a proxy; "" if none is known to.
func (p Proxy) Setting(kind, field string) string {
	c := chain{proxy: p}
	image := c.expand(container + "image")
	switch {
	case kind == "Deployment" && field == image+"PullPolicy":
		return "spec." + imageOf[p.Controller].path + ".pullPolicy"
	case kind == "Deployment" && field == image:
		return "spec." + imageOf[p.Controller].path
	}
	for _, s := range settingsOf[p.Controller] {
		if at := c.expand(s.field); s.kind == kind && under(field, at) {
			return "spec." + s.path + strings.TrimPrefix(field, at)
		}
	}
	return ""
}

// SelfManaged says whether the parameters leave the proxy to somebody else.
func (p Proxy) SelfManaged() bool { return len(chain{proxy: p}.said("selfManaged")) > 0 }

// Says tells whether any parameters of the proxy speak of a path of their spec.
func (p Proxy) Says(path string) bool { return len(chain{proxy: p}.said(path)) > 0 }

// Container is the name of the proxy's container.
func (p Proxy) Container() string { return containerOf[p.Controller] }

// Decides is what the parameters say of a path of their spec in the end.
func (p Proxy) Decides(path string) (Said, bool) {
	if all := (chain{proxy: p}).said(path); len(all) > 0 {
		return all[0], true
	}
	return Said{}, false
}
