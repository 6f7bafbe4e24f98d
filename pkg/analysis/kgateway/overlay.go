package kgateway

import (
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// overlay is a patch that is laid over what the parameters make of one kind of object.
type overlay struct {
	source Source
	kind   string
	patch  map[string]any // of the whole object
}

// patched are the types by whose tags a strategic merge patch knows how lists are merged.
var patched = map[string]any{"Deployment": appsv1.Deployment{}, "Service": corev1.Service{}}

// overlaid are the versions that know overlays.
var overlaid = map[string]string{Envoy: ">=2.3.0-0", Agentgateway: ">=1.0.0-0"}

// overlays lists the overlays in the order in which they are laid: the GatewayClass's, then the Gateway's. Labels and
// annotations are added, the spec is a strategic merge patch.
// Source: kgateway 2.3 and 2.4, pkg/deployer/strategicpatch; the same in agentgateway 1.0 to 1.4.
func (p Proxy) overlays(version string) []overlay {
	if !Within(version, overlaid[p.Controller]) {
		return nil
	}
	var out []overlay
	for _, kind := range slices.Sorted(maps.Keys(overlaysOf[p.Controller])) {
		for _, s := range slices.Backward(chain{proxy: p}.said(overlaysOf[p.Controller][kind])) {
			said, _ := s.Value.(map[string]any)
			s.Overlay = true
			out = append(out, overlay{s.Source, kind, said})
		}
	}
	return out
}

// overlaid lays the overlays over the live object as the other sources want it. What they do not speak of is taken
// from the live object, so that only what they change counts.
func (c chain) overlaid(wants map[finding.Field]Want) {
	for kind := range patched {
		live := c.object(kind)
		if live == nil || !slices.ContainsFunc(c.overlays, func(o overlay) bool { return o.kind == kind }) {
			continue
		}
		at := live.Object
		for _, w := range wants {
			if w.Kind == kind {
				at = rendering.Put(at, w.Field.Field, w.Value)
			}
		}
		for _, o := range c.overlays {
			if o.kind == kind {
				at = c.lay(at, o, wants)
			}
		}
	}
}

// lay gives an object with one overlay over it, and notes which fields it decides: those that it names, and those that
// are others for it.
func (c chain) lay(before map[string]any, o overlay, wants map[finding.Field]Want) map[string]any {
	after, err := strategicpatch.StrategicMergeMapPatch(runtime.DeepCopyJSON(before), runtime.DeepCopyJSON(o.patch), patched[o.kind])
	if err != nil {
		return before // the API server may have taken it; the controller cannot, and says so on the Gateway
	}
	decided := map[string]bool{}
	rendering.Leaves("", o.patch, func(field string, _ any) { decided[field] = true })
	left := rendering.Object{Object: finding.Object{Kind: o.kind}, Content: before}
	right := rendering.Object{Object: finding.Object{Kind: o.kind}, Content: after}
	for _, change := range rendering.DiffObjects([]rendering.Object{left}, []rendering.Object{right}) {
		decided[change.Field.Field] = true
	}
	for _, field := range slices.Sorted(maps.Keys(decided)) {
		c.decide(field, o, before, after, wants)
	}
	return after
}

func (c chain) decide(field string, o overlay, before, after map[string]any, wants map[finding.Field]Want) {
	now, found := rendering.Lookup(after, field)
	if !found || now == nil {
		now = rendering.Absent{}
		if _, was := rendering.Lookup(before, field); !was && directive(field) {
			return
		}
	}
	f := c.at(o.kind, field)
	s := Said{Source: o.source, Value: now}
	s.Path += "." + field
	w := wants[f]
	wants[f] = Want{Field: f, Value: now, Said: append([]Said{s}, w.Said...)}
}

// directive says whether a field of a patch is an instruction and no field of the object.
func directive(field string) bool { return strings.Contains(field, "$") }
