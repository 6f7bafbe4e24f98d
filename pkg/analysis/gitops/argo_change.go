package gitops

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// argoEdit is a change of an Application in the making.
type argoEdit struct {
	*Change
	o          *Owner
	old        []parameter // as they are
	dropped    []int       // of old, in order
	parameters []parameter // as they will be
	object     map[string]any
	objectEdit []values.Edit
	text       map[string]any // of values; nil if there is none, or it is not read
	set, unset []string       // words for the argocd command
}

// changeArgo puts scalars into helm.parameters, which win over all else, and what no parameter can say into valuesObject.
func (o *Owner) changeArgo(edits []values.Edit) (*Change, error) {
	x := &argoEdit{o: o, Change: &Change{Object: o.Object, Path: o.place() + ".parameters", PatchType: "merge"}}
	helm := o.helm()
	x.old = parametersOf(helm)
	x.parameters = slices.Clone(x.old)
	x.object, _ = helm["valuesObject"].(map[string]any)
	if text, _ := helm["values"].(string); text != "" && helm["valuesObject"] == nil {
		if err := yaml.Unmarshal([]byte(text), &x.text); err != nil {
			return nil, fmt.Errorf("read %s.values: %w", o.place(), err)
		}
	}
	for _, e := range edits {
		if e.Value == nil {
			x.takeOut(e.Path)
		} else {
			x.put(e)
		}
	}
	x.compose()
	return x.Change, x.write()
}

// helm are the options of the chart's source.
func (o *Owner) helm() map[string]any {
	if !o.Read() {
		return nil
	}
	spec, _, _ := unstructured.NestedMap(o.content.Object, "spec")
	source, _ := chartSource(spec, true)
	helm, _ := source["helm"].(map[string]any)
	return helm
}

func (x *argoEdit) put(e values.Edit) {
	p, ok := parameterFor(e)
	x.drop(e.Path, ok)
	switch {
	case ok:
		x.parameters = append(x.parameters, p)
		x.Parameters = append(x.Parameters, Parameter{p.name, p.value, p.force})
		flag := "-p"
		if p.force {
			flag = "--helm-set-string"
		}
		x.set = append(x.set, flag, p.name+"="+p.value)
	case x.text != nil:
		x.text = values.Apply(x.text, e)
		x.Elsewhere = append(x.Elsewhere, Elsewhere{e.Path, e.Value, x.o.place() + ".values"})
	default:
		x.object = values.Apply(x.object, e)
		x.objectEdit = append(x.objectEdit, e)
		x.Path = x.o.place() + ".valuesObject"
		x.Values = values.Apply(x.Values, e)
	}
}

// drop takes away the parameters at or below a path. Those that are set anew need no command of their own.
func (x *argoEdit) drop(p values.Path, again bool) bool {
	under := func(name string) bool {
		at, err := values.Parse(name)
		return err == nil && at.HasPrefix(p)
	}
	x.parameters = slices.DeleteFunc(x.parameters, func(old parameter) bool { return under(old.name) })
	found := false
	for i, old := range x.old {
		if !under(old.name) {
			continue
		}
		found = true
		x.dropped = append(x.dropped, i)
		if !again || old.name != p.String() {
			x.unset = append(x.unset, "-p", old.name)
			x.Removed = append(x.Removed, old.name)
		}
	}
	return found
}

func (x *argoEdit) takeOut(p values.Path) {
	found := x.drop(p, false)
	if holds(x.object, p) {
		found = true
		x.object = values.Apply(x.object, values.Remove(p))
		x.objectEdit = append(x.objectEdit, values.Set(p, nil))
		x.Removed = append(x.Removed, p.String())
		x.Path = x.o.place() + ".valuesObject"
	}
	if holds(x.text, p) {
		found = true
		x.text = values.Apply(x.text, values.Remove(p))
		x.Elsewhere = append(x.Elsewhere, Elsewhere{Path: p, Place: x.o.place() + ".values"})
	}
	if !found {
		x.parameters = append(x.parameters, parameter{name: p.String(), value: "null"})
		x.Parameters = append(x.Parameters, Parameter{Name: p.String(), Value: "null"})
		x.set = append(x.set, "-p", p.String()+"=null")
	}
}

// compose merges what the Application would ask for.
func (x *argoEdit) compose() {
	base := x.object
	if base == nil {
		base = x.text
	}
	x.after = over(values.Copy(x.o.below), values.Copy(base))
	for _, force := range []bool{false, true} {
		for _, p := range x.parameters {
			if p.force == force {
				_ = p.into(x.after) // each was parsed before
			}
		}
	}
	if len(x.Parameters) > 0 {
		x.Path = x.o.place() + ".parameters"
	}
}

func (x *argoEdit) write() (err error) {
	if len(x.objectEdit) == 0 {
		x.commands()
	}
	if !x.o.Read() {
		return nil
	}
	if x.o.source < 0 && len(x.dropped) == 0 && len(parametersOf(x.o.helm())) == 0 {
		helm := map[string]any{}
		if len(x.Parameters) > 0 {
			helm["parameters"] = x.Parameters
		}
		if len(x.objectEdit) > 0 {
			helm["valuesObject"] = patchTree(x.objectEdit)
		}
		x.Patch, err = mergePatch(x.o.place(), helm)
		return err
	}
	x.PatchType = "json"
	x.Patch, err = x.operations()
	return err
}

// operations patch a list: of sources, or of parameters. A merge patch would take the place of the whole list.
func (x *argoEdit) operations() (string, error) {
	at := []string{"spec", "source", "helm"}
	if x.o.source >= 0 {
		at = []string{"spec", "sources", strconv.Itoa(x.o.source), "helm"}
	}
	p := patcher{content: values.Copy(x.o.content.Object)}
	for _, i := range slices.Backward(x.dropped) {
		p.removeNamed(x.old[i].name, slices.Concat(at, []string{"parameters", strconv.Itoa(i)})...)
	}
	if len(x.old) == 0 && len(x.Parameters) > 0 {
		p.add(x.Parameters, slices.Concat(at, []string{"parameters"})...)
	} else {
		for _, n := range x.Parameters {
			p.add(n, slices.Concat(at, []string{"parameters", "-"})...)
		}
	}
	for _, e := range x.objectEdit {
		place := slices.Concat(at, []string{"valuesObject"}, keysOf(e.Path))
		if e.Value == nil {
			p.ops = append(p.ops, operation{"remove", pointer(place), nil})
		} else {
			p.add(e.Value, place...)
		}
	}
	return p.text()
}

// commands are those of the argocd client, whose positions count from 1.
func (x *argoEdit) commands() {
	var position []string
	if x.o.source >= 0 {
		position = []string{"--source-position", strconv.Itoa(x.o.source + 1)}
	}
	for _, c := range []struct {
		verb  string
		flags []string
	}{{"set", x.set}, {"unset", x.unset}} {
		if len(c.flags) > 0 {
			x.Commands = append(x.Commands, slices.Concat([]string{"argocd", "app", c.verb, x.o.argoName()}, position, c.flags))
		}
	}
}

// parameterFor writes a scalar as a parameter that comes out with the same type; ok is false if none does.
func parameterFor(e values.Edit) (p parameter, ok bool) {
	name := e.Path.String()
	var tries []parameter
	switch v := e.Value.(type) {
	case string:
		escaped := strings.ReplaceAll(v, `\`, `\\`)
		tries = []parameter{{name, v, false}, {name, v, true}, {name, escaped, false}, {name, escaped, true}}
	case bool, int, int64, float64:
		tries = []parameter{{name, plain(v), false}}
	}
	want := values.Apply(map[string]any{}, e)
	for _, t := range tries {
		got := map[string]any{}
		if !strings.Contains(t.value, "$") && t.into(got) == nil && same(got, want) {
			return t, true
		}
	}
	return parameter{}, false
}

func plain(v any) string {
	if f, ok := v.(float64); ok && f == float64(int64(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return fmt.Sprint(v)
}
