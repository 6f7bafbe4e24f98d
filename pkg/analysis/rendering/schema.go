package rendering

import (
	"encoding/json"
	"regexp"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	kjson "sigs.k8s.io/json"
)

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

// HasType says whether the client library has a type for the object: it is none of a custom resource.
func HasType(o Object) bool {
	gv, err := schema.ParseGroupVersion(o.APIVersion)
	return err == nil && scheme.Scheme.Recognizes(gv.WithKind(o.Kind))
}

// UnknownFields lists the fields of an object that its Kubernetes type does not have: the API server drops them. The
// types are those of the client library; an object of another group gives none, and so does one that does not decode.
// Paths are written as the decoder does, list items by position: spec.template.spec.containers[0].imagePullpolicy.
func UnknownFields(o Object) []string {
	if !HasType(o) {
		return nil
	}
	gv, _ := schema.ParseGroupVersion(o.APIVersion)
	typed, err := scheme.Scheme.New(gv.WithKind(o.Kind))
	if err != nil {
		return nil
	}
	text, err := json.Marshal(o.Content)
	if err != nil {
		return nil
	}
	strict, err := kjson.UnmarshalStrict(text, typed)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range strict {
		if m := unknownField.FindStringSubmatch(e.Error()); m != nil {
			out = append(out, m[1])
		}
	}
	return out
}
