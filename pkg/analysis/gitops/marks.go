package gitops

import (
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Mark is what a tool leaves on the objects that it applies.
type Mark struct {
	Tool      Tool
	Name      string // of the HelmRelease or Application
	Namespace string // "" if the mark does not say it
	By        string // in words
}

// Flux's helm-controller labels every rendered object, and the release record holds the manifest with these labels.
// Source: fluxcd/helm-controller internal/postrender/common_renderer.go, originLabels.
const (
	fluxName      = "helm.toolkit.fluxcd.io/name"
	fluxNamespace = "helm.toolkit.fluxcd.io/namespace"
)

// Argo CD tracks by annotation (the default since 3.0) or by label.
// Source: argo-cd docs/user-guide/resource_tracking.md.
const (
	trackingID    = "argocd.argoproj.io/tracking-id"
	instanceLabel = "app.kubernetes.io/instance"
	argoManager   = "argocd-controller"
)

// IsOrigin says whether a key of labels is written by a tool's post-renderer on all that it installs.
func IsOrigin(key string) bool { return key == fluxName || key == fluxNamespace }

// MarkOf reads the mark on one object.
func MarkOf(x metav1.Object) Mark {
	labels := x.GetLabels()
	if name := labels[fluxName]; name != "" {
		return Mark{Flux, name, labels[fluxNamespace], "label " + fluxName}
	}
	return argoMark(x)
}

// argoMark reads a tracking annotation, APP:GROUP/KIND:NAMESPACE/NAME, or the label if Argo CD is a writer of the object:
// charts set that label themselves. An Application outside of Argo CD's own namespace is called NAMESPACE_NAME.
// Source: argo-cd util/argo/resource_tracking.go; pkg/apis/application/v1alpha1, InstanceName.
func argoMark(x metav1.Object) Mark {
	m := Mark{Tool: ArgoCD}
	if id, _, ok := strings.Cut(x.GetAnnotations()[trackingID], ":"); ok && id != "" {
		m.Name, m.By = id, "annotation "+trackingID
	} else if label := x.GetLabels()[instanceLabel]; label != "" && writes(x, argoManager) {
		m.Name, m.By = label, "field manager "+argoManager
	} else {
		return Mark{}
	}
	if namespace, name, ok := strings.Cut(m.Name, "_"); ok { // no name of Kubernetes has an underscore
		m.Namespace, m.Name = namespace, name
	}
	return m
}

func writes(x metav1.Object, manager string) bool {
	for _, m := range x.GetManagedFields() {
		if m.Manager == manager && m.Subresource == "" {
			return true
		}
	}
	return false
}

var fluxLabels = regexp.MustCompile(`(?m)^ +helm\.toolkit\.fluxcd\.io/(name|namespace): ["']?([^\s"']+)`)

// ManifestMark reads Flux's mark in the manifests of release records, without parsing them.
func ManifestMark(manifests ...string) Mark {
	for _, text := range manifests {
		if !strings.Contains(text, fluxName) {
			continue
		}
		m := Mark{Tool: Flux, By: "label " + fluxName + " in the release record"}
		for _, found := range fluxLabels.FindAllStringSubmatch(text, -1) {
			if found[1] == "name" && m.Name == "" {
				m.Name = found[2]
			} else if found[1] == "namespace" && m.Namespace == "" {
				m.Namespace = found[2]
			}
		}
		if m.Name != "" {
			return m
		}
	}
	return Mark{}
}

// liveMark reads the marks on the live objects of a release; Flux's counts before Argo CD's, which may only keep the
// HelmRelease.
func liveMark(snap *snapshot.Snapshot, namespace, name string) Mark {
	var marks []Mark
	for _, x := range snap.Objects {
		a := x.GetAnnotations()
		if a["meta.helm.sh/release-name"] != name || a["meta.helm.sh/release-namespace"] != namespace {
			continue
		}
		if m := MarkOf(x); m.Name != "" {
			marks = append(marks, m)
		}
	}
	for _, tool := range []Tool{Flux, ArgoCD} {
		if i := slices.IndexFunc(marks, func(m Mark) bool { return m.Tool == tool }); i >= 0 {
			return marks[i]
		}
	}
	return Mark{}
}
