package cmd

import (
	"errors"

	"github.com/spf13/cobra"
)

const auditLong = `Judge a chart's values.yaml without a release: keys that no template reads, presets that shadow the general keys,
values that are dropped. For chart authors and their pipelines. No cluster is asked.`

const auditExample = `
  # before a chart is released
  {} audit ./charts/kgateway --fail-on warning

  # what an upgrade from the last release would silently lose
  {} audit ./charts/kgateway --against kgateway-v2.0.0.tgz`

func (a *app) audit() *cobra.Command {
	var options AuditOptions
	c := &cobra.Command{
		Use:     "audit CHART",
		Short:   "Judge a chart's values.yaml without a release",
		Long:    auditLong + "\n\n" + exitStatusHelp,
		Example: a.example(auditExample),
		Args:    exactly("CHART"),
	}
	c.Flags().StringVar(&options.Version, "version", "", "version of the chart, for a chart from a registry")
	c.Flags().StringVar(&options.Against, "against", "", "older chart, a directory or an archive: say which of its paths went, moved or changed their default")
	c.Flags().StringVar(&options.KubeVersion, "kube-version", "", "Kubernetes version to render for, such as 1.33")
	c.Flags().StringArrayVarP(&options.APIVersions, "api-versions", "a", nil, "API version that the cluster is said to have; may be repeated")
	c.RunE = func(c *cobra.Command, args []string) error {
		o, err := a.toOutput(c)
		if err != nil {
			return err
		}
		if err := options.Validate(a.flags); err != nil {
			return usage(c, err)
		}
		options.ChartRef = args[0]
		options.Scope = Scope{ShowSecrets: a.flags.showSecrets, Renders: a.flags.renders, Now: a.now(), Notice: a.notice}
		report, err := a.engine.Audit(c.Context(), &options)
		if err != nil {
			return err
		}
		return a.print(report, o, a.text(o))
	}
	return c
}

// Validate refuses the flags that have no meaning without a release.
func (o *AuditOptions) Validate(f *globalFlags) error {
	if f.chart != "" {
		return errors.New("audit takes the chart as its argument, not by --chart")
	}
	if f.snapshot != "" || f.revision != 0 {
		return errors.New("audit is about a chart, not about a release: --snapshot and --revision have no meaning")
	}
	return validKubeVersion(o.KubeVersion)
}
