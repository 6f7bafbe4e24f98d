package fix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// GitOps is where a fix goes in the object of Flux or Argo CD that keeps the release, so that the next sync keeps it.
type GitOps struct {
	Tool string `json:"tool"` // Flux or Argo CD
	finding.Object
	Path       string             `json:"path"`                 // of the object, where values or parameters go
	Values     map[string]any     `json:"values,omitempty"`     // to be merged there
	Parameters []gitops.Parameter `json:"parameters,omitempty"` // to be added there
	Removed    []string           `json:"removed,omitempty"`    // paths to be taken out there
	Elsewhere  []Elsewhere        `json:"elsewhere,omitempty"`  // what no patch of the object reaches
	Keeper     *finding.Object    `json:"keeper,omitempty"`     // that applies the object from Git
	Patch      string             `json:"patch,omitempty"`      // JSON; absent where Git, or another object, must be changed
	PatchType  string             `json:"patchType,omitempty"`  // merge or json
	Commands   []string           `json:"commands,omitempty"`   // ways to do it, the first is the fix's command; quoted for a POSIX shell
	Steps      []string           `json:"steps,omitempty"`      // Elsewhere, in words
	Notes      []string           `json:"notes,omitempty"`      // on the object, the same for every fix
}

// Elsewhere is an edit of another place; the value is null where it is taken out.
type Elsewhere struct {
	Path  string `json:"path"` // --set syntax
	Value any    `json:"value"`
	Place string `json:"place"`
}

// keep writes a proved remedy in the form of the object that keeps the release, and proves that the values which come
// out of the changed object do the same as the remedy.
func (v *Verified) keep(f *analysis.Facts, edits []values.Edit) error {
	if f.Owner == nil || f.Mode != analysis.Installed {
		return nil
	}
	edits = whole(edits, f.Supplied)
	c, err := f.Owner.Change(edits)
	if err != nil {
		return err
	}
	if err := sameEffect(f, edits, c.After()); err != nil {
		return err
	}
	g := &GitOps{Tool: string(f.Owner.Tool), Object: c.Object, Path: c.Path, Values: c.Values, Parameters: c.Parameters, Removed: c.Removed,
		Keeper: f.Owner.Keeper, Patch: c.Patch, PatchType: c.PatchType}
	for _, e := range c.Elsewhere {
		g.Elsewhere = append(g.Elsewhere, Elsewhere{e.Path.String(), e.Value, e.Place})
	}
	g.write(f.Owner, c.Commands)
	v.gitops, v.command = g, ""
	if len(g.Commands) > 0 {
		v.command = g.Commands[0]
	}
	return nil
}

// sameEffect holds what the changed object asks for against the edits of what it asked for before.
func sameEffect(f *analysis.Facts, edits []values.Edit, got map[string]any) error {
	want := values.Apply(f.Owner.Known(f.Supplied), edits...)
	if rendering.Equal(want, got) {
		return nil
	}
	if f.RenderErr != nil {
		if _, err := f.Renderer.Helm(got); err != nil {
			return fmt.Errorf("%s cannot be changed so that the chart renders: %w", f.Owner.Object, err)
		}
		return nil
	}
	a, b := f.World.Try(replace(f.Supplied, want)...), f.World.Try(replace(f.Supplied, got)...)
	if a.Err != nil || b.Err != nil || !rendering.Same(a, b) {
		return fmt.Errorf("changed in %s it does not do the same", f.Owner.Object)
	}
	return nil
}

// replace are the edits that make one tree of the other.
func replace(old, tree map[string]any) []values.Edit {
	var out []values.Edit
	for k := range old {
		if _, stays := tree[k]; !stays {
			out = append(out, values.Remove(values.Keys(k)))
		}
	}
	for k, v := range tree {
		out = append(out, values.Set(values.Keys(k), v))
	}
	slices.SortFunc(out, func(a, b values.Edit) int { return cmp.Compare(a.Path.String(), b.Path.String()) })
	return out
}

func (g *GitOps) write(o *gitops.Owner, argocd [][]string) {
	for _, words := range argocd {
		g.Commands = append(g.Commands, Command(words...))
	}
	if len(g.Commands) > 1 {
		g.Commands = []string{strings.Join(g.Commands, " && ")}
	}
	if g.Patch != "" {
		g.Commands = append(g.Commands, Command("kubectl", "patch", o.Resource(), g.Name, "--namespace", g.Namespace, "--type", g.PatchType, "--patch", g.Patch))
	}
	for _, e := range g.Elsewhere {
		if e.Value == nil {
			g.Steps = append(g.Steps, fmt.Sprintf("take %s out of %s", e.Path, e.Place))
		} else {
			g.Steps = append(g.Steps, fmt.Sprintf("set %s to %s in %s", e.Path, rendering.Show(e.Value), e.Place))
		}
	}
	if o.Unread != "" {
		g.Notes = append(g.Notes, fmt.Sprintf("%s was not read: %s", o.Object, o.Unread))
	}
	if g.Keeper != nil {
		g.Notes = append(g.Notes, fmt.Sprintf("change it in Git: %s applies this %s, and would undo a patch of it", named(*g.Keeper), g.Kind))
	}
	g.Notes = append(g.Notes, o.Waits()...)
	g.Notes = append(g.Notes, fmt.Sprintf("not by helm upgrade: %s keeps this release, and puts its own values back", o.Tool))
}

func named(o finding.Object) string {
	if o.Namespace == "" {
		return o.String()
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// Command writes words so that a POSIX shell reads them back.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}
