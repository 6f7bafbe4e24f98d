package rendering

import (
	"fmt"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// ReuseValues does what helm upgrade --reuse-values does: the old release's computed values become the new chart's
// defaults, and its supplied values go below the given ones. The charts are not changed.
// Source: helm.sh/helm/v3@v3.22.0 pkg/action/upgrade.go, reuseValues.
func ReuseValues(c *helmchart.Chart, given map[string]any, old *helmchart.Chart, supplied map[string]any) (*helmchart.Chart, map[string]any, error) {
	computed, err := chartutil.CoalesceValues(old, supplied)
	if err != nil {
		return nil, nil, fmt.Errorf("compute the values of the release: %w", err)
	}
	out := copyChart(c)
	out.Values = computed
	return out, MergeTables(given, supplied), nil
}

// MergeTables puts given over below, as Helm merges two trees of supplied values. Neither is changed.
func MergeTables(given, below map[string]any) map[string]any {
	return chartutil.CoalesceTables(values.Copy(given), values.Copy(below))
}
