package cluster

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// gatewaysCRD is the definition whose annotations tell the version and the channel of the Gateway API.
const gatewaysCRD = "gateways.gateway.networking.k8s.io"

var crdKind = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}

// definitions plans the definitions of the kinds that proxies are made from: whole where their schema is compared with
// what the controller reads, and of the Gateway API the metadata. The answer holds without them.
func (l *plan) definitions() {
	for i, gvk := range dataPlaneKinds[2:] {
		if _, exists := l.kinds.find(gvk); !exists || l.kinds.err != nil {
			continue
		}
		what := snapshot.ObjectName(crdKind.Kind, "", crdNames[i])
		l.do(crdResource.String()+" "+what, func() {
			x, err := l.dynamic.Resource(crdResource).Get(l.ctx, crdNames[i], metav1.GetOptions{})
			l.definition(what, x, err)
		})
	}
	what := snapshot.ObjectName(crdKind.Kind, "", gatewaysCRD)
	l.do(crdResource.String()+" "+what, func() {
		m, err := l.metadata.Resource(crdResource).Get(l.ctx, gatewaysCRD, metav1.GetOptions{})
		l.definition(what, bare(m), err)
	})
}

func (l *plan) definition(what string, x *unstructured.Unstructured, err error) {
	switch {
	case err == nil:
		l.add(x)
	case !apierrors.IsNotFound(err):
		l.gap(snapshot.Gap{What: what, Why: err.Error(), Remedy: rule(err, crdResource, "get"), Optional: true})
	}
}

// bare is an object of which only the name, the labels and the annotations are known.
func bare(m *metav1.PartialObjectMetadata) *unstructured.Unstructured {
	x := &unstructured.Unstructured{Object: map[string]any{}}
	if m == nil {
		return x
	}
	x.SetGroupVersionKind(crdKind)
	x.SetName(m.Name)
	x.SetLabels(m.Labels)
	x.SetAnnotations(m.Annotations)
	return x
}
