package cmd

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

const completionLong = `Write a completion script for a shell, or for kubectl.

kubectl completes plugins with the help of an executable named kubectl_complete-kgw_doctor on the PATH: that is what
"completion kubectl" writes.`

const completionExample = `
  # complete "kubectl kgw-doctor …", in every shell that completes kubectl
  {} completion kubectl > kubectl_complete-kgw_doctor
  chmod +x kubectl_complete-kgw_doctor
  sudo mv kubectl_complete-kgw_doctor /usr/local/bin/

  # complete the plugin's own name, in this shell
  source <({} completion bash)`

// kubectlShim is what kubectl calls: see pkg/cmd/plugin_completion.go of kubectl.
const kubectlShim = `#!/usr/bin/env sh
# kubectl runs this file to complete "kubectl kgw-doctor". It must be on the PATH, executable, and be named
# kubectl_complete-kgw_doctor.
exec kubectl kgw-doctor __complete "$@"
`

func (a *app) completion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell", "kubectl"}
	return &cobra.Command{
		Use:                   "completion bash|zsh|fish|powershell|kubectl",
		Short:                 "Write a completion script for a shell, or for kubectl",
		Long:                  completionLong,
		Example:               a.example(completionExample),
		Args:                  exactly("the shell (bash, zsh, fish, powershell or kubectl)"),
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			out, root := a.streams.Out, c.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			case "kubectl":
				_, err := io.WriteString(out, kubectlShim)
				return err
			}
			return usagef(c, "there is no completion for %q: use bash, zsh, fish, powershell or kubectl", args[0])
		},
	}
}

// completionTime is how long a shell may wait for the names of releases.
const completionTime = 2 * time.Second

// completeReleases gives the names of the releases that would be diagnosed. No answer is no names, never an error:
// a shell has no place to show one.
func (a *app) completeReleases(c *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	scope, err := a.toScope(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(c.Context(), completionTime)
	defer cancel()
	scope.RecordsOnly = true
	snap, err := a.engine.Snapshot(ctx, &scope, nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, o := range snap.Objects {
		if !snapshot.IsRecord(o) {
			continue
		}
		if name, _ := snapshot.RecordName(o.GetName()); name != "" && !slices.Contains(given, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
}
