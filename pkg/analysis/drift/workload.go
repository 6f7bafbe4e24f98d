package drift

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Workload is a live Deployment, StatefulSet or DaemonSet with what it runs.
type Workload struct {
	Object     *unstructured.Unstructured
	ReplicaSet *unstructured.Unstructured   // in charge: of the newest revision; nil for other kinds, or if it was not read
	Pods       []*unstructured.Unstructured // all of the workload's Pods that are neither finished nor going away
	Current    []*unstructured.Unstructured // those made from the template in charge
	Old        []OldReplicaSet              // older ones that still have Pods

	PodsRead bool // false: the Pods could not be read, and their number says nothing
	snap     *snapshot.Snapshot
}

// OldReplicaSet is a ReplicaSet of an older revision, or for other kinds than Deployments an older template.
type OldReplicaSet struct {
	Name     string
	Revision string
	Pods     []*unstructured.Unstructured
}

// IsWorkload says whether objects of the kind run Pods from a template.
func IsWorkload(kind string) bool {
	return slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, kind)
}

// Running finds a workload and what it runs; nil if the snapshot does not hold it, or it is of another kind.
func Running(live *snapshot.Snapshot, object finding.Object) *Workload {
	if live == nil || !IsWorkload(object.Kind) {
		return nil
	}
	x := live.Get(object.Kind+".apps", object.Namespace, object.Name)
	if x == nil {
		return nil
	}
	w := &Workload{Object: x, snap: live}
	if object.Kind == "Deployment" {
		w.deployment()
	} else {
		w.revisions()
	}
	w.PodsRead = w.podsRead()
	return w
}

func (w *Workload) deployment() {
	var sets []*unstructured.Unstructured
	for _, rs := range w.snap.Kind("ReplicaSet.apps") {
		if w.owner(rs, w.Object) {
			sets = append(sets, rs)
		}
	}
	slices.SortStableFunc(sets, func(a, b *unstructured.Unstructured) int { return cmp.Compare(revision(b), revision(a)) })
	for i, rs := range sets {
		pods := w.ownedPods(rs)
		w.Pods = append(w.Pods, pods...)
		if i == 0 {
			w.ReplicaSet, w.Current = rs, pods
		} else if len(pods) > 0 {
			w.Old = append(w.Old, OldReplicaSet{rs.GetName(), rs.GetAnnotations()[revisionKey], pods})
		}
	}
}

const revisionKey = "deployment.kubernetes.io/revision"

func revision(o *unstructured.Unstructured) int {
	n, _ := strconv.Atoi(o.GetAnnotations()[revisionKey]) // none: the oldest
	return n
}

// revisions sorts the Pods of a StatefulSet or DaemonSet, which are labelled with the template they were made from.
func (w *Workload) revisions() {
	w.Pods = w.ownedPods(w.Object)
	newest, _, _ := unstructured.NestedString(w.Object.Object, "status", "updateRevision")
	label := "controller-revision-hash"
	if w.Object.GetKind() == "DaemonSet" {
		newest, label = w.Object.GetAnnotations()["deprecated.daemonset.template.generation"], "pod-template-generation"
	}
	old := map[string][]*unstructured.Unstructured{}
	for _, p := range w.Pods {
		if was := p.GetLabels()[label]; newest == "" || was == "" || was == newest {
			w.Current = append(w.Current, p)
		} else {
			old[was] = append(old[was], p)
		}
	}
	for was, pods := range old {
		w.Old = append(w.Old, OldReplicaSet{Revision: was, Pods: pods})
	}
	slices.SortFunc(w.Old, func(a, b OldReplicaSet) int { return strings.Compare(a.Revision, b.Revision) })
}

func (w *Workload) ownedPods(owner *unstructured.Unstructured) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, p := range w.snap.Kind("Pod.") {
		phase, _, _ := unstructured.NestedString(p.Object, "status", "phase")
		if w.owner(p, owner) && phase != "Succeeded" && phase != "Failed" && p.GetDeletionTimestamp() == nil {
			out = append(out, p)
		}
	}
	return out
}

// owner says whether one object is controlled by another, by uid; by kind and name where a snapshot made by hand has
// no uid.
func (w *Workload) owner(o, owner *unstructured.Unstructured) bool {
	if o.GetNamespace() != owner.GetNamespace() {
		return false
	}
	return slices.ContainsFunc(ownerIDs(o), func(id ownerID) bool {
		if id.uid != "" && owner.GetUID() != "" {
			return id.uid == owner.GetUID()
		}
		return id.kind == owner.GetKind() && id.name == owner.GetName()
	})
}

type ownerID struct {
	uid        types.UID
	kind, name string
}

func ownerIDs(o *unstructured.Unstructured) []ownerID {
	var out []ownerID
	for _, r := range o.GetOwnerReferences() {
		if r.Controller == nil || *r.Controller {
			out = append(out, ownerID{r.UID, r.Kind, r.Name})
		}
	}
	return out
}

// podsRead says whether the Pods were looked at: a snapshot that was made by hand, or without the right to list them,
// may hold none although there are some.
func (w *Workload) podsRead() bool {
	s := &sights{Snapshot: w.snap}
	if s.listFailed("Pod") || w.Object.GetKind() == "Deployment" && s.listFailed("ReplicaSet") {
		return false
	}
	return w.snap.Header.TakenAt != "" || len(w.Pods) > 0 || number(w.Object, "status", "replicas") == 0 && w.Object.GetKind() != "DaemonSet"
}

// number reads a whole number of any Go type; 0 if there is none.
func number(o *unstructured.Unstructured, path ...string) int64 {
	v, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	switch n := v.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	case int:
		return int64(n)
	}
	return 0
}

// Seen is one field of a workload, as it is in the workload, in the ReplicaSet in charge and in the Pods.
type Seen struct {
	Live       any           // rendering.Absent{} where the field is not there
	ReplicaSet any           // nil: there is none, or the field is not one of the template
	Pods       *finding.Pods // nil: the field is not one of the template, or the Pods were not read
}

// Value looks a field up, given as in the workload: spec.template.spec.containers[x].image. Pods match if they carry
// want there.
func (w *Workload) Value(field string, want any) Seen {
	out := Seen{Live: lookup(w.Object, field)}
	inPod, ok := podField(field)
	if !ok {
		return out
	}
	if w.ReplicaSet != nil {
		out.ReplicaSet = lookup(w.ReplicaSet, field)
	}
	if !w.PodsRead {
		return out
	}
	out.Pods = &finding.Pods{Total: len(w.Pods)}
	for _, p := range w.Pods {
		if Same("v1", "Pod", inPod, want, lookup(p, inPod)) {
			out.Pods.Matching++
		}
	}
	return out
}

// PodValue is a value that a field has in some of the Pods.
type PodValue struct {
	Value any // rendering.Absent{} where the field is not there
	Pods  int
}

// PodValues groups the workload's Pods by what they have in a field of its template, most Pods first; nil if the field
// is not one of the template, or the Pods were not read.
func (w *Workload) PodValues(field string) []PodValue {
	inPod, ok := podField(field)
	if !ok || !w.PodsRead {
		return nil
	}
	var out []PodValue
	for _, p := range w.Pods {
		v := lookup(p, inPod)
		i := slices.IndexFunc(out, func(o PodValue) bool { return Same("v1", "Pod", inPod, o.Value, v) })
		if i < 0 {
			i, out = len(out), append(out, PodValue{Value: v})
		}
		out[i].Pods++
	}
	slices.SortStableFunc(out, func(a, b PodValue) int { return cmp.Compare(b.Pods, a.Pods) })
	return out
}

func lookup(o *unstructured.Unstructured, field string) any {
	if v, found := rendering.Lookup(o.Object, field); found {
		return v
	}
	return rendering.Absent{}
}

// podField is where a field of a workload's template stands in its Pods.
func podField(field string) (string, bool) {
	for _, part := range []string{"spec.", "metadata.labels", "metadata.annotations"} {
		if rest, ok := strings.CutPrefix(field, "spec.template."); ok && strings.HasPrefix(rest, part) {
			return rest, true
		}
	}
	return "", false
}

// Behind lists the fields of the newest template that some Pods do not carry: those made from another one, or all if
// no ReplicaSet has it yet.
func (w *Workload) Behind() []string {
	var out []string
	for _, u := range w.templateBehind() {
		out = append(out, u.field)
	}
	template, _, _ := unstructured.NestedMap(w.Object.Object, "spec", "template")
	s := schemaOf("v1", "Pod")
	for _, old := range w.Old {
		for _, u := range compare("", s, map[string]any{"spec": template["spec"], "metadata": marks(template)}, old.Pods[0].Object) {
			if !u.defaulted {
				out = append(out, "spec.template."+u.field)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// marks are the labels and annotations of a template.
func marks(template map[string]any) map[string]any {
	meta, _ := template["metadata"].(map[string]any)
	out := map[string]any{}
	for _, k := range []string{"labels", "annotations"} {
		if v := meta[k]; v != nil {
			out[k] = v
		}
	}
	return out
}

// Read gives another object of the workload's namespace that the snapshot holds; nil if it does not.
func (w *Workload) Read(kind, name string) *unstructured.Unstructured {
	return w.snap.Get(kind, w.Object.GetNamespace(), name)
}

// Ready counts the Pods that take requests.
func (o OldReplicaSet) Ready() int {
	n := 0
	for _, p := range o.Pods {
		if conditionOf(p, "Ready").status == "True" {
			n++
		}
	}
	return n
}

// Newest is when the newest template came into being, RFC 3339; empty where only the Pods would tell.
func (w *Workload) Newest() string {
	if w.ReplicaSet == nil {
		return ""
	}
	return made(w.ReplicaSet)
}
