package rendering_test

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// perChart is when no further edits of a chart are begun. Some make certificates with each rendering.
const perChart = 4 * time.Second

// charts lists the project's own charts, and with outside those that stand beside the checkout if there are any.
func charts(t testing.TB, outside bool) []string {
	t.Helper()
	patterns := []string{"testdata/charts/*/Chart.yaml"}
	if outside {
		patterns = append(patterns, "../../../../shared/charts/*.tgz", "../../../../shared/corpus/*/chart.tgz")
	}
	var out []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if info, err := os.Stat(f); err != nil || info.Size() > 130_000 {
				continue // the largest ones take most of the time
			}
			out = append(out, strings.TrimSuffix(f, "/Chart.yaml"))
		}
	}
	if len(out) == 0 {
		t.Fatal("no chart to try")
	}
	return out
}

// TestEveryShortcut renders each chart with random edits of its values, the short way and by Helm's own engine, and
// wants the same text to the byte, or the same error. Where random functions were called, only fields may differ that
// differ between two of Helm's own renderings.
func TestEveryShortcut(t *testing.T) {
	t.Parallel()
	for _, path := range charts(t, !testing.Short()) {
		rounds := 3
		switch {
		case filepath.Base(path) == "random":
			rounds = 6 // making a certificate takes its time
		case strings.HasPrefix(path, "testdata/"):
			rounds = 40
		}
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			differential(t, path, rounds, 1)
		})
	}
}

// FuzzShortcut is TestEveryShortcut with edits that the fuzzer chooses: which chart, and the seed of its edits.
func FuzzShortcut(f *testing.F) {
	all := charts(f, false)
	for i := range all {
		for seed := range uint64(3) {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, chart uint8, seed uint64) {
		differential(t, all[int(chart)%len(all)], 1, seed)
	})
}

func differential(t *testing.T, path string, rounds int, seed uint64) {
	t.Helper()
	c, err := loader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rendering.New(c, rendering.Release{Name: "rel", Namespace: "ns", Revision: 1}, rendering.Cluster{KubeVersion: "v1.31.0"})
	if err != nil {
		t.Fatal(err)
	}
	w, err := rendering.NewWorld(r, map[string]any{})
	if err != nil {
		t.Skipf("does not render with its defaults: %v", err)
	}
	compare(t, "baseline", r, w.Baseline(), map[string]any{})
	rnd := rand.New(rand.NewPCG(seed, 7))
	leaves := values.Leaves(w.Computed())
	if len(leaves) == 0 {
		return
	}
	end := time.Now().Add(perChart)
	for range rounds {
		if time.Now().After(end) {
			break
		}
		var edits []values.Edit
		for range 1 + rnd.IntN(3) {
			l := leaves[rnd.IntN(len(leaves))]
			edits = append(edits, randomEdit(rnd, l))
		}
		supplied := values.Apply(map[string]any{}, edits...)
		compare(t, fmt.Sprint(edits), r, w.Try(edits...), supplied)
	}
	withSupplied(t, r, rnd, leaves, rounds/2)
}

// withSupplied begins with values that are supplied, and takes them away as well.
func withSupplied(t *testing.T, r *rendering.Renderer, rnd *rand.Rand, leaves []values.Leaf, rounds int) {
	t.Helper()
	supplied := map[string]any{}
	for range 8 {
		supplied = values.Apply(supplied, randomEdit(rnd, leaves[rnd.IntN(len(leaves))]))
	}
	w, err := rendering.NewWorld(r, supplied)
	if err != nil {
		return // with these values it does not render
	}
	given := values.Leaves(supplied)
	for range rounds {
		var edits []values.Edit
		for range 1 + rnd.IntN(2) {
			p := given[rnd.IntN(len(given))].Path
			edits = append(edits, values.Remove(p[:1+rnd.IntN(len(p))]))
		}
		if rnd.IntN(2) == 0 {
			edits = append(edits, randomEdit(rnd, leaves[rnd.IntN(len(leaves))]))
		}
		compare(t, fmt.Sprintf("%v less %v", supplied, edits), r, w.Try(edits...), values.Apply(supplied, edits...))
	}
}

func randomEdit(rnd *rand.Rand, l values.Leaf) values.Edit {
	others := []any{"zz-other", true, false, int64(7), "", nil, map[string]any{}, []any{}, map[string]any{"zz": "zz"}, []any{"zz"}}
	switch l.Value.(type) {
	case bool:
		others = append(others[:0:0], true, false)
	case string:
		others = append(others, "Always", "true", "8080")
	}
	return values.Set(l.Path, others[rnd.IntN(len(others))])
}

func compare(t *testing.T, what string, r *rendering.Renderer, got *rendering.Outcome, supplied map[string]any) {
	t.Helper()
	want, wantErr := r.HelmWithoutSchema(supplied)
	if (wantErr != nil) != (got.Err != nil) {
		t.Errorf("%s: helm's error is %v, the short cut's %v", what, wantErr, got.Err)
		return
	}
	if wantErr != nil {
		return
	}
	texts := got.Texts()
	for f, text := range want {
		if texts[f] != text && steady(r, supplied, f, text) {
			t.Errorf("%s: %s: (-helm +short cut)\n%s", what, f, cmp.Diff(text, texts[f]))
		}
	}
	if len(texts) != len(want) {
		t.Errorf("%s: %d files, helm has %d", what, len(texts), len(want))
	}
}

// steady says whether Helm renders a file to the same text each time. It does not where random functions are called, and
// where the order of a Go map shows, which may be the same twice by chance.
func steady(r *rendering.Renderer, supplied map[string]any, file, text string) bool {
	for range 3 {
		if again, _ := r.HelmWithoutSchema(supplied); again[file] != text {
			return false
		}
	}
	return true
}

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // Helm tells of clashes in values through the global logger
	os.Exit(m.Run())
}
