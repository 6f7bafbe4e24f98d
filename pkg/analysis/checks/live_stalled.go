package checks

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Reasons of the kubelet and the scheduler, by what of the template they are about.
var (
	imageReasons = []string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
	crashReasons = []string{"CrashLoopBackOff", "RunContainerError", "StartError"}
)

// blocking is the field of the template that the reason is about; empty where it is about none, or about several.
func blocking(w runningWorkload, r drift.Rollout) string {
	container := "spec.template.spec.containers[" + r.Container + "]"
	switch {
	case r.Container == "" && r.Reason == "Unschedulable":
		for _, f := range []string{"nodeSelector", "affinity"} {
			if given, found, _ := unstructured.NestedMap(w.Object.Object, "spec", "template", "spec", f); found && len(given) > 0 {
				return "spec.template.spec." + f
			}
		}
	case r.Container != "" && slices.Contains(imageReasons, r.Reason):
		return container + ".image"
	case r.Container != "" && r.Reason == "Unhealthy" && strings.Contains(r.Message, "Startup probe"):
		return container + ".startupProbe"
	case r.Container != "" && r.Reason == "Unhealthy":
		return container + ".readinessProbe"
	}
	return ""
}

// askedFor names the value that decides a field which the Pods do carry: what was asked for is what does not work.
func askedFor(f *analysis.Facts, x *finding.Finding, field finding.Field) {
	paths := deciders(f, field)
	for _, e := range f.Effects {
		if slices.Contains(paths, e.Path.String()) {
			x.Facts = append(x.Facts, finding.Fact{Label: "value", Text: masked(e) + " decides " + field.Field})
		}
	}
	if len(paths) == 1 {
		x.ValuePath = paths[0]
	}
}

// blocker says who keeps the rollout from going on, as far as that is an object or a person.
func blocker(w runningWorkload, r drift.Rollout) string {
	if r.By == "" {
		return ""
	}
	kind, name, _ := strings.Cut(r.By, "/")
	if kind != "ResourceQuota" {
		return r.By
	}
	quota := w.Read("ResourceQuota.", name)
	if quota == nil {
		return r.By
	}
	hard, _, _ := unstructured.NestedStringMap(quota.Object, "status", "hard")
	used, _, _ := unstructured.NestedStringMap(quota.Object, "status", "used")
	var parts []string
	for what, limit := range hard {
		parts = append(parts, fmt.Sprintf("%s %s of %s used", what, used[what], limit))
	}
	slices.Sort(parts)
	return r.By + ": " + few(parts)
}

// unblock is what to look at, or to do.
func unblock(w runningWorkload, r drift.Rollout) []string {
	pod := finding.Object{Kind: "Pod", Name: r.Pod, Namespace: w.object.Namespace}
	kind, name, named := strings.Cut(r.By, "/")
	switch {
	case named && (kind == "ResourceQuota" || strings.HasSuffix(kind, "AdmissionPolicy")) && !strings.Contains(name, " "):
		o := finding.Object{Kind: kind, Name: name}
		if kind == "ResourceQuota" {
			o.Namespace = w.object.Namespace
		}
		return []string{kubectl("describe", o)}
	case r.Pod != "" && slices.Contains(crashReasons, r.Reason):
		return []string{kubectl("logs", pod) + " --container " + quote(r.Container) + " --previous", kubectl("describe", pod)}
	case r.Pod != "":
		return []string{kubectl("describe", pod)}
	case w.ReplicaSet != nil:
		return []string{kubectl("describe", finding.Object{Kind: "ReplicaSet", Name: w.ReplicaSet.GetName(), Namespace: w.object.Namespace})}
	}
	return []string{kubectl("describe", w.object)}
}
