package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Wanted names one object as a user does.
type Wanted struct {
	Type      string // as kubectl takes it: deploy, deployments.apps, Deployment
	Name      string
	Namespace string // empty: whichever namespace holds one of that name
	Fallback  string // namespace to look in if all is forbidden
}

// Object reads one object, whether a release has it or not. The snapshot holds it and, if it is a workload, its
// ReplicaSets and Pods. An error is a type that the server does not know, and an object that is not there, or that is
// there in several namespaces.
func (r *Reader) Object(ctx context.Context, w Wanted) (*unstructured.Unstructured, *snapshot.Snapshot, error) {
	v := &visit{Reader: r, seen: map[string]bool{}, target: Target{Namespace: w.Namespace, Fallback: w.Fallback}}
	v.snap.Header = snapshot.Header{TakenAt: r.Now().UTC().Format(time.RFC3339), Namespace: w.Namespace, Context: r.Context}
	v.kinds = r.discover(ctx)
	if v.kinds.err != nil {
		return nil, nil, r.firstContact(v.kinds.err)
	}
	k, exists := v.kinds.named(w.Type)
	if !exists {
		return nil, nil, fmt.Errorf("the API server knows no type %q: `kubectl api-resources` lists them", w.Type)
	}
	x, err := v.one(ctx, k, w)
	if err != nil {
		return nil, nil, err
	}
	v.add(x)
	l := &plan{visit: v, ctx: ctx, once: map[string]bool{}}
	if (object{gvk: x.GroupVersionKind()}).isWorkload() {
		l.podsNow(x.GetNamespace(), podSelector(x.Object["spec"]), "")
	}
	v.sort()
	return x, &v.snap, nil
}

// one gets the object, or finds the namespace that it is in.
func (v *visit) one(ctx context.Context, k kind, w Wanted) (*unstructured.Unstructured, error) {
	resource := v.dynamic.Resource(k.resource)
	what := k.resource.Resource + "/" + w.Name
	namespace := w.Namespace
	if k.namespaced && namespace == "" {
		list, err := resource.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + w.Name})
		switch {
		case apierrors.IsForbidden(err) && w.Fallback != "":
			namespace = w.Fallback
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", what, err)
		default:
			return only(list.Items, what, w.Name)
		}
	}
	if !k.namespaced {
		namespace = ""
	}
	x, err := resource.Namespace(namespace).Get(ctx, w.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && namespace != "" {
		return nil, fmt.Errorf("there is no %s in namespace %s", what, namespace)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return x, nil
}

func only(items []unstructured.Unstructured, what, name string) (*unstructured.Unstructured, error) {
	var namespaces []string
	var found *unstructured.Unstructured
	for i := range items {
		if items[i].GetName() == name {
			found = &items[i]
			namespaces = append(namespaces, found.GetNamespace())
		}
	}
	switch len(namespaces) {
	case 0:
		return nil, fmt.Errorf("there is no %s in any namespace", what)
	case 1:
		return found, nil
	}
	slices.Sort(namespaces)
	return nil, fmt.Errorf("there is a %s in the namespaces %s: choose one with -n", what, strings.Join(namespaces, ", "))
}

// alias is a kind by the names that kubectl takes.
type alias struct {
	kind
	names []string // plural, singular, short names and kind, in lower case
}

// named finds a type as kubectl does: a name alone, name.group or name.version.group. The first that the server lists
// counts: the core group, then apps and so on, the preferred version first.
func (k *kinds) named(typ string) (kind, bool) {
	name, rest, qualified := strings.Cut(strings.ToLower(typ), ".")
	for _, a := range k.aliases {
		gv := a.resource.GroupVersion()
		if slices.Contains(a.names, name) && (!qualified || rest == gv.Group || rest == gv.Version+"."+gv.Group || rest == gv.Version) {
			return a.kind, true
		}
	}
	return kind{}, false
}
