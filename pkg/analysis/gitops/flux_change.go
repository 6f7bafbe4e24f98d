package gitops

import (
	"slices"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// fluxEdit is a change of a HelmRelease in the making.
type fluxEdit struct {
	*Change
	layers []Layer       // the last one is spec.values
	patch  []values.Edit // of spec.values; what is null is taken out
	nulls  []values.Path // null must stand there, which no merge patch can say
}

// changeFlux puts values into spec.values, which wins over all references but those with a targetPath. A value is taken
// out of where it stands; one that stands nowhere is the chart's own, and null in spec.values takes it away.
func (o *Owner) changeFlux(edits []values.Edit) (*Change, error) {
	x := &fluxEdit{Change: &Change{Object: o.Object, Path: specValues, Values: map[string]any{}, PatchType: "merge"}, layers: slices.Clone(o.Layers)}
	if len(x.layers) == 0 {
		x.layers = []Layer{{Place: specValues, Object: o.Object}}
	}
	if o.below != nil {
		x.layers = slices.Insert(x.layers, 0, Layer{Place: "where it comes from: that could not be read", Values: o.below})
	}
	for _, e := range edits {
		if e.Value == nil {
			x.takeOut(e.Path)
		} else {
			x.put(e)
		}
	}
	x.after = fluxValues(x.layers, o.inlineLast)
	return x.Change, x.write(o)
}

func (x *fluxEdit) write(o *Owner) (err error) {
	if len(x.nulls) == 0 || !o.Read() {
		x.Patch, err = mergePatch(specValues, patchTree(x.patch))
		return err
	}
	p := patcher{content: values.Copy(o.content.Object)}
	at := func(path values.Path) []string { return append([]string{"spec", "values"}, keysOf(path)...) }
	for _, e := range x.patch {
		if e.Value == nil {
			p.ops = append(p.ops, operation{"remove", pointer(at(e.Path)), nil})
		} else {
			p.add(e.Value, at(e.Path)...)
		}
	}
	for _, path := range x.nulls {
		p.add(nil, at(path)...)
	}
	x.PatchType = "json"
	x.Patch, err = p.text()
	return err
}

func (x *fluxEdit) inline() *Layer { return &x.layers[len(x.layers)-1] }

// own makes an edit of spec.values.
func (x *fluxEdit) own(e values.Edit) {
	inline := x.inline()
	inline.Values = values.Apply(inline.Values, e)
}

// put sets a value in spec.values, or in the reference that wins over it.
func (x *fluxEdit) put(e values.Edit) {
	x.own(e)
	x.patch = append(x.patch, e)
	x.Values = values.Apply(x.Values, e)
	for i, l := range x.layers[:len(x.layers)-1] {
		if l.set == nil || !holds(l.Values, e.Path) {
			continue
		}
		if got, _ := values.Get(fluxValues(x.layers, false), e.Path); same(got, e.Value) {
			continue
		}
		x.layers = layersWith(x.layers, i, values.Apply(map[string]any{}, e))
		x.Elsewhere = append(x.Elsewhere, Elsewhere{e.Path, e.Value, l.Place})
	}
}

func (x *fluxEdit) takeOut(p values.Path) {
	found := false
	for i, l := range x.layers[:len(x.layers)-1] {
		if holds(l.Values, p) {
			found = true
			x.layers = layersWith(x.layers, i, values.Apply(l.Values, values.Remove(p)))
			x.Elsewhere = append(x.Elsewhere, Elsewhere{Path: p, Place: l.Place})
		}
	}
	if holds(x.inline().Values, p) {
		x.own(values.Remove(p))
		x.patch = append(x.patch, values.Set(p, nil))
		x.Removed = append(x.Removed, p.String())
		return
	}
	if !found {
		x.own(values.Set(p, nil))
		x.Values = values.Apply(x.Values, values.Set(p, nil))
		x.nulls = append(x.nulls, p)
	}
}
