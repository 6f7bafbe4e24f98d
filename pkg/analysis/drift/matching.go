package drift

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// request is what admission is asked about: one object on its way into the cluster.
type request struct {
	group, version, kind string
	namespace, name      string
	operations           []string            // one of them was asked
	labels               []map[string]string // that the object had when it was asked, or may have been given on the way
	at                   time.Time           // when; zero: not known
	field                string              // that came out otherwise
	live                 any                 // what it is now
	snap                 *snapshot.Snapshot
}

// podRequest is the one by which a Pod was made from a template.
func (w *Workload) podRequest(u unlike, p *unstructured.Unstructured) request {
	from := w.Object
	if w.ReplicaSet != nil {
		from = w.ReplicaSet
	}
	labels, _, _ := unstructured.NestedStringMap(from.Object, "spec", "template", "metadata", "labels")
	return request{version: "v1", kind: "Pod", namespace: p.GetNamespace(), name: p.GetName(), operations: []string{"CREATE"},
		labels: []map[string]string{labels, p.GetLabels()}, at: p.GetCreationTimestamp().Time, field: u.field, live: u.live, snap: w.snap}
}

// later says whether an object was made after the request, so that it cannot have been asked.
func (r request) later(o *unstructured.Unstructured) bool {
	made := o.GetCreationTimestamp()
	return !made.IsZero() && !r.at.IsZero() && made.Time.After(r.at)
}

// ruled says whether one of a list of rules is about the request.
// Source: k8s.io/apiserver pkg/admission/plugin/webhook/predicates/rules, Matcher.
func (r request) ruled(rules any, exact bool) bool {
	list, _ := rules.([]any)
	return slices.ContainsFunc(list, func(x any) bool {
		rule, _ := x.(map[string]any)
		names := texts(rule["resourceNames"])
		return r.scoped(rule["scope"]) && meets(texts(rule["apiGroups"]), r.group) && r.resource(texts(rule["resources"])) &&
			(!exact || meets(texts(rule["apiVersions"]), r.version)) && (len(names) == 0 || slices.Contains(names, r.name)) &&
			slices.ContainsFunc(r.operations, func(op string) bool { return meets(texts(rule["operations"]), op) })
	})
}

func (r request) scoped(scope any) bool {
	switch scope {
	case "Namespaced":
		return r.namespace != "" && r.kind != "Namespace"
	case "Cluster":
		return r.namespace == "" || r.kind == "Namespace"
	}
	return true
}

// resource says whether one of the resources is the request's: pods, pods/*, * and */* are all about Pods.
func (r request) resource(resources []string) bool {
	return slices.ContainsFunc(resources, func(s string) bool {
		name, sub, _ := strings.Cut(s, "/")
		return (name == "*" || name == plural(r.kind)) && (sub == "" || sub == "*")
	})
}

// meets says whether a list holds a word, or everything.
func meets(list []string, word string) bool {
	return slices.Contains(list, "*") || slices.Contains(list, word)
}

func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, x := range list {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// selected says whether a place's selectors take the request: of webhooks, of match constraints and of bindings.
func (r request) selected(place map[string]any) bool {
	return r.inNamespace(place["namespaceSelector"]) && r.labelled(place["objectSelector"])
}

func (r request) labelled(selector any) bool {
	return slices.ContainsFunc(r.labels, func(l map[string]string) bool { return selects(selector, l) })
}

// inNamespace matches the labels of the namespace. What stands in none is taken by every namespace selector; a
// namespace that was not read has one label for sure, and no other is known to be missing.
func (r request) inNamespace(selector any) bool {
	if r.namespace == "" {
		return true
	}
	if ns := r.snap.Get("Namespace.", "", r.namespace); ns != nil {
		return selects(selector, ns.GetLabels())
	}
	const named = "kubernetes.io/metadata.name"
	return selects(known(selector, named), map[string]string{named: r.namespace})
}

// known keeps of a selector what is about one label.
func known(selector any, label string) map[string]any {
	m, _ := selector.(map[string]any)
	out := map[string]any{}
	if want, _ := m["matchLabels"].(map[string]any); want[label] != nil {
		out["matchLabels"] = map[string]any{label: want[label]}
	}
	expressions, _ := m["matchExpressions"].([]any)
	out["matchExpressions"] = slices.DeleteFunc(slices.Clone(expressions), func(e any) bool {
		x, _ := e.(map[string]any)
		return x["key"] != any(label)
	})
	return out
}

// selects says whether a label selector may match; what it does not understand matches.
func selects(selector any, labels map[string]string) bool {
	m, _ := selector.(map[string]any)
	want, _, _ := unstructured.NestedStringMap(m, "matchLabels")
	for k, v := range want {
		if got, found := labels[k]; !found || got != v {
			return false
		}
	}
	expressions, _ := m["matchExpressions"].([]any)
	return !slices.ContainsFunc(expressions, func(e any) bool {
		x, _ := e.(map[string]any)
		return !expressed(x, labels)
	})
}

func expressed(x map[string]any, labels map[string]string) bool {
	key, _ := x["key"].(string)
	got, found := labels[key]
	switch x["operator"] {
	case "In":
		return found && slices.Contains(texts(x["values"]), got)
	case "NotIn":
		return !found || !slices.Contains(texts(x["values"]), got)
	case "Exists":
		return found
	case "DoesNotExist":
		return !found
	}
	return true
}
