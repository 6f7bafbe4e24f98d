package gitops

import (
	"fmt"
	"strings"

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

// Resync gives the commands that have the tool apply the release again, words.
func (o *Owner) Resync() [][]string {
	name, namespace := o.Object.Name, o.Object.Namespace
	if o.Tool == ArgoCD {
		return [][]string{{"argocd", "app", "sync", o.argoName()}}
	}
	again := []string{"flux", "reconcile", "helmrelease", name, "--namespace", namespace, "--force"}
	if o.Read() && o.Suspended() {
		return [][]string{{"flux", "resume", "helmrelease", name, "--namespace", namespace}, again}
	}
	return [][]string{again}
}

// State is how far the tool has come with the object.
type State struct {
	Behind  bool   // it has not looked at the object as it is now
	Ready   string // True, False or Unknown; of Argo CD: whether the last sync succeeded
	Reason  string
	Message string
	Since   string // RFC 3339
	Synced  bool   // Argo CD: the cluster is what the Application asks for
}

// State reads the status of the object.
func (o *Owner) State() State {
	if !o.Read() {
		return State{}
	}
	if o.Tool == ArgoCD {
		return o.argoState()
	}
	observed, _, _ := unstructured.NestedInt64(o.content.Object, "status", "observedGeneration")
	s := State{Behind: observed < o.content.GetGeneration()}
	for _, c := range conditions(o.content) {
		if c["type"] == "Ready" {
			s.Ready, s.Reason, s.Message, s.Since = c["status"], c["reason"], c["message"], c["lastTransitionTime"]
		}
	}
	return s
}

// argoState holds the sync status and the last operation together; an error of the comparison explains both.
func (o *Owner) argoState() State {
	text := func(path ...string) string { v, _, _ := unstructured.NestedString(o.content.Object, path...); return v }
	s := State{Reason: text("status", "sync", "status"), Since: text("status", "operationState", "finishedAt"), Message: text("status", "operationState", "message"), Ready: "True"}
	s.Synced = s.Reason == "Synced"
	switch phase := text("status", "operationState", "phase"); phase {
	case "Failed", "Error":
		s.Ready, s.Reason = "False", "sync "+phase
	case "Running", "Terminating":
		s.Ready, s.Reason = "Unknown", "sync "+phase
	}
	for _, c := range conditions(o.content) {
		if c["type"] == "ComparisonError" || c["type"] == "SyncError" || c["type"] == "InvalidSpecError" {
			s.Ready, s.Reason, s.Message, s.Since = "False", c["type"], c["message"], c["lastTransitionTime"]
		}
	}
	return s
}

func conditions(x *unstructured.Unstructured) []map[string]string {
	list, _, _ := unstructured.NestedSlice(x.Object, "status", "conditions")
	var out []map[string]string
	for _, c := range list {
		m, _ := c.(map[string]any)
		texts := map[string]string{}
		for k, v := range m {
			texts[k], _ = v.(string)
		}
		out = append(out, texts)
	}
	return out
}

// Applied are the values of Argo CD's last sync; those that the Application asks for if its status does not say.
func (o *Owner) Applied() map[string]any {
	if !o.Read() {
		return nil
	}
	history, _, _ := unstructured.NestedSlice(o.content.Object, "status", "history")
	if len(history) == 0 {
		return o.Values()
	}
	last, _ := history[len(history)-1].(map[string]any)
	source, _ := chartSource(last, true)
	if source == nil {
		return o.Values()
	}
	layers, _ := o.sourceLayers(source)
	return argoValues(layers)
}

// Ignores says whether the Application tells Argo CD not to look at a field of a live object, given as a JSON pointer.
func (o *Owner) Ignores(group, kind, name, pointer string) bool {
	if !o.Read() || o.Tool != ArgoCD {
		return false
	}
	rules, _, _ := unstructured.NestedSlice(o.content.Object, "spec", "ignoreDifferences")
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		matches := func(key, have string) bool {
			want, _ := rule[key].(string)
			return want == "" || want == "*" || want == have
		}
		if !matches("group", group) || !matches("kind", kind) || !matches("name", name) {
			continue
		}
		pointers, _ := rule["jsonPointers"].([]any)
		for _, p := range pointers {
			if text, _ := p.(string); pointer == text || strings.HasPrefix(pointer, text+"/") {
				return true
			}
		}
	}
	return false
}

// PostRenders says whether a HelmRelease has Flux change what the chart renders.
func (o *Owner) PostRenders() bool {
	if !o.Read() {
		return false
	}
	_, found, _ := unstructured.NestedSlice(o.content.Object, "spec", "postRenderers")
	_, common, _ := unstructured.NestedMap(o.content.Object, "spec", "commonMetadata")
	return found || common
}
