package checks_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/checks"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// small makes a chart of one Deployment.
func small(t *testing.T, version, defaults, replicas string) *helmchart.Chart {
	t.Helper()
	values := map[string]any{}
	if err := yaml.Unmarshal([]byte(defaults), &values); err != nil {
		t.Fatal(err)
	}
	return &helmchart.Chart{
		Metadata: &helmchart.Metadata{APIVersion: "v2", Name: "small", Version: version},
		Values:   values,
		Templates: []*helmchart.File{{Name: "templates/deployment.yaml", Data: []byte(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: small
  labels: {level: {{ .Values.logLevel | quote }}}
spec:
  replicas: ` + replicas + "\n")}},
	}
}

// TestAgainst compares a chart with an older one: a path that moved, one that went, one whose default changed
// (KGW1105, KGW1106), and one that stayed, of which nothing is said.
func TestAgainst(t *testing.T) {
	t.Parallel()
	older := small(t, "1.0.0", "logLevel: info\nworkers: 1\nkept: {same: 1}\nspare: 2\n", "{{ add .Values.workers .Values.spare }}")
	newer := small(t, "2.0.0", "logLevel: error\ncontroller: {workers: 1}\nkept: {same: 1}\n", "{{ .Values.controller.workers }}")
	facts, err := analysis.Gather(analysis.Input{
		Mode: analysis.Audit, Chart: newer, Against: older, Supplied: map[string]any{},
		Release: rendering.Release{Name: "release", Namespace: "namespace", Revision: 1},
		Cluster: rendering.Cluster{KubeVersion: "v1.31.0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	found, _ := analysis.Run(facts, []*analysis.Check{checks.Gone, checks.DefaultChanged})
	var got []string
	for _, x := range found.Findings {
		got = append(got, x.Code+" "+x.Message)
	}
	want := []string{
		"KGW1105 spare of the older chart does nothing any more",
		"KGW1105 workers of the older chart moved to controller.workers",
		"KGW1106 the default of logLevel was info and is error",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
