package causality_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// judge gives the effect of the only value that is supplied, in a chart of one ConfigMap.
func judge(t *testing.T, preset, supplied map[string]any, data string, b causality.Budget) causality.Effect {
	t.Helper()
	c := &helmchart.Chart{
		Metadata: &helmchart.Metadata{Name: "toy", Version: "1.0.0", APIVersion: "v2"}, Values: preset,
		Templates: []*helmchart.File{{Name: "templates/x.yaml", Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n" + data)}},
	}
	r, err := rendering.New(c, rendering.Release{Name: "rel", Namespace: "ns", Revision: 1}, rendering.Cluster{KubeVersion: "v1.33.0"})
	if err != nil {
		t.Fatal(err)
	}
	w, err := rendering.NewWorld(r, supplied)
	if err != nil {
		t.Fatal(err)
	}
	effects := causality.Judge(w, chart.ReadTemplates(w), values.Leaves(supplied), b)
	if len(effects) != 1 {
		t.Fatalf("%d effects", len(effects))
	}
	return effects[0]
}

func paths(causes []causality.Cause) string {
	var out []string
	for _, c := range causes {
		out = append(out, c.Path.String())
	}
	return strings.Join(out, " ")
}

func TestOnlyWhatIsNeededIsNamed(t *testing.T) {
	t.Parallel()
	// The reading proposes to switch both; one is enough.
	e := judge(t, map[string]any{"on": false, "also": true, "v": "1"}, map[string]any{"v": "2"},
		"  {{- if and .Values.on .Values.also }}\n  k: {{ .Values.v | quote }}\n  {{- end }}\n", causality.Budget{})
	if e.Verdict != finding.Gated || paths(e.Gates) != "on" || len(e.Ways) != 1 {
		t.Errorf("%s, gates %s, %d ways", e.Verdict, paths(e.Gates), len(e.Ways))
	}
}

func TestEveryConfirmedWayIsNamed(t *testing.T) {
	t.Parallel()
	e := judge(t, map[string]any{"a": false, "b": false, "v": "1"}, map[string]any{"v": "2"},
		"  b: {{ .Values.b | quote }}\n  {{- if or .Values.a .Values.b }}\n  k: {{ .Values.v | quote }}\n  {{- end }}\n", causality.Budget{})
	// a first: b changes a field of its own as well.
	if e.Verdict != finding.Gated || paths(e.Gates) != "a b" || len(e.Ways) != 2 {
		t.Errorf("%s, gates %s, %d ways", e.Verdict, paths(e.Gates), len(e.Ways))
	}
}

func TestAnExoticTemplateCostsTimeNotTruth(t *testing.T) {
	t.Parallel()
	// Which value is asked first is computed: no reading of the template says so.
	data := "  k: {{ get .Values (printf \"%s%s\" \"fi\" \"rst\") | default .Values.second | quote }}\n"
	e := judge(t, map[string]any{"first": "a", "second": "", "x": "1", "y": "2", "z": true}, map[string]any{"second": "b"}, data, causality.Budget{})
	if e.Verdict != finding.Shadowed || paths(e.Winners) != "first" {
		t.Errorf("%s, winners %s: %s", e.Verdict, paths(e.Winners), e.Reason)
	}
}

func TestASpentBudgetIsUnknownNeverAFinding(t *testing.T) {
	t.Parallel()
	data := "  k: {{ get .Values (printf \"%s%s\" \"fi\" \"rst\") | default .Values.second | quote }}\n"
	e := judge(t, map[string]any{"first": "a", "second": "", "x": "1"}, map[string]any{"second": "b"}, data, causality.Budget{Renders: 1})
	if e.Verdict != finding.Unknown || e.Reason == "" {
		t.Errorf("%s: %q", e.Verdict, e.Reason)
	}
}

func TestEvidenceTellsWhatWasDone(t *testing.T) {
	t.Parallel()
	e := judge(t, map[string]any{"a": "1", "b": ""}, map[string]any{"b": "2"}, "  k: {{ .Values.a | default .Values.b | quote }}\n", causality.Budget{})
	want := []finding.Evidence{
		{Did: "took b away", Saw: "nothing changes"},
		{Did: `put a=""`, Saw: "b decides ConfigMap/x data.k"},
		{Did: "left them as they are", Saw: "no value of b changes anything"},
	}
	if diff := cmp.Diff(want, e.Evidence); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
