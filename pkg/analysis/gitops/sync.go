package gitops

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Resource is the object's type as kubectl takes it without doubt: several programs have an Application.
func (o *Owner) Resource() string {
	if o.Tool == Flux {
		return "helmrelease"
	}
	return "applications.argoproj.io"
}

// Waits says in words what keeps a change of the object from being applied by itself; nil if nothing does.
func (o *Owner) Waits() []string {
	switch {
	case !o.Read():
		return nil
	case o.Suspended():
		return []string{fmt.Sprintf("the HelmRelease is suspended: nothing happens before flux resume helmrelease %s --namespace %s", o.Object.Name, o.Object.Namespace)}
	case o.Tool == ArgoCD && !o.Automated():
		return []string{"the Application is not synced by itself: then argocd app sync " + o.argoName()}
	}
	return nil
}

// Suspended says whether somebody told Flux to leave the release alone.
func (o *Owner) Suspended() bool {
	suspended, _, _ := unstructured.NestedBool(o.content.Object, "spec", "suspend")
	return o.Tool == Flux && suspended
}

// Automated says whether Argo CD syncs by itself when Git or the Application changes; a change of the live objects alone
// is put back only with SelfHeal.
// Source: argo-cd docs/user-guide/auto_sync.md.
func (o *Owner) Automated() bool {
	automated, found, _ := unstructured.NestedMap(o.content.Object, "spec", "syncPolicy", "automated")
	return found && automated["enabled"] != false
}

// SelfHeal says whether the tool puts changed live objects back by itself: Argo CD's selfHeal, Flux's driftDetection.
func (o *Owner) SelfHeal() bool {
	if !o.Read() || o.Suspended() {
		return false
	}
	if o.Tool == Flux {
		mode, _, _ := unstructured.NestedString(o.content.Object, "spec", "driftDetection", "mode")
		return mode == "enabled"
	}
	heals, _, _ := unstructured.NestedBool(o.content.Object, "spec", "syncPolicy", "automated", "selfHeal")
	return o.Automated() && heals
}

// argoName is the Application's name as the argocd client takes it.
func (o *Owner) argoName() string {
	if ns := o.Object.Namespace; ns != "" && ns != ArgoNamespace {
		return ns + "/" + o.Object.Name
	}
	return o.Object.Name
}
