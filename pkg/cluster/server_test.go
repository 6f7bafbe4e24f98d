package cluster

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
)

// server is an API server of a few objects. It answers gets and lists, whole or as metadata, and keeps a record.
type server struct {
	objects   map[string][]map[string]any // by resource
	forbidden []string                    // prefixes of "get secrets ns", "list pods" (all namespaces)
	old       bool                        // no aggregated discovery

	mu       sync.Mutex
	requests []string
	methods  map[string]bool
}

// resources are group version, resource, Kind, scope.
var resources = [][4]string{
	{"v1", "secrets", "Secret", "Namespaced"}, {"v1", "configmaps", "ConfigMap", "Namespaced"}, {"v1", "pods", "Pod", "Namespaced"},
	{"v1", "services", "Service", "Namespaced"}, {"apps/v1", "deployments", "Deployment", "Namespaced"},
	{"apps/v1", "replicasets", "ReplicaSet", "Namespaced"}, {"rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", "Cluster"},
	{"autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "Namespaced"},
	{"keda.sh/v1alpha1", "scaledobjects", "ScaledObject", "Namespaced"}, {"autoscaling.k8s.io/v1", "verticalpodautoscalers", "VerticalPodAutoscaler", "Namespaced"},
	{"apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", "Cluster"},
	{"v1", "events", "Event", "Namespaced"}, {"v1", "limitranges", "LimitRange", "Namespaced"}, {"v1", "resourcequotas", "ResourceQuota", "Namespaced"},
	{"v1", "namespaces", "Namespace", "Cluster"}, {"v1", "nodes", "Node", "Cluster"},
	{"admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "Cluster"},
	{"admissionregistration.k8s.io/v1beta1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", "Cluster"},
	{"kyverno.io/v1", "clusterpolicies", "ClusterPolicy", "Cluster"},
	{"helm.toolkit.fluxcd.io/v2", "helmreleases", "HelmRelease", "Namespaced"}, {"argoproj.io/v1alpha1", "applications", "Application", "Namespaced"},
	{"gateway.networking.k8s.io/v1", "gateways", "Gateway", "Namespaced"}, {"gateway.networking.k8s.io/v1", "gatewayclasses", "GatewayClass", "Cluster"},
}

func (s *server) start(t *testing.T) *Reader {
	t.Helper()
	s.methods = map[string]bool{}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	r, err := New(&rest.Config{Host: web.URL})
	if err != nil {
		t.Fatal(err)
	}
	r.Now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	return r
}

func (s *server) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.methods[q.Method] = true
	s.requests = append(s.requests, q.URL.Path+"?"+q.URL.RawQuery)
	w.Header().Set("Content-Type", "application/json")
	answer := func(v any) { json.NewEncoder(w).Encode(v) }
	fail := func(code int, reason metav1.StatusReason) {
		w.WriteHeader(code)
		answer(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: int32(code), Reason: reason,
			Message: strings.ToLower(string(reason)) + ": " + q.URL.Path})
	}
	switch q.URL.Path {
	case "/version":
		answer(map[string]any{"major": "1", "minor": "37", "gitVersion": "v1.37.2"})
		return
	case "/api", "/apis":
		answer(s.discovery(q.URL.Path))
		return
	}
	steps := strings.Split(strings.Trim(q.URL.Path, "/"), "/")
	gv := steps[1]
	steps = steps[2:]
	if strings.HasPrefix(q.URL.Path, "/apis/") {
		gv += "/" + steps[0]
		steps = steps[1:]
	}
	if len(steps) == 0 {
		answer(s.resourceList(gv))
		return
	}
	namespace, name := "", ""
	if steps[0] == "namespaces" && len(steps) > 2 {
		namespace, steps = steps[1], steps[2:]
	}
	verb := "list"
	if len(steps) > 1 {
		verb, name = "get", steps[1]
	}
	asked := strings.TrimSpace(verb + " " + steps[0] + " " + namespace)
	if slices.ContainsFunc(s.forbidden, func(f string) bool {
		return f == asked || strings.HasSuffix(f, "*") && strings.HasPrefix(asked, f[:len(f)-1])
	}) {
		fail(403, metav1.StatusReasonForbidden)
		return
	}
	i := slices.IndexFunc(resources, func(r [4]string) bool { return r[0] == gv && r[1] == steps[0] })
	if i < 0 {
		fail(404, metav1.StatusReasonNotFound)
		return
	}
	metaOnly := strings.Contains(q.Header.Get("Accept"), "PartialObjectMetadata")
	selector, err := labels.Parse(q.URL.Query().Get("labelSelector"))
	if err != nil {
		fail(400, metav1.StatusReasonBadRequest)
		return
	}
	items := []any{}
	for _, o := range s.objects[steps[0]] {
		m := o["metadata"].(map[string]any)
		set := labels.Set{}
		if l, ok := m["labels"].(map[string]any); ok {
			for k, v := range l {
				set[k] = v.(string)
			}
		}
		ns, _ := m["namespace"].(string)
		if namespace != "" && ns != namespace || name != "" && m["name"] != name || !selector.Matches(set) {
			continue
		}
		out := map[string]any{"metadata": m, "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata"}
		if !metaOnly {
			out = o
			out["apiVersion"], out["kind"] = gv, resources[i][2]
		}
		if name != "" {
			answer(out)
			return
		}
		items = append(items, out)
	}
	switch {
	case name != "":
		fail(404, metav1.StatusReasonNotFound)
	case metaOnly:
		answer(map[string]any{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": map[string]any{}, "items": items})
	default:
		answer(map[string]any{"apiVersion": gv, "kind": resources[i][2] + "List", "metadata": map[string]any{}, "items": items})
	}
}

func (s *server) discovery(root string) any {
	groups := map[string][]any{}
	for _, r := range resources {
		group, version := "", r[0]
		if i := strings.Index(r[0], "/"); i > 0 {
			group, version = r[0][:i], r[0][i+1:]
		}
		if (root == "/api") != (group == "") {
			continue
		}
		groups[group+" "+version] = append(groups[group+" "+version], map[string]any{"resource": r[1], "scope": r[3],
			"responseKind": map[string]any{"group": group, "version": version, "kind": r[2]}})
	}
	if s.old && root == "/api" {
		return map[string]any{"kind": "APIVersions", "versions": []string{"v1"}}
	}
	items, old := []any{}, []any{}
	for gv, list := range groups {
		group, version, _ := strings.Cut(gv, " ")
		items = append(items, map[string]any{"metadata": map[string]any{"name": group},
			"versions": []any{map[string]any{"version": version, "freshness": "Current", "resources": list}}})
		old = append(old, map[string]any{"name": group, "versions": []any{map[string]any{"groupVersion": group + "/" + version, "version": version}}})
	}
	if s.old {
		return map[string]any{"kind": "APIGroupList", "groups": old}
	}
	return map[string]any{"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items}
}

func (s *server) resourceList(gv string) any {
	list := []any{}
	for _, r := range resources {
		if r[0] == gv {
			list = append(list, map[string]any{"name": r[1], "kind": r[2], "namespaced": r[3] == "Namespaced"})
		}
	}
	return map[string]any{"kind": "APIResourceList", "groupVersion": gv, "resources": list}
}

// count counts the requests whose text holds the part.
func (s *server) count(part string) int {
	n := 0
	for _, r := range s.requests {
		if strings.Contains(r, part) {
			n++
		}
	}
	return n
}
