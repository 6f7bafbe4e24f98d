package checks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/gitops"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// keptBy puts an object of Flux or Argo CD, and others, into the cluster.
func keptBy(text string) func(*testing.T, *analysis.Input) {
	return func(t *testing.T, in *analysis.Input) {
		t.Helper()
		snap, err := snapshot.Read(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		in.Live.Objects = append(in.Live.Objects, snap.Objects...)
	}
}

// helmRelease is the object that keeps the toy.
func helmRelease(spec, status string) string {
	return fmt.Sprintf("apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: toy, namespace: ns, generation: 2}\nspec: %s\nstatus: %s\n", spec, status)
}

const ready = `{observedGeneration: 2, conditions: [{type: Ready, status: "True", reason: UpgradeSucceeded}]}`

func application(helm, policy, status string) string {
	return fmt.Sprintf("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: toy, namespace: argocd}\n"+
		"spec: {source: {chart: toy, repoURL: r, targetRevision: 1.0.0, helm: %s}, destination: {namespace: ns}, syncPolicy: %s}\nstatus: %s\n", helm, policy, status)
}

const resources = `resources: [{group: apps, version: v1, kind: Deployment, namespace: ns, name: x}, {version: v1, kind: Service, namespace: ns, name: x}]`

// unrecorded takes the record away: only the Application speaks of the release.
func unrecorded(text string) func(*testing.T, *analysis.Input) {
	return func(t *testing.T, in *analysis.Input) {
		keptBy(text)(t, in)
		in.Record, in.Owner = nil, gitops.Unrecorded(in.Live)[0]
		in.Supplied = in.Owner.Applied()
	}
}

var keptScenes = []scene{
	{name: "flux has what it was told", supplied: map[string]any{"policy": "IfNotPresent"}, change: keptBy(helmRelease("{values: {policy: IfNotPresent}}", ready))},
	{name: "flux is suspended, and asks for more", change: keptBy(helmRelease("{suspend: true, values: {tag: '2'}}", ready)),
		tells: []string{"KGW2006 error HelmRelease/toy tag"}},
	{name: "flux is suspended, and has it all", change: keptBy(helmRelease("{suspend: true}", ready))},
	{name: "flux has just been told", change: keptBy(helmRelease("{values: {tag: '2', port: 81}}",
		`{observedGeneration: 1, conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-01-02T11:59:00Z"}]}`)),
		tells: []string{"KGW2006 warning HelmRelease/toy"}},
	{name: "flux fails with the values that are in force", change: keptBy(helmRelease("{}",
		`{observedGeneration: 2, conditions: [{type: Ready, status: "False", reason: ArtifactFailed, message: "no chart"}]}`)),
		tells: []string{"KGW2006 warning HelmRelease/toy"}},
	{name: "flux said what helm recorded", change: func(t *testing.T, in *analysis.Input) {
		in.Newest = record(t, 2, "failed", map[string]any{"port": 80, "tag": "1"})
		keptBy(helmRelease("{values: {port: 80, tag: '1'}}", `{observedGeneration: 2, conditions: [{type: Ready, status: "False", reason: UpgradeFailed, message: "timed out"}]}`))(t, in)
	}, tells: []string{"KGW2001 error"}},
	{name: "flux takes values from everywhere", supplied: map[string]any{"policy": "IfNotPresent", "port": 80, "password": "hunter2"},
		change: keptBy(helmRelease("{valuesFrom: [{kind: Secret, name: s}, {kind: ConfigMap, name: c, valuesKey: port, targetPath: port}], values: {policy: IfNotPresent, port: 80, password: hunter2}}", ready) +
			"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: ns}\nstringData: {values.yaml: '{policy: Always, password: horse}'}\n" +
			"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: ns}\ndata: {port: '80'}\n"),
		tells: []string{"KGW1012 info HelmRelease/toy key values.yaml of Secret ns/s"}},
	{name: "drift in a release of flux", supplied: map[string]any{"policy": "Always"}, change: keptBy(helmRelease("{values: {policy: Always}}", ready)),
		tells: []string{"KGW2002 error Deployment/x " + policy + " policy"}},
	{name: "argo cd without a record", change: unrecorded(application("{valuesObject: {policy: IfNotPresent}}", "{automated: {}}", "{sync: {status: Synced}, "+resources+"}"))},
	{name: "drift in a release of argo cd", replace: []string{"imagePullPolicy: IfNotPresent", "imagePullPolicy: Never"},
		change: unrecorded(application("{valuesObject: {policy: IfNotPresent}}", "{}", "{sync: {status: OutOfSync}, "+resources+"}")),
		tells:  []string{"KGW2002 error Deployment/x " + policy + " policy"}},
	{name: "argo cd has not synced yet", change: unrecorded(application("{parameters: [{name: port, value: '81'}]}", "{}",
		"{sync: {status: OutOfSync}, history: [{source: {chart: toy, helm: {parameters: [{name: port, value: '80'}]}}}], "+resources+"}")),
		tells: []string{"KGW2006 error Application/toy port"}},
	{name: "argo cd never reads values beside valuesObject, and a parameter wins", change: unrecorded(application(
		"{values: 'port: 82', valuesObject: {policy: Never, port: 80}, parameters: [{name: policy, value: IfNotPresent}]}", "{automated: {}}", "{sync: {status: Synced}, "+resources+"}")),
		tells: []string{"KGW1012 error Application/toy spec.source.helm.values port", "KGW1012 warning Application/toy spec.source.helm.valuesObject policy"}},
}

// What is to be done about drift, and what becomes of it, depends on who keeps the release.
func TestDriftIsPutBackByWhatKeepsTheRelease(t *testing.T) {
	t.Parallel()
	argo := func(policy, more string) func(*testing.T, *analysis.Input) {
		return unrecorded(strings.Replace(application("{valuesObject: {port: 80}}", policy, "{sync: {status: Synced}, "+resources+"}"), "destination:", more+"destination:", 1))
	}
	for _, c := range []struct {
		name   string
		change func(*testing.T, *analysis.Input)
		next   string
		steps  string
	}{
		{"flux", keptBy(helmRelease("{}", ready)), "it stays until Flux makes the next revision", "flux reconcile helmrelease toy --namespace ns --force"},
		{"flux heals", keptBy(helmRelease("{driftDetection: {mode: enabled}}", ready)), "Flux puts it back by itself (driftDetection)", "flux reconcile helmrelease toy --namespace ns --force"},
		{"flux is suspended", keptBy(helmRelease("{suspend: true}", ready)), "nobody puts it back while HelmRelease ns/toy is suspended",
			"flux resume helmrelease toy --namespace ns; flux reconcile helmrelease toy --namespace ns --force"},
		{"argo heals", argo("{automated: {selfHeal: true}}", ""), "Argo CD puts it back by itself (selfHeal)", "argocd app sync toy"},
		{"argo does not heal", argo("{automated: {}}", ""), "without selfHeal", "argocd app sync toy"},
		{"argo is switched off", argo("{automated: {enabled: false, selfHeal: true}}", ""), "is not synced by itself", "argocd app sync toy"},
		{"argo is told not to look", argo("{automated: {selfHeal: true}}", "ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}], "),
			"ignoreDifferences of Application argocd/toy", "argocd app sync toy"},
	} {
		f := scene{change: c.change, replace: []string{"replicas: 1\n  template", "replicas: 4\n  template"}}.facts(t)
		found, err := Drifted.Run(f)
		if err != nil || len(found) != 1 {
			t.Errorf("%s: %+v %v", c.name, found, err)
			continue
		}
		next := ""
		for _, fact := range found[0].Facts {
			if fact.Label == "next" {
				next = fact.Text
			}
		}
		if !strings.Contains(next, c.next) || strings.Join(found[0].Steps, "; ") != c.steps {
			t.Errorf("%s: next %q, steps %q", c.name, next, found[0].Steps)
		}
	}
}

// What Flux changes after rendering is named, where the HelmRelease says that it does.
func TestThePostRenderersOfFluxAreNamed(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		"{postRenderers: [{kustomize: {}}]}": "look at spec.postRenderers and spec.commonMetadata of HelmRelease ns/toy",
		"{}":                                 "look for a post-renderer where helm is run",
	} {
		f := scene{supplied: map[string]any{"policy": "Always"}, change: func(t *testing.T, in *analysis.Input) {
			keptBy(helmRelease(spec, ready))(t, in)
			in.Record.Release.Manifest = strings.ReplaceAll(in.Record.Release.Manifest, "Always", "IfNotPresent")
		}}.facts(t)
		found, err := Irreproducible.Run(f)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %+v %v", spec, found, err)
		}
		if last := found[0].Facts[len(found[0].Facts)-1]; last.Text != want {
			t.Errorf("%s: %q, want %q", spec, last.Text, want)
		}
	}
}

// A value file in Git may open the gate, or give the winner: nothing is called lost, and live objects say nothing.
func TestValueFilesThatWereNotReadLeaveDoubt(t *testing.T) {
	t.Parallel()
	f := scene{replace: []string{"imagePullPolicy: IfNotPresent", "imagePullPolicy: Never"},
		change: unrecorded(application("{valueFiles: [prod.yaml], valuesObject: {nobody: reads, port: 80}}", "{}", "{sync: {status: Synced}, "+resources+"}"))}.facts(t)
	if len(f.Incomplete) != 1 || !strings.Contains(f.Incomplete[0].Why, "prod.yaml") {
		t.Errorf("%+v", f.Incomplete)
	}
	for _, e := range f.Effects {
		if e.Verdict.Ineffective() {
			t.Errorf("%s is called %s", e.Path, e.Verdict)
		}
	}
	if found, err := Drifted.Run(f); len(found) > 0 || err != nil {
		t.Errorf("%+v %v", found, err)
	}
}

// The wrong chart is not taken for drift.
func TestTheChartThatIsGivenIsComparedWithTheApplication(t *testing.T) {
	t.Parallel()
	f := scene{change: unrecorded(strings.Replace(application("{}", "{}", "{sync: {status: Synced}, resources: [{group: apps, version: v1, kind: Deployment, namespace: ns, name: x}]}"),
		"1.0.0", "v2.0.0", 1))}.facts(t)
	var got []string
	for _, i := range f.Incomplete {
		got = append(got, i.What+": "+i.Why)
	}
	want := "chart of release toy: the one given is version 1.0.0, and the Application asks for v2.0.0; " +
		"objects Service/x: the chart that was given renders them, and Argo CD does not know them: they were not looked for"
	if strings.Join(got, "; ") != want {
		t.Errorf("%q", got)
	}
}
