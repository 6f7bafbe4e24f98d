package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

const traceLong = `Follow one value: every field it reaches, every field it loses and to whom, each with the line of the template and what
stands there as rendered, in the live object and in its Pods.

The value need not be given: one that only the chart declares, or that only its templates read, is followed as well.

VALUE is a path in the syntax of helm's --set, such as image.pullPolicy or controller.env[0].value.`

const traceExample = `
  # where does it go?
  {} trace image.pullPolicy

  # of a certain release
  {} trace controller.replicaCount --release kgateway -n kgateway-system`

func (a *app) trace() *cobra.Command {
	var release string
	c := &cobra.Command{
		Use:               "trace VALUE",
		Short:             "Follow one value to the fields it reaches and loses",
		Long:              traceLong + "\n\n" + exitStatusHelp,
		Example:           a.example(traceExample),
		Args:              exactly("VALUE"),
		ValidArgsFunction: a.completeValues,
	}
	c.Flags().StringVar(&release, "release", "", "the release whose value it is, where several have it")
	_ = c.RegisterFlagCompletionFunc("release", a.completeReleases)
	c.RunE = func(c *cobra.Command, args []string) error {
		o, err := a.toOutput(c)
		if err != nil {
			return err
		}
		scope, err := a.toScope(c)
		if err != nil {
			return err
		}
		options := &TraceOptions{Scope: scope, Release: release, Value: args[0]}
		if err := options.Validate(); err != nil {
			return usage(c, err)
		}
		report, err := a.engine.Trace(c.Context(), options)
		if err != nil {
			return err
		}
		text := a.text(o)
		text.Values, text.Detail = true, true
		return a.print(report, o, text)
	}
	return c
}

// Validate finds wishes that contradict each other.
func (o *TraceOptions) Validate() error {
	if _, err := values.Parse(o.Value); err != nil {
		return fmt.Errorf("VALUE %q is no path of a value: %w", o.Value, err)
	}
	if o.Revision > 0 && o.Release == "" {
		return fmt.Errorf("--revision needs --release")
	}
	if o.Release == "" {
		return nil
	}
	return validNames(o.Release)
}
