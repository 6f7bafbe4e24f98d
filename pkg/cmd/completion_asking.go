package cmd

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/deciders"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cluster"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// read gives what a completion chooses from; nil if it cannot be had in time.
func (a *app) read(c *cobra.Command, recordsOnly bool, releases []string) *snapshot.Snapshot {
	scope, err := a.toScope(c)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.Context(), completionTime)
	defer cancel()
	scope.RecordsOnly = recordsOnly
	snap, err := a.engine.Snapshot(ctx, &scope, releases)
	if err != nil {
		return nil
	}
	return snap
}

// completeValues gives the paths that a release supplies or its chart declares.
func (a *app) completeValues(c *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	if release, _ := c.Flags().GetString("release"); release != "" {
		names = []string{release}
	}
	snap := a.read(c, true, names)
	if snap == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, r := range snap.Records() {
		if r.Release == nil || len(names) > 0 && r.Name != names[0] || len(names) == 0 && !slices.Contains(cluster.Charts, chartName(r.Release.Chart)) {
			continue
		}
		for _, tree := range []map[string]any{r.Release.Config, r.Release.Chart.Values} {
			for _, l := range values.Leaves(tree) {
				out = append(out, l.Path.String())
			}
		}
	}
	return beginning(out, typed), cobra.ShellCompDirectiveNoFileComp
}

// completeWhy gives TYPE/NAME of the live objects, then the fields of the one that was chosen.
func (a *app) completeWhy(c *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	snap := a.read(c, false, nil)
	if snap == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	namespace := *a.flags.kube.Namespace
	if len(given) == 1 {
		typ, name, _ := strings.Cut(given[0], "/")
		x, err := find(snap, typ, namespace, name)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return beginning(deciders.Fields(x.Object), typed), cobra.ShellCompDirectiveNoFileComp
	}
	typ, _, chosen := strings.Cut(typed, "/")
	var out []string
	for _, x := range snap.Objects {
		if namespace != "" && x.GetNamespace() != "" && x.GetNamespace() != namespace || snapshot.IsRecord(x) {
			continue
		}
		word := strings.ToLower(x.GetKind())
		if chosen && isType(x, typ) {
			word = typ // as it was begun
		}
		out = append(out, word+"/"+x.GetName())
	}
	return beginning(out, typed), cobra.ShellCompDirectiveNoFileComp
}

// beginning are the words that begin as typed, sorted, each once.
func beginning(words []string, typed string) []string {
	words = slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, typed) })
	slices.Sort(words)
	return slices.Compact(words)
}
