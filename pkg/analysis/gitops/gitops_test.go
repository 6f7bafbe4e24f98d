package gitops

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

func read(t *testing.T, text string) *snapshot.Snapshot {
	t.Helper()
	snap, err := snapshot.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func tree(t *testing.T, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func written(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// helmRelease takes values from everywhere: a, b and so on tell by their values who won.
const helmRelease = `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  valuesFrom:
  - {kind: ConfigMap, name: first}
  - {kind: Secret, name: second, valuesKey: v}
  - {kind: ConfigMap, name: first, valuesKey: port, targetPath: "t.port"}
  - {kind: ConfigMap, name: first, valuesKey: text, targetPath: "t.text"}
  - {kind: ConfigMap, name: nowhere, optional: true}
  values: {a: inline, t: {port: 1, other: inline}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: first, namespace: apps}
data:
  values.yaml: "{a: first, b: first, l: [1, 2]}"
  port: "80"
  text: '"80"'
---
apiVersion: v1
kind: Secret
metadata: {name: second, namespace: apps}
data: {v: e2I6IHNlY29uZCwgbDogWzNdfQ==} # {b: second, l: [3]}
`

func TestFluxMergesReferencesInOrderThenSpecValuesThenTargetPaths(t *testing.T) {
	t.Parallel()
	taken := "apiVersion: kgw-doctor/v1\nkind: Snapshot\ntakenAt: \"2026-01-02T12:00:00Z\"\n---"
	o := Find(read(t, taken+helmRelease), "apps", "web", nil)
	if o == nil || !o.Complete() {
		t.Fatalf("%+v", o)
	}
	want := tree(t, "{a: inline, b: second, l: [3], t: {port: 80, text: '80', other: inline}}")
	if got := o.Values(); !same(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	// The record shows what a Flux before 2.4 made of it.
	old := tree(t, "{a: inline, b: second, l: [3], t: {port: 1, text: '80', other: inline}}")
	if got := Find(read(t, taken+helmRelease), "apps", "web", old).Values(); !same(got, old) {
		t.Error(cmp.Diff(old, got))
	}
}

func TestFluxOverriddenNamesTheWinner(t *testing.T) {
	t.Parallel()
	o := Find(read(t, helmRelease), "apps", "web", nil)
	var got []string
	for _, x := range o.Overridden() {
		got = append(got, x.Layer.Place+": "+x.Path.String()+" < "+x.Winner.Place)
	}
	const first, second = "key values.yaml of ConfigMap apps/first", "key v of Secret apps/second"
	want := []string{
		first + ": a < spec.values", first + ": b < " + second, first + ": l[0] < " + second, first + ": l[1] < " + second,
		"spec.values: t.port < key port of ConfigMap apps/first, targetPath t.port",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReleaseOfAHelmRelease(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ metadata, spec, want string }{
		{"{name: web, namespace: apps}", "{}", "apps/web"},
		{"{name: web, namespace: apps}", "{targetNamespace: prod}", "prod/prod-web"},
		{"{name: web, namespace: apps}", "{targetNamespace: prod, releaseName: shop}", "prod/shop"},
		// The documentation's own example, as its code cuts it.
		{"{name: with-a-nice-object-name, namespace: apps}", "{targetNamespace: a-very-lengthy-target-namespace}",
			"a-very-lengthy-target-namespace/a-very-lengthy-target-namespace-with-a-n-97af5d7f41f3"},
	} {
		snap := read(t, "apiVersion: helm.toolkit.fluxcd.io/v2beta2\nkind: HelmRelease\nmetadata: "+c.metadata+"\nspec: "+c.spec)
		name, namespace := fluxRelease(snap.Objects[0])
		if got := namespace + "/" + name; got != c.want {
			t.Errorf("%s %s: %s, want %s", c.metadata, c.spec, got, c.want)
		}
	}
}

const application = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  source:
    chart: web
    repoURL: https://charts.example
    targetRevision: 1.2.3
    helm:
      releaseName: shop
      values: "{a: text, o: text}"
      valuesObject: {a: object, b: object, i: object}
      parameters:
      - {name: b, value: parameter}
      - {name: i, value: "1"}
      - {name: s, value: "1", forceString: true}
      - {name: c, value: "x,y"}
      - {name: l, value: "{x,z}"}
  destination: {namespace: prod}
`

func TestArgoMergesParametersOverValuesObjectWhichTakesThePlaceOfValues(t *testing.T) {
	t.Parallel()
	all := Unrecorded(read(t, application))
	if len(all) != 1 || all[0].Release != "shop" || all[0].Namespace != "prod" || !all[0].Complete() {
		t.Fatalf("%+v", all)
	}
	o := all[0]
	want := tree(t, `{a: object, b: parameter, i: 1, s: "1", c: "x,y", l: [x, z]}`)
	if got := o.Values(); !same(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	var got []string
	for _, x := range o.Overridden() {
		got = append(got, x.Layer.Place+": "+x.Path.String()+" < "+x.Winner.Place)
	}
	const at = "spec.source.helm."
	wantLost := []string{at + "values: a < " + at + "valuesObject", at + "values: o < " + at + "valuesObject",
		at + "valuesObject: b < " + at + "parameters", at + "valuesObject: i < " + at + "parameters"}
	if d := cmp.Diff(wantLost, got); d != "" {
		t.Error(d)
	}
}

func TestWhatOnlyArgoKnowsIsAGap(t *testing.T) {
	t.Parallel()
	text := strings.Replace(application, "      parameters:", "      valueFiles: [prod.yaml, $values/x.yaml]\n      parameters:\n      - {name: v, value: $ARGOCD_APP_NAME}", 1)
	o := Unrecorded(read(t, text))[0]
	var got []string
	for _, g := range o.Gaps {
		got = append(got, g.Place+": "+g.Why)
	}
	want := []string{"spec.source.helm.valueFiles: the files stand in Git, not in the cluster: prod.yaml, $values/x.yaml",
		"spec.source.helm.parameters v: its value holds a variable of Argo CD's build environment"}
	if d := cmp.Diff(want, got); d != "" || o.Complete() {
		t.Error(d)
	}
}

func TestSourceOfAnApplication(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		spec  string
		place string // "": no chart
	}{
		{"source: {chart: a}", "spec.source.helm"},
		{"source: {path: a, helm: {releaseName: x}}", "spec.source.helm"},
		{"source: {path: manifests}", ""},
		{"sources: [{repoURL: git, ref: values}, {chart: a, helm: {valueFiles: [$values/a.yaml]}}]", "spec.sources[1].helm"},
	} {
		snap := read(t, "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a, namespace: argocd}\nspec: {"+c.spec+"}")
		o := readApplication(snap.Objects[0])
		if (o == nil) != (c.place == "") || o != nil && o.place() != c.place {
			t.Errorf("%s: %+v", c.spec, o)
		}
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		metadata string
		want     Mark
	}{
		{"labels: {helm.toolkit.fluxcd.io/name: web, helm.toolkit.fluxcd.io/namespace: apps}", Mark{Tool: Flux, Name: "web", Namespace: "apps"}},
		{`annotations: {argocd.argoproj.io/tracking-id: "web:apps/Deployment:prod/x"}`, Mark{Tool: ArgoCD, Name: "web"}},
		{`annotations: {argocd.argoproj.io/tracking-id: "team_web:apps/Deployment:prod/x"}`, Mark{Tool: ArgoCD, Name: "web", Namespace: "team"}},
		{"labels: {app.kubernetes.io/instance: web}, managedFields: [{manager: argocd-controller, operation: Apply}]", Mark{Tool: ArgoCD, Name: "web"}},
		{"labels: {app.kubernetes.io/instance: web}, managedFields: [{manager: helm, operation: Update}]", Mark{}},
	} {
		snap := read(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, namespace: prod, "+c.metadata+"}")
		got := MarkOf(snap.Objects[0])
		got.By = ""
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.metadata, got, c.want)
		}
	}
	m := ManifestMark("kind: ConfigMap", "metadata:\n  labels:\n    helm.toolkit.fluxcd.io/name: web\n    helm.toolkit.fluxcd.io/namespace: \"1\"\n")
	if m.Tool != Flux || m.Name != "web" || m.Namespace != "1" {
		t.Errorf("%+v", m)
	}
}

func TestKeeper(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		metadata string
		want     string
	}{
		{"labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}", "Kustomization flux-system/apps"},
		{"ownerReferences: [{kind: ApplicationSet, name: all, uid: u, apiVersion: argoproj.io/v1alpha1}]", "ApplicationSet argocd/all"},
		{`annotations: {argocd.argoproj.io/tracking-id: "root:argoproj.io/Application:argocd/x"}`, "Application /root"},
		{"labels: {app.kubernetes.io/instance: root}", ""},
	} {
		snap := read(t, "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x, namespace: argocd, "+c.metadata+"}")
		got := ""
		if k := keeper(snap.Objects[0]); k != nil {
			got = k.Kind + " " + k.Namespace + "/" + k.Name
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.metadata, got, c.want)
		}
	}
}

func TestAnOwnerThatIsGoneIsNone(t *testing.T) {
	t.Parallel()
	const manifest = "    helm.toolkit.fluxcd.io/name: web\n    helm.toolkit.fluxcd.io/namespace: apps\n"
	const header = "apiVersion: kgw-doctor/v1\nkind: Snapshot\ntakenAt: \"2026-01-02T12:00:00Z\"\n"
	if o := Find(read(t, header), "apps", "web", nil, manifest); o != nil {
		t.Errorf("%+v", o)
	}
	forbidden := header + "gaps: [{what: HelmRelease apps/web, why: forbidden}]\n"
	o := Find(read(t, forbidden), "apps", "web", nil, manifest)
	if o == nil || o.Unread != "forbidden" || o.Object != (finding.Object{Kind: "HelmRelease", Name: "web", Namespace: "apps"}) {
		t.Errorf("%+v", o)
	}
}

func edits(pairs ...any) []values.Edit {
	var out []values.Edit
	for i := 0; i < len(pairs); i += 2 {
		p, err := values.Parse(pairs[i].(string))
		if err != nil {
			panic(err)
		}
		out = append(out, values.Set(p, pairs[i+1]))
	}
	return out
}
