package drift

import (
	"cmp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Autoscaler is what decides a workload's replicas.
type Autoscaler struct {
	finding.Object
	KEDA bool
	Idle string // why it decides nothing just now, in its own words; "" if it does
}

func (a *Autoscaler) String() string {
	if a.KEDA {
		return a.Object.String() + " (KEDA)"
	}
	return a.Object.String()
}

// Scaler finds the autoscaler of a workload; nil if the snapshot holds none. KEDA makes a HorizontalPodAutoscaler of its
// own: the ScaledObject is named in its place.
func Scaler(workload *unstructured.Unstructured, snap *snapshot.Snapshot) *Autoscaler {
	var found *Autoscaler
	for _, o := range snap.Kind("ScaledObject.keda.sh", "HorizontalPodAutoscaler.autoscaling") {
		if !targets(o, "scaleTargetRef", workload) {
			continue
		}
		a := &Autoscaler{Object: finding.Object{Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()}}
		if scaled := scaledObject(o); scaled != "" {
			a.Kind, a.Name, a.KEDA = "ScaledObject", scaled, true
		}
		if o.GetKind() == "ScaledObject" || !a.KEDA {
			a.Idle = idle(o, workload)
		}
		if found == nil || o.GetKind() == "ScaledObject" {
			found = a // the object itself knows whether it is paused
		}
	}
	return found
}

// scaledObject names the KEDA object that an autoscaler is, or was made for.
// Source: kedacore/keda controllers/keda/hpa.go, which sets the label and the owner.
func scaledObject(o *unstructured.Unstructured) string {
	if o.GetKind() == "ScaledObject" {
		return o.GetName()
	}
	for _, r := range o.GetOwnerReferences() {
		if r.Kind == "ScaledObject" {
			return r.Name
		}
	}
	return o.GetLabels()["scaledobject.keda.sh/name"]
}

// targets says whether an autoscaler is about a workload; KEDA's kind is Deployment where none is given.
func targets(o *unstructured.Unstructured, field string, workload *unstructured.Unstructured) bool {
	ref, _, _ := unstructured.NestedMap(o.Object, "spec", field)
	kind, _ := ref["kind"].(string)
	return o.GetNamespace() == workload.GetNamespace() && cmp.Or(kind, "Deployment") == workload.GetKind() && ref["name"] == any(workload.GetName())
}

// idle says why an autoscaler does not act. Zero replicas switch a HorizontalPodAutoscaler off, and KEDA on.
func idle(o, workload *unstructured.Unstructured) string {
	keda := o.GetKind() == "ScaledObject"
	if keda {
		for _, a := range []string{"autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-scale-in", "autoscaling.keda.sh/paused-scale-out"} {
			if strings.EqualFold(o.GetAnnotations()[a], "true") {
				return "it is paused: annotation " + a
			}
		}
	}
	if n, found, _ := unstructured.NestedInt64(workload.Object, "spec", "replicas"); found && n == 0 && !keda {
		return "0 replicas switch it off"
	}
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		m, _ := c.(map[string]any)
		switch m["type"] {
		case "ScalingActive", "AbleToScale", "Ready":
			if m["status"] == any("False") {
				reason, _ := m["reason"].(string)
				message, _ := m["message"].(string)
				return strings.TrimSuffix(reason+": "+message, ": ")
			}
		}
	}
	return ""
}

// scales says whether the writer of replicas is an autoscaler.
func (w Writer) scales() bool {
	return w.Subresource == "scale" && (w.Manager == "kube-controller-manager" || strings.HasPrefix(w.Manager, "keda"))
}

// Autoscaled says whether the difference is the replicas of a workload that something scales, as it should.
func (d Difference) Autoscaled() bool { return d.Scaler != nil && (d.scales() || d.Scaler.Idle == "") }

// scaling says who an autoscaler that wrote replicas is, and whether it will again: not if it is gone by now.
func (s *sights) scaling(a *Autoscaler) (by string, returns bool) {
	switch {
	case a != nil:
		return a.String(), true
	case s.Header.TakenAt != "" && !s.listFailed("HorizontalPodAutoscaler"):
		return "a HorizontalPodAutoscaler that is not there any more", false
	}
	return "a HorizontalPodAutoscaler", true
}

// Resizer names the VerticalPodAutoscaler that changes the resources of a workload's Pods; "" if the snapshot holds none
// that does more than recommend.
func Resizer(workload *unstructured.Unstructured, snap *snapshot.Snapshot) string {
	for _, o := range snap.Kind("VerticalPodAutoscaler.autoscaling.k8s.io") {
		mode, _, _ := unstructured.NestedString(o.Object, "spec", "updatePolicy", "updateMode")
		if mode != "Off" && targets(o, "targetRef", workload) {
			return "VerticalPodAutoscaler/" + o.GetName()
		}
	}
	return ""
}
