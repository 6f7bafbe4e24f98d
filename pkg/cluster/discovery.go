package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// kinds are the kinds that the API server knows, from one request to /api and one to /apis.
type kinds struct {
	versions []string // as Helm's Capabilities.APIVersions, sorted
	known    map[schema.GroupKind][]kind
	aliases  []alias         // in the server's order
	partial  map[string]bool // groups that the server itself could not ask
	err      error           // nothing is known: resources are guessed
}

type kind struct {
	resource   schema.GroupVersionResource
	namespaced bool
}

// aggregated asks for all groups with all their resources in one answer: Kubernetes 1.27 and newer, older ones answer
// with the last form.
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

// groupList reads the aggregated answer, k8s.io/api/apidiscovery/v2, and the two older ones.
type groupList struct {
	Kind  string `json:"kind"`
	Items []struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
		Versions []struct {
			Version   string     `json:"version"`
			Freshness string     `json:"freshness"`
			Resources []resource `json:"resources"`
		} `json:"versions"`
	} `json:"items"`
	Versions []string          `json:"versions"` // kind APIVersions, at /api
	Groups   []metav1.APIGroup `json:"groups"`   // kind APIGroupList, at /apis
}

type resource struct {
	Resource     string                  `json:"resource"`
	ResponseKind metav1.GroupVersionKind `json:"responseKind"`
	Scope        string                  `json:"scope"`
	Singular     string                  `json:"singularResource"`
	ShortNames   []string                `json:"shortNames"`
	Subresources []struct {
		ResponseKind metav1.GroupVersionKind `json:"responseKind"`
	} `json:"subresources"`
}

// discover asks for both roots at the same time.
func (r *Reader) discover(ctx context.Context) kinds {
	k := kinds{known: map[schema.GroupKind][]kind{}, partial: map[string]bool{}}
	roots := []string{"/api", "/apis"}
	answers, errs := make([]groupList, len(roots)), make([]error, len(roots))
	each(len(roots), func(i int) { errs[i] = r.getJSON(ctx, roots[i], aggregated, &answers[i]) })
	for i := range roots {
		if errs[i] != nil {
			k.err = fmt.Errorf("discover the API: %w", errs[i])
			continue
		}
		k.aggregated(answers[i])
	}
	if old := oldVersions(answers); len(old) > 0 {
		r.discoverEach(ctx, old, &k)
	}
	slices.Sort(k.versions)
	k.versions = slices.Compact(k.versions)
	return k
}

func (k *kinds) aggregated(l groupList) {
	for _, g := range l.Items {
		for _, v := range g.Versions {
			gv := schema.GroupVersion{Group: g.Metadata.Name, Version: v.Version}
			if v.Freshness == "Stale" {
				k.partial[gv.Group] = true
				continue // as Helm does
			}
			k.versions = append(k.versions, gv.String())
			for _, res := range v.Resources {
				k.add(gv, res.Resource, res.ResponseKind.Kind, res.Scope == "Namespaced", append(res.ShortNames, res.Singular)...)
				for _, sub := range res.Subresources {
					k.version(gv, sub.ResponseKind.Kind)
				}
			}
		}
	}
}

func (k *kinds) add(gv schema.GroupVersion, resource, name string, namespaced bool, others ...string) {
	k.version(gv, name)
	gk := schema.GroupKind{Group: gv.Group, Kind: name}
	found := kind{gv.WithResource(resource), namespaced}
	k.known[gk] = append(k.known[gk], found)
	k.aliases = append(k.aliases, alias{found, append(others, resource, strings.ToLower(name))})
}

// version adds group/version/Kind, of subresources too, as Helm does.
func (k *kinds) version(gv schema.GroupVersion, name string) {
	if name != "" {
		k.versions = append(k.versions, path.Join(gv.String(), name))
	}
}

// oldVersions are the group versions of a server that does not aggregate.
func oldVersions(answers []groupList) []string {
	var out []string
	for _, a := range answers {
		out = append(out, a.Versions...)
		for _, g := range a.Groups {
			for _, v := range g.Versions {
				out = append(out, v.GroupVersion)
			}
		}
	}
	return out
}

// discoverEach asks for every group version by itself: one more round trip, before Kubernetes 1.27 only.
func (r *Reader) discoverEach(ctx context.Context, versions []string, k *kinds) {
	lists, errs := make([]metav1.APIResourceList, len(versions)), make([]error, len(versions))
	each(len(versions), func(i int) {
		at := "/apis/" + versions[i]
		if versions[i] == "v1" {
			at = "/api/v1"
		}
		errs[i] = r.getJSON(ctx, at, "application/json", &lists[i])
	})
	for i, version := range versions {
		gv, err := schema.ParseGroupVersion(version)
		if err != nil {
			continue
		}
		k.versions = append(k.versions, version)
		if errs[i] != nil {
			k.partial[gv.Group] = true
			continue
		}
		for _, res := range lists[i].APIResources {
			if path.Base(res.Name) != res.Name {
				k.version(gv, res.Kind)
				continue
			}
			k.add(gv, res.Name, res.Kind, res.Namespaced, append(res.ShortNames, res.SingularName)...)
		}
	}
}

// find maps a kind to its resource, in the version asked for or in the server's preferred one. Without an answer to
// discovery it is guessed; exists is false if the server surely has no such kind, so no such object either.
func (k *kinds) find(gvk schema.GroupVersionKind) (found kind, exists bool) {
	all := k.known[gvk.GroupKind()]
	for _, k := range all {
		if k.resource.Version == gvk.Version {
			return k, true
		}
	}
	if len(all) > 0 {
		return all[0], true
	}
	if k.err == nil && !k.partial[gvk.Group] {
		return kind{}, false
	}
	guess, _ := meta.UnsafeGuessKindToResource(gvk)
	return kind{guess, !slices.Contains(clusterKinds, gvk.Kind)}, true
}

// clusterKinds are the kinds without namespace that charts use.
var clusterKinds = []string{"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "GatewayClass", "Namespace", "PriorityClass",
	"StorageClass", "IngressClass", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy",
	"ValidatingAdmissionPolicyBinding", "APIService", "PersistentVolume", "ClusterIssuer",
	"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "Node"}

func (r *Reader) getJSON(ctx context.Context, at, accept string, into any) error {
	text, err := r.raw.Get().AbsPath(at).SetHeader("Accept", accept).Do(ctx).Raw()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read the API server's answer to %s: %w", at, err)
	}
	return nil
}
