package chart_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/internal/bigchart"
)

// TestReach renders random changes twice: only the files that the reading says they reach, and all files. Nothing may
// differ. That the latter is what Helm renders is TestEveryShortcut's to prove.
func TestReach(t *testing.T) {
	t.Parallel()
	var big []*loader.BufferedFile
	for _, f := range bigchart.Files(1) {
		big = append(big, &loader.BufferedFile{Name: f.Name, Data: []byte(f.Text)})
	}
	t.Run("big", func(t *testing.T) {
		t.Parallel()
		reach(t, func() (*helmchart.Chart, error) { return loader.LoadFiles(big) })
	})
	if testing.Short() {
		return
	}
	for _, pattern := range []string{"../../../../shared/charts/*.tgz", "../../../../shared/corpus/*/chart.tgz"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if info, err := os.Stat(path); err != nil || info.Size() > 130_000 {
				continue // the largest ones take most of the time
			}
			t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
				t.Parallel()
				reach(t, func() (*helmchart.Chart, error) { return loader.Load(path) })
			})
		}
	}
}

func reach(t *testing.T, load func() (*helmchart.Chart, error)) {
	t.Helper()
	world := func() *rendering.World {
		c, err := load()
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
		return w
	}
	short, long := world(), world()
	short.Reach(chart.ReadTemplates(short).May)
	leaves := values.Leaves(short.Computed())
	if len(leaves) == 0 {
		return
	}
	rnd := rand.New(rand.NewPCG(1, 7)) //nolint:gosec // the same edits every time
	others := []any{"zz-other", true, false, int64(7), "", nil, map[string]any{}, []any{}, map[string]any{"zz": "zz"}, []any{"zz"}}
	for range 8 {
		var edits []values.Edit
		for range 1 + rnd.IntN(3) {
			l := leaves[rnd.IntN(len(leaves))]
			edits = append(edits, values.Set(l.Path, others[rnd.IntN(len(others))]))
		}
		a, b := short.Try(edits...), long.Try(edits...)
		if (a.Err == nil) != (b.Err == nil) {
			t.Errorf("%v: the short cut's error is %v, otherwise %v", edits, a.Err, b.Err)
			continue
		}
		if a.Err != nil {
			continue
		}
		x, y := a.Texts(), b.Texts()
		for _, f := range slices.Sorted(maps.Keys(y)) {
			if x[f] != y[f] {
				t.Errorf("%v: %s: (-all +reached)\n%s", edits, f, cmp.Diff(y[f], x[f]))
			}
		}
	}
}
