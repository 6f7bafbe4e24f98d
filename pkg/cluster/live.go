package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// manyObjects is how many objects of one release are still read one by one.
const manyObjects = 100

// live is the last round trip: the objects of the manifests, the ReplicaSets and Pods of their workloads, what
// scales them, and the data plane; all at the same time.
func (v *visit) live(ctx context.Context, releases []found) {
	l := &plan{visit: v, ctx: ctx, once: map[string]bool{}}
	dataPlane := ""
	for _, f := range releases {
		if ours := f.controlPlane(); ours {
			dataPlane = f.namespace
		}
		l.release(f)
		l.owner(f)
	}
	if dataPlane != "" {
		l.dataPlane(dataPlane)
		l.definitions()
	}
	each(len(l.jobs), func(i int) { l.jobs[i]() })
	v.addScalers(l.scalers)
}

// controlPlane says whether the release runs a controller of Gateways.
func (f found) controlPlane() bool {
	return len(f.deployments) > 0 || slices.ContainsFunc(f.records, func(r snapshot.Record) bool {
		return r.Release != nil && slices.Contains([]string{"kgateway", "agentgateway"}, r.Release.Chart.Name())
	})
}

// plan is the requests to make.
type plan struct {
	*visit
	ctx  context.Context
	jobs []func()
	once map[string]bool // jobs planned, by what they read

	scaled  sync.Mutex
	scalers []*unstructured.Unstructured
}

func (l *plan) do(key string, job func()) {
	if !l.once[key] {
		l.once[key] = true
		l.jobs = append(l.jobs, job)
	}
}

func (l *plan) release(f found) {
	var all []object
	for _, r := range f.records {
		if r.Release != nil {
			all = append(all, objects(r.Release.Manifest, r.Name)...)
		}
	}
	for _, d := range f.deployments {
		all = append(all, object{gvk: deploymentResource.GroupVersion().WithKind("Deployment"), namespace: d.Namespace, name: d.Name, release: f.name})
	}
	many := len(all) > manyObjects
	wanted := map[string]bool{}
	for _, o := range all {
		k, exists := l.kinds.find(o.gvk)
		if !exists {
			continue // no such kind, so no such object: its absence is what there is to see
		}
		o.namespace = cmp.Or(o.namespace, f.namespace)
		if !k.namespaced {
			o.namespace = ""
		}
		wanted[snapshot.ObjectName(o.gvk.Kind, o.namespace, o.name)] = true
		if many && o.gvk.Kind != "Secret" {
			l.list(k.resource, o.namespace, "app.kubernetes.io/managed-by=Helm", o.release, func(x *unstructured.Unstructured) bool {
				return wanted[snapshot.ObjectName(x.GetKind(), x.GetNamespace(), x.GetName())]
			})
		} else {
			l.get(k.resource, o)
		}
		if o.isWorkload() {
			l.workload(o)
		}
	}
}

// get reads one object. One that is not there is no gap: its absence is what there is to see.
func (l *plan) get(res schema.GroupVersionResource, o object) {
	what := snapshot.ObjectName(o.gvk.Kind, o.namespace, o.name)
	l.do(res.String()+" "+what, func() {
		x, err := l.dynamic.Resource(res).Namespace(o.namespace).Get(l.ctx, o.name, metav1.GetOptions{})
		switch {
		case err == nil:
			l.add(x)
			if o.isWorkload() && o.pods == "" {
				l.podsNow(o.namespace, podSelector(x.Object["spec"]), o.release)
			}
		case !apierrors.IsNotFound(err):
			l.gap(snapshot.Gap{What: what, Why: err.Error(), Remedy: rule(err, res, "get"), Release: o.release})
		}
	})
}

var (
	podResource        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	replicaSetResource = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}
	serviceResource    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
)

// workload plans what belongs to a Deployment, StatefulSet or DaemonSet.
func (l *plan) workload(o object) {
	if o.pods != "" {
		l.list(podResource, o.namespace, o.pods, o.release, nil)
		l.list(replicaSetResource, o.namespace, o.pods, o.release, nil)
	}
	l.scale(o.namespace, o.release)
}

// podsNow is for a workload whose selector only the live object tells: one round trip more.
func (l *plan) podsNow(namespace, selector, release string) {
	if selector == "" {
		return
	}
	together(
		func() { l.add(l.listNow(podResource, namespace, selector, release)...) },
		func() { l.add(l.listNow(replicaSetResource, namespace, selector, release)...) },
	)
}

// list plans a list by label; keep nil keeps all.
func (l *plan) list(res schema.GroupVersionResource, namespace, selector, release string, keep func(*unstructured.Unstructured) bool) {
	l.do(res.String()+" "+namespace+" "+selector+" "+release, func() {
		for _, x := range l.listNow(res, namespace, selector, release) {
			if keep == nil || keep(x) {
				l.add(x)
			}
		}
	})
}

// listNow lists page by page. What fails is a gap, and what came before it is given.
func (l *plan) listNow(res schema.GroupVersionResource, namespace, selector, release string) []*unstructured.Unstructured {
	items, err := l.pagesOf(res, namespace, selector)
	if err != nil && !apierrors.IsNotFound(err) {
		l.gap(snapshot.Gap{What: res.Resource + " " + where(namespace), Why: err.Error(), Remedy: rule(err, res, "list"), Release: release})
	}
	return items
}

func (l *plan) pagesOf(res schema.GroupVersionResource, namespace, selector string) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	options := metav1.ListOptions{LabelSelector: selector, Limit: page}
	for {
		list, err := l.dynamic.Resource(res).Namespace(namespace).List(l.ctx, options)
		if err != nil {
			return out, err
		}
		for i := range list.Items {
			out = append(out, &list.Items[i])
		}
		if options.Continue = list.GetContinue(); options.Continue == "" {
			return out, nil
		}
	}
}

// dataPlaneKinds are what a Gateway's proxy is made from.
var dataPlaneKinds = []schema.GroupVersionKind{
	{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "GatewayClass"},
	{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "Gateway"},
	{Group: "gateway.kgateway.dev", Version: "v1alpha1", Kind: "GatewayParameters"},
	{Group: "agentgateway.dev", Version: "v1alpha1", Kind: "AgentgatewayParameters"},
}

// dataPlane plans the Gateways of all namespaces, since a control plane serves them all, with their parameters and
// proxies. Where that is forbidden the namespace of the control plane is read, and a gap says so.
func (l *plan) dataPlane(namespace string) {
	if _, exists := l.kinds.find(dataPlaneKinds[1]); !exists {
		return // no Gateways, so no proxies
	}
	for _, gvk := range dataPlaneKinds {
		if k, exists := l.kinds.find(gvk); exists && l.kinds.err == nil {
			l.everywhere(k, "", namespace)
		}
	}
	for _, res := range []schema.GroupVersionResource{deploymentResource, replicaSetResource, podResource, serviceResource} {
		l.everywhere(kind{res, true}, "gateway.networking.k8s.io/gateway-name", namespace)
	}
}

func (l *plan) everywhere(k kind, selector, fallback string) {
	l.do("everywhere "+k.resource.String(), func() {
		items, err := l.pagesOf(k.resource, "", selector)
		if err != nil && !apierrors.IsNotFound(err) {
			why := err.Error()
			if apierrors.IsForbidden(err) && k.namespaced {
				why = fmt.Sprintf("%v; looked in namespace %s instead", err, fallback)
			}
			what := k.resource.Resource
			if selector != "" {
				what = "proxies' " + what
			}
			l.gap(snapshot.Gap{What: what + " in all namespaces", Why: why, Remedy: rule(err, k.resource, "get", "list"),
				Optional: apierrors.IsForbidden(err)})
			if apierrors.IsForbidden(err) && k.namespaced {
				items, _ = l.pagesOf(k.resource, fallback, selector) // the gap is told
			}
		}
		l.add(items...)
	})
}
