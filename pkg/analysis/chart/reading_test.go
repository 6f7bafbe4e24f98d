package chart_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"path/filepath"
)

func TestDump(t *testing.T) {
	glob := os.Getenv("DUMP")
	if glob == "" {
		t.Skip()
	}
	found, _ := filepath.Glob(glob)
	for _, p := range found {
		c, err := loader.Load(p)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := rendering.New(c, rendering.Release{Name: "rel", Namespace: "ns", Revision: 1}, rendering.Cluster{KubeVersion: "v1.31.0"})
		start := time.Now()
		w, err := rendering.NewWorld(r, map[string]any{})
		if err != nil {
			fmt.Println(p, "ERR", err)
			continue
		}
		mid := time.Now()
		x := chart.ReadTemplates(w)
		fmt.Println(p, len(w.Files()), "files; world", mid.Sub(start), "reading", time.Since(mid), "reads", len(x.Reads), "opaque", len(x.Opaque))
		for f, why := range x.Opaque {
			fmt.Println("   OPAQUE", f, why)
		}
		if os.Getenv("ALL") != "" {
			for _, r := range x.Reads {
				fmt.Printf("%s %s whole=%v test=%v taken=%v rank=%d chain=%v guards=%d\n", r.Site, r.Path, r.Whole, r.Test, r.Taken, r.Rank, r.Before(r.Path), len(r.Guards))
			}
		}
	}
}
