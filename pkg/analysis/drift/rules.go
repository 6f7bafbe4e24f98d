package drift

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// OwnedField is a field that others write by design, whatever a chart renders there.
type OwnedField struct {
	Kind  *regexp.Regexp
	Field *regexp.Regexp
	Why   string
}

// OwnedFields are not compared. A new one is one line and one case in TestCompare.
var OwnedFields = []OwnedField{
	owned(`.*`, `apiVersion|kind|status(\..*)?`, "not asked for, or written by the API server"),
	owned(`.*`, `metadata\.(name|generateName|namespace|creationTimestamp|uid|resourceVersion|generation|selfLink|managedFields.*)`, "written by the API server"),
	owned(`.*`, `metadata\.labels\["app\.kubernetes\.io/managed-by"\]`, "Helm writes Helm there, whatever is rendered"),
	owned(`.*`, `metadata\.annotations\["meta\.helm\.sh/.*"\]`, "written by Helm"),
	owned(`.*WebhookConfiguration`, `webhooks\[.*\]\.clientConfig\.caBundle`, "written by who makes the certificate"),
	owned(`CustomResourceDefinition`, `spec\.conversion\.webhook\.clientConfig\.caBundle`, "written by who makes the certificate"),
	owned(`CustomResourceDefinition`, `spec\.preserveUnknownFields`, "false is not kept"),
	owned(`APIService`, `spec\.caBundle`, "written by who makes the certificate"),
	owned(`Job`, `spec\.(selector|template\.metadata\.labels).*`, "written by the API server"),
	owned(`PersistentVolumeClaim`, `spec\.volumeName`, "written by the volume controller"),
}

func owned(kind, field, why string) OwnedField {
	return OwnedField{regexp.MustCompile("^(" + kind + ")$"), regexp.MustCompile("^(" + field + ")$"), why}
}

func isOwned(kind, field string) bool {
	for _, r := range OwnedFields {
		if r.Kind.MatchString(kind) && r.Field.MatchString(field) {
			return true
		}
	}
	return false
}

// aggregated says whether a ClusterRole's rules are collected from others.
func aggregated(live *unstructured.Unstructured, field string) bool {
	_, found, _ := unstructured.NestedMap(live.Object, "aggregationRule")
	return found && live.GetKind() == "ClusterRole" && under(field, "rules")
}

// person names the command behind a field manager; controller the thing that will write the field again.
var (
	person = map[string]string{
		"kubectl-client-side-apply": "kubectl apply",
		"kubectl-last-applied":      "kubectl apply",
		"kubectl":                   "kubectl apply --server-side",
		"before-first-apply":        "whoever wrote the object before its first server-side apply",
	}
	controllers = []struct {
		manager *regexp.Regexp
		name    string
	}{
		{regexp.MustCompile(`^argocd-(application-)?controller$`), "Argo CD"},
		{regexp.MustCompile(`^kustomize-controller$`), "Flux (kustomize-controller)"},
		{regexp.MustCompile(`^helm-controller$`), "Flux (helm-controller)"},
		{regexp.MustCompile(`^keda`), "KEDA"},
		{regexp.MustCompile(`^vpa-|vertical-pod-autoscaler`), "VerticalPodAutoscaler"},
		{regexp.MustCompile(`^cert-manager-cainjector|^cainjector`), "cert-manager"},
		{regexp.MustCompile(`-(controller|operator|controller-manager)$|^kube-controller-manager$|^(operator|manager|controller)$`), ""},
	}
)

// whose says in words who a writer is, and whether it will write the field again when somebody else changes it.
func (s *sights) whose(w Writer, scaler *Autoscaler) (by string, returns bool) {
	switch {
	case w.scales() || w.Manager == "" && scaler != nil && scaler.Idle == "":
		return s.scaling(scaler)
	case w.Manager == "":
		return "", false
	case w.Subresource == "scale" && w.Manager == "kubectl":
		return "kubectl scale", false
	case w.Helm && w.Manager != "helm-controller":
		return "nobody but Helm owns the field: changed at admission (a mutating webhook or policy), or by somebody who left no trace", false
	case w.Manager == "kubectl" && w.Operation == "Update":
		return "kubectl", false
	case person[w.Manager] != "":
		return person[w.Manager], false
	case strings.HasPrefix(w.Manager, "kubectl-"):
		return "kubectl " + strings.TrimPrefix(w.Manager, "kubectl-"), false
	}
	for _, c := range controllers {
		if c.manager.MatchString(w.Manager) {
			if c.name == "" {
				return "the controller " + w.Manager, true
			}
			return c.name, true
		}
	}
	return "field manager " + w.Manager, false
}
