// Package snapshot is everything read from one cluster at one moment.
//
// It is pure data: plain Kubernetes objects and one header. It can be saved, mailed, replayed, and made by hand
// with kubectl.
package snapshot

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// APIVersion and Kind name the doctor's own object in a snapshot.
const (
	APIVersion = "kgw-doctor/v1"
	Kind       = "Snapshot"
)

// Header is the doctor's own object in a snapshot. All of it is empty in a snapshot made with kubectl.
type Header struct {
	ServerVersion string   `json:"serverVersion,omitempty"` // as kubectl version prints it: v1.37.2
	APIVersions   []string `json:"apiVersions,omitempty"`   // as Helm's Capabilities.APIVersions: apps/v1 and apps/v1/Deployment
	TakenAt       string   `json:"takenAt,omitempty"`       // RFC 3339
	Namespace     string   `json:"namespace,omitempty"`     // that was looked in; empty: all
	Context       string   `json:"context,omitempty"`       // of the kubeconfig
	Gaps          []Gap    `json:"gaps,omitempty"`
	Masked        bool     `json:"masked,omitempty"` // secret-like values were replaced: see Redact
}

// Gap is one thing that could not be read.
type Gap struct {
	What    string `json:"what"`              // "Deployment ns/name" for one object, else words: "pods in namespace ns"
	Why     string `json:"why"`               // the API server's words
	Remedy  string `json:"remedy,omitempty"`  // the RBAC rule as YAML, or a flag
	Release string `json:"release,omitempty"` // that the thing belongs to; empty: any

	Optional bool `json:"optional,omitempty"` // the answer holds without it: something else was read instead
}

// Snapshot is what was read. Its objects are shared with those who ask for them: nobody changes them.
type Snapshot struct {
	Header  Header
	Objects []*unstructured.Unstructured
}

// Get finds an object by kind, namespace and name; nil if the snapshot does not hold it. The kind may carry a
// group, Gateway.gateway.networking.k8s.io, where its name alone could mean several.
func (s *Snapshot) Get(kind, namespace, name string) *unstructured.Unstructured {
	for _, o := range s.Objects {
		if o.GetName() == name && o.GetNamespace() == namespace && isKind(o, kind) {
			return o
		}
	}
	return nil
}

// Kind lists the objects of some kinds, sorted by kind, namespace and name.
func (s *Snapshot) Kind(kinds ...string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, o := range s.Objects {
		if slices.ContainsFunc(kinds, func(k string) bool { return isKind(o, k) }) {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, byName)
	return out
}

// Unread gives the gap that says why this one object is not in the snapshot; nil if there is none, that is, if
// the object was not there, or nobody asked for it.
func (s *Snapshot) Unread(kind, namespace, name string) *Gap {
	what := ObjectName(kind, namespace, name)
	for i, g := range s.Header.Gaps {
		if g.What == what {
			return &s.Header.Gaps[i]
		}
	}
	return nil
}

// ObjectName is how gaps and records name an object: Kind namespace/name.
func ObjectName(kind, namespace, name string) string {
	if namespace == "" {
		return kind + " " + name
	}
	return kind + " " + namespace + "/" + name
}

func isKind(o *unstructured.Unstructured, kind string) bool {
	kind, group, qualified := strings.Cut(kind, ".")
	return o.GetKind() == kind && (!qualified || o.GroupVersionKind().Group == group)
}

func byName(a, b *unstructured.Unstructured) int {
	return cmp.Or(
		cmp.Compare(a.GetKind(), b.GetKind()),
		cmp.Compare(a.GetNamespace(), b.GetNamespace()),
		cmp.Compare(a.GetName(), b.GetName()),
		cmp.Compare(a.GetAPIVersion(), b.GetAPIVersion()),
	)
}
