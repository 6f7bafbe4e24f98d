package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/printer"
)

const whyLong = `Say what decides one field of a live object: the chain of values that the template asks, in its order, what was
rendered, what the object and its Pods hold, and who wrote it there and when.

FIELD is written as kubectl explain does, list items by their name or index, keys with dots in quotes:
spec.template.spec.containers[kgateway].imagePullPolicy, metadata.annotations["a.b/c"]`

const whyExample = `
  # who decides the pull policy?
  {} why deploy/kgateway 'spec.template.spec.containers[kgateway].imagePullPolicy' -n kgateway-system

  # the same in two words: why are there three?
  {} why deployment/kgateway spec.replicas -n kgateway-system`

func (a *app) why() *cobra.Command {
	c := &cobra.Command{
		Use:               "why TYPE/NAME FIELD",
		Short:             "Say what decides one field of a live object",
		Long:              whyLong + "\n\n" + exitStatusHelp,
		Example:           a.example(whyExample),
		Args:              exactly("TYPE/NAME", "FIELD"),
		ValidArgsFunction: a.completeWhy,
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
		kind, name, _ := strings.Cut(args[0], "/")
		options := &WhyOptions{Scope: scope, Type: kind, Name: name, Field: args[1]}
		if err := options.Validate(); err != nil {
			return usage(c, err)
		}
		why, err := a.engine.Why(c.Context(), options)
		if err != nil {
			return err
		}
		return a.printWhy(why, o)
	}
	return c
}

// Validate finds wishes that contradict each other.
func (o *WhyOptions) Validate() error {
	if o.Type == "" || o.Name == "" || strings.Contains(o.Name, "/") {
		return errors.New("the object is written TYPE/NAME, such as deploy/kgateway")
	}
	if strings.Trim(o.Field, ".") == "" {
		return errors.New("FIELD is empty: name one, such as spec.replicas")
	}
	if o.AllNamespaces {
		return errors.New("why is about one object: give its namespace with -n instead of -A")
	}
	return nil
}

func (a *app) printWhy(why printer.Why, o output) error {
	var err error
	switch o.format {
	case "json":
		err = printer.WhyJSON(a.streams.Out, why, printer.DocumentOptions{ShowSecrets: o.showSecrets})
	case "yaml":
		err = printer.WhyYAML(a.streams.Out, why, printer.DocumentOptions{ShowSecrets: o.showSecrets})
	default:
		err = printer.WhyText(a.streams.Out, why, a.text(o))
	}
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	for _, i := range why.Incomplete {
		if i.Fatal {
			a.status = Failed
		}
	}
	return nil
}
