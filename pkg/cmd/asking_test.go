package cmd

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// served are the objects of a cluster, by path of their list.
type served map[string][]map[string]any

func (s served) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	kind := func(group, resource, kind, short string) map[string]any {
		return map[string]any{"resource": resource, "singularResource": strings.ToLower(kind), "shortNames": []string{short}, "scope": "Namespaced",
			"responseKind": map[string]any{"group": group, "version": "v1", "kind": kind}}
	}
	groups := func(name string, kinds ...any) map[string]any {
		return map[string]any{"kind": "APIGroupDiscoveryList", "items": []any{map[string]any{"metadata": map[string]any{"name": name},
			"versions": []any{map[string]any{"version": "v1", "freshness": "Current", "resources": kinds}}}}}
	}
	switch q.URL.Path {
	case "/version":
		answer(map[string]any{"gitVersion": "v1.33.0"})
		return
	case "/api":
		answer(groups("", kind("", "configmaps", "ConfigMap", "cm")))
		return
	case "/apis":
		answer(groups("apps", kind("apps", "deployments", "Deployment", "deploy")))
		return
	}
	steps := strings.Split(q.URL.Path, "/")
	namespace, name := "", ""
	for i, step := range steps {
		if step == "namespaces" && i+2 < len(steps) {
			namespace, steps = steps[i+1], append(steps[:i:i], steps[i+2:]...)
			break
		}
	}
	if last := len(steps) - 1; s[strings.Join(steps, "/")] == nil && s[strings.Join(steps[:last], "/")] != nil {
		name, steps = steps[last], steps[:last]
	}
	selector, _ := labels.Parse(q.URL.Query().Get("labelSelector"))
	items := []any{}
	for _, o := range s[strings.Join(steps, "/")] {
		meta := o["metadata"].(map[string]any)
		own, _ := meta["labels"].(map[string]string)
		if namespace != "" && meta["namespace"] != namespace || name != "" && meta["name"] != name || !selector.Matches(labels.Set(own)) {
			continue
		}
		if name != "" {
			answer(o)
			return
		}
		items = append(items, o)
	}
	if name != "" || len(items) == 0 && s[strings.Join(steps, "/")] == nil {
		w.WriteHeader(http.StatusNotFound)
		answer(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404, "message": "not found"})
		return
	}
	if strings.Contains(q.Header.Get("Accept"), "PartialObjectMetadata") {
		answer(map[string]any{"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": map[string]any{}, "items": items})
		return
	}
	answer(map[string]any{"kind": "List", "apiVersion": "v1", "metadata": map[string]any{}, "items": items})
}

const deploymentTemplate = `apiVersion: apps/v1
kind: Deployment
metadata: {name: one}
spec:
  replicas: {{ .Values.replicas }}
`

// asked runs the whole program on a cluster.
func asked(t *testing.T, s served, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	config := filepath.Join(t.TempDir(), "config")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u, namespace: other}}]\n" +
		"users: [{name: u, user: {}}]\nclusters: [{name: c, cluster: {server: '" + web.URL + "'}}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	a := &app{streams: streams, engine: doctor{}, now: time.Now}
	status = a.main(t.Context(), append([]string{"kubectl-kgw_doctor", "--kubeconfig", config}, args...))
	return status, out.String(), errOut.String()
}

func TestWhyAndTraceOfACluster(t *testing.T) {
	t.Parallel()
	record, err := json.Marshal(release.Release{Name: "mine", Namespace: "ns", Version: 1, Info: &release.Info{Status: release.StatusDeployed},
		Config: map[string]any{"replicas": 2}, Manifest: "---\n# Source: c/templates/d.yaml\n" + strings.Replace(deploymentTemplate, "{{ .Values.replicas }}", "2", 1),
		Chart: &helmchart.Chart{Metadata: &helmchart.Metadata{APIVersion: "v2", Name: "c", Version: "1"},
			Templates: []*helmchart.File{{Name: "templates/d.yaml", Data: []byte(deploymentTemplate)}}}})
	if err != nil {
		t.Fatal(err)
	}
	packed := base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(record)))
	s := served{
		"/api/v1/secrets": {{"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "data": map[string]any{"release": packed},
			"metadata": map[string]any{"name": "sh.helm.release.v1.mine.v1", "namespace": "ns",
				"labels": map[string]string{"owner": "helm", "name": "mine", "version": "1", "status": "deployed"}}}},
		"/apis/apps/v1/deployments": {{"apiVersion": "apps/v1", "kind": "Deployment", "spec": map[string]any{"replicas": 3},
			"metadata": map[string]any{"name": "one", "namespace": "ns", "annotations": map[string]any{
				"meta.helm.sh/release-name": "mine", "meta.helm.sh/release-namespace": "ns"}}}},
		"/api/v1/configmaps": {{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"a": "b"},
			"metadata": map[string]any{"name": "stray", "namespace": "ns"}}},
		"/api/v1/pods": {},
	}
	for _, c := range []struct {
		args   string
		status int
		want   []string
	}{
		{"why deploy/one spec.replicas", Clean, []string{"replicas=2   decides", "given in revision 1; c/templates/d.yaml:5", "rendered  2", "live      3"}},
		{"why deploy/one spec.replicas -n elsewhere", Failed, []string{"there is no deployments/one in namespace elsewhere"}},
		{"why cm/stray data.a", Clean, []string{"no release has this object", "live      b"}},
		{"why nonsense/stray data.a", Failed, []string{`no type "nonsense"`}},
		{"trace replicas --release mine --fail-on none", Clean, []string{"replicas=2  effective", "reaches   Deployment/one  spec.replicas", "live      3"}},
		{"trace replica --release mine", Failed, []string{"nobody knows the value replica in ns/mine", "Did you mean replicas?"}},
	} {
		status, stdout, stderr := asked(t, s, strings.Fields(c.args)...)
		if status != c.status {
			t.Errorf("%s: status %d, want %d", c.args, status, c.status)
		}
		for _, want := range c.want {
			if !strings.Contains(stdout+stderr, want) {
				t.Errorf("%s: no %q in\n%s%s", c.args, want, stdout, stderr)
			}
		}
	}
}
