package cluster

import (
	"slices"
	"strings"
	"testing"
)

func TestRightsAreWhatWasAsked(t *testing.T) {
	t.Parallel()
	s := installed()
	s.forbidden = []string{"get clusterroles"} // what is refused was asked for, too
	rights, snap, err := s.start(t).Rights(t.Context(), Target{Namespace: "sys", Releases: []string{"kgw"}})
	if err != nil || len(snap.Records()) != 2 {
		t.Fatalf("%v, %v", names(snap), err)
	}
	var got []string
	for _, r := range rights {
		place := "in " + r.Namespace
		if r.Namespace == "" {
			place = map[bool]string{true: "everywhere", false: "of the cluster"}[r.Namespaced]
		}
		got = append(got, strings.Join([]string{r.Verb, r.Resource + "." + r.Group, r.Name, place}, " "))
	}
	for _, want := range []string{"list secrets.  in sys", "get secrets. sh.helm.release.v1.kgw.v2 in sys", "get deployments.apps kgateway in sys",
		"list pods.  in sys", "list horizontalpodautoscalers.autoscaling  in sys", "get clusterroles.rbac.authorization.k8s.io kgateway of the cluster",
		"list gateways.gateway.networking.k8s.io  everywhere", "list gatewayclasses.gateway.networking.k8s.io  of the cluster"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among\n%s", want, strings.Join(got, "\n"))
		}
	}
	if i := slices.IndexFunc(got, func(g string) bool { return strings.Contains(g, "configmaps") }); i >= 0 {
		t.Errorf("not asked: %s", got[i])
	}
}

func TestRightOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]Right{
		"/api/v1/namespaces/ns/secrets":                              {Verb: "list", Resource: "secrets", Namespace: "ns"},
		"/apis/apps/v1/deployments":                                  {Verb: "list", Group: "apps", Resource: "deployments"},
		"/apis/apps/v1/namespaces/ns/deployments/x":                  {Verb: "get", Group: "apps", Resource: "deployments", Namespace: "ns", Name: "x"},
		"/api/v1/namespaces/ns":                                      {Verb: "get", Resource: "namespaces", Name: "ns"},
		"/k8s/clusters/c-1/apis/rbac.authorization.k8s.io/v1/roles/": {Verb: "list", Group: "rbac.authorization.k8s.io", Resource: "roles"},
	} {
		if got, ok := rightOf(path); !ok || got != want {
			t.Errorf("%s: %+v", path, got)
		}
	}
	for _, path := range []string{"/version", "/api", "/apis", "/api/v1", "/apis/apps/v1"} {
		if got, ok := rightOf(path); ok {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

// Where neither kind of record may be read, the right to one is enough.
func TestOneRefusalIsToldForTheRecords(t *testing.T) {
	t.Parallel()
	s := installed()
	s.forbidden = []string{"list secrets*", "list configmaps*"}
	snap, err := s.start(t).Snapshot(t.Context(), Target{Namespace: "sys"})
	if err != nil {
		t.Fatal(err)
	}
	if len(snap.Header.Gaps) != 1 || !strings.Contains(snap.Header.Gaps[0].Remedy, "secrets") {
		t.Errorf("gaps %+v", snap.Header.Gaps)
	}
}

func TestEveryKindOfAutoscalerIsRead(t *testing.T) {
	t.Parallel()
	s := installed()
	s.objects["scaledobjects"] = []m{
		{"metadata": m{"namespace": "sys", "name": "keda"}, "spec": m{"scaleTargetRef": m{"name": "kgateway"}}},
		{"metadata": m{"namespace": "sys", "name": "other"}, "spec": m{"scaleTargetRef": m{"name": "other"}}}}
	s.objects["verticalpodautoscalers"] = []m{{"metadata": m{"namespace": "sys", "name": "vpa"}, "spec": m{"targetRef": m{"kind": "Deployment", "name": "kgateway"}}}}
	snap, err := s.start(t).Snapshot(t.Context(), Target{Namespace: "sys"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"HorizontalPodAutoscaler sys/hpa", "ScaledObject sys/keda", "VerticalPodAutoscaler sys/vpa"} {
		if !slices.Contains(names(snap), want) {
			t.Errorf("%s is not among %q", want, names(snap))
		}
	}
	if snap.Get("ScaledObject", "sys", "other") != nil {
		t.Error("the autoscaler of another workload was kept")
	}
}
