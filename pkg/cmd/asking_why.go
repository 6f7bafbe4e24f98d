package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/deciders"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cluster"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/printer"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

func (d doctor) Why(ctx context.Context, o *WhyOptions) (printer.Why, error) {
	steps, err := deciders.ParseField(o.Field)
	if err != nil {
		return printer.Why{}, err
	}
	live, snap, err := o.object(ctx)
	if err != nil {
		return printer.Why{}, err
	}
	log.SetOutput(io.Discard) // Helm tells of clashes in values there
	y := printer.Why{
		Object: finding.Object{Kind: live.GetKind(), Name: live.GetName(), Namespace: live.GetNamespace()},
		Field:  deciders.Written(live.Object, steps), Chain: []printer.Link{},
	}
	_, value, exists := deciders.Resolve(live.Object, steps)
	y.Live = value
	var f *analysis.Facts
	rendered := false
	if gateway := gatewayOf(live); gateway != "" {
		f, err = o.explainProxy(snap, live, &y)
		rendered = y.Setting != ""
	} else if f, err = o.releaseOf(snap, live, &y); f != nil {
		rendered = explain(f, live, steps, exists, &y)
	}
	if err != nil {
		return y, err
	}
	if !exists && !rendered && len(y.Chain) == 0 {
		return printer.Why{}, fmt.Errorf("%s has no field %s\nThe nearest are %s", y.Object, y.Field, strings.Join(deciders.Nearest(live.Object, steps), ", "))
	}
	for _, w := range drift.Writers(live, y.Field) {
		y.Writers = append(y.Writers, printer.Writer{Manager: w.Manager, Operation: w.Operation, Time: w.Time})
	}
	if w := drift.Running(snap, y.Object); w != nil {
		for _, v := range w.PodValues(y.Field) {
			y.Pods = append(y.Pods, printer.PodValue{Value: shown(v.Value), Pods: v.Pods})
		}
	}
	if f == nil && y.Note == "" {
		y.Note = stray(live, y.Incomplete)
	}
	return y, nil
}

// object finds the live object in the file or the cluster, with a snapshot of what may belong to it.
func (o *WhyOptions) object(ctx context.Context) (*unstructured.Unstructured, *snapshot.Snapshot, error) {
	if o.File != nil {
		live, err := find(o.File, o.Type, o.Namespace, o.Name)
		return live, o.File, err
	}
	reader, current, err := o.reader()
	if err != nil {
		return nil, nil, err
	}
	live, own, err := reader.Object(ctx, cluster.Wanted{Type: o.Type, Name: o.Name, Namespace: o.Namespace, Fallback: current})
	if err != nil {
		return nil, nil, err
	}
	scope := o.Scope
	name, namespace := helmOwner(live)
	var names []string
	if gatewayOf(live) != "" {
		scope.Namespace = "" // the control plane has a namespace of its own
	} else if name != "" {
		names, scope.Namespace = []string{name}, namespace
	}
	snap, err := scope.Snapshot(ctx, names...)
	if err != nil && (snap == nil || !errors.Is(err, cluster.ErrNoRelease)) {
		return nil, nil, err
	}
	return live, joined(snap, own), nil
}

// helmOwner is the release that Helm says has the object; none if it says nothing.
func helmOwner(x *unstructured.Unstructured) (name, namespace string) {
	a := x.GetAnnotations()
	return a["meta.helm.sh/release-name"], cmp.Or(a["meta.helm.sh/release-namespace"], x.GetNamespace())
}

// joined is a snapshot with the objects of another one that it does not have.
func joined(a, b *snapshot.Snapshot) *snapshot.Snapshot {
	out := &snapshot.Snapshot{Header: a.Header, Objects: slices.Clone(a.Objects)}
	for _, x := range b.Objects {
		if a.Get(x.GetKind()+"."+x.GroupVersionKind().Group, x.GetNamespace(), x.GetName()) == nil {
			out.Objects = append(out.Objects, x)
		}
	}
	out.Header.Gaps = slices.Concat(a.Header.Gaps, b.Header.Gaps)
	return out
}

// shortNames are those that the API server gives to kinds of its own, for snapshots; kinds of others have them in
// their definitions.
var shortNames = map[string][]string{
	"ConfigMap": {"cm"}, "CustomResourceDefinition": {"crd", "crds"}, "CronJob": {"cj"}, "DaemonSet": {"ds"}, "Deployment": {"deploy"},
	"HorizontalPodAutoscaler": {"hpa"}, "Ingress": {"ing"}, "Namespace": {"ns"}, "NetworkPolicy": {"netpol"}, "Pod": {"po"},
	"PersistentVolumeClaim": {"pvc"}, "PersistentVolume": {"pv"}, "PodDisruptionBudget": {"pdb"}, "PriorityClass": {"pc"}, "ReplicaSet": {"rs"},
	"Service": {"svc"}, "ServiceAccount": {"sa"}, "StatefulSet": {"sts"}, "StorageClass": {"sc"}, "Gateway": {"gtw"}, "GatewayClass": {"gc"},
	"GatewayParameters": {"gwp"}, "VerticalPodAutoscaler": {"vpa"}, "ServiceMonitor": {"smon"}, "PodMonitor": {"pmon"},
}

// isType says whether an object is of a type as kubectl takes it: a name alone, name.group or name.version.group.
func isType(x *unstructured.Unstructured, typ string) bool {
	name, rest, qualified := strings.Cut(strings.ToLower(typ), ".")
	gvk := x.GroupVersionKind()
	if qualified && rest != gvk.Group && rest != gvk.Version+"."+gvk.Group && rest != gvk.Version {
		return false
	}
	kind := strings.ToLower(gvk.Kind)
	return name == kind || name == plural(kind) || slices.Contains(shortNames[gvk.Kind], name)
}

func plural(kind string) string {
	switch {
	case strings.HasSuffix(kind, "parameters"), strings.HasSuffix(kind, "endpoints"):
		return kind
	case strings.HasSuffix(kind, "s"), strings.HasSuffix(kind, "x"):
		return kind + "es"
	case strings.HasSuffix(kind, "y") && !strings.HasSuffix(kind, "ey") && !strings.HasSuffix(kind, "ay"):
		return strings.TrimSuffix(kind, "y") + "ies"
	}
	return kind + "s"
}

// find looks an object up in a snapshot, in the given namespace or, if none is given, in whichever has it.
func find(snap *snapshot.Snapshot, typ, namespace, name string) (*unstructured.Unstructured, error) {
	var found *unstructured.Unstructured
	var where, others []string
	for _, x := range snap.Objects {
		if !isType(x, typ) || namespace != "" && x.GetNamespace() != "" && x.GetNamespace() != namespace {
			continue
		}
		if x.GetName() != name {
			others = append(others, x.GetName())
			continue
		}
		found = x
		where = append(where, x.GetNamespace())
	}
	switch {
	case len(where) > 1:
		slices.Sort(where)
		return nil, fmt.Errorf("there is a %s/%s in the namespaces %s: choose one with -n", typ, name, strings.Join(where, ", "))
	case found != nil:
		return found, nil
	}
	text := fmt.Sprintf("the snapshot holds no %s/%s", typ, name)
	if namespace != "" {
		text += " in namespace " + namespace
	}
	if slices.Sort(others); len(others) > 0 {
		text += "; it holds " + strings.Join(others[:min(len(others), 10)], ", ")
	}
	return nil, errors.New(text)
}

// releaseOf gathers the facts of the release that has the object; nil if none has it.
func (o *WhyOptions) releaseOf(snap *snapshot.Snapshot, live *unstructured.Unstructured, y *printer.Why) (*analysis.Facts, error) {
	scope := o.Scope
	name, namespace := helmOwner(live)
	scope.Namespace = ""
	names := []string{name}
	if name == "" {
		names = nil
		for _, r := range snap.Records() {
			names = append(names, r.Name)
		}
		for _, o := range gitops.Unrecorded(snap) {
			names = append(names, o.Release)
		}
	}
	inputs, report, err := scope.inputs(snap, names)
	if err != nil && o.Chart != "" {
		return nil, err // else it says that no release is there
	}
	for _, in := range inputs {
		mine := in.Release.Name == name && in.Release.Namespace == namespace
		if !mine && (name != "" || !has(in, live)) {
			continue
		}
		y.Release, y.Revision = in.Release.Namespace+"/"+in.Release.Name, in.Release.Revision
		y.Incomplete = unread(report.Incomplete, in.Release.Name)
		in.Only = values.Keys("") // no value is to be judged
		return analysis.Gather(in)
	}
	for _, i := range report.Incomplete {
		if name == "" || i.Release == name {
			y.Incomplete = append(y.Incomplete, i)
		}
	}
	if name != "" && len(y.Incomplete) == 0 {
		y.Incomplete = append(y.Incomplete, finding.Incomplete{What: "release " + namespace + "/" + name, Why: "Helm says that it has the object, but its record was not found", Release: name, Fatal: true})
	}
	return nil, nil
}

// unread are the gaps that the answer about an object of the release may have: the decision itself needs none of them.
func unread(gaps []finding.Incomplete, release string) []finding.Incomplete {
	var out []finding.Incomplete
	for _, g := range gaps {
		if g.Release == release || g.Release == "" && strings.HasPrefix(g.What, "pods ") {
			g.Fatal = false
			out = append(out, g)
		}
	}
	return out
}

// has says whether the object is one of the release's: by its record, or by what Argo CD says that it applied.
func has(in analysis.Input, live *unstructured.Unstructured) bool {
	if in.Record == nil {
		return slices.ContainsFunc(in.Owner.Objects(), func(a gitops.AppliedObject) bool {
			return a.GVK.GroupKind() == live.GroupVersionKind().GroupKind() && a.Name == live.GetName() && a.Namespace == live.GetNamespace()
		})
	}
	return slices.ContainsFunc(stored(in), func(r rendering.Object) bool { return same(r, live, in.Release.Namespace) })
}

// stored are the objects of the release's record; none without a record.
func stored(in analysis.Input) []rendering.Object {
	if in.Record == nil {
		return nil
	}
	objects, _ := rendering.ParseManifest("", in.Record.Release.Manifest)
	return objects
}

// same says whether a rendered object is the live one.
func same(r rendering.Object, live *unstructured.Unstructured, releaseNamespace string) bool {
	group, _, found := strings.Cut(r.APIVersion, "/")
	if !found {
		group = ""
	}
	at := live.GetNamespace()
	return r.Kind == live.GetKind() && r.Name == live.GetName() && group == live.GroupVersionKind().Group &&
		(at == "" || at == cmp.Or(r.Namespace, releaseNamespace))
}

// explain finds who decides the field. It says whether the chart renders the field.
func explain(f *analysis.Facts, live *unstructured.Unstructured, steps []deciders.Step, exists bool, y *printer.Why) bool {
	is := func(o rendering.Object) bool { return same(o, live, f.Release.Namespace) }
	there := false
	look := func(o rendering.Object) {
		if field, v, found := deciders.Resolve(o.Content, steps); found {
			y.Rendered, there = v, true
			if !exists {
				y.Field = field
			}
		}
	}
	i := slices.IndexFunc(f.StoredObjects, is)
	if i >= 0 {
		look(f.StoredObjects[i])
	}
	if f.World == nil {
		y.Incomplete = append(y.Incomplete, finding.Incomplete{What: "values of release " + y.Release, Why: f.ReproductionReason, Release: f.Release.Name, Fatal: true})
		return there
	}
	if f.Reproduction == analysis.Mismatch {
		y.Incomplete = append(y.Incomplete, finding.Incomplete{What: "release " + y.Release, Why: f.ReproductionReason, Release: f.Release.Name})
	}
	objects := f.World.Baseline().Objects()
	k := slices.IndexFunc(objects, is)
	if k < 0 {
		y.Note = "the chart does not render this object with these values"
		return there
	}
	if i < 0 {
		look(objects[k])
	}
	field := deciders.Written(objects[k].Content, steps)
	target, _, _ := deciders.Find(f.World, objects[k].Object, field)
	chain, whole := deciders.Of(f.World, f.Reading, target)
	if !whole {
		y.Incomplete = append(y.Incomplete, finding.Incomplete{What: "field " + y.Field, Why: "the bound on renderings was met before every value had been tried", Release: f.Release.Name})
	}
	for _, d := range chain {
		y.Chain = append(y.Chain, link(f, d))
	}
	place := deciders.Locate(f.World, target)
	y.Written = words(place)
	if !slices.ContainsFunc(chain, func(d deciders.Decider) bool { return d.Role == deciders.Content }) {
		y.Note = undecided(place, there, f.Reading.Opaque[target.File] != "")
	}
	return there
}

func link(f *analysis.Facts, d deciders.Decider) printer.Link {
	out := printer.Link{Path: d.Path.String(), Value: d.Value, Role: string(d.Role), Decides: d.Decides && d.Role == deciders.Content}
	if len(d.After) > 0 {
		out.After = d.After.String()
	}
	_, given := values.Get(f.Supplied, d.Path)
	_, preset := values.Get(f.World.Defaults(), d.Path)
	switch {
	case given:
		out.Origin = fmt.Sprintf("given in revision %d", f.Release.Revision)
	case preset:
		out.Origin = "preset by the chart"
	default:
		out.Origin = "not set"
	}
	if d.Read != nil {
		out.Template, out.Stack = d.Read.Site.String(), sites(d.Read.Stack)
	}
	return out
}

func words(p deciders.Place) string {
	switch {
	case p.Text == "":
		return ""
	case p.Sure:
		return p.Site.String() + "  " + p.Text
	}
	return "about " + p.Site.String() + "  " + p.Text
}

// undecided says why no value decides a field.
func undecided(p deciders.Place, rendered, opaque bool) string {
	switch {
	case !rendered:
		return "no value decides it: the chart does not render it; it is a default of the API server, or somebody else wrote it"
	case p.Text != "" && p.Literal:
		return "no value decides it: the template has it fixed"
	case opaque:
		return "no value was found that decides it, in a template that could not be followed to its end"
	case p.Text != "":
		return "no value decides it: the template makes it of something else, such as the release's name or the chart's version"
	}
	return "no value decides it"
}

// stray is said of an object that no release has.
func stray(x *unstructured.Unstructured, incomplete []finding.Incomplete) string {
	text := "no release has this object"
	if len(incomplete) > 0 {
		text = "no release that could be read has this object"
	}
	var owners []string
	for _, r := range x.GetOwnerReferences() {
		owners = append(owners, r.Kind+"/"+r.Name)
	}
	if len(owners) > 0 {
		text += "; it belongs to " + strings.Join(owners, ", ")
	}
	return text
}
