package cluster

import (
	"slices"
	"strings"
	"testing"
)

const webManifest = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: sys}
spec: {template: {spec: {containers: [{name: a, image: "x:1"}]}}, selector: {matchLabels: {app: web}}}
`

// web is a cluster with a release of one Deployment, whose Pods are as the parts say.
func web(pods ...m) *server {
	containers := func(policy string) m {
		return m{"containers": []any{m{"name": "a", "image": "x:1", "imagePullPolicy": policy}}}
	}
	named := func(name string, more m) m {
		o := object1("sys", name, m{"app": "web", "app.kubernetes.io/managed-by": "Helm"})
		for k, v := range more {
			o[k] = v
		}
		return o
	}
	owned := func(o m, kind, owner string) m {
		o["metadata"].(m)["ownerReferences"] = []any{m{"kind": kind, "name": owner, "controller": true, "apiVersion": "apps/v1", "uid": ""}}
		return o
	}
	s := &server{objects: map[string][]m{
		"secrets": {record("sys", "web", 1, "deployed", "web", webManifest)},
		"deployments": {named("web", m{"spec": m{"replicas": int64(1), "template": m{"spec": containers("IfNotPresent")}, "selector": m{"matchLabels": m{"app": "web"}}},
			"status": m{"replicas": int64(1), "updatedReplicas": int64(1), "availableReplicas": int64(1)}})},
		"replicasets":                   {owned(named("web-1", m{"spec": m{"template": m{"spec": containers("IfNotPresent")}}}), "Deployment", "web")},
		"events":                        {object1("sys", "e", m{})},
		"resourcequotas":                {object1("sys", "q", m{})},
		"limitranges":                   {object1("sys", "l", m{}), object1("other", "l", m{})},
		"namespaces":                    {object1("", "sys", m{}), object1("", "other", m{})},
		"nodes":                         {object1("", "n1", m{}), object1("", "n2", m{}), object1("", "n3", m{})},
		"mutatingwebhookconfigurations": {object1("", "hook", m{})},
		"mutatingadmissionpolicies":     {object1("", "policy", m{})},
		"clusterpolicies":               {object1("", "pull", m{})},
	}}
	for i, p := range pods {
		policy, _ := p["policy"].(string)
		spec := containers(policy)
		spec["nodeName"] = p["node"]
		pod := owned(named("web-1-"+string(rune('a'+i)), m{"spec": spec}), "ReplicaSet", "web-1")
		if p["id"] != nil {
			pod["status"] = m{"containerStatuses": []any{m{"name": "a", "imageID": p["id"]}}}
		}
		s.objects["pods"] = append(s.objects["pods"], pod)
	}
	return s
}

// only these are read beyond what every check reads.
func TestReasonsAreReadWhereTheyAreNeeded(t *testing.T) {
	t.Parallel()
	good := m{"policy": "IfNotPresent", "node": "n1", "id": "x@sha256:" + strings.Repeat("a", 64)}
	healthy := []string{"Deployment sys/web", "Pod sys/web-1-a", "ReplicaSet sys/web-1", "Secret sys/sh.helm.release.v1.web.v1"}
	stalled := web(good)
	stalled.objects["deployments"][0]["status"] = m{"replicas": int64(0)}
	for name, c := range map[string]struct {
		server *server
		more   []string
	}{
		"all is well": {web(good), nil},
		"a Pod that admission changed": {web(m{"policy": "Never", "node": "n1"}), []string{"ClusterPolicy pull", "LimitRange sys/l",
			"MutatingAdmissionPolicy policy", "MutatingWebhookConfiguration hook", "Namespace sys"}},
		"a rollout that does not go on": {stalled, []string{"Event sys/e", "ResourceQuota sys/q"}},
		"two images of one tag": {web(good, m{"policy": "IfNotPresent", "node": "n2", "id": "x@sha256:" + strings.Repeat("b", 64)}),
			[]string{"Node n1", "Node n2", "Pod sys/web-1-b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			snap, err := c.server.start(t).Snapshot(t.Context(), Target{Releases: []string{"web"}})
			if err != nil {
				t.Fatal(err)
			}
			want := append(slices.Clone(healthy), c.more...)
			slices.Sort(want)
			if got := names(snap); !slices.Equal(got, want) || len(snap.Header.Gaps) > 0 {
				t.Errorf("got  %q\nwant %q\ngaps %v", got, want, snap.Header.Gaps)
			}
		})
	}
}

// What may not be read of the reasons is told, with the rule that would allow it, and does not spoil the answer.
func TestForbiddenReasonsAreOptional(t *testing.T) {
	t.Parallel()
	s := web(m{"policy": "Never", "node": "n1"})
	s.objects["deployments"][0]["status"] = m{"replicas": int64(0)}
	s.forbidden = []string{"list mutating*", "list limitranges*", "get namespaces", "list events*", "list resourcequotas*", "list clusterpolicies"}
	snap, err := s.start(t).Snapshot(t.Context(), Target{Releases: []string{"web"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range snap.Header.Gaps {
		got = append(got, g.What)
		if !g.Optional || !strings.Contains(g.Remedy, "rules:\n- apiGroups:") {
			t.Errorf("%+v", g)
		}
	}
	want := []string{"Namespace sys", "clusterpolicies of the cluster", "events in namespace sys", "limitranges in namespace sys",
		"mutatingadmissionpolicies of the cluster", "mutatingwebhookconfigurations of the cluster", "resourcequotas in namespace sys"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
