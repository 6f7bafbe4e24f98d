package cluster

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

const manifest = `---
# Source: kgateway/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: kgateway
spec:
  selector:
    matchLabels: {kgateway: kgateway}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kgateway
---
apiVersion: v1
kind: Service
metadata: {name: gone}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: unknown-kind}
`

type m = map[string]any

func record(namespace, release string, revision int, status, chart, manifest string) m {
	text, _ := json.Marshal(m{"name": release, "namespace": namespace, "version": revision, "manifest": manifest,
		"info": m{"status": status}, "chart": m{"metadata": m{"name": chart, "version": "1", "apiVersion": "v2"}}})
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	zip.Write(text)
	zip.Close()
	data := base64.StdEncoding.EncodeToString(b.Bytes())
	return m{"type": "helm.sh/release.v1", "data": m{"release": base64.StdEncoding.EncodeToString([]byte(data))},
		"metadata": m{"namespace": namespace, "name": fmt.Sprintf("sh.helm.release.v1.%s.v%d", release, revision),
			"labels": m{"owner": "helm", "name": release, "status": status, "version": fmt.Sprint(revision)}}}
}

func object1(namespace, name string, labels m) m {
	return m{"metadata": m{"namespace": namespace, "name": name, "labels": labels}}
}

func deployment(namespace, name, release, chart string) m {
	o := object1(namespace, name, m{"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": chart})
	o["metadata"].(m)["annotations"] = m{"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace}
	o["spec"] = m{"selector": m{"matchLabels": m{"kgateway": "kgateway"}}}
	return o
}

// installed is a cluster with a release that failed to upgrade, a proxy, and neighbours.
func installed() *server {
	proxy := deployment("shop", "gw", "", "kgateway-proxy-v2.0.0")
	proxy["metadata"].(m)["labels"].(m)["gateway.networking.k8s.io/gateway-name"] = "gw"
	s := &server{objects: map[string][]m{
		"secrets": {
			record("sys", "kgw", 1, "superseded", "kgateway", manifest), record("sys", "kgw", 2, "deployed", "kgateway", manifest),
			record("sys", "kgw", 3, "failed", "kgateway", manifest), record("sys", "edge-crds", 1, "deployed", "kgateway-crds", ""),
			record("web", "shop", 1, "deployed", "shop", ""), record("web", "not-gloo-at-all", 1, "deployed", "pot", ""),
			object1("sys", "kgw-tls", m{}),
		},
		"deployments":  {deployment("sys", "kgateway", "kgw", "kgateway-v2.0.0"), deployment("web", "shop", "shop", "shop-1.0.0"), proxy},
		"pods":         {object1("sys", "kgateway-1", m{"kgateway": "kgateway"}), object1("sys", "other", m{}), object1("shop", "gw-1", m{"gateway.networking.k8s.io/gateway-name": "gw"})},
		"replicasets":  {object1("sys", "kgateway-rs", m{"kgateway": "kgateway"})},
		"clusterroles": {object1("", "kgateway", m{})},
		"gateways":     {object1("shop", "gw", m{})},
		"horizontalpodautoscalers": {
			{"metadata": m{"namespace": "sys", "name": "hpa"}, "spec": m{"scaleTargetRef": m{"kind": "Deployment", "name": "kgateway"}}},
			{"metadata": m{"namespace": "sys", "name": "stray"}, "spec": m{"scaleTargetRef": m{"kind": "Deployment", "name": "nobody"}}},
		},
	}}
	return s
}

func names(s *snapshot.Snapshot) []string {
	var out []string
	for _, o := range s.Objects {
		out = append(out, snapshot.ObjectName(o.GetKind(), o.GetNamespace(), o.GetName()))
	}
	return out
}

func TestSnapshotHoldsTheReleasesAndWhatBelongsToThem(t *testing.T) {
	t.Parallel()
	s := installed()
	snap, err := s.start(t).Snapshot(t.Context(), Target{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ClusterRole kgateway", "Deployment shop/gw", "Deployment sys/kgateway", "Gateway shop/gw", "HorizontalPodAutoscaler sys/hpa",
		"Pod shop/gw-1", "Pod sys/kgateway-1", "ReplicaSet sys/kgateway-rs",
		"Secret sys/sh.helm.release.v1.edge-crds.v1", "Secret sys/sh.helm.release.v1.kgw.v2", "Secret sys/sh.helm.release.v1.kgw.v3"}
	if got := names(snap); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	h := snap.Header
	if len(h.Gaps) > 0 || h.ServerVersion != "v1.37.2" || h.TakenAt != "2026-01-02T03:04:05Z" ||
		!slices.Contains(h.APIVersions, "apps/v1") || !slices.Contains(h.APIVersions, "apps/v1/Deployment") || !slices.Contains(h.APIVersions, "v1/Pod") {
		t.Errorf("%+v", h)
	}
	if len(s.methods) != 1 || !s.methods[http.MethodGet] {
		t.Errorf("methods used: %v", s.methods)
	}
	if len(s.requests) > 29 {
		t.Errorf("%d requests:\n%s", len(s.requests), strings.Join(s.requests, "\n"))
	}
	for _, o := range snap.Objects {
		if o.GetAPIVersion() == "" || o.GetAPIVersion() == "meta.k8s.io/v1" {
			t.Errorf("%s has apiVersion %q", o.GetName(), o.GetAPIVersion())
		}
	}
}

func TestRequestsDoNotGrowWithTheCluster(t *testing.T) {
	t.Parallel()
	small, large := installed(), installed()
	for i := range 300 {
		name := fmt.Sprintf("app%d", i)
		large.objects["secrets"] = append(large.objects["secrets"], record("apps", name, 1, "deployed", "app", ""))
		large.objects["deployments"] = append(large.objects["deployments"], deployment("apps", name, name, "app-1.0.0"))
	}
	for _, s := range []*server{small, large} {
		if _, err := s.start(t).Snapshot(t.Context(), Target{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(small.requests) != len(large.requests) {
		t.Errorf("%d requests became %d", len(small.requests), len(large.requests))
	}
}

func TestNamedReleaseMayBeOfAnyChart(t *testing.T) {
	t.Parallel()
	s := installed()
	r := s.start(t)
	snap, err := r.Snapshot(t.Context(), Target{Releases: []string{"shop"}, RecordsOnly: true})
	if err != nil || !slices.Equal(names(snap), []string{"Secret web/sh.helm.release.v1.shop.v1"}) {
		t.Errorf("%v, %v", names(snap), err)
	}
	snap, err = r.Snapshot(t.Context(), Target{Releases: []string{"kgw"}, Revision: 1, RecordsOnly: true})
	if err != nil || !slices.Equal(names(snap), []string{"Secret sys/sh.helm.release.v1.kgw.v1"}) {
		t.Errorf("%v, %v", names(snap), err)
	}
	snap, err = r.Snapshot(t.Context(), Target{Releases: []string{"kgw"}, Revision: 9})
	if !errors.Is(err, ErrNoRelease) || !strings.Contains(err.Error(), `"kgw" has no revision 9: it has 1, 2, 3`) {
		t.Error(err)
	}
	if snap == nil || snap.Header.ServerVersion == "" {
		t.Error("without a release the header is needed all the same")
	}
	snap, err = r.Snapshot(t.Context(), Target{Releases: []string{"kgw", "nope"}})
	if err != nil || len(snap.Header.Gaps) != 1 || !strings.Contains(snap.Header.Gaps[0].What, `"nope"`) {
		t.Errorf("%v, %v", snap.Header.Gaps, err)
	}
	if _, err = r.Snapshot(t.Context(), Target{Releases: []string{"a,b"}}); !errors.Is(err, ErrNoRelease) {
		t.Error(err)
	}
}

func TestRecordsInConfigMaps(t *testing.T) {
	t.Parallel()
	s := installed()
	s.objects["configmaps"], s.objects["secrets"] = s.objects["secrets"][:3], nil
	for _, o := range s.objects["configmaps"] {
		delete(o, "type")
	}
	snap, err := s.start(t).Snapshot(t.Context(), Target{})
	if err != nil || len(snap.Records()) != 2 || len(snap.Header.Gaps) > 0 {
		t.Errorf("%v, %v, %v", names(snap), snap.Header.Gaps, err)
	}
}

func TestWithoutRightsToSecretsTheDeploymentsAreRead(t *testing.T) {
	t.Parallel()
	s := installed()
	s.forbidden = []string{"list secrets*", "get clusterroles"}
	for _, target := range []Target{{}, {Releases: []string{"kgw"}}} {
		snap, err := s.start(t).Snapshot(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		if snap.Get("Deployment", "sys", "kgateway") == nil || snap.Get("Pod", "sys", "kgateway-1") == nil {
			t.Errorf("%+v: only %v", target, names(snap))
		}
		g := snap.Header.Gaps
		if len(g) != 1 || g[0].Remedy != "rules:\n- apiGroups: [\"\"]\n  resources: [secrets]\n  verbs: [get, list]\n" {
			t.Errorf("%+v: %+v", target, g)
		}
	}
}

func TestWithoutRightsToAllNamespacesTheFallbackIsRead(t *testing.T) {
	t.Parallel()
	s := installed()
	s.forbidden = []string{"list secrets", "list deployments", "list pods", "get clusterroles"}
	snap, err := s.start(t).Snapshot(t.Context(), Target{Fallback: "sys"})
	if err != nil {
		t.Fatal(err)
	}
	if len(snap.Records()) != 3 || snap.Get("Pod", "sys", "kgateway-1") == nil {
		t.Errorf("only %v", names(snap))
	}
	var what []string
	for _, g := range snap.Header.Gaps {
		what = append(what, g.What)
		if g.Optional != strings.HasSuffix(g.What, "in all namespaces") {
			t.Errorf("optional: %v, of %s", g.Optional, g.What)
		}
	}
	want := []string{"ClusterRole kgateway", "Deployments installed by Helm in all namespaces", "Helm release records (Secrets) in all namespaces",
		"proxies' deployments in all namespaces", "proxies' pods in all namespaces"}
	if !slices.Equal(what, want) {
		t.Errorf("gaps %q", what)
	}
	if snap.Unread("ClusterRole", "", "kgateway") == nil {
		t.Error("nobody can tell that the ClusterRole was not read from that it is not there")
	}
}

func TestNothingFoundSaysWhereItLooked(t *testing.T) {
	t.Parallel()
	s := &server{}
	_, err := s.start(t).Snapshot(t.Context(), Target{Namespace: "empty"})
	if !errors.Is(err, ErrNoRelease) || !strings.Contains(err.Error(), "in namespace empty") || !strings.Contains(err.Error(), "--namespace") {
		t.Error(err)
	}
	s = &server{forbidden: []string{"list secrets*"}}
	_, err = s.start(t).Snapshot(t.Context(), Target{})
	if !errors.Is(err, ErrNoRelease) || !apierrors.IsForbidden(err) {
		t.Error("the missing right is not told:", err)
	}
}

func TestFirstContact(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	r, _ := New(&rest.Config{Host: gone.URL})
	if _, err := r.Snapshot(t.Context(), Target{}); err == nil || !strings.Contains(err.Error(), "contact the API server at "+gone.URL) {
		t.Error(err)
	}
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }))
	defer locked.Close()
	r, _ = New(&rest.Config{Host: locked.URL})
	if _, err := r.Snapshot(t.Context(), Target{}); !apierrors.IsUnauthorized(err) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := installed().start(t).Snapshot(ctx, Target{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestServersWithoutAggregatedDiscovery(t *testing.T) {
	t.Parallel()
	s, old := installed(), installed()
	old.old = true
	a, err1 := s.start(t).Snapshot(t.Context(), Target{})
	b, err2 := old.start(t).Snapshot(t.Context(), Target{})
	if err1 != nil || err2 != nil || !slices.Equal(names(a), names(b)) || !slices.Equal(a.Header.APIVersions, b.Header.APIVersions) {
		t.Errorf("%v %v\n%q\n%q", err1, err2, a.Header.APIVersions, b.Header.APIVersions)
	}
}

func TestManyObjectsAreListed(t *testing.T) {
	t.Parallel()
	s := installed()
	var text strings.Builder
	for i := range 150 {
		fmt.Fprintf(&text, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d}\n", i)
		s.objects["services"] = append(s.objects["services"], object1("sys", fmt.Sprint("s", i), m{"app.kubernetes.io/managed-by": "Helm"}))
	}
	s.objects["services"] = append(s.objects["services"], object1("sys", "foreign", m{"app.kubernetes.io/managed-by": "Helm"}))
	s.objects["secrets"] = []m{record("sys", "kgw", 1, "deployed", "kgateway", text.String())}
	snap, err := s.start(t).Snapshot(t.Context(), Target{})
	if err != nil || len(snap.Kind("Service")) != 150 || s.count("/services/") > 0 {
		t.Errorf("%v: %d services", err, len(snap.Kind("Service")))
	}
}

func TestDefinitionsAreNamedWithoutParsing(t *testing.T) {
	t.Parallel()
	o, ok := definition("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  annotations:\n    a: b\n  name: x.y.z\nspec: {}\n")
	if !ok || o.name != "x.y.z" {
		t.Errorf("%+v", o)
	}
}

func TestChartName(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{"kgateway-v2.0.0": "kgateway", "kgateway-crds-v2.0.0-rc.1": "kgateway-crds", "gloo-1.18.0": "gloo",
		"kgateway-proxy-v2.0.0": "kgateway-proxy", "kgateway-proxy": "kgateway-proxy", "a": "a", "": ""} {
		if got := chartName(label); got != want {
			t.Errorf("chartName(%q) = %q, want %q", label, got, want)
		}
	}
}
