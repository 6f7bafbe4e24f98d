// Package gitops is who keeps a release: a HelmRelease of Flux or an Application of Argo CD. It reads which values the
// object asks for and from where, and writes a change of values in the form that survives the next sync.
//
// It decides nothing about charts: pkg/fix proves every change that is printed.
package gitops

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Tool is a program that keeps releases.
type Tool string

// The tools that are known.
const (
	Flux   Tool = "Flux"
	ArgoCD Tool = "Argo CD"
)

// Kinds of the objects, with their groups, as snapshot.Get takes them.
const (
	HelmRelease = "HelmRelease.helm.toolkit.fluxcd.io"
	Application = "Application.argoproj.io"
)

// Owner is the object that keeps a release.
type Owner struct {
	Tool   Tool
	Object finding.Object
	By     string          // the mark on the release's objects that led to it; "" if only the object names the release
	Unread string          // why the object could not be read; "" if it was
	Keeper *finding.Object // that keeps the object itself: only Git changes it then
	Layers []Layer         // where the object's values come from, the weakest first
	Gaps   []Gap           // sources of values that are not here

	Release, Namespace string

	content    *unstructured.Unstructured
	below      map[string]any // what the release has, where some of its sources could not be read
	inlineLast bool           // Flux before 2.4: spec.values wins over targetPath, too
	source     int            // Argo CD: place in spec.sources; -1 for spec.source
}

// Layer is one source of values in the object.
type Layer struct {
	Place   string         // "spec.values", "key values.yaml of ConfigMap ns/name"
	Object  finding.Object // that holds it
	Values  map[string]any
	Ignored bool // it is there, and never read

	set func(map[string]any) error // for what is merged as --set does it; nil: Values are merged as a file
}

// Gap is a source of values that could not be read.
type Gap struct {
	Place  string
	Why    string
	Remedy string
}

// Read says whether the object itself is there.
func (o *Owner) Read() bool { return o != nil && o.content != nil }

// Complete says whether all of the object's values are known.
func (o *Owner) Complete() bool { return o.Read() && len(o.Gaps) == 0 }

// Values are what the object asks for: its layers, merged as its tool merges them.
func (o *Owner) Values() map[string]any {
	if o.Tool == Flux {
		return fluxValues(o.Layers, o.inlineLast)
	}
	return argoValues(o.Layers)
}

// Known are the values that the object asks for or, where that is not known, those that its release has.
func (o *Owner) Known(supplied map[string]any) map[string]any {
	if o.Complete() {
		return o.Values()
	}
	return supplied
}

// Find gives the owner of a release; nil if nothing says that there is one. A release's own manifests speak first: Flux
// labels every object in them. The live objects speak next, and then an object that names the release.
func Find(snap *snapshot.Snapshot, namespace, name string, config map[string]any, manifests ...string) *Owner {
	if snap == nil {
		return nil
	}
	o := find(snap, namespace, name, config, manifests)
	if o != nil && !o.Complete() {
		o.below = config
	}
	return o
}

func find(snap *snapshot.Snapshot, namespace, name string, config map[string]any, manifests []string) *Owner {
	mark := ManifestMark(manifests...)
	if mark.Name == "" {
		mark = liveMark(snap, namespace, name)
	}
	switch mark.Tool {
	case Flux:
		return fluxOwner(snap, mark, config)
	case ArgoCD:
		return argoOwner(snap, mark)
	}
	for _, x := range snap.Kind(HelmRelease) {
		o := readHelmRelease(snap, x, config)
		if o.Release == name && (o.Namespace == namespace || storage(x) == namespace) {
			return o
		}
	}
	return nil
}

// Unrecorded lists the releases that Argo CD keeps and Helm has no record of, by the Applications in a snapshot.
func Unrecorded(snap *snapshot.Snapshot) []*Owner {
	recorded := map[string]bool{}
	for _, x := range snap.Objects {
		if snapshot.IsRecord(x) {
			name, _ := snapshot.RecordName(x.GetName())
			recorded[x.GetNamespace()+"/"+name] = true
		}
	}
	var out []*Owner
	for _, x := range snap.Kind(Application) {
		if o := readApplication(x); o != nil && !recorded[o.Namespace+"/"+o.Release] {
			out = append(out, o)
		}
	}
	return out
}

// absent is an owner whose object is not in the snapshot. Where the cluster was asked and does not have it, its tool is
// gone and left only its marks: there is no owner.
func absent(snap *snapshot.Snapshot, o *Owner) *Owner {
	kind, _, _ := strings.Cut(o.Object.Kind, ".")
	if g := snap.Unread(kind, o.Object.Namespace, o.Object.Name); g != nil {
		o.Unread = g.Why
		return o
	}
	if snap.Header.TakenAt != "" {
		return nil
	}
	o.Unread = "the snapshot does not hold it"
	return o
}

// Overridden is a value in the object that another place of the same object takes the effect from.
type Overridden struct {
	Path   values.Path
	Value  any
	Layer  Layer
	Winner Layer
	Wins   any // nil if the winner takes it away
}

// Overridden lists them in the order of the layers.
func (o *Owner) Overridden() []Overridden {
	final := o.Values()
	var out []Overridden
	for i, l := range o.Layers {
		for _, leaf := range values.Leaves(l.Values) {
			got, _ := values.Get(final, leaf.Path)
			if same(got, leaf.Value) {
				continue
			}
			j := winner(o.Layers, i, leaf.Path, got)
			if j < 0 {
				continue // a list that --set filled up, or an item that moved
			}
			out = append(out, Overridden{leaf.Path, leaf.Value, l, o.Layers[j], got})
		}
	}
	return out
}

// winner finds the strongest other layer that says at the path, or above it, what came out.
func winner(layers []Layer, lost int, p values.Path, got any) int {
	for j, l := range slices.Backward(layers) {
		if j == lost || l.Ignored {
			continue
		}
		for n := len(p); n > 0; n-- {
			v, found := values.Get(l.Values, p[:n])
			if _, isTable := v.(map[string]any); found && (n == len(p) && same(v, got) || n < len(p) && !isTable) {
				return j
			}
		}
	}
	if layers[lost].Ignored {
		return lost + 1 // what took its place
	}
	return -1
}
