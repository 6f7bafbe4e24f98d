package checks_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/strvals"
	helmyaml "sigs.k8s.io/yaml"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/checks"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

// corpus is how long the cases beside the checkout may take, where there are any.
const corpus = 20 * time.Second

// TestProperties holds what is true of every verdict and fix, whatever the chart: by Helm's own engine alone.
//
//   - taking away a value that is called idle changes no object
//   - a printed fix, read by Helm's own flag parsers, changes the fields that it lists, and no others
func TestProperties(t *testing.T) {
	t.Parallel()
	for _, a := range archives(t) {
		for _, r := range a.runs {
			if r.mode == analysis.Audit {
				continue
			}
			t.Run(a.name+strings.TrimSuffix(strings.TrimPrefix(r.golden, "out"), "/"), func(t *testing.T) {
				t.Parallel()
				properties(t, r.facts(t))
			})
		}
	}
	if testing.Short() {
		return
	}
	t.Run("corpus", func(t *testing.T) {
		end := time.Now().Add(corpus)
		found, err := filepath.Glob("../../../../shared/corpus/*/case.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for i, file := range found {
			if time.Now().After(end) {
				t.Logf("%d of %d cases in %s", i, len(found), corpus)
				break
			}
			dir := filepath.Dir(file)
			if info, err := os.Stat(filepath.Join(dir, "chart.tgz")); err != nil || info.Size() > 130_000 {
				continue // the largest charts take most of the time
			}
			t.Run(filepath.Base(dir), func(t *testing.T) {
				c, supplied, kube := corpusCase(t, dir)
				properties(t, gather(t, analysis.Preflight, c, supplied, kube))
			})
		}
	})
}

func corpusCase(t *testing.T, dir string) (*helmchart.Chart, map[string]any, rendering.Cluster) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "case.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var one struct {
		BaseSet     []string `json:"base_set"`
		Set         []string
		KubeVersion string   `json:"kube_version"`
		APIVersions []string `json:"api_versions"`
	}
	if err := helmyaml.Unmarshal(text, &one); err != nil {
		t.Fatal(err)
	}
	supplied := map[string]any{}
	for _, s := range slices.Concat(one.BaseSet, one.Set) {
		if err := strvals.ParseInto(s, supplied); err != nil {
			t.Fatal(err)
		}
	}
	c, err := loader.Load(filepath.Join(dir, "chart.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	return c, supplied, rendering.Cluster{KubeVersion: one.KubeVersion, APIVersions: one.APIVersions}
}

func properties(t *testing.T, f *analysis.Facts) {
	t.Helper()
	if f.RenderErr != nil {
		return
	}
	before := objects(t, f, f.Supplied)
	noise := f.World.Noise()
	for _, e := range f.Effects {
		if e.Verdict != finding.Redundant && !e.Verdict.Ineffective() {
			continue
		}
		for _, c := range rendering.DiffObjects(objects(t, f, values.Apply(f.Supplied, values.Remove(e.Path))), before) {
			if !noise[c.ID()] {
				t.Errorf("%s is called %s, and without it %s %s is %s, not %s", e.Path, e.Verdict, c.Object, c.Field.Field, rendering.Show(c.From), rendering.Show(c.To))
			}
		}
	}
	found, _ := analysis.Run(f, checks.All())
	for _, x := range fix.Prove(f, found).Findings {
		for _, v := range x.Fixes {
			promised := map[string]bool{}
			for _, c := range v.Changes() {
				promised[rendering.FieldID(c.Field)] = true
			}
			after := objects(t, f, applied(t, f.Supplied, v.Flags()))
			for _, c := range rendering.DiffObjects(before, after) {
				if !promised[c.ID()] && !noise[c.ID()] {
					t.Errorf("%s: %v changes %s %s, and does not say so", x.ValuePath, v.Flags(), c.Object, c.Field.Field)
				}
				delete(promised, c.ID())
			}
			for id := range promised {
				if !noise[id] {
					t.Errorf("%s: %v does not change %s", x.ValuePath, v.Flags(), strings.ReplaceAll(id, "\x00", " "))
				}
			}
		}
	}
}

// objects renders with Helm's own engine.
func objects(t *testing.T, f *analysis.Facts, supplied map[string]any) []rendering.Object {
	t.Helper()
	texts, err := f.Renderer.HelmWithoutSchema(supplied)
	if err != nil {
		t.Fatal(err)
	}
	var out []rendering.Object
	for name, text := range texts {
		if rendering.Notes(name) {
			continue
		}
		more, _ := rendering.ParseManifest(name, text)
		out = append(out, more...)
	}
	return out
}

// applied reads flags over the supplied values, as helm upgrade --reuse-values does.
func applied(t *testing.T, supplied map[string]any, flags []string) map[string]any {
	t.Helper()
	out := values.Copy(supplied)
	for i := 0; i+1 < len(flags); i += 2 {
		parse := map[string]func(string, map[string]any) error{
			"--set": strvals.ParseInto, "--set-string": strvals.ParseIntoString,
			"--set-json": strvals.ParseJSON, "--set-literal": strvals.ParseLiteralInto,
		}[flags[i]]
		if parse == nil {
			t.Fatalf("%s is no value flag", flags[i])
		}
		if err := parse(flags[i+1], out); err != nil {
			t.Fatalf("%s %s: %v", flags[i], flags[i+1], err)
		}
	}
	return out
}
