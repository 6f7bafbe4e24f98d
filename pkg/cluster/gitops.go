package cluster

import (
	"cmp"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// ownerKinds are the objects that keep releases.
var ownerKinds = map[gitops.Tool]schema.GroupVersionKind{
	gitops.Flux:   {Group: "helm.toolkit.fluxcd.io", Version: "v2", Kind: "HelmRelease"},
	gitops.ArgoCD: {Group: "argoproj.io", Version: "v1alpha1", Kind: "Application"},
}

// mark is what Flux or Argo CD left on what was read of a release so far. Without one nothing more is asked.
func (v *visit) mark(f found) gitops.Mark {
	var manifests []string
	for _, r := range f.records {
		if r.Release != nil {
			manifests = append(manifests, r.Release.Manifest)
		}
	}
	m := gitops.ManifestMark(manifests...)
	for i := range v.deployments.items {
		if d := &v.deployments.items[i]; m.Name == "" && owner(d) == f.releaseKey {
			m = gitops.MarkOf(d)
		}
	}
	return m
}

// owner plans to read the object that keeps a release, then what it refers to: one round trip more.
func (l *plan) owner(f found) {
	m := l.mark(f)
	if m.Name == "" {
		return
	}
	k, exists := l.kinds.find(ownerKinds[m.Tool])
	if !exists {
		l.unkept(f, m, "the cluster has no such kind")
		return
	}
	l.do("owner "+string(m.Tool)+" "+m.Namespace+"/"+m.Name, func() {
		x, err := l.ownerObject(k, m)
		if x == nil {
			l.noOwner(f, m, k, err)
			return
		}
		l.add(x)
		if m.Tool == gitops.Flux {
			l.references(f, x)
		} else if len(f.records) == 0 {
			l.applied(f, x)
		}
	})
}

// ownerObject gets the object; an Application whose namespace is not known from Argo CD's own, else from any.
func (l *plan) ownerObject(k kind, m gitops.Mark) (*unstructured.Unstructured, error) {
	namespace := m.Namespace
	if namespace == "" {
		namespace = gitops.ArgoNamespace
	}
	x, err := l.dynamic.Resource(k.resource).Namespace(namespace).Get(l.ctx, m.Name, metav1.GetOptions{})
	if err == nil {
		return x, nil
	}
	if m.Namespace != "" || !apierrors.IsNotFound(err) {
		return nil, err
	}
	list, listErr := l.dynamic.Resource(k.resource).List(l.ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + m.Name, Limit: 1})
	if listErr != nil || len(list.Items) == 0 {
		return nil, cmp.Or(listErr, err)
	}
	return &list.Items[0], nil
}

// noOwner records why the object is not there. One that does not exist is no gap: its absence is what there is to see.
func (l *plan) noOwner(f found, m gitops.Mark, k kind, err error) {
	if err == nil || apierrors.IsNotFound(err) {
		l.unkept(f, m, "it is not in this cluster: Argo CD may run in another one")
		return
	}
	namespace := m.Namespace
	if namespace == "" {
		namespace = gitops.ArgoNamespace
	}
	l.gap(snapshot.Gap{What: snapshot.ObjectName(ownerKinds[m.Tool].Kind, namespace, m.Name), Why: err.Error(),
		Remedy: rule(err, k.resource, "get", "list"), Release: f.name, Optional: true})
	l.unkept(f, m, err.Error())
}

// unkept says that a release which Helm has no record of cannot be known from Argo CD either.
func (l *plan) unkept(f found, m gitops.Mark, why string) {
	if len(f.records) > 0 || len(f.deployments) == 0 {
		return
	}
	l.gap(snapshot.Gap{What: "release record of " + f.namespace + "/" + f.name, Release: f.name,
		Why: "Argo CD keeps no Helm record, and its Application " + m.Name + ", which has the values, could not be read: " + why})
}

// references reads the ConfigMaps and Secrets that a HelmRelease takes values from.
func (l *plan) references(f found, x *unstructured.Unstructured) {
	refs, _, _ := unstructured.NestedSlice(x.Object, "spec", "valuesFrom")
	var all []object
	for _, r := range refs {
		ref, _ := r.(map[string]any)
		kind, _ := ref["kind"].(string)
		name, _ := ref["name"].(string)
		o := object{gvk: schema.GroupVersionKind{Version: "v1", Kind: kind}, namespace: x.GetNamespace(), name: name, release: f.name}
		if slices.Contains([]string{"ConfigMap", "Secret"}, kind) && !slices.Contains(all, o) {
			all = append(all, o)
		}
	}
	each(len(all), func(i int) {
		o, res := all[i], configMapResource
		if o.gvk.Kind == "Secret" {
			res = secretResource
		}
		got, err := l.dynamic.Resource(res).Namespace(o.namespace).Get(l.ctx, o.name, metav1.GetOptions{})
		if err == nil {
			l.add(got)
		} else if !apierrors.IsNotFound(err) {
			l.gap(snapshot.Gap{What: snapshot.ObjectName(o.gvk.Kind, o.namespace, o.name), Why: err.Error(), Remedy: rule(err, res, "get"),
				Release: o.release, Optional: true})
		}
	})
}

// applied reads the objects that Argo CD says it applied: there is no manifest in a record that would name them.
func (l *plan) applied(f found, x *unstructured.Unstructured) {
	all := gitops.Applied(x)
	each(min(len(all), manyApplied), func(i int) {
		o := object{gvk: all[i].GVK, namespace: all[i].Namespace, name: all[i].Name, release: f.name}
		k, exists := l.kinds.find(o.gvk)
		if !exists || l.once[k.resource.String()+" "+snapshot.ObjectName(o.gvk.Kind, o.namespace, o.name)] {
			return // planned already, as one of the Deployments
		}
		got, err := l.dynamic.Resource(k.resource).Namespace(o.namespace).Get(l.ctx, o.name, metav1.GetOptions{})
		switch {
		case err == nil:
			l.add(got)
			if o.isWorkload() {
				l.podsNow(o.namespace, podSelector(got.Object["spec"]), o.release)
			}
		case !apierrors.IsNotFound(err):
			l.gap(snapshot.Gap{What: snapshot.ObjectName(o.gvk.Kind, o.namespace, o.name), Why: err.Error(), Remedy: rule(err, k.resource, "get"), Release: o.release})
		}
	})
	if len(all) > manyApplied {
		l.gap(snapshot.Gap{What: "objects of release " + f.namespace + "/" + f.name, Why: "Argo CD applied more than are read", Release: f.name})
	}
}

// manyApplied is how many objects of an Application are read.
const manyApplied = 3 * manyObjects
