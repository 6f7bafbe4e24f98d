// Package rendering is values to objects, as a function. It is the only importer of Helm's engine and chartutil.
//
// Helm's own engine stands behind everything (Renderer.Helm). World is the short cut for many renderings of one chart
// whose values differ a little: templates are parsed once, and only the files that a change can reach are rendered
// again. TestEveryShortcut holds the two against each other.
//
// Nothing here has a client, DNS, environment or clock: "lookup" finds nothing, "now" is when the World was made.
package rendering

import (
	"fmt"
	"slices"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// Release is what templates see of the release.
type Release struct {
	Name      string
	Namespace string
	Revision  int
	IsUpgrade bool
}

// Cluster is what templates see of the cluster.
type Cluster struct {
	KubeVersion string   // v1.31.0
	APIVersions []string // "apps/v1" and "apps/v1/Deployment", as Helm's Capabilities; added to those of the client library
}

// Renderer renders one chart for one release on one cluster. It is safe for concurrent use and changes nothing it
// was given.
type Renderer struct {
	chart   *helmchart.Chart
	release Release
	caps    *chartutil.Capabilities
}

// New fails if the Kubernetes version cannot be read. The chart is kept, not copied.
func New(c *helmchart.Chart, r Release, k Cluster) (*Renderer, error) {
	caps := chartutil.DefaultCapabilities.Copy()
	if k.KubeVersion != "" {
		v, err := chartutil.ParseKubeVersion(k.KubeVersion)
		if err != nil {
			return nil, fmt.Errorf("kubernetes version %q: %w", k.KubeVersion, err)
		}
		caps.KubeVersion = *v
	}
	caps.APIVersions = slices.Concat(caps.APIVersions, k.APIVersions)
	return &Renderer{chart: c, release: r, caps: caps}, nil
}

// Chart is the chart as it was given.
func (r *Renderer) Chart() *helmchart.Chart { return r.chart }

// Compatible says whether the chart's kubeVersion allows the cluster, as helm install asks first.
func (r *Renderer) Compatible() error {
	if want := r.chart.Metadata.KubeVersion; want != "" && !chartutil.IsCompatibleRange(want, r.caps.KubeVersion.String()) {
		return fmt.Errorf("chart requires kubeVersion %s, the cluster is %s", want, r.caps.KubeVersion.Version)
	}
	return nil
}

// Helm renders the whole chart with Helm's own engine, after its schema validation: text by file name, as helm
// template does it.
func (r *Renderer) Helm(supplied map[string]any) (map[string]string, error) {
	c, top, err := r.prepare(supplied, false)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, top)
}

// HelmWithoutSchema is Helm without the chart's values.schema.json, which a World does not ask either.
func (r *Renderer) HelmWithoutSchema(supplied map[string]any) (map[string]string, error) {
	c, top, err := r.prepare(supplied, true)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, top)
}

// Schema asks the chart's values.schema.json, and those of its subcharts, as helm does before it renders.
func (r *Renderer) Schema(supplied map[string]any) error {
	if !hasSchema(r.chart) {
		return nil
	}
	_, _, err := r.prepare(supplied, false)
	return err
}

func hasSchema(c *helmchart.Chart) bool {
	return len(c.Schema) > 0 || slices.ContainsFunc(c.Dependencies(), hasSchema)
}

// prepare does what helm install does before it renders: dependencies, defaults, schema. It gives the chart without
// its disabled subcharts, and the top of what templates see.
func (r *Renderer) prepare(supplied map[string]any, skipSchema bool) (*helmchart.Chart, chartutil.Values, error) {
	c := copyChart(r.chart)
	supplied = values.Copy(supplied)
	if supplied == nil {
		supplied = map[string]any{}
	}
	if err := chartutil.ProcessDependenciesWithMerge(c, supplied); err != nil {
		return nil, nil, fmt.Errorf("process dependencies: %w", err)
	}
	top, err := chartutil.ToRenderValuesWithSchemaValidation(c, supplied, chartutil.ReleaseOptions{
		Name: r.release.Name, Namespace: r.release.Namespace, Revision: r.release.Revision,
		IsUpgrade: r.release.IsUpgrade, IsInstall: !r.release.IsUpgrade,
	}, r.caps, skipSchema)
	return c, top, err
}

// copyChart copies what ProcessDependencies changes. Templates, files and schemas are shared.
func copyChart(c *helmchart.Chart) *helmchart.Chart {
	out := *c
	meta := *c.Metadata
	meta.Dependencies = nil
	for _, d := range c.Metadata.Dependencies {
		if d != nil {
			d2 := *d
			d2.ImportValues = slices.Clone(d.ImportValues)
			d = &d2
		}
		meta.Dependencies = append(meta.Dependencies, d)
	}
	out.Metadata = &meta
	out.Values = values.Copy(c.Values)
	children := make([]*helmchart.Chart, 0, len(c.Dependencies()))
	for _, d := range c.Dependencies() {
		children = append(children, copyChart(d))
	}
	out.SetDependencies(children...)
	return &out
}

// MissingSubcharts lists the dependencies that Chart.yaml names and the chart does not hold. A release record never
// holds any.
func MissingSubcharts(c *helmchart.Chart) []string {
	have := map[string]bool{}
	for _, d := range c.Dependencies() {
		have[d.Name()] = true
	}
	var missing []string
	for _, d := range c.Metadata.Dependencies {
		if d != nil && !have[d.Name] && !have[d.Alias] {
			missing = append(missing, strings.TrimSpace(d.Name))
		}
	}
	return missing
}
