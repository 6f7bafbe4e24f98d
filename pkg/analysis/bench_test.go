package analysis_test

import (
	"fmt"
	"io"
	"log"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/internal/bigchart"
)

// The benchmarks measure against one rendering of the same chart by Helm's own engine, made in turn with what is
// measured: the metric ×render is the ratio of the fastest of each. Goals for the chart of size 1, which is that of
// kube-prometheus-stack: 10 for 50 supplied values, 40 for all leaves, less than 300 MiB.

func load(b *testing.B, size int) *helmchart.Chart {
	b.Helper()
	var files []*loader.BufferedFile
	for _, f := range bigchart.Files(size) {
		files = append(files, &loader.BufferedFile{Name: f.Name, Data: []byte(f.Text)})
	}
	c, err := loader.LoadFiles(files)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

var (
	release = rendering.Release{Name: "rel", Namespace: "ns", Revision: 1}
	cluster = rendering.Cluster{KubeVersion: "v1.31.0"}
)

func init() { log.SetOutput(io.Discard) } // Helm warns there of odd values, which are tried on purpose

// versus times run and one rendering by Helm in turn.
func versus(b *testing.B, c *helmchart.Chart, supplied map[string]any, run func()) {
	b.Helper()
	r, err := rendering.New(c, release, cluster)
	if err != nil {
		b.Fatal(err)
	}
	best, yardstick := time.Duration(1<<62), time.Duration(1<<62)
	for b.Loop() {
		runtime.GC()
		start := time.Now()
		if _, err := r.HelmWithoutSchema(supplied); err != nil {
			b.Fatal(err)
		}
		yardstick = min(yardstick, time.Since(start))
		runtime.GC()
		start = time.Now()
		run()
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(best)/float64(yardstick), "×render")
	b.ReportMetric(float64(best)/1e6, "ms/best")
	b.ReportMetric(0, "ns/op") // holds the yardstick as well
}

func world(b *testing.B, c *helmchart.Chart, supplied map[string]any) *rendering.World {
	b.Helper()
	r, err := rendering.New(c, release, cluster)
	if err != nil {
		b.Fatal(err)
	}
	w, err := rendering.NewWorld(r, supplied)
	if err != nil {
		b.Fatal(err)
	}
	return w
}

func sizes(b *testing.B, bench func(b *testing.B, size int)) {
	b.Helper()
	for _, size := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			if size > 1 && testing.Short() {
				b.Skip("-short")
			}
			bench(b, size)
		})
	}
}

// BenchmarkWorld is the baseline: every template parsed and rendered once.
func BenchmarkWorld(b *testing.B) {
	sizes(b, func(b *testing.B, size int) {
		c := load(b, size)
		versus(b, c, nil, func() { world(b, c, nil) })
	})
}

// BenchmarkRead is the reading of all templates.
func BenchmarkRead(b *testing.B) {
	sizes(b, func(b *testing.B, size int) {
		c := load(b, size)
		w := world(b, c, nil)
		versus(b, c, nil, func() { chart.ReadTemplates(w) })
	})
}

// BenchmarkTry is one other value of one leaf: its cost must not grow with the chart.
func BenchmarkTry(b *testing.B) {
	sizes(b, func(b *testing.B, size int) {
		c := load(b, size)
		w := world(b, c, nil)
		w.Reach(chart.ReadTemplates(w).May)
		n := int64(0)
		versus(b, c, nil, func() {
			n++
			o := w.Try(values.Set(values.Keys("worker02", "replicas"), 10+n))
			if len(rendering.Diff(w.Baseline(), o)) != 1 {
				b.Fatal("the value does not show")
			}
		})
	})
}

// BenchmarkJudge50 is a release with 50 supplied values, all from the chart to the verdicts.
func BenchmarkJudge50(b *testing.B) {
	supplied := bigchart.Supplied(50)
	sizes(b, func(b *testing.B, size int) {
		c := load(b, size)
		versus(b, c, supplied, func() { gather(b, c, analysis.Preflight, supplied) })
	})
}

// BenchmarkAudit is every leaf of the chart, all from the chart to the verdicts. The metric MiB is the most memory that
// the process held from the operating system meanwhile.
func BenchmarkAudit(b *testing.B) {
	sizes(b, func(b *testing.B, size int) {
		c := load(b, size)
		var peak atomic.Uint64
		versus(b, c, nil, func() {
			done := make(chan bool)
			go watch(&peak, done)
			gather(b, c, analysis.Audit, map[string]any{})
			close(done)
		})
		b.ReportMetric(float64(peak.Load())/(1<<20), "MiB")
	})
}

func gather(b *testing.B, c *helmchart.Chart, mode analysis.Mode, supplied map[string]any) {
	b.Helper()
	f, err := analysis.Gather(analysis.Input{
		Mode: mode, Chart: c, Supplied: supplied, Release: release, Cluster: cluster, Budget: causality.Budget{},
	})
	if err != nil || f.RenderErr != nil {
		b.Fatal(err, f.RenderErr)
	}
	if len(f.Effects) == 0 {
		b.Fatal("nothing was judged")
	}
}

func watch(peak *atomic.Uint64, done <-chan bool) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak.Store(max(peak.Load(), m.Sys-m.HeapReleased))
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}
