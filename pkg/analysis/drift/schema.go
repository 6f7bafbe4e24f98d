package drift

import (
	"reflect"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// builtin gives the Go types of Kubernetes' own kinds, by group/Kind. They say which fields there are, which of them
// are quantities, and by which key the items of a list are told apart. Other kinds are compared without a type.
var builtin = map[string]reflect.Type{
	"/ConfigMap":             reflect.TypeFor[corev1.ConfigMap](),
	"/LimitRange":            reflect.TypeFor[corev1.LimitRange](),
	"/Namespace":             reflect.TypeFor[corev1.Namespace](),
	"/PersistentVolumeClaim": reflect.TypeFor[corev1.PersistentVolumeClaim](),
	"/Pod":                   reflect.TypeFor[corev1.Pod](),
	"/ResourceQuota":         reflect.TypeFor[corev1.ResourceQuota](),
	"/Secret":                reflect.TypeFor[corev1.Secret](),
	"/Service":               reflect.TypeFor[corev1.Service](),
	"/ServiceAccount":        reflect.TypeFor[corev1.ServiceAccount](),
	"admissionregistration.k8s.io/MutatingWebhookConfiguration":   reflect.TypeFor[admissionv1.MutatingWebhookConfiguration](),
	"admissionregistration.k8s.io/ValidatingWebhookConfiguration": reflect.TypeFor[admissionv1.ValidatingWebhookConfiguration](),
	"admissionregistration.k8s.io/ValidatingAdmissionPolicy":      reflect.TypeFor[admissionv1.ValidatingAdmissionPolicy](),
	"apps/DaemonSet":                               reflect.TypeFor[appsv1.DaemonSet](),
	"apps/Deployment":                              reflect.TypeFor[appsv1.Deployment](),
	"apps/ReplicaSet":                              reflect.TypeFor[appsv1.ReplicaSet](),
	"apps/StatefulSet":                             reflect.TypeFor[appsv1.StatefulSet](),
	"autoscaling/HorizontalPodAutoscaler":          reflect.TypeFor[autoscalingv2.HorizontalPodAutoscaler](),
	"batch/CronJob":                                reflect.TypeFor[batchv1.CronJob](),
	"batch/Job":                                    reflect.TypeFor[batchv1.Job](),
	"networking.k8s.io/Ingress":                    reflect.TypeFor[networkingv1.Ingress](),
	"networking.k8s.io/IngressClass":               reflect.TypeFor[networkingv1.IngressClass](),
	"networking.k8s.io/NetworkPolicy":              reflect.TypeFor[networkingv1.NetworkPolicy](),
	"policy/PodDisruptionBudget":                   reflect.TypeFor[policyv1.PodDisruptionBudget](),
	"rbac.authorization.k8s.io/ClusterRole":        reflect.TypeFor[rbacv1.ClusterRole](),
	"rbac.authorization.k8s.io/ClusterRoleBinding": reflect.TypeFor[rbacv1.ClusterRoleBinding](),
	"rbac.authorization.k8s.io/Role":               reflect.TypeFor[rbacv1.Role](),
	"rbac.authorization.k8s.io/RoleBinding":        reflect.TypeFor[rbacv1.RoleBinding](),
	"scheduling.k8s.io/PriorityClass":              reflect.TypeFor[schedulingv1.PriorityClass](),
	"storage.k8s.io/StorageClass":                  reflect.TypeFor[storagev1.StorageClass](),
}

// Types that are written as one scalar.
var (
	quantityType = reflect.TypeFor[resource.Quantity]()
	intOrString  = reflect.TypeFor[intstr.IntOrString]()
	timeType     = reflect.TypeFor[metav1.Time]()
	microTime    = reflect.TypeFor[metav1.MicroTime]()
	durationType = reflect.TypeFor[metav1.Duration]()
	rawType      = reflect.TypeFor[runtime.RawExtension]()
	bytesType    = reflect.TypeFor[[]byte]()
)

// schema is what is known of one field. The zero schema is that of a field of unknown type.
type schema struct {
	typ     reflect.Type // nil: not known
	pointer bool         // false and 0 are values of their own, not the absence of one
	key     string       // merge key of the list's items
	set     bool         // a list without order
}

// schemaOf gives the schema of a kind's objects, or the unknown one.
func schemaOf(apiVersion, kind string) schema {
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		group = ""
	}
	return schema{typ: builtin[group+"/"+kind]}
}

// ZeroDiffers says whether the API tells a field that is left out from one that is false, 0 or empty: its Go type is a
// pointer. It is false of types that are not known.
func ZeroDiffers(apiVersion, kind, field string) bool {
	return schemaOf(apiVersion, kind).at(field).pointer
}

// field gives the schema of a key; known is false if objects of this type have no such field.
func (s schema) field(key string) (out schema, known bool) {
	switch {
	case s.typ == nil || s.typ == rawType:
		return schema{}, true
	case s.typ.Kind() == reflect.Map:
		return elem(s.typ.Elem()), true
	case s.typ.Kind() != reflect.Struct || scalar(s.typ):
		return schema{}, true // a table where a scalar belongs: the API server refuses it
	}
	return structField(s.typ, key)
}

func structField(t reflect.Type, key string) (schema, bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" && (f.Anonymous || strings.Contains(options, "inline")) && f.Type.Kind() == reflect.Struct {
			if out, known := structField(f.Type, key); known {
				return out, true
			}
		}
		if name != key {
			continue
		}
		out := elem(f.Type)
		out.key = f.Tag.Get("patchMergeKey")
		out.set = sets[key]
		return out, true
	}
	return schema{}, false
}

// sets are lists of scalars in which the order means nothing to the API.
var sets = map[string]bool{"finalizers": true, "accessModes": true, "loadBalancerSourceRanges": true, "externalIPs": true, "policyTypes": true}

// item gives the schema of a list's items.
func (s schema) item() schema {
	if s.typ == nil || s.typ.Kind() != reflect.Slice {
		return schema{}
	}
	return elem(s.typ.Elem())
}

func elem(t reflect.Type) schema {
	if t.Kind() == reflect.Pointer {
		return schema{typ: t.Elem(), pointer: true}
	}
	return schema{typ: t}
}

func scalar(t reflect.Type) bool {
	switch t {
	case quantityType, intOrString, timeType, microTime, durationType, bytesType:
		return true
	}
	return false
}

// at finds the schema of a field of an object; the unknown one if there is no such field.
func (s schema) at(field string) schema {
	for _, step := range parseField(field) {
		if step.item {
			s = s.item()
			continue
		}
		next, known := s.field(step.key)
		if !known {
			return schema{}
		}
		s = next
	}
	return s
}
