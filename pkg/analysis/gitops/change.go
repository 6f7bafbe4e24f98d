package gitops

import (
	"fmt"
	"slices"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Change is how edits of a release's values are made in the object that keeps it. It is a proposal: pkg/fix renders the
// values that come out.
type Change struct {
	Object     finding.Object
	Path       string         // of the object, where Values or Parameters go
	Values     map[string]any // to be merged into what is there
	Parameters []Parameter    // of an Application, to be added or changed
	Removed    []string       // paths that are taken out of Path, in --set syntax
	Elsewhere  []Elsewhere    // what has to be changed in other places, which no patch of the object reaches
	Patch      string         // JSON for kubectl patch; "" if there is none that does it, or Elsewhere says more
	PatchType  string         // merge or json: for --type
	Commands   [][]string     // of argocd, words

	after map[string]any
}

// Parameter is one entry of an Application's helm.parameters.
type Parameter struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	ForceString bool   `json:"forceString,omitempty"`
}

// Elsewhere is an edit in another place than the object's own values: a ConfigMap, a text.
type Elsewhere struct {
	Path  values.Path
	Value any // nil: taken out
	Place string
}

// After are all values that the object asks for with the change made.
func (c *Change) After() map[string]any { return c.after }

// Change writes edits of the supplied values, none of which is below a list, for the object. Edits that are null take a
// value out. An error says why the object cannot take them.
func (o *Owner) Change(edits []values.Edit) (*Change, error) {
	var c *Change
	var err error
	if o.Tool == Flux {
		c, err = o.changeFlux(edits)
	} else {
		c, err = o.changeArgo(edits)
	}
	if err != nil {
		return nil, err
	}
	for _, e := range edits {
		if got, _ := values.Get(c.after, e.Path); !same(got, e.Value) && e.Value != nil {
			return nil, fmt.Errorf("%s would not be what %s asks for: another place in it wins", e.Path, o.Object)
		}
	}
	if len(c.Elsewhere) > 0 || o.Keeper != nil || !o.Read() {
		c.Patch, c.Commands = "", nil
	}
	if c.Patch == "" {
		c.PatchType = ""
	}
	return c, nil
}

// layersWith gives the layers with one of them changed.
func layersWith(layers []Layer, i int, tree map[string]any) []Layer {
	out := slices.Clone(layers)
	out[i].Values, out[i].set = tree, nil
	return out
}

// patchTree is the merge patch of edits of a tree: what is null is taken out.
func patchTree(edits []values.Edit) map[string]any { return values.Apply(map[string]any{}, edits...) }

// holds says whether a tree has something at a path.
func holds(tree map[string]any, p values.Path) bool {
	_, found := values.Get(tree, p)
	return found
}
