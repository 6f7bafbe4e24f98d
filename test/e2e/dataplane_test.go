//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// plane is a control plane of a test's own: a data plane is about the whole cluster.
type plane struct {
	t   *testing.T
	env []string
}

func newPlane(t *testing.T) *plane {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "controlplane")
	stop, err := startControlPlane(filepath.Join(shared.tools, "controlplane"), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return &plane{t, append(os.Environ(), "PATH="+shared.path, "KUBECONFIG="+filepath.Join(dir, "kubeconfig"), "HOME="+t.TempDir())}
}

// run gives the stdout and the exit status of a command.
func (p *plane) run(stdin string, name string, args ...string) (string, int) {
	p.t.Helper()
	path, _ := exec.LookPath(name)
	for _, dir := range filepath.SplitList(shared.path) {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			path = filepath.Join(dir, name)
			break
		}
	}
	cmd := exec.Command(path, args...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stderr = p.env, strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	if exit != nil && name != "kubectl" || exit != nil && args[0] != "kgw-doctor" {
		p.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	if exit != nil {
		return string(out) + stderr.String(), exit.ExitCode()
	}
	return string(out), 0
}

// apply puts objects there, each under the name of the manager that owned it, with its status; what belongs to a Gateway
// belongs to the one that is there now.
func (p *plane) apply(objects []*unstructured.Unstructured) {
	p.t.Helper()
	uids := map[string]string{}
	var owned []*unstructured.Unstructured
	batches := map[string][]string{}
	later := func(o *unstructured.Unstructured) bool { return len(o.GetOwnerReferences()) > 0 }
	for _, o := range objects {
		if later(o) {
			owned = append(owned, o)
			continue
		}
		batches[managerOf(o)] = append(batches[managerOf(o)], text(fresh(o).Object))
	}
	p.batches(batches, uids)
	clear(batches)
	for _, o := range owned {
		made := fresh(o)
		owners := made.GetOwnerReferences()
		for i, r := range owners {
			owners[i].UID = types.UID(uids[r.Kind+" "+o.GetNamespace()+"/"+r.Name])
		}
		made.SetOwnerReferences(owners)
		batches[managerOf(o)] = append(batches[managerOf(o)], text(made.Object))
	}
	p.batches(batches, uids)
	for _, o := range objects {
		if status := o.Object["status"]; status != nil && o.GroupVersionKind().Group == "gateway.networking.k8s.io" {
			p.run("", "kubectl", "patch", strings.ToLower(o.GetKind())+"/"+o.GetName(), "--namespace", o.GetNamespace(), "--subresource", "status", "--type", "merge",
				"--patch", text(map[string]any{"status": status}))
		}
	}
}

// batches applies what each manager has, and notes the UIDs.
func (p *plane) batches(of map[string][]string, uids map[string]string) {
	p.t.Helper()
	for manager, objects := range of {
		out, _ := p.run(strings.Join(objects, "\n"), "kubectl", "apply", "--server-side", "--force-conflicts", "--field-manager", manager, "--filename", "-", "--output", "json")
		made, err := snapshot.Read(strings.NewReader(out))
		if err != nil {
			p.t.Fatalf("%v\n%s", err, out)
		}
		for _, o := range made.Objects {
			uids[o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName()] = string(o.GetUID())
		}
	}
}

// managerOf is who owned the object: whoever applied it, else whoever wrote it first.
func managerOf(o *unstructured.Unstructured) string {
	name := "kubectl"
	for _, m := range slices.Backward(o.GetManagedFields()) {
		if m.Subresource == "" && (m.Operation == metav1.ManagedFieldsOperationApply || name == "kubectl") {
			name = m.Manager
		}
	}
	return name
}

// fresh is an object without what the API server adds.
func fresh(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	unstructured.RemoveNestedField(o.Object, "status")
	for _, key := range []string{"managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"} {
		unstructured.RemoveNestedField(o.Object, "metadata", key)
	}
	for _, key := range []string{"clusterIP", "clusterIPs"} {
		if o.GetKind() == "Service" {
			unstructured.RemoveNestedField(o.Object, "spec", key)
		}
	}
	return o
}

// definition is a CustomResourceDefinition that takes everything.
func definition(group, version, kind, plural, scope string) string {
	return fmt.Sprintf(`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"%s.%s","annotations":{"api-approved.kubernetes.io":"unapproved, for tests"}},
"spec":{"group":%q,"scope":%q,"names":{"kind":%q,"listKind":"%sList","plural":%q,"singular":%q},"versions":[{"name":%q,"served":true,"storage":true,
"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}`,
		plural, group, group, scope, kind, kind, plural, strings.ToLower(kind), version)
}

// define makes the kinds of the Gateway API, and of the parameters: those of a chart without its validation rules, which
// Kubernetes 1.37 finds too dear, or one that takes everything.
func (p *plane) define(chart string) {
	p.t.Helper()
	all := []string{
		definition("gateway.networking.k8s.io", "v1", "GatewayClass", "gatewayclasses", "Cluster"),
		definition("gateway.networking.k8s.io", "v1", "Gateway", "gateways", "Namespaced"),
	}
	if chart == "" {
		all = append(all, definition("gateway.kgateway.dev", "v1alpha1", "GatewayParameters", "gatewayparameters", "Namespaced"))
	}
	if chart != "" {
		rendered, _ := p.run("", "helm", "template", "crds", chart)
		snap, err := snapshot.Read(strings.NewReader(rendered))
		if err != nil {
			p.t.Fatal(err)
		}
		for _, o := range snap.Kind("CustomResourceDefinition") {
			without(o.Object, "x-kubernetes-validations")
			all = append(all, text(o.Object))
		}
	}
	p.run(strings.Join(all, "\n"), "kubectl", "apply", "--server-side", "--filename", "-")
	p.run("", "kubectl", "wait", "--for", "condition=Established", "customresourcedefinitions", "--all", "--timeout", "30s")
}

func without(v any, key string) {
	switch t := v.(type) {
	case map[string]any:
		delete(t, key)
		for _, x := range t {
			without(x, key)
		}
	case []any:
		for _, x := range t {
			without(x, key)
		}
	}
}

// told lists what a report tells, sorted, and what it could not read.
func (p *plane) told(args ...string) (findings, incomplete []string) {
	p.t.Helper()
	out, status := p.run("", "kubectl", append([]string{"kgw-doctor"}, append(args, "-o", "json")...)...)
	var report struct {
		Releases []struct {
			Name     string
			Findings []struct {
				Code, Severity, ValuePath, Field string
				Object                           struct{ Kind, Name string }
			}
		}
		Incomplete []struct{ What, Why string }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		p.t.Fatalf("exit status %d: %v\n%s", status, err, out)
	}
	for _, r := range report.Releases {
		for _, x := range r.Findings {
			findings = append(findings, strings.Join([]string{r.Name, x.Code, x.Severity, x.Object.Kind, x.Object.Name, x.Field, x.ValuePath}, " "))
		}
	}
	for _, x := range report.Incomplete {
		incomplete = append(incomplete, x.What+": "+x.Why)
	}
	slices.Sort(findings)
	return findings, incomplete
}

// settle waits until the Deployments have all their Pods.
func (p *plane) settle() {
	p.t.Helper()
	p.run("", "kubectl", "wait", "--for", "condition=Available", "deployments", "--all", "--all-namespaces", "--timeout", "45s")
	time.Sleep(time.Second) // the last status to be written
}

// TestDataPlane makes a proxy as a controller would, changes it by hand, and asks about both.
func TestDataPlane(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.define("")
	p.run("", "helm", "install", "kgateway", filepath.Join(shared.charts, "kgateway"), "--namespace", "sys", "--create-namespace", "--wait",
		"--set", "controller.extraEnv.KGW_DEFAULT_IMAGE_PULL_POLICY=Always")
	file, err := os.Open("testdata/dataplane.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	snap, err := snapshot.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	p.apply(snap.Objects)
	p.settle()

	sound, incomplete := p.told()
	if len(incomplete) > 0 {
		t.Errorf("incomplete: %q", incomplete)
	}
	want := []string{"kgateway KGW4101 error Gateway dangling spec.infrastructure.parametersRef ", "kgateway KGW4104 info    controller.extraEnv.KGW_DEFAULT_IMAGE_PULL_POLICY"}
	if !slices.Equal(sound, want) {
		t.Errorf("got %q\nwant %q", sound, want)
	}
	out, status := p.run("", "kubectl", "kgw-doctor", "why", "deploy/web", "spec.template.spec.containers[kgateway-proxy].imagePullPolicy", "-n", "shop")
	for _, want := range []string{"spec.kube.envoyContainer.image.pullPolicy=Never   decides", "GatewayParameters/small in shop, of Gateway/web",
		"KGW_DEFAULT_IMAGE_PULL_POLICY=Always", "given in revision 1", "by kgateway.dev/kgateway (Apply)", "Never   in 2 pods"} {
		if !strings.Contains(out, want) || status != 0 {
			t.Errorf("exit status %d, no %q in\n%s", status, want, out)
		}
	}

	p.run("", "kubectl", "patch", "deployment/web", "--namespace", "shop", "--type", "merge", "--patch", `{"spec":{"replicas":3}}`)
	p.settle()
	edited, _ := p.told()
	if more := slices.DeleteFunc(edited, func(s string) bool { return slices.Contains(sound, s) }); !slices.Equal(more, []string{"kgateway KGW4102 warning Deployment web spec.replicas "}) {
		t.Errorf("got more %q", more)
	}
}

// TestRealSnapshots puts what real controllers made on the API server: the live diagnosis finds what that of the file does.
func TestRealSnapshots(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	for _, version := range []string{"v2.0.0", "v2.4.0"} {
		t.Run(version, func(t *testing.T) {
			file, err := filepath.Abs(filepath.Join(dir, "snapshots", "kgateway-"+version+".json.gz"))
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Skip("no snapshots in " + dir)
			}
			snap, err := snapshot.Read(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			p := newPlane(t)
			p.define(filepath.Join(dir, "charts", "kgateway-crds-"+version+".tgz"))
			for _, namespace := range []string{"kgateway-system", "shop"} {
				p.run("", "kubectl", "create", "namespace", namespace)
			}
			p.apply(snap.Kind("Secret"))
			for _, d := range snap.Kind("Deployment") { // their Pods need them, and the snapshot does not have them
				name, _, _ := unstructured.NestedString(d.Object, "spec", "template", "spec", "serviceAccountName")
				p.run("", "kubectl", "create", "serviceaccount", name, "--namespace", d.GetNamespace())
			}
			p.apply(slices.Concat(snap.Kind("GatewayClass"), snap.Kind("GatewayParameters"), snap.Kind("Gateway"), snap.Kind("Deployment"), snap.Kind("Service")))
			p.settle()
			want, _ := p.told("--snapshot", file)
			got, _ := p.told()
			if ours := dataPlaneOf(got); !slices.Equal(ours, dataPlaneOf(want)) || len(ours) < 2 {
				t.Errorf("live %q\nfile %q", ours, dataPlaneOf(want))
			}
			out, status := p.run("", "kubectl", "kgw-doctor", "why", "deploy/both", "spec.replicas", "-n", "shop")
			for _, text := range []string{"spec.kube.deployment.replicas=2   decides", "GatewayParameters/class-wide in kgateway-system, of GatewayClass/classy", "sources   2", "live      2"} {
				if !strings.Contains(out, text) || status != 0 {
					t.Errorf("exit status %d, no %q in\n%s", status, text, out)
				}
			}
		})
	}
}

// dataPlaneOf are the findings about proxies and values; not all objects of the releases were put there.
func dataPlaneOf(findings []string) []string {
	return slices.DeleteFunc(slices.Clone(findings), func(s string) bool { return !strings.Contains(s, " KGW1") && !strings.Contains(s, " KGW4") })
}
