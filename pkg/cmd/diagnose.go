package cmd

import (
	"context"
	"slices"
	"strings"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/checks"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cluster"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/printer"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Scope says where to look. Exactly one of File and Cluster is set, or neither with --offline.
type Scope struct {
	File    *snapshot.Snapshot                 // --snapshot; no kubeconfig is read then
	Cluster genericclioptions.RESTClientGetter // reads the kubeconfig when it is first asked

	Context       string // --context; empty: the current one
	Namespace     string // -n; empty: all namespaces if they may be read, else the current one, with a notice
	AllNamespaces bool   // -A: all, or an error
	Chart         string // --chart: a directory or archive; empty: the chart of the release record
	Revision      int    // --revision; 0: what design.md calls the current one
	RecordsOnly   bool   // the release records are enough
	ShowSecrets   bool
	Renders       int // --renders; 0: as many as causality takes by itself
	Now           time.Time

	// Notice tells the user something on stderr.
	Notice func(format string, args ...any)
}

// CheckOptions are the validated wishes of check.
type CheckOptions struct {
	Scope
	Releases []string // empty: the kgateway releases
}

// PreflightOptions are the validated wishes of preflight.
type PreflightOptions struct {
	Scope
	Release     string
	ChartRef    string // a directory, an archive or oci://…
	Version     string // --version, for oci://…
	Values      map[string]any
	Given       []string // the value flags as they were given, words
	Reuse       Reuse
	Offline     bool
	KubeVersion string // empty: the server's, or with Offline the default
	APIVersions []string
}

// Reuse says what becomes of the values of the release that is there.
type Reuse int

// ReuseAuto is what helm upgrade does without a flag: the old values are kept if no new ones are given.
const (
	ReuseAuto Reuse = iota
	ReuseValues
	ResetValues
	ResetThenReuseValues
)

// TraceOptions are the validated wishes of trace.
type TraceOptions struct {
	Scope
	Release string // empty: the only release that has the value
	Value   string // in --set syntax; it parses
}

// WhyOptions are the validated wishes of why.
type WhyOptions struct {
	Scope
	Type  string // as kubectl takes it: deploy, deployments.apps, Deployment
	Name  string
	Field string // as kubectl explain writes it
}

// AuditOptions are the validated wishes of audit.
type AuditOptions struct {
	Scope
	Against     string // an older chart; empty: none
	ChartRef    string
	Version     string
	KubeVersion string
	APIVersions []string
}

// An engine does the work of the commands. An error means that there is no answer at all; what could not be read or
// decided on the way stands in the report's Incomplete.
type engine interface {
	Check(context.Context, *CheckOptions) (fix.Report, error)
	Preflight(context.Context, *PreflightOptions) (fix.Report, error)
	Trace(context.Context, *TraceOptions) (fix.Report, error) // releases with the one value only
	Why(context.Context, *WhyOptions) (printer.Why, error)
	Audit(context.Context, *AuditOptions) (fix.Report, error)
	Snapshot(context.Context, *Scope, []string) (*snapshot.Snapshot, error)
	Rights(context.Context, *Scope, []string) ([]cluster.Right, error)
}

// checkDoc is the documentation of one finding.
type checkDoc struct {
	Code     string           `json:"code"`
	Name     string           `json:"name"`
	Severity finding.Severity `json:"severity"`
	Title    string           `json:"title"`
	Text     string           `json:"text"`
	Before   string           `json:"before,omitempty"`
	After    string           `json:"after,omitempty"`
	Since    string           `json:"since,omitempty"`
}

// checkDocs lists the documentation of every finding, by code.
func checkDocs() []checkDoc {
	var out []checkDoc
	for _, c := range checks.All() {
		out = append(out, checkDoc{
			Code: c.Code, Name: c.Name, Severity: c.Doc.Severity, Title: c.Doc.Title, Text: c.Doc.Text,
			Before: c.Doc.Before, After: c.Doc.After, Since: c.Doc.Since,
		})
	}
	slices.SortFunc(out, func(a, b checkDoc) int { return strings.Compare(a.Code, b.Code) })
	return out
}
