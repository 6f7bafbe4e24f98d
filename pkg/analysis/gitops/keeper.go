package gitops

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// keeper is what applies an object from Git; nil if nothing shows that something does. A patch of the object lasts only
// until its keeper's next sync.
// Source: fluxcd/kustomize-controller, labels of applied objects; argo-cd, app of apps and ApplicationSet.
func keeper(x *unstructured.Unstructured) *finding.Object {
	labels := x.GetLabels()
	if name := labels["kustomize.toolkit.fluxcd.io/name"]; name != "" {
		return &finding.Object{Kind: "Kustomization", Name: name, Namespace: labels["kustomize.toolkit.fluxcd.io/namespace"]}
	}
	for _, ref := range x.GetOwnerReferences() {
		if ref.Kind == "ApplicationSet" {
			return &finding.Object{Kind: "ApplicationSet", Name: ref.Name, Namespace: x.GetNamespace()}
		}
	}
	if m := MarkOf(x); m.Name != "" && m.Name != x.GetName() {
		kind := "Application"
		if m.Tool == Flux {
			kind = "HelmRelease"
		}
		return &finding.Object{Kind: kind, Name: m.Name, Namespace: m.Namespace}
	}
	return nil
}
