package deciders_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/deciders"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

const template = `apiVersion: v1
kind: Pod
metadata:
  name: a
  {{- with .Values.labels }}
  labels:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  nodeName: {{ .Values.own.node | default .Values.node | default .Values.global.node }}
  {{- if .Values.fast }}
  priority: 7
  {{- end }}
  containers:
  - name: {{ .Values.name }}
    image: {{ .Values.image.name }}:{{ .Values.image.tag }}
    env:
      {{- toYaml .Values.env | nindent 6 }}
    resources:
      {{- toYaml .Values.resources | nindent 6 }}
  hostname: fixed
`

func TestOf(t *testing.T) {
	t.Parallel()
	c := &helmchart.Chart{
		Metadata:  &helmchart.Metadata{APIVersion: "v2", Name: "c", Version: "1"},
		Templates: []*helmchart.File{{Name: "templates/pod.yaml", Data: []byte(template)}},
		Values: map[string]any{
			"own": map[string]any{"node": "one"}, "node": "two", "global": map[string]any{}, "fast": true, "name": "main",
			"image": map[string]any{"name": "i", "tag": "1"}, "labels": map[string]any{"a.b/c": "x"},
			"env":       []any{map[string]any{"name": "A", "value": "1"}, map[string]any{"name": "B", "value": "2"}},
			"resources": map[string]any{"limits": map[string]any{"cpu": "1"}},
		},
	}
	r, err := rendering.New(c, rendering.Release{Name: "r", Namespace: "ns", Revision: 1}, rendering.Cluster{KubeVersion: "v1.33.0"})
	if err != nil {
		t.Fatal(err)
	}
	w, err := rendering.NewWorld(r, map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	reading := chart.ReadTemplates(w)
	w.Reach(reading.May)
	for field, want := range map[string]string{
		"spec.nodeName":                              "own.node! node<own.node global.node<node",
		"spec.priority":                              "?fast",
		"spec.containers[main].name":                 "name!",
		"spec.containers[main].image":                "image.name! image.tag!",
		"spec.containers[main].env[B].value":         "env[1].value!",
		"spec.containers[main].resources.limits.cpu": "resources.limits.cpu!",
		`metadata.labels["a.b/c"]`:                   `labels.a\.b/c!`,
		"spec.hostname":                              "",
	} {
		target, _, found := deciders.Find(w, finding.Object{Kind: "Pod", Name: "a"}, field)
		if !found {
			t.Fatal("the Pod is not rendered")
		}
		chain, whole := deciders.Of(w, reading, target)
		if diff := cmp.Diff(want, told(chain)); diff != "" || !whole {
			t.Errorf("%s, whole %v (-want +got):\n%s", field, whole, diff)
		}
	}
	target, _, _ := deciders.Find(w, finding.Object{Kind: "Pod", Name: "a"}, "spec.hostname")
	place := deciders.Locate(w, target)
	if got := fmt.Sprintf("%s %v %v", place.Site, place.Literal, place.Sure); got != "c/templates/pod.yaml:21 true true" {
		t.Error(got)
	}
}

// told writes a chain: ! decides, ? a condition, < asked if the other is empty.
func told(chain []deciders.Decider) string {
	var out []string
	for _, d := range chain {
		text := d.Path.String()
		switch {
		case d.Role == deciders.Condition:
			text = "?" + text
		case len(d.After) > 0:
			text += "<" + d.After.String()
		case d.Decides:
			text += "!"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}
