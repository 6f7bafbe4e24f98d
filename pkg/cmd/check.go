package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

const checkLong = `Say which values of a Helm release do nothing, who won instead, and which value would have worked.

Diagnoses the kgateway releases of the cluster, or the named releases of any chart: which of the supplied values
reach the running Pods, which are lost on the way, on which line of which template, and the fix, proved by rendering.
It only reads: get and list, never a write.

Without -n it looks in all namespaces if that is allowed, else in the current one, and says so.`

const checkExample = `
  # diagnose the kgateway releases of the cluster
  {}

  # one release of any chart, with the verdict on every value
  {} my-release -n my-namespace --show-values

  # in a pipeline: exit status 1 also for warnings
  {} --fail-on warning -o json > report.json

  # without a cluster, from a saved snapshot
  {} --snapshot cluster.yaml`

// check is the command check, and, without a name, the root.
func (a *app) check(name string) *cobra.Command {
	c := &cobra.Command{
		Use:               name + " [RELEASE...]",
		Short:             "Diagnose the values of the releases in a cluster",
		Long:              checkLong + "\n\n" + exitStatusHelp,
		Example:           a.example(checkExample),
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.completeReleases,
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		o, err := a.toOutput(c)
		if err != nil {
			return err
		}
		scope, err := a.toScope(c)
		if err != nil {
			return err
		}
		options := &CheckOptions{Scope: scope, Releases: args}
		if err := options.Validate(); err != nil {
			return usage(c, err)
		}
		if err := a.runCheck(c.Context(), options, o); err != nil {
			return mistyped(c, args, err)
		}
		return nil
	}
	return c
}

// Validate finds wishes that contradict each other.
func (o *CheckOptions) Validate() error {
	if o.Revision > 0 && len(o.Releases) != 1 {
		return errors.New("--revision needs the name of one RELEASE")
	}
	if o.Chart != "" && len(o.Releases) != 1 {
		return errors.New("--chart needs the name of one RELEASE")
	}
	return validNames(o.Releases...)
}

func (a *app) runCheck(ctx context.Context, options *CheckOptions, o output) error {
	report, err := a.engine.Check(ctx, options)
	if err != nil {
		return err
	}
	return a.print(report, o, a.text(o))
}

// mistyped adds a hint to an error if what was taken for a release looks like the name of a command.
func mistyped(c *cobra.Command, args []string, err error) error {
	if c.HasParent() || len(args) == 0 {
		return err
	}
	c.SuggestionsMinimumDistance = 2
	for _, name := range c.SuggestionsFor(args[0]) {
		return fmt.Errorf("%w\n%q was taken for the name of a release. Did you mean the command %s?", err, args[0], name)
	}
	return err
}
