package gitops

import (
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

func TestChangeOfAHelmRelease(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edits []values.Edit
		want  string // patch
		also  string // Elsewhere
	}{
		"set":                              {edits("x.y", "z"), `{"spec":{"values":{"x":{"y":"z"}}}}`, ""},
		"set what a reference gives":       {edits("b", "z"), `{"spec":{"values":{"b":"z"}}}`, ""},
		"take out of spec.values":          {edits("t.other", nil), `{"spec":{"values":{"t":{"other":null}}}}`, ""},
		"take out what the chart presets":  {edits("c.d", nil), `[{"op":"add","path":"/spec/values/c","value":{"d":null}}]`, ""},
		"null beside a set":                {edits("x", "z", "c/d", nil), `[{"op":"add","path":"/spec/values/x","value":"z"},{"op":"add","path":"/spec/values/c~1d","value":null}]`, ""},
		"take out of a reference":          {edits("b", nil), "", "key values.yaml of ConfigMap apps/first, key v of Secret apps/second"},
		"set what a targetPath wins":       {edits("t.port", int64(90)), "", "key port of ConfigMap apps/first, targetPath t.port"},
		"set what a targetPath says, too":  {edits("t.port", int64(80)), `{"spec":{"values":{"t":{"port":80}}}}`, ""},
		"a list comes whole, from no part": {edits("l", []any{"q"}), `{"spec":{"values":{"l":["q"]}}}`, ""},
	} {
		o := Find(read(t, strings.Replace(helmRelease, "  - {kind: ConfigMap, name: nowhere, optional: true}\n", "", 1)), "apps", "web", nil)
		got, err := o.Change(c.edits)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Patch != c.want || places(got) != c.also {
			t.Errorf("%s: %s, elsewhere %q\nwant %s, elsewhere %q", name, got.Patch, places(got), c.want, c.also)
		}
	}
}

func places(c *Change) string {
	var out []string
	for _, e := range c.Elsewhere {
		out = append(out, e.Place)
	}
	return strings.Join(out, ", ")
}

func TestChangeOfAnApplication(t *testing.T) {
	t.Parallel()
	const at = "/spec/source/helm/"
	head, _, _ := strings.Cut(application, "    helm:")
	bare := head + "  destination: {namespace: prod}\n"
	several := "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: team}\nspec: {sources: [{repoURL: git, ref: v}, {chart: web}]}\n"
	text := "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec: {source: {chart: web, helm: {values: \"{a: [1]}\"}}}\n"
	for name, c := range map[string]struct {
		app     string
		edits   []values.Edit
		patch   string
		command string
		also    string
	}{
		"the first parameter": {bare, edits("x.y", "z"),
			`{"spec":{"source":{"helm":{"parameters":[{"name":"x.y","value":"z"}]}}}}`, "argocd app set web -p x.y=z", ""},
		"a text that looks like a number": {bare, edits("x", "1"),
			`{"spec":{"source":{"helm":{"parameters":[{"name":"x","value":"1","forceString":true}]}}}}`, "argocd app set web --helm-set-string x=1", ""},
		"a number": {bare, edits("x", int64(1)),
			`{"spec":{"source":{"helm":{"parameters":[{"name":"x","value":"1"}]}}}}`, "argocd app set web -p x=1", ""},
		"a parameter that is there": {application, edits("b", "z"),
			`[{"op":"test","path":"` + at + `parameters/0/name","value":"b"},{"op":"remove","path":"` + at + `parameters/0","value":null},` +
				`{"op":"add","path":"` + at + `parameters/-","value":{"name":"b","value":"z"}}]`, "argocd app set web -p b=z", ""},
		"what no parameter can say": {bare, edits("x", []any{"z"}),
			`{"spec":{"source":{"helm":{"valuesObject":{"x":["z"]}}}}}`, "", ""},
		"taken out of parameters and valuesObject": {application, edits("b", nil),
			`[{"op":"test","path":"` + at + `parameters/0/name","value":"b"},{"op":"remove","path":"` + at + `parameters/0","value":null},` +
				`{"op":"remove","path":"` + at + `valuesObject/b","value":null}]`, "", ""},
		"what the chart presets": {bare, edits("x", nil),
			`{"spec":{"source":{"helm":{"parameters":[{"name":"x","value":"null"}]}}}}`, "argocd app set web -p x=null", ""},
		"one of several sources": {several, edits("x", "z"),
			`[{"op":"add","path":"/spec/sources/1/helm","value":{"parameters":[{"name":"x","value":"z"}]}}]`,
			"argocd app set team/web --source-position 2 -p x=z", ""},
		"a list beside a text of values": {text, edits("a", []any{"z"}), "", "", "spec.source.helm.values"},
	} {
		o := Unrecorded(read(t, c.app))[0]
		got, err := o.Change(c.edits)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var commands []string
		for _, words := range got.Commands {
			commands = append(commands, strings.Join(words, " "))
		}
		if got.Patch != c.patch || strings.Join(commands, "; ") != c.command || places(got) != c.also {
			t.Errorf("%s: %s\n%s, elsewhere %q\nwant %s\n%s", name, got.Patch, commands, places(got), c.patch, c.command)
		}
	}
}

func TestWhatGitKeepsIsNotPatched(t *testing.T) {
	t.Parallel()
	text := strings.Replace(helmRelease, "namespace: apps}", "namespace: apps, labels: {kustomize.toolkit.fluxcd.io/name: all, kustomize.toolkit.fluxcd.io/namespace: flux-system}}", 1)
	got, err := Find(read(t, text), "apps", "web", nil).Change(edits("x", "z"))
	if err != nil || got.Patch != "" || written(t, got.Values) != `{"x":"z"}` {
		t.Errorf("%+v %v", got, err)
	}
}

// What a source that could not be read gives is known from the record: the change is complete all the same.
func TestChangeWithAReferenceThatWasNotRead(t *testing.T) {
	t.Parallel()
	text, _, _ := strings.Cut(helmRelease, "---")
	o := Find(read(t, text), "apps", "web", tree(t, "{a: inline, hidden: 1, t: {port: 1, other: inline}}"))
	if o.Complete() {
		t.Fatal("the references are not there")
	}
	got, err := o.Change(edits("x", "z"))
	if err != nil || got.Patch != `{"spec":{"values":{"x":"z"}}}` || written(t, got.After()["hidden"]) != "1" {
		t.Errorf("%+v %v", got, err)
	}
}
