package cluster

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Limits of what is read about one workload that does not roll out, and of the nodes that are asked.
const (
	manyEvents = 100 // of one object
	manyPods   = 5
	manyStuck  = 10
	manyNodes  = 20
)

// reasons is a round trip that only an installation makes that is not as it should be: what changes objects on their
// way into the cluster, and what tells why a rollout does not go on. A finding stands without it, so that what may not
// be read is an optional gap.
func (v *visit) reasons(ctx context.Context, releases []found) {
	l := &plan{visit: v, ctx: ctx, once: map[string]bool{}}
	for _, f := range releases {
		w := v.wants(f)
		if w.Mutators {
			l.mutators(w.Namespaces)
		}
		for _, s := range w.Stuck[:min(len(w.Stuck), manyStuck)] {
			l.stuck(s)
		}
		for _, n := range w.Nodes[:min(len(w.Nodes), manyNodes)] {
			l.optional("", "Node", "", n)
		}
	}
	each(len(l.jobs), func(i int) { l.jobs[i]() })
}

// wants holds what the release rendered against what was read of it.
func (v *visit) wants(f found) drift.Wanted {
	r := f.installed()
	if r == nil {
		return drift.Wanted{}
	}
	docs := slices.DeleteFunc(documentStart.Split(r.Release.Manifest, -1), definitionKind.MatchString)
	rendered, _ := rendering.ParseManifest("", strings.Join(docs, "\n---\n"))
	return drift.Wants(rendered, &v.snap, f.namespace)
}

// installed is what is diagnosed: the deployed revision or, if the first one failed, that. Nil if there is no record
// that can be read.
func (f found) installed() *snapshot.Record {
	var out *snapshot.Record
	for i := range f.records {
		if r := &f.records[i]; r.Release != nil && (out == nil || r.Status == "deployed") {
			out = r
		}
	}
	return out
}

// mutators plans what changes objects when they are stored. Kyverno's kinds are read where the API server has them.
func (l *plan) mutators(namespaces []string) {
	const admission = "admissionregistration.k8s.io"
	l.optional(admission, "MutatingWebhookConfiguration", "", "")
	l.optional(admission, "MutatingAdmissionPolicy", "", "")
	l.optional(admission, "MutatingAdmissionPolicyBinding", "", "")
	l.optional("kyverno.io", "ClusterPolicy", "", "")
	l.optional("policies.kyverno.io", "MutatingPolicy", "", "")
	for _, n := range namespaces {
		l.optional("", "Namespace", "", n)
		l.optional("", "LimitRange", n, "")
		l.optional("kyverno.io", "Policy", n, "")
	}
}

// stuck plans the events about a workload, its ReplicaSet and its Pods, and the quotas that may keep it from having more.
func (l *plan) stuck(w *drift.Workload) {
	about := []*unstructured.Unstructured{w.Object}
	if w.ReplicaSet != nil {
		about = append(about, w.ReplicaSet)
	}
	about = append(about, w.Current[:min(len(w.Current), manyPods)]...)
	for _, o := range about {
		l.events(o)
	}
	l.optional("", "ResourceQuota", w.Object.GetNamespace(), "")
}

var eventResource = schema.GroupVersionResource{Version: "v1", Resource: "events"}

func (l *plan) events(about *unstructured.Unstructured) {
	namespace := about.GetNamespace()
	l.do("events "+snapshot.ObjectName(about.GetKind(), namespace, about.GetName()), func() {
		list, err := l.dynamic.Resource(eventResource).Namespace(namespace).List(l.ctx, metav1.ListOptions{Limit: manyEvents,
			FieldSelector: "involvedObject.kind=" + about.GetKind() + ",involvedObject.name=" + about.GetName()})
		if err != nil {
			l.unanswered("events in namespace "+namespace, err, eventResource, "list")
			return
		}
		for i := range list.Items {
			l.add(&list.Items[i])
		}
	})
}

// optional plans to read one object, or with an empty name all of the kind in the namespace, or in the cluster. A kind
// that the API server does not have is passed over.
func (l *plan) optional(group, name, namespace, object string) {
	k, exists := l.kinds.find(schema.GroupVersionKind{Group: group, Version: "v1", Kind: name})
	if !exists || l.kinds.err != nil && strings.Contains(group, "kyverno") { // a guess that most clusters would not bear out
		return
	}
	verb, what := "list", k.resource.Resource+" of the cluster"
	switch {
	case object != "":
		verb, what = "get", snapshot.ObjectName(name, namespace, object)
	case namespace != "":
		what = k.resource.Resource + " in namespace " + namespace
	}
	l.do("optional "+k.resource.String()+" "+namespace+"/"+object, func() {
		var items []*unstructured.Unstructured
		var err error
		if object != "" {
			var x *unstructured.Unstructured
			if x, err = l.dynamic.Resource(k.resource).Namespace(namespace).Get(l.ctx, object, metav1.GetOptions{}); err == nil {
				items = append(items, x)
			}
		} else {
			items, err = l.pagesOf(k.resource, namespace, "")
		}
		l.add(items...)
		if err != nil && !apierrors.IsNotFound(err) {
			l.unanswered(what, err, k.resource, verb)
		}
	})
}

func (l *plan) unanswered(what string, err error, res schema.GroupVersionResource, verb string) {
	l.gap(snapshot.Gap{What: what, Why: err.Error(), Remedy: rule(err, res, verb), Optional: apierrors.IsForbidden(err)})
}
