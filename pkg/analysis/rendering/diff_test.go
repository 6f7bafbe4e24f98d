package rendering_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

func parse(t *testing.T, text string) []rendering.Object {
	t.Helper()
	objects, bad := rendering.ParseManifest("x.yaml", text)
	if bad > 0 {
		t.Fatalf("%d documents are no objects:\n%s", bad, text)
	}
	return objects
}

func TestDiffNamesFieldsByMergeKey(t *testing.T) {
	t.Parallel()
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
	for _, c := range []struct{ about, from, to, want string }{
		{"a scalar", "spec: {a: 1}", "spec: {a: 2}", "spec.a: 1 -> 2"},
		{"the same number of another type", "spec: {a: 1}", "spec: {a: 1.0}", ""},
		{"a text is not a number", `spec: {a: "1"}`, "spec: {a: 1}", "spec.a: 1 -> 1"},
		{"items by name, whatever their order", "spec: {containers: [{name: a, image: x}, {name: b, image: w}]}",
			"spec: {containers: [{name: b, image: z}, {name: a, image: x}]}", "spec.containers[b].image: w -> z"},
		{"a name that comes twice", "spec: {env: [{name: A, value: x}, {name: A, value: w}]}", "spec: {env: [{name: A, value: x}, {name: A, value: z}]}",
			"spec.env[A#2].value: w -> z"},
		{"ports by number", "spec: {ports: [{containerPort: 80}, {containerPort: 81, protocol: UDP}]}", "spec: {ports: [{containerPort: 80}]}",
			"spec.ports[81].containerPort: 81 -> absent; spec.ports[81].protocol: UDP -> absent"},
		{"plain items by position", "spec: {args: [a, b]}", "spec: {args: [a, c, d]}", "spec.args[1]: b -> c; spec.args[2]: absent -> d"},
		{"a key with dots", `metadata: {name: x, annotations: {"a.b/c": "1"}}`, `metadata: {name: x, annotations: {"a.b/c": "2"}}`,
			`metadata.annotations["a.b/c"]: 1 -> 2`},
		{"a table that vanishes is told field by field", "spec: {r: {limits: {cpu: 1, memory: 2}}}", "spec: {}",
			"spec.r.limits.cpu: 1 -> absent; spec.r.limits.memory: 2 -> absent"},
		{"null is as good as absent for what comes below", "spec: {r: null}", "spec: {r: {cpu: 1}}", "spec.r.cpu: absent -> 1"},
		{"an empty table is a value", "spec: {}", "spec: {emptyDir: {}}", "spec.emptyDir: absent -> {}"},
	} {
		from, to := pod+c.from, pod+c.to
		if strings.HasPrefix(c.from, "metadata") {
			from, to = "apiVersion: v1\nkind: Pod\n"+c.from, "apiVersion: v1\nkind: Pod\n"+c.to
		}
		var got []string
		for _, d := range rendering.DiffObjects(parse(t, from), parse(t, to)) {
			got = append(got, fmt.Sprintf("%s: %s -> %s", d.Field.Field, rendering.Show(d.From), rendering.Show(d.To)))
		}
		if diff := cmp.Diff(c.want, strings.Join(got, "; ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.about, diff)
		}
	}
}

func TestObjectsOfOneNameAreToldApart(t *testing.T) {
	t.Parallel()
	one := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: x}\n---\n"
	two := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: y}\n---\n"
	other := "apiVersion: v1\nkind: Secret\nmetadata: {name: b, namespace: ns}\n---\n"
	var got []string
	for _, d := range rendering.DiffObjects(parse(t, one+two), parse(t, one+two[:len(two)-len("y}\n---\n")]+"z}\n---\n"+other)) {
		got = append(got, d.Object.String()+" "+d.Field.Field)
	}
	if diff := cmp.Diff([]string{"ConfigMap/a#2 data.k", "Secret/b "}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLookupReadsWhatDiffWrites(t *testing.T) {
	t.Parallel()
	o := parse(t, `
apiVersion: v1
kind: Pod
metadata: {name: x, annotations: {"a.b/c[d]": "1", plain: "2"}}
spec:
  containers:
  - {name: a, ports: [{containerPort: 80}], args: [p, q]}
  - {name: "b.c", env: [{name: E, value: f}]}
  empty: {}
`)[0]
	seen := 0
	rendering.Leaves("", o.Content, func(field string, v any) {
		seen++
		got, found := rendering.Lookup(o.Content, field)
		if !found || !rendering.Equal(got, v) {
			t.Errorf("%s: %v, %t; want %v", field, got, found, v)
		}
	})
	if seen != 13 {
		t.Errorf("%d leaves", seen)
	}
	for _, field := range []string{"spec.none", "spec.containers[z]", "spec.containers[a].args[9]", "spec[a]", `metadata["annotations`, "spec.containers["} {
		if v, found := rendering.Lookup(o.Content, field); found {
			t.Errorf("%s is found: %v", field, v)
		}
	}
}

func TestParseManifest(t *testing.T) {
	t.Parallel()
	objects, bad := rendering.ParseManifest("", `# a comment alone
---
# Source: toy/templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
--- # of another file
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: b, namespace: ns}}
- {apiVersion: batch/v1, kind: Job, metadata: {generateName: c-, annotations: {helm.sh/hook: test}}}
---
no: kind
---
: [not yaml
`)
	var got []string
	for _, o := range objects {
		got = append(got, fmt.Sprintf("%s %s/%s %s hook=%t", o.File, o.Namespace, o.Object, o.APIVersion, o.Hook))
	}
	slices.Sort(got)
	want := []string{" /Job/c-* batch/v1 hook=true", " ns/Secret/b v1 hook=false", "toy/templates/a.yaml /ConfigMap/a v1 hook=false"}
	if diff := cmp.Diff(want, got); diff != "" || bad != 2 {
		t.Errorf("%d bad, want 2; (-want +got):\n%s", bad, diff)
	}
}
