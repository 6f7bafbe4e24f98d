package kgateway

import (
	"fmt"
	"slices"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Defaults is what the environment of the controller says of every proxy.
type Defaults struct{ Registry, Repository, Tag, PullPolicy string }

// Source is who speaks of a field: parameters, an overlay in them, the Gateway itself, or the controller's environment.
// The zero Source is built into the controller.
type Source struct {
	Env     string         // the variable; "" for the others
	Object  finding.Object // of the parameters, or the Gateway
	By      finding.Object // who refers to them
	Path    string         // in the object
	Overlay bool           // a patch of what the parameters make, laid over it in the end
}

// BuiltIn says whether the controller itself has it.
func (s Source) BuiltIn() bool { return s == Source{} }

func (s Source) String() string {
	switch {
	case s.Env != "":
		return "the controller's default, " + s.Env
	case s.BuiltIn():
		return "built into the controller"
	case s.By.Name == "":
		return fmt.Sprintf("%s in %s, %s", s.Object, s.Object.Namespace, s.Path)
	}
	return fmt.Sprintf("%s %s/%s, %s, of %s", s.Object.Kind, s.Object.Namespace, s.Object.Name, s.Path, s.By)
}

// Said is what one source says of a field.
type Said struct {
	Source
	Value any
	Part  string // of the field that this is about; "": all of it
}

// Want is a field of a proxy with the value that its sources give it; rendering.Absent if none gives it one.
type Want struct {
	finding.Field
	Value  any
	Or     []any  // what the same sources give over other defaults
	Said   []Said // who speaks of it, the winner first; none if nobody does
	Joined bool   // a list that all of them add to: nobody loses
}

// Source is who decides the field; the zero Source if nobody does.
func (w Want) Source() Source {
	if len(w.Said) == 0 {
		return Source{}
	}
	return w.Said[0].Source
}

// Decides says whether what the n-th source says is in the value: the first does, and the first for each other part.
func (w Want) Decides(n int) bool {
	if w.Joined || n == 0 {
		return true
	}
	said := w.Said[n]
	return w.Said[0].Part != "" && !slices.ContainsFunc(w.Said[:n], func(s Said) bool { return s.Part == said.Part || s.Part == "" })
}

// Lost is what the sources say that do not decide, the nearest first.
func (w Want) Lost() []Said {
	var out []Said
	for i, s := range w.Said {
		if !w.Decides(i) {
			out = append(out, s)
		}
	}
	return out
}
