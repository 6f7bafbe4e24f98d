package cluster

import (
	"strings"
	"testing"
)

func TestObjectIsFoundByEveryNameOfItsType(t *testing.T) {
	t.Parallel()
	meta := func(namespace, name string) map[string]any {
		return map[string]any{"namespace": namespace, "name": name}
	}
	deployment := map[string]any{"metadata": meta("a", "one"), "spec": map[string]any{"selector": map[string]any{"matchLabels": map[string]any{"app": "x"}}}}
	pod := map[string]any{"metadata": map[string]any{"namespace": "a", "name": "p", "labels": map[string]any{"app": "x"}}}
	s := &server{objects: map[string][]map[string]any{
		"deployments":    {deployment, {"metadata": meta("a", "two")}, {"metadata": meta("b", "two")}},
		"pods":           {pod},
		"gatewayclasses": {{"metadata": map[string]any{"name": "kgateway"}}},
	}}
	r := s.start(t)
	for _, w := range []Wanted{
		{Type: "deployment", Name: "one"}, {Type: "Deployment", Name: "one", Namespace: "a"}, {Type: "deployments.apps", Name: "one"},
		{Type: "deployments.v1.apps", Name: "one"}, {Type: "gatewayclass", Name: "kgateway", Namespace: "a"}, {Type: "deployment", Name: "two", Namespace: "b"},
	} {
		x, snap, err := r.Object(t.Context(), w)
		if err != nil {
			t.Errorf("%+v: %v", w, err)
			continue
		}
		if x.GetName() != w.Name {
			t.Errorf("%+v gives %s", w, x.GetName())
		}
		if w.Name == "one" && snap.Get("Pod", "a", "p") == nil {
			t.Errorf("%+v: the Pods are missing", w)
		}
	}
	for w, want := range map[Wanted]string{
		{Type: "deployment", Name: "two"}:                  "in the namespaces a, b: choose one with -n",
		{Type: "deployment", Name: "none"}:                 "no deployments/none in any namespace",
		{Type: "deployment", Name: "none", Namespace: "a"}: "no deployments/none in namespace a",
		{Type: "thing", Name: "one"}:                       `no type "thing"`,
		{Type: "deployments.other", Name: "one"}:           `no type "deployments.other"`,
	} {
		if _, _, err := r.Object(t.Context(), w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", w, err, want)
		}
	}
	for m := range s.methods {
		if m != "GET" {
			t.Errorf("it did %s", m)
		}
	}
}

func TestObjectLooksInTheCurrentNamespaceIfAllIsForbidden(t *testing.T) {
	t.Parallel()
	s := &server{forbidden: []string{"list deployments"}, objects: map[string][]map[string]any{
		"deployments": {{"metadata": map[string]any{"namespace": "a", "name": "one"}}},
	}}
	x, _, err := s.start(t).Object(t.Context(), Wanted{Type: "deployments", Name: "one", Fallback: "a"})
	if err != nil || x.GetNamespace() != "a" {
		t.Errorf("%v, %v", x, err)
	}
}
