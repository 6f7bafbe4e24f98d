package analysis

import (
	"errors"
	"fmt"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

func TestBlameNamesNoValueTooMany(t *testing.T) {
	t.Parallel()
	c := &helmchart.Chart{
		Metadata: &helmchart.Metadata{Name: "toy", Version: "1.0.0", APIVersion: "v2"},
		Values:   map[string]any{"a": "", "b": "", "mode": "x"},
		Templates: []*helmchart.File{{Name: "templates/x.yaml", Data: []byte(
			`{{ if and .Values.a .Values.b }}{{ fail "a and b exclude each other" }}{{ end }}{{ if eq .Values.mode "bad" }}{{ fail "mode" }}{{ end }}`)}},
	}
	r, err := rendering.New(c, rendering.Release{Name: "rel", Namespace: "ns", Revision: 1}, rendering.Cluster{KubeVersion: "v1.33.0"})
	if err != nil {
		t.Fatal(err)
	}
	many := func(m map[string]any) map[string]any {
		for i := range 40 {
			m[fmt.Sprintf("other%d", i)] = "x"
		}
		return m
	}
	for name, c := range map[string]struct {
		supplied map[string]any
		want     string
	}{
		"one of two is enough":     {many(map[string]any{"a": "1", "b": "1"}), "[[b] [a]]"},
		"both are needed":          {many(map[string]any{"a": []any{"1", "2"}, "b": "1", "mode": "bad"}), "[[b mode]]"},
		"one, whatever else there": {map[string]any{"mode": "bad", "z": "1"}, "[[mode]]"},
	} {
		var got [][]string
		for _, set := range blame(r, c.supplied, errors.New("a and b exclude each other")) {
			var names []string
			for _, l := range set {
				names = append(names, l.Path.String())
			}
			got = append(got, names)
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}
