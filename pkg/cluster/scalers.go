package cluster

import (
	"cmp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// scalerKinds are what may decide the replicas or the resources of a workload, whoever installed it.
var scalerKinds = []schema.GroupVersionKind{
	{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"},
	{Group: "keda.sh", Version: "v1alpha1", Kind: "ScaledObject"},
	{Group: "autoscaling.k8s.io", Version: "v1", Kind: "VerticalPodAutoscaler"},
}

// scale plans the autoscalers of a namespace, of the kinds that the cluster has.
func (l *plan) scale(namespace, release string) {
	for i, gvk := range scalerKinds {
		k, exists := l.kinds.find(gvk)
		if !exists || i > 0 && l.kinds.err != nil { // guessed: only what every cluster has
			continue
		}
		l.do("scalers "+k.resource.String()+" "+namespace, func() {
			items := l.listNow(k.resource, namespace, "", release)
			l.scaled.Lock()
			defer l.scaled.Unlock()
			l.scalers = append(l.scalers, items...)
		})
	}
}

// addScalers keeps the autoscalers whose target is in the snapshot.
func (v *visit) addScalers(scalers []*unstructured.Unstructured) {
	for _, s := range scalers {
		field := "scaleTargetRef"
		if s.GetKind() == "VerticalPodAutoscaler" {
			field = "targetRef"
		}
		kind, _, _ := unstructured.NestedString(s.Object, "spec", field, "kind")
		name, _, _ := unstructured.NestedString(s.Object, "spec", field, "name")
		if v.snap.Get(cmp.Or(kind, "Deployment"), s.GetNamespace(), name) != nil { // KEDA's default
			v.add(s)
		}
	}
}
