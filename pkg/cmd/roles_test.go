package cmd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cluster"
)

var wasAsked = []cluster.Right{
	{Verb: "get", Resource: "secrets", Namespaced: true, Namespace: "ns", Name: "sh.helm.release.v1.r.v1"},
	{Verb: "list", Resource: "secrets", Namespaced: true, Namespace: "ns"},
	{Verb: "list", Resource: "pods", Namespaced: true, Namespace: "ns"},
	{Verb: "get", Resource: "services", Namespaced: true, Namespace: "elsewhere", Name: "x"},
	{Verb: "list", Group: "gateway.networking.k8s.io", Resource: "gateways", Namespaced: true},
	{Verb: "get", Group: "rbac.authorization.k8s.io", Resource: "clusterroles", Name: "system:r"},
}

// With -n: a Role for each namespace that holds something of the release, and the rest by name.
func TestRightsOfOneNamespace(t *testing.T) {
	t.Parallel()
	text := runRights(t, &told{rights: wasAsked}, "r", "-n", "ns")
	var got []string
	for _, doc := range strings.Split(text, "---\n") {
		doc, _, _ = strings.Cut(doc, "# Read only where")
		got = append(got, doc)
	}
	want := []string{`apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kgw-doctor
  namespace: ns
rules:
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list]
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways]
  verbs: [list]
`, `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kgw-doctor
  namespace: elsewhere
rules:
- apiGroups: [""]
  resources: [services]
  verbs: [get]
`, `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kgw-doctor-ns
rules:
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles]
  resourceNames: ["system:r"]
  verbs: [get]
`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever is asked, the roles are what Kubernetes reads, and allow nothing but get and list.
func TestRolesOnlyRead(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"-n", "ns"}, {"r"}, {"r", "-n", "ns"}, {"r", "s", "-A"}} {
		for _, e := range []*told{{rights: wasAsked}, {err: fmt.Errorf("%w: forbidden", errNoRecord)}} {
			text := runRights(t, e, args...)
			for _, doc := range strings.Split(text, "---\n") {
				var r rbacv1.ClusterRole
				if err := yaml.UnmarshalStrict([]byte(doc), &r); err != nil {
					t.Fatalf("%v: %v\n%s", args, err, doc)
				}
				if (r.Kind == "Role") != (r.Namespace != "") || r.Name == "" || len(r.Rules) == 0 {
					t.Errorf("%v: %s", args, doc)
				}
				for _, rule := range r.Rules {
					if verbs := strings.Join(rule.Verbs, " "); verbs != "get" && verbs != "list" && verbs != "get list" {
						t.Errorf("%v: %s", args, verbs)
					}
				}
			}
		}
	}
}

func runRights(t *testing.T, e *told, args ...string) string {
	t.Helper()
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	a := &app{streams: streams, engine: e, now: time.Now}
	if status := a.main(t.Context(), append([]string{"kubectl-kgw_doctor", "rights"}, args...)); status != Clean {
		t.Fatalf("status %d: %s", status, errOut)
	}
	return out.String()
}
