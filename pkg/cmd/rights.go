package cmd

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
)

const rightsExample = `
  # allow the group sre to diagnose every release
  {} rights | kubectl apply -f -
  kubectl create clusterrolebinding kgw-doctor --clusterrole kgw-doctor --group sre

  # only the releases of one namespace
  kubectl create rolebinding kgw-doctor -n kgateway-system --clusterrole kgw-doctor --group sre`

func (a *app) rights() *cobra.Command {
	return &cobra.Command{
		Use:   "rights",
		Short: "Show the ClusterRole that the doctor needs: get and list, never a write",
		Long: `Show the least rights that the doctor needs, as a ClusterRole to apply. It only reads.

With fewer it still works, says what it could not read, and which rule would allow it. Without the right to read
Secrets it finds no releases; a colleague who has it can save a snapshot.`,
		Example:           a.example(rightsExample),
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(a.streams.Out, strings.TrimPrefix(clusterRole, "\n"))
			return err
		},
	}
}
