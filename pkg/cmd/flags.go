package cmd

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// globalFlags are what the user gave, as given.
type globalFlags struct {
	kube          *genericclioptions.ConfigFlags
	allNamespaces bool
	output        string
	failOn        string
	color         string
	revision      int
	chart         string
	snapshot      string
	showValues    bool
	showSecrets   bool
	renders       int
}

func newGlobalFlags() *globalFlags {
	return &globalFlags{
		kube:   genericclioptions.NewConfigFlags(true),
		output: "text",
		failOn: "error",
		color:  "auto",
	}
}

// addTo adds the flags. Of those for the connection help shows the usual ones; the others work, too.
func (f *globalFlags) addTo(root *cobra.Command) {
	flags := root.PersistentFlags()
	f.kube.AddFlags(flags)
	for _, name := range []string{
		"cache-dir", "client-certificate", "client-key", "token", "as-uid", "as-group", "as-user-extra", "cluster",
		"user", "server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority",
		"disable-compression", "proxy-url",
	} {
		if flag := flags.Lookup(name); flag != nil {
			flag.Hidden = true
		}
	}
	for name, text := range map[string]string{
		"kubeconfig":      "the kubeconfig file",
		"context":         "the kubeconfig context",
		"namespace":       "look in this namespace only",
		"as":              "the user to impersonate",
		"request-timeout": "how long one request may take, such as 10s; 0: no limit",
	} {
		flags.Lookup(name).Usage = text
	}
	flags.Lookup("cache-dir").DefValue = "" // it would show the home directory

	flags.BoolVarP(&f.allNamespaces, "all-namespaces", "A", false, "look in all namespaces, and fail if that is forbidden")
	flags.StringVarP(&f.output, "output", "o", f.output, "format of the report: text, json or yaml")
	flags.StringVar(&f.failOn, "fail-on", f.failOn, "least severity that gives exit status 1: error, warning, info or none")
	flags.StringVar(&f.color, "color", f.color, "colour the text: auto, always or never")
	flags.IntVar(&f.revision, "revision", 0, "diagnose this revision of the release instead of the current one")
	flags.StringVar(&f.chart, "chart", "", "directory or archive of the release's chart, where the release record is not enough")
	flags.StringVar(&f.snapshot, "snapshot", "", "read this file instead of a cluster (- is stdin)")
	flags.BoolVar(&f.showValues, "show-values", false, "list every supplied value with its verdict, too")
	flags.IntVar(&f.renders, "renders", 0, "renderings that the search for one value's winner or gate may take (default 240)")
	flags.BoolVar(&f.showSecrets, "show-secrets", false, "do not mask secret-like values")
	for name, choices := range map[string][]string{
		"output":  {"text", "json", "yaml"},
		"fail-on": {"error", "warning", "info", "none"},
		"color":   {"auto", "always", "never"},
	} {
		fixed := cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp)
		_ = root.RegisterFlagCompletionFunc(name, fixed) // fails only for unknown flags
	}
}

// output says how a report leaves the program.
type output struct {
	format      string
	color       bool
	width       int
	failOn      *finding.Severity // nil: nothing fails
	showValues  bool
	showSecrets bool
}

// toOutput validates the flags of the output. It comes before any work is done.
func (a *app) toOutput(c *cobra.Command) (output, error) {
	f := a.flags
	o := output{format: f.output, showValues: f.showValues, showSecrets: f.showSecrets}
	switch f.output {
	case "text", "json", "yaml":
	default:
		return o, usagef(c, "--output is %q, but must be text, json or yaml", f.output)
	}
	if f.failOn != "none" {
		severity, err := finding.ParseSeverity(f.failOn)
		if err != nil {
			return o, usagef(c, "--fail-on is %q, but must be error, warning, info or none", f.failOn)
		}
		o.failOn = &severity
	}
	terminal := terminalOf(a.streams.Out)
	o.width = terminal.width
	switch f.color {
	case "auto":
		o.color = terminal.color
	case "always":
		o.color = true
	case "never":
	default:
		return o, usagef(c, "--color is %q, but must be auto, always or never", f.color)
	}
	return o, nil
}

// toScope validates the flags that say where to look, and reads the snapshot file. No kubeconfig is read.
func (a *app) toScope(c *cobra.Command) (Scope, error) {
	f := a.flags
	s := Scope{
		Context:       *f.kube.Context,
		Namespace:     *f.kube.Namespace,
		AllNamespaces: f.allNamespaces,
		Chart:         f.chart,
		Revision:      f.revision,
		ShowSecrets:   f.showSecrets,
		Renders:       f.renders,
		Now:           a.now(),
		Notice:        a.notice,
	}
	if s.Renders < 0 {
		return s, usagef(c, "--renders is %d, but must be a number of renderings", s.Renders)
	}
	if s.Namespace != "" && s.AllNamespaces {
		return s, usagef(c, "give --namespace or --all-namespaces, not both")
	}
	if _, err := clientcmd.ParseTimeout(*f.kube.Timeout); err != nil {
		return s, usagef(c, "--request-timeout is %q, but must be a time such as 10s", *f.kube.Timeout)
	}
	if s.Revision < 0 {
		return s, usagef(c, "--revision is %d, but revisions begin at 1", s.Revision)
	}
	if s.Chart != "" {
		if _, err := os.Stat(s.Chart); err != nil {
			return s, usagef(c, "--chart: %w", err)
		}
	}
	if f.snapshot == "" {
		s.Cluster = f.kube
		return s, nil
	}
	file, err := readSnapshot(f.snapshot, a.streams.In)
	s.File = file
	return s, err
}

// readSnapshot reads --snapshot. A file without a release record cannot be diagnosed: it is refused here, with the
// way to make a better one.
func readSnapshot(name string, stdin io.Reader) (*snapshot.Snapshot, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--snapshot: %w", err)
		}
		defer file.Close()
		in = file
	}
	snap, err := snapshot.Read(in)
	if err != nil {
		return nil, fmt.Errorf("--snapshot %s: %w", name, err)
	}
	for _, o := range snap.Objects {
		if snapshot.IsRecord(o) {
			return snap, nil
		}
	}
	if len(gitops.Unrecorded(snap)) > 0 {
		return snap, nil
	}
	return nil, fmt.Errorf("--snapshot %s: %w", name, errNoRelease{objects: len(snap.Objects)})
}

// errNoRelease says that a snapshot holds no release record.
type errNoRelease struct{ objects int }

func (e errNoRelease) Error() string {
	return fmt.Sprintf("no Helm release among its %d objects", e.objects)
}
