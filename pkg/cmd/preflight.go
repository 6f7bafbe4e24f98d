package cmd

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

const preflightLong = `Say what values would do before helm install or helm upgrade is run.

Takes helm's own value flags and gives the same verdicts as check, for the release as it would be: against the live
release if there is one, or with no cluster at all under --offline.`

const preflightExample = `
  # would these values do what they say?
  {} preflight kgateway oci://cr.kgateway.dev/kgateway-dev/charts/kgateway --version v2.0.0 \
    -n kgateway-system -f values.yaml --set image.pullPolicy=Always

  # the same on top of the values of the live release
  {} preflight kgateway ./kgateway --reuse-values --set controller.replicaCount=3

  # in a pipeline, without a cluster
  {} preflight kgateway ./kgateway -f values.yaml --offline --kube-version 1.33`

type preflightFlags struct {
	values                       valueFlags
	version                      string
	reuse, reset, resetThenReuse bool
	offline                      bool
	kubeVersion                  string
	apiVersions                  []string
}

func (a *app) preflight() *cobra.Command {
	var f preflightFlags
	c := &cobra.Command{
		Use:     "preflight RELEASE CHART",
		Short:   "Give the verdicts before helm install or upgrade is run",
		Long:    preflightLong + "\n\n" + exitStatusHelp,
		Example: a.example(preflightExample),
		Args:    exactly("RELEASE", "CHART"),
		ValidArgsFunction: func(c *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return a.completeReleases(c, args, toComplete)
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	f.values.addTo(c.Flags())
	c.Flags().StringVar(&f.version, "version", "", "version of the chart, for a chart from a registry")
	c.Flags().BoolVar(&f.reuse, "reuse-values", false, "keep the release's values and merge the given ones over them")
	c.Flags().BoolVar(&f.reset, "reset-values", false, "forget the release's values")
	c.Flags().BoolVar(&f.resetThenReuse, "reset-then-reuse-values", false, "take the new chart's defaults, the release's values over them, and the given ones over both")
	c.Flags().BoolVar(&f.offline, "offline", false, "ask no cluster: neither the release nor the cluster's versions")
	c.Flags().StringVar(&f.kubeVersion, "kube-version", "", "Kubernetes version to render for, such as 1.33")
	c.Flags().StringArrayVarP(&f.apiVersions, "api-versions", "a", nil, "API version that the cluster is said to have; may be repeated")
	c.RunE = func(c *cobra.Command, args []string) error {
		o, err := a.toOutput(c)
		if err != nil {
			return err
		}
		options, err := a.toPreflight(c, args, f)
		if err != nil {
			return err
		}
		if err := options.Validate(); err != nil {
			return usage(c, err)
		}
		report, err := a.engine.Preflight(c.Context(), options)
		if err != nil {
			return err
		}
		return a.print(report, o, a.text(o))
	}
	return c
}

func (a *app) toPreflight(c *cobra.Command, args []string, f preflightFlags) (*PreflightOptions, error) {
	scope, err := a.toScope(c)
	if err != nil {
		return nil, err
	}
	reuse, err := f.reuseMode()
	if err != nil {
		return nil, usage(c, err)
	}
	given, err := f.values.merge(a.streams.In)
	if err != nil {
		return nil, err
	}
	if f.offline {
		if scope.File != nil {
			return nil, usagef(c, "give --offline or --snapshot, not both")
		}
		scope.Cluster = nil
	}
	return &PreflightOptions{
		Scope: scope, Release: args[0], ChartRef: args[1], Version: f.version, Values: given, Given: f.words(), Reuse: reuse,
		Offline: f.offline, KubeVersion: f.kubeVersion, APIVersions: f.apiVersions,
	}, nil
}

// words gives the value flags back as they were given, for the command of a fix.
func (f preflightFlags) words() []string {
	var out []string
	for _, kind := range []struct {
		name string
		args []string
	}{
		{"-f", f.values.files}, {"--set-json", f.values.setJSON}, {"--set", f.values.set}, {"--set-string", f.values.setString},
		{"--set-file", f.values.setFile}, {"--set-literal", f.values.setLiteral},
	} {
		for _, a := range kind.args {
			out = append(out, kind.name, a)
		}
	}
	for _, mode := range []struct {
		set  bool
		name string
	}{{f.reuse, "--reuse-values"}, {f.reset, "--reset-values"}, {f.resetThenReuse, "--reset-then-reuse-values"}} {
		if mode.set {
			out = append(out, mode.name)
		}
	}
	return out
}

// reuseMode reads the three flags; helm lets the last of its own precedence win, the doctor asks.
func (f preflightFlags) reuseMode() (Reuse, error) {
	mode, given := ReuseAuto, []string{}
	for _, flag := range []struct {
		set  bool
		name string
		mode Reuse
	}{
		{f.reuse, "--reuse-values", ReuseValues},
		{f.reset, "--reset-values", ResetValues},
		{f.resetThenReuse, "--reset-then-reuse-values", ResetThenReuseValues},
	} {
		if flag.set {
			mode, given = flag.mode, append(given, flag.name)
		}
	}
	if len(given) > 1 {
		return mode, fmt.Errorf("give %s, not both", strings.Join(given, " or "))
	}
	return mode, nil
}

// Validate finds wishes that contradict each other.
func (o *PreflightOptions) Validate() error {
	if o.Offline && (o.Reuse == ReuseValues || o.Reuse == ResetThenReuseValues) {
		return errors.New("--offline reads no release: there are no values to reuse; give them with -f")
	}
	if o.Chart != "" {
		return errors.New("preflight takes the chart as its second argument, not by --chart")
	}
	if err := validKubeVersion(o.KubeVersion); err != nil {
		return err
	}
	return validNames(o.Release)
}

var kubeVersion = regexp.MustCompile(`^v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+][0-9A-Za-z.+-]*)?$`)

func validKubeVersion(version string) error {
	if version != "" && !kubeVersion.MatchString(version) {
		return fmt.Errorf("--kube-version is %q, but must be a version such as 1.33 or v1.33.2", version)
	}
	return nil
}

// Helm's own rule: pkg/chartutil/validate_name.go.
var releaseName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func validNames(releases ...string) error {
	for _, name := range releases {
		if !releaseName.MatchString(name) || len(name) > 53 {
			return fmt.Errorf("%q is no name of a Helm release", name)
		}
	}
	return nil
}
