package cluster

import (
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// object is one object to read: of a manifest, or of a Deployment's metadata.
type object struct {
	gvk       schema.GroupVersionKind
	namespace string // as the manifest has it; empty: the release's
	name      string
	pods      string // selector of a workload's Pods; empty: not known, or no workload
	release   string
}

func (o object) isWorkload() bool {
	return slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, o.gvk.Kind)
}

var documentStart = regexp.MustCompile(`(?m)^---(?:[ \t].*)?\r?$`)

// objects reads the objects that a manifest names. What is no object is passed over: others tell of a manifest
// that is broken.
func objects(manifest, release string) []object {
	var out []object
	for _, doc := range documentStart.Split(manifest, -1) {
		o, ok := definition(doc)
		if !ok {
			o, ok = parsed(doc)
		}
		if ok {
			o.release = release
			out = append(out, o)
		}
	}
	return out
}

var (
	definitionKind = regexp.MustCompile(`(?m)^kind: CustomResourceDefinition\s*$`)
	definitionName = regexp.MustCompile(`(?m)^metadata:\n(?:  .*\n)*?  name: ([a-z0-9.-]+)\s*$`)
)

// definition reads a CRD without its schema: parsing the schemas of a CRD chart takes longer than all requests.
func definition(doc string) (object, bool) {
	if !definitionKind.MatchString(doc) {
		return object{}, false
	}
	m := definitionName.FindStringSubmatch(doc)
	if m == nil {
		return object{}, false
	}
	gvk := schema.GroupVersionKind{Group: crdResource.Group, Version: crdResource.Version, Kind: "CustomResourceDefinition"}
	return object{gvk: gvk, name: m[1]}, true
}

func parsed(doc string) (object, bool) {
	var o struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
		Spec any `json:"spec"`
	}
	if strings.TrimSpace(doc) == "" || yaml.Unmarshal([]byte(doc), &o) != nil || o.Kind == "" || o.Metadata.Name == "" {
		return object{}, false
	}
	out := object{gvk: o.GroupVersionKind(), name: o.Metadata.Name, namespace: o.Metadata.Namespace}
	if out.isWorkload() {
		out.pods = podSelector(o.Spec)
	}
	return out, true
}

// podSelector writes spec.selector of a workload as the API server takes it; empty if it selects nothing.
func podSelector(spec any) string {
	fields, _ := spec.(map[string]any)
	text, err := yaml.Marshal(fields["selector"])
	if err != nil {
		return ""
	}
	var selector metav1.LabelSelector
	if yaml.Unmarshal(text, &selector) != nil || len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
		return ""
	}
	return metav1.FormatLabelSelector(&selector)
}
