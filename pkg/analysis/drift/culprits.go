package drift

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// Blame says who changed a field at admission. Culprit is who it was, as far as that can be known, and How that is
// known; else Suspects are all that it may have been.
type Blame struct {
	Culprit, How string
	Made         string // when the culprit came into the cluster, RFC 3339; empty: not known
	Suspects     []string
	Unseen       bool // there may be others: not all that change objects could be read
}

// alwaysPull is the API server's own plugin, which no object of the cluster tells of.
const alwaysPull = "AlwaysPullImages"

// blame looks who changed a field of a Pod: what the Pod itself tells, then what the rest of the cluster says.
func (w *Workload) blame(u unlike, p *unstructured.Unstructured, template map[string]any) Blame {
	r := w.podRequest(u, p)
	for _, tells := range []func(*unstructured.Unstructured) (string, string){
		r.limited, func(p *unstructured.Unstructured) (string, string) { return patchedBy(u.field, p) }, w.resized(u), r.injected, r.placed,
	} {
		if culprit, how := tells(p); culprit != "" {
			return Blame{Culprit: culprit, How: how}
		}
	}
	left := signs(p)
	if w.pullsAlways(u, p, template["spec"]) {
		left = append(left, Mutator{Name: alwaysPull, Remarks: []string{"its signature: every container pulls always"}})
	}
	return r.suspect(left...)
}

// suspect names the one whose own text gives the field this value; else, where everything was read, the only one who
// could have written it; else all who could. Those given are known by other signs than the objects of the cluster.
func (r request) suspect(signs ...Mutator) Blame {
	asked := r.mutators()
	keep := func(is func(Mutator) bool) []Mutator {
		return slices.DeleteFunc(slices.Clone(asked), func(m Mutator) bool { return !is(m) })
	}
	if writes := keep(func(m Mutator) bool { return m.names(r) && m.gives(r) }); len(writes) == 1 {
		return Blame{Culprit: writes[0].String(), Made: writes[0].Made, How: "it matches, and its own text gives the field this value"}
	}
	could := keep(func(m Mutator) bool { return m.says == "" || m.names(r) })
	if len(could) == 0 {
		could = asked
	}
	could = append(slices.Clone(signs), slices.DeleteFunc(could, func(m Mutator) bool {
		return slices.ContainsFunc(signs, func(s Mutator) bool { return s.sends(m) })
	})...)
	switch {
	case len(could) == 1 && len(signs) == 1:
		return Blame{Culprit: signs[0].Name, How: "by " + signs[0].Remarks[0]}
	case len(could) == 1 && !r.anyUnread() && (could[0].says == "" || could[0].names(r)):
		return Blame{Culprit: could[0].String(), Made: could[0].Made, How: "no other mutating webhook or policy that is there now matches and could have"}
	}
	out := Blame{Unseen: r.anyUnread()}
	for _, m := range could {
		if m.names(r) {
			m.Remarks = append(slices.Clone(m.Remarks), "its text names the field")
		}
		out.Suspects = append(out.Suspects, m.String())
	}
	return out
}

// anyUnread says whether something that changes objects may be there unseen.
func (r request) anyUnread() bool {
	return slices.ContainsFunc([]string{"MutatingWebhookConfiguration", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"}, r.unread)
}

// pullsAlways is the signature of the plugin AlwaysPullImages: every container pulls always although the template
// says otherwise. A Pod that was made later and does not shows that the plugin is not there.
func (w *Workload) pullsAlways(u unlike, p *unstructured.Unstructured, template any) bool {
	if !strings.HasSuffix(u.field, ".imagePullPolicy") || u.live != any("Always") || !allAlways(p.Object["spec"]) || allAlways(template) {
		return false
	}
	made := p.GetCreationTimestamp()
	return !slices.ContainsFunc(w.snap.Kind("Pod."), func(o *unstructured.Unstructured) bool {
		at := o.GetCreationTimestamp()
		return !made.IsZero() && at.After(made.Time) && !allAlways(o.Object["spec"])
	})
}

func allAlways(spec any) bool {
	m, _ := spec.(map[string]any)
	for _, kind := range []string{"initContainers", "containers"} {
		list, _ := m[kind].([]any)
		for _, c := range list {
			if c, _ := c.(map[string]any); c["imagePullPolicy"] != any("Always") {
				return false
			}
		}
	}
	return true
}

// vpaBy is how the VerticalPodAutoscaler's webhook notes what it did.
// Source: kubernetes/autoscaler vertical-pod-autoscaler/pkg/admission-controller, annotation vpaUpdates.
var vpaBy = regexp.MustCompile(`updated by (\S+):`)

// resized names the VerticalPodAutoscaler that changed resources: as the Pod's annotation has it, else the one that
// targets the workload.
func (w *Workload) resized(u unlike) func(*unstructured.Unstructured) (string, string) {
	return func(p *unstructured.Unstructured) (culprit, how string) {
		if !holdsWord(u.field, "resources") {
			return "", ""
		}
		if m := vpaBy.FindStringSubmatch(p.GetAnnotations()["vpaUpdates"]); m != nil {
			return "VerticalPodAutoscaler/" + m[1], "the Pods' annotation vpaUpdates tells it"
		}
		return Resizer(w.Object, w.snap), "it decides the resources of the Pods of this " + w.Object.GetKind()
	}
}

// placed is for what the API server's own plugins add to say where a Pod may run: the node selector and tolerations of
// its namespace and of its RuntimeClass.
func (r request) placed(p *unstructured.Unstructured) (culprit, how string) {
	at := ""
	for _, f := range []string{"spec.nodeSelector", "spec.tolerations"} {
		if under(r.field, f) {
			at = f
		}
	}
	if at == "" {
		return "", ""
	}
	annotations := map[string][]string{"spec.nodeSelector": {"scheduler.alpha.kubernetes.io/node-selector", "openshift.io/node-selector"},
		"spec.tolerations": {"scheduler.alpha.kubernetes.io/defaultTolerations"}}[at]
	if ns := r.snap.Get("Namespace.", "", r.namespace); ns != nil {
		for _, a := range annotations {
			if ns.GetAnnotations()[a] != "" {
				return "Namespace/" + r.namespace, "its annotation " + a + " is added to every Pod"
			}
		}
	}
	if class, _, _ := unstructured.NestedString(p.Object, "spec", "runtimeClassName"); class != "" && r.live != any(rendering.Absent{}) {
		return "RuntimeClass/" + class, "Pods of a RuntimeClass get what its scheduling says"
	}
	return "", ""
}

// admitted says whether the field was changed at admission: Helm wrote it last, and it is not what Helm rendered.
func (d Difference) admitted() bool {
	return d.Kind == Differs && d.Helm && d.Live != any(rendering.Absent{})
}

// blame looks who changed a field of an object when Helm stored it.
func (s *sights) blame(d Difference, o rendering.Object, x *unstructured.Unstructured) Blame {
	if culprit, how := patchedBy(d.Field.Field, x); culprit != "" {
		return Blame{Culprit: culprit, How: how}
	}
	gvk := x.GroupVersionKind()
	labels, _, _ := unstructured.NestedStringMap(o.Content, "metadata", "labels")
	at, _ := time.Parse(time.RFC3339, d.Time) // none: any time
	r := request{group: gvk.Group, version: gvk.Version, kind: gvk.Kind, namespace: x.GetNamespace(), name: x.GetName(),
		operations: []string{"CREATE", "UPDATE"}, labels: []map[string]string{labels, x.GetLabels()}, at: at,
		field: d.Field.Field, live: d.Live, snap: s.Snapshot}
	return r.suspect()
}
