package drift

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// limitSet is one part of the annotation kubernetes.io/limit-ranger.
// Source: k8s.io/kubernetes plugin/pkg/admission/limitranger, mergeContainerResources.
var limitSet = regexp.MustCompile(`^(.*) (request|limit) for (init )?container (\S+)$`)

const limitAnnotation = "kubernetes.io/limit-ranger"

// limited says whether the Pod's annotation tells that LimitRanger set the field, and which LimitRange of the namespace
// gives that value.
func (r request) limited(p *unstructured.Unstructured) (culprit, how string) {
	told := strings.TrimPrefix(p.GetAnnotations()[limitAnnotation], "LimitRanger plugin set: ")
	if told == "" || !holdsWord(r.field, "resources") {
		return "", ""
	}
	understood := false
	for _, part := range strings.Split(told, "; ") {
		m := limitSet.FindStringSubmatch(part)
		if m == nil {
			continue
		}
		understood = true
		list := "containers"
		if m[3] != "" {
			list = "initContainers"
		}
		for _, name := range strings.Split(m[1], ", ") {
			at := joinStep("spec."+list+"["+m[4]+"].resources."+m[2]+"s", step{key: name})
			if under(at, r.field) {
				return r.limitRange(m[2], name, at, p)
			}
		}
	}
	if !understood { // of a version that writes it otherwise
		return "LimitRanger", "by the Pods' annotation " + limitAnnotation
	}
	return "", ""
}

// limitRange names the LimitRange whose default is what the Pod has.
func (r request) limitRange(what, name, field string, p *unstructured.Unstructured) (culprit, how string) {
	how = "the Pods' annotation " + limitAnnotation + " tells it"
	key := map[string]string{"limit": "default", "request": "defaultRequest"}[what]
	live := lookup(p, field)
	var found []string
	for _, o := range r.snap.Kind("LimitRange.") {
		items, _, _ := unstructured.NestedSlice(o.Object, "spec", "limits")
		if o.GetNamespace() != r.namespace || !slices.ContainsFunc(items, func(x any) bool {
			item, _ := x.(map[string]any)
			values, _ := item[key].(map[string]any)
			return item["type"] == any("Container") && values[name] != nil && Same("v1", "Pod", field, values[name], live)
		}) {
			continue
		}
		found = append(found, "LimitRange/"+o.GetName())
	}
	switch {
	case len(found) > 0:
		return strings.Join(found, " or "), fmt.Sprintf("%s, and its %s of %s is %v", how, key, name, live)
	case r.unread("LimitRange"):
		return "LimitRanger", how + "; the LimitRange was not read"
	}
	return "LimitRanger", how + "; no LimitRange of the namespace gives this value now"
}
