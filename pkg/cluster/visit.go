package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// visit is one Snapshot in the making. Its methods may run in parallel; the mutex guards what they add.
type visit struct {
	*Reader
	target Target

	mu   sync.Mutex
	snap snapshot.Snapshot
	seen map[string]bool // objects in snap, by name

	kinds       kinds
	secrets     listing // metadata of release records
	deployments listing // metadata of what Helm installed
	crdOwners   []releaseKey
}

const (
	page     = 500
	parallel = 16
)

// each runs do for 0 ≤ i < n, at most 16 at a time.
func each(n int, do func(i int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			do(i)
			<-slots
		})
	}
	wg.Wait()
}

// together runs the functions at the same time.
func together(dos ...func()) {
	each(len(dos), func(i int) { dos[i]() })
}

func (v *visit) add(objects ...*unstructured.Unstructured) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, o := range objects {
		key := o.GroupVersionKind().GroupKind().String() + " " + o.GetNamespace() + "/" + o.GetName()
		if !v.seen[key] {
			v.seen[key] = true
			v.snap.Objects = append(v.snap.Objects, o)
		}
	}
}

func (v *visit) gap(g snapshot.Gap) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Contains(v.snap.Header.Gaps, g) {
		v.snap.Header.Gaps = append(v.snap.Header.Gaps, g)
	}
}

// sort makes the snapshot the same whatever answer came first.
func (v *visit) sort() {
	slices.SortFunc(v.snap.Objects, func(a, b *unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(a.GetKind(), b.GetKind()), cmp.Compare(a.GetNamespace(), b.GetNamespace()),
			cmp.Compare(a.GetName(), b.GetName()), cmp.Compare(a.GetAPIVersion(), b.GetAPIVersion()))
	})
	slices.SortFunc(v.snap.Header.Gaps, func(a, b snapshot.Gap) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Release, b.Release), cmp.Compare(a.Why, b.Why))
	})
}

// rule is what an administrator adds to a Role or ClusterRole; empty unless rights are what is missing.
func rule(err error, res schema.GroupVersionResource, verbs ...string) string {
	if !apierrors.IsForbidden(err) {
		return ""
	}
	return fmt.Sprintf("rules:\n- apiGroups: [%q]\n  resources: [%s]\n  verbs: [%s]\n", res.Group, res.Resource, strings.Join(verbs, ", "))
}

// where says which namespace a list is of.
func where(namespace string) string {
	if namespace == "" {
		return "in all namespaces"
	}
	return "in namespace " + namespace
}

// listing is a list of metadata, and how it came about.
type listing struct {
	items     []metav1.PartialObjectMetadata
	namespace string // that was listed in the end
	err       error  // of that
	gaps      []snapshot.Gap
}

// listMetadata lists as tryMetadata does, and records the gaps.
func (v *visit) listMetadata(ctx context.Context, res schema.GroupVersionResource, selector, what string) listing {
	l := v.tryMetadata(ctx, res, selector, what)
	for _, g := range l.gaps {
		v.gap(g)
	}
	return l
}

// tryMetadata lists page by page, in all namespaces or, where that is forbidden, in the fallback.
func (v *visit) tryMetadata(ctx context.Context, res schema.GroupVersionResource, selector, what string) listing {
	l := listing{namespace: v.target.Namespace}
	l.items, l.err = v.pages(ctx, res, l.namespace, selector)
	if apierrors.IsForbidden(l.err) && l.namespace == "" && v.target.Fallback != "" {
		l.gaps = append(l.gaps, snapshot.Gap{What: what + " in all namespaces",
			Why:    fmt.Sprintf("%v; looked in namespace %s instead", l.err, v.target.Fallback),
			Remedy: rule(l.err, res, "get", "list"), Optional: true})
		l.namespace = v.target.Fallback
		l.items, l.err = v.pages(ctx, res, l.namespace, selector)
	}
	if l.err != nil {
		l.gaps = append(l.gaps, snapshot.Gap{What: what + " " + where(l.namespace), Why: l.err.Error(), Remedy: rule(l.err, res, "get", "list")})
	}
	return l
}

func (v *visit) pages(ctx context.Context, res schema.GroupVersionResource, namespace, selector string) ([]metav1.PartialObjectMetadata, error) {
	var items []metav1.PartialObjectMetadata
	options := metav1.ListOptions{LabelSelector: selector, Limit: page}
	for {
		l, err := v.metadata.Resource(res).Namespace(namespace).List(ctx, options)
		if apierrors.IsResourceExpired(err) && options.Continue != "" {
			// The list outlived its version: once more, whole.
			items, options.Continue, options.Limit = nil, "", 0
			continue
		}
		if err != nil {
			return nil, err
		}
		items = append(items, l.Items...)
		if options.Continue = l.Continue; options.Continue == "" {
			return items, nil
		}
	}
}
