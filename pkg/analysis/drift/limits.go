package drift

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// limitSet is one part of the annotation kubernetes.io/limit-ranger.
// Source: k8s.io/kubernetes plugin/pkg/admission/limitranger, mergeContainerResources.
var limitSet = regexp.MustCompile(`^(.*) (request|limit) for (init )?container (\S+)$`)

const limitAnnotation = "kubernetes.io/limit-ranger"

// limited says whether LimitRanger set the field, and which LimitRange of the namespace gives the value. The Pod's
// annotation tells what it set when it was asked last: after a webhook has added a container, that is only the rest.
func (r request) limited(p *unstructured.Unstructured) (culprit, how string) {
	told := p.GetAnnotations()[limitAnnotation]
	if told == "" || !holdsWord(r.field, "resources") {
		return "", ""
	}
	how = "by the Pods' annotation " + limitAnnotation
	switch given := r.limitRanges(); {
	case len(given) > 0:
		return strings.Join(given, " or "), "its default is what the Pods have, and their annotation " + limitAnnotation + " shows that LimitRanger was at work"
	case !r.told(told):
		return "", ""
	case r.unread("LimitRange"):
		return "LimitRanger", how + "; the LimitRange was not read"
	}
	return "LimitRanger", how + "; no LimitRange of the namespace gives this value now"
}

// told says whether the annotation names the field, or is written as another version does.
func (r request) told(annotation string) bool {
	understood := false
	for _, part := range strings.Split(strings.TrimPrefix(annotation, "LimitRanger plugin set: "), "; ") {
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
			if under(joinStep("spec."+list+"["+m[4]+"].resources."+m[2]+"s", step{key: name}), r.field) {
				return true
			}
		}
	}
	return !understood
}

// limitRanges names those of the namespace whose defaults for containers are all that the field has.
func (r request) limitRanges() []string {
	var out []string
	for _, o := range r.snap.Kind("LimitRange.") {
		items, _, _ := unstructured.NestedSlice(o.Object, "spec", "limits")
		if o.GetNamespace() == r.namespace && slices.ContainsFunc(items, r.defaulted) {
			out = append(out, "LimitRange/"+o.GetName())
		}
	}
	return out
}

// resourceLeaf is one quantity of a container's resources.
var resourceLeaf = regexp.MustCompile(`\.resources\.(limits|requests)(\..+|\[.+\])$`)

func (r request) defaulted(limit any) bool {
	item, _ := limit.(map[string]any)
	all := item["type"] == any("Container")
	rendering.Leaves(r.field, r.live, func(field string, v any) {
		m := resourceLeaf.FindStringSubmatch(field)
		if m == nil {
			all = false
			return
		}
		defaults, _ := item[map[string]string{"limits": "default", "requests": "defaultRequest"}[m[1]]].(map[string]any)
		want, found := rendering.Lookup(map[string]any{"x": defaults}, "x"+m[2])
		all = all && found && Same("v1", "Pod", field, want, v)
	})
	return all
}
