package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// install RELEASE CHART VALUES [LIVE] writes cluster.yaml: a snapshot of a cluster in which the chart was installed
// into the namespace ns as revision 2. Objects of the file LIVE are there too, instead of those rendered by that name; if
// a HelmRelease is among them Flux installed the chart, if an Application is Argo CD did, and there is no record.
func install(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: install RELEASE CHART VALUES [LIVE]")
	}
	c, err := loader.Load(ts.MkAbs(args[1]))
	ts.Check(err)
	var supplied map[string]any
	ts.Check(yaml.Unmarshal([]byte(ts.ReadFile(args[2])), &supplied))
	r, err := rendering.New(c, rendering.Release{Name: args[0], Namespace: "ns", Revision: 2, IsUpgrade: true}, rendering.Cluster{KubeVersion: "v1.33.0"})
	ts.Check(err)
	texts, err := r.Helm(supplied)
	ts.Check(err)
	var live []*unstructured.Unstructured
	if len(args) > 3 {
		given, err := snapshot.Read(bytes.NewReader([]byte(ts.ReadFile(args[3]))))
		ts.Check(err)
		live = given.Objects
	}
	manifest := ""
	names := make([]string, 0, len(texts))
	for name := range texts {
		names = append(names, name)
	}
	slices.Sort(names)
	argo := kindOf("Application", live)
	snap := &snapshot.Snapshot{Header: snapshot.Header{ServerVersion: "v1.33.0"}}
	for _, name := range names {
		objects, _ := rendering.ParseManifest(name, texts[name])
		text := texts[name]
		if keeper := kindOf("HelmRelease", live); keeper != nil {
			text = labelled(ts, objects, keeper)
		}
		manifest += "---\n# Source: " + name + "\n" + text + "\n"
		for _, o := range objects {
			x := &unstructured.Unstructured{Object: o.Content}
			x.SetNamespace("ns")
			x.SetAnnotations(map[string]string{"meta.helm.sh/release-name": args[0], "meta.helm.sh/release-namespace": "ns"})
			if argo != nil {
				track(ts, argo, x)
			}
			if !slices.ContainsFunc(live, func(l *unstructured.Unstructured) bool {
				return l.GetKind() == x.GetKind() && l.GetName() == x.GetName()
			}) {
				snap.Objects = append(snap.Objects, x)
			}
		}
	}
	record, err := json.Marshal(release.Release{Name: args[0], Namespace: "ns", Version: 2, Chart: c, Config: supplied, Manifest: manifest,
		Info: &release.Info{Status: release.StatusDeployed}})
	ts.Check(err)
	secret := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
		"metadata":   map[string]any{"name": "sh.helm.release.v1." + args[0] + ".v2", "namespace": "ns"},
		"stringData": map[string]any{"release": base64.StdEncoding.EncodeToString(record)},
	}}
	snap.Objects = slices.Concat(snap.Objects, live)
	if argo == nil {
		snap.Objects = append(snap.Objects, secret)
	}
	out, err := os.Create(filepath.Join(ts.MkAbs("."), "cluster.yaml"))
	ts.Check(err)
	defer out.Close()
	ts.Check(snap.Write(out))
}

func kindOf(kind string, live []*unstructured.Unstructured) *unstructured.Unstructured {
	if i := slices.IndexFunc(live, func(x *unstructured.Unstructured) bool { return x.GetKind() == kind }); i >= 0 {
		return live[i]
	}
	return nil
}

// labelled writes objects as Flux's post-renderer does: each carries the name of its HelmRelease.
func labelled(ts *testscript.TestScript, objects []rendering.Object, keeper *unstructured.Unstructured) string {
	out := ""
	for _, o := range objects {
		x := &unstructured.Unstructured{Object: o.Content}
		labels := x.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels["helm.toolkit.fluxcd.io/name"], labels["helm.toolkit.fluxcd.io/namespace"] = keeper.GetName(), keeper.GetNamespace()
		x.SetLabels(labels)
		text, err := yaml.Marshal(x.Object)
		ts.Check(err)
		out += "---\n" + string(text)
	}
	return out
}

// track marks an object as Argo CD does, and lists it in the status of its Application.
func track(ts *testscript.TestScript, app, x *unstructured.Unstructured) {
	gvk := x.GroupVersionKind()
	x.SetAnnotations(map[string]string{"argocd.argoproj.io/tracking-id": app.GetName() + ":" + gvk.Group + "/" + gvk.Kind + ":ns/" + x.GetName()})
	list, _, _ := unstructured.NestedSlice(app.Object, "status", "resources")
	list = append(list, map[string]any{"group": gvk.Group, "version": gvk.Version, "kind": gvk.Kind, "namespace": "ns", "name": x.GetName()})
	ts.Check(unstructured.SetNestedSlice(app.Object, list, "status", "resources"))
}
