package cmd

import (
	"errors"
	"io"

	"github.com/spf13/cobra"
)

const rightsLong = `Show the least rights that the doctor needs, as roles to apply. It only reads: get and list.

Without arguments: a ClusterRole for every release of the kgateway charts, wherever it is.
With the name of a RELEASE, or with -n: what a check of it asks for in this cluster and nothing else, down to the
verbs. With -n that is a Role, and a ClusterRole for what is in no namespace; Gateways of other namespaces then stay
unread. The check is made to find out, with your own rights.

With fewer rights the doctor still works, says what it could not read, and which rule would allow it. Without the right
to read Secrets it finds no releases; a colleague who has it can save a snapshot.`

const rightsExample = `
  # allow the group sre to diagnose every release
  {} rights | kubectl apply -f -
  kubectl create clusterrolebinding kgw-doctor --clusterrole kgw-doctor --group sre

  # only the releases of one namespace
  {} rights -n kgateway-system | kubectl apply -f -
  kubectl create rolebinding kgw-doctor -n kgateway-system --role kgw-doctor --group sre
  kubectl create clusterrolebinding kgw-doctor-kgateway-system --clusterrole kgw-doctor-kgateway-system --group sre

  # one release of any chart
  {} rights my-release -n my-namespace`

func (a *app) rights() *cobra.Command {
	c := &cobra.Command{
		Use:               "rights [RELEASE...]",
		Short:             "Show the Role or ClusterRole that the doctor needs: get and list, never a write",
		Long:              rightsLong,
		Example:           a.example(rightsExample),
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.completeReleases,
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := validNames(args...); err != nil {
			return usage(c, err)
		}
		scope, err := a.toScope(c)
		if err != nil {
			return err
		}
		roles, err := a.roles(c, &scope, args)
		if err != nil {
			return err
		}
		_, err = io.WriteString(a.streams.Out, writeRoles(roles))
		return err
	}
	return c
}

func (a *app) roles(c *cobra.Command, scope *Scope, releases []string) ([]role, error) {
	if len(releases) == 0 && scope.Namespace == "" {
		return generalRoles(""), nil
	}
	rights, err := a.engine.Rights(c.Context(), scope, releases)
	if errors.Is(err, errNoRecord) {
		a.notice("%v", err)
		a.notice("so these are the rights for the kinds of the kgateway charts")
		return generalRoles(scope.Namespace), nil
	}
	if err != nil {
		return nil, err
	}
	name := "kgw-doctor"
	if len(releases) == 1 && scope.Namespace == "" {
		name += "-" + releases[0] // not the name of the general one, which it would narrow
	}
	return exactRoles(name, scope.Namespace, rights), nil
}
