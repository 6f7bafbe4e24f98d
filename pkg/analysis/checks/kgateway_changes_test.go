package checks

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// diagnosed is a real snapshot with what is found in it, to be changed and looked at again.
type diagnosed struct {
	snap  *snapshot.Snapshot
	facts []*analysis.Facts
	was   []string
	run   []*analysis.Check
}

// ofProxies are the checks that look at proxies; all are too many for every field.
func ofProxies() []*analysis.Check {
	return []*analysis.Check{Parameters, ProxyDiffers, ClassDropped, NoProxy, NoController, LeftAlone, Outdone}
}

func diagnosedSnapshot(t *testing.T, version string, checks []*analysis.Check) *diagnosed {
	t.Helper()
	d := &diagnosed{snap: realSnapshot(t, version), run: checks}
	for _, r := range d.snap.Records() {
		f, err := analysis.Gather(analysis.Input{
			Mode: analysis.Installed, Chart: r.Release.Chart, Supplied: r.Release.Config, Live: d.snap, Record: &r,
			Release: rendering.Release{Name: r.Name, Namespace: r.Namespace, Revision: 1}, Cluster: rendering.Cluster{KubeVersion: "v1.37.2"},
		})
		if err != nil {
			t.Fatal(err)
		}
		d.facts = append(d.facts, f)
	}
	d.was = d.look(d.snap)
	return d
}

func (d *diagnosed) look(snap *snapshot.Snapshot) []string {
	var out []string
	for _, f := range d.facts {
		changed := *f
		changed.Live = snap
		got, _ := analysis.Run(&changed, d.run)
		out = append(out, tells(got.Findings)...)
	}
	return out
}

// more is what is found more with one field changed; rendering.Absent takes it out.
func (d *diagnosed) more(kind, namespace, name, field string, v any) []string {
	return d.with(kind, namespace, name, func(o map[string]any) map[string]any { return rendering.Put(o, field, v) })
}

// with is what is found more with one object changed; none takes it out.
func (d *diagnosed) with(kind, namespace, name string, change func(map[string]any) map[string]any) []string {
	snap := &snapshot.Snapshot{Header: d.snap.Header}
	for _, o := range d.snap.Objects {
		if o.GetKind() == kind && o.GetNamespace() == namespace && o.GetName() == name {
			if o = (&unstructured.Unstructured{Object: change(o.Object)}); o.Object == nil {
				continue
			}
		}
		snap.Objects = append(snap.Objects, o)
	}
	return slices.DeleteFunc(d.look(snap), func(s string) bool { return slices.Contains(d.was, s) })
}

// another gives another value of the same type.
func another(v any) any {
	switch t := v.(type) {
	case bool:
		return !t
	case int64:
		return t + 1
	case string:
		if quantity.MatchString(t) {
			return "7" + t
		}
		return t + "x"
	}
	return nil
}

var quantity = regexp.MustCompile(`^\d+(m|Mi)$`)

// compared are the fields of proxies of which it is known what they should be. A field of an item is changed, not its
// name, which is two changes.
var compared = regexp.MustCompile(`^spec\.replicas$|^spec\.template\.metadata\.labels|prometheus\.io|^metadata\.labels.*(kgateway|managed-by|name|instance)` +
	`|\.(image|imagePullPolicy|serviceAccountName)$|\.resources\.|env\[\w+\]\.(value|valueFrom\.fieldRef\.fieldPath)$|securityContext|nodeSelector|args\[` +
	`|^spec\.(type|selector)|Probe\.(httpGet\.p|periodSeconds)`)

// Every field that is compared, changed or taken out, gives exactly one finding more; no other gives two.
func TestRealProxiesFieldByField(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("some thousand diagnoses")
	}
	for _, version := range []string{"v2.0.0", "v2.4.0"} {
		d := diagnosedSnapshot(t, version, ofProxies())
		n := 0
		for _, o := range d.snap.Kind("Deployment", "Service") {
			if o.GetNamespace() != "shop" {
				continue
			}
			rendering.Leaves("", o.Object, func(field string, v any) {
				if !strings.HasPrefix(field, "spec") && !strings.HasPrefix(field, "metadata.labels") || strings.HasSuffix(field, "].name") || strings.HasSuffix(field, ".name") || another(v) == nil {
					return
				}
				if strings.Contains(field, "OTEL_") || strings.Contains(field, "matchLabels") || strings.Contains(field, "helm.sh") {
					return // made of more than is known, or never to be changed
				}
				for _, to := range []any{another(v), rendering.Absent{}} {
					got := d.more(o.GetKind(), "shop", o.GetName(), field, to)
					is := compared.MatchString(field) && !(o.GetKind() == "Deployment" && strings.HasPrefix(field, "spec.selector"))
					if o.GetName() == "plain" && field == "spec.replicas" && version != "v2.0.0" {
						is = false // nobody decides it
					}
					if is && (len(got) != 1 || !strings.HasPrefix(got[0], "KGW4102 ")) || len(got) > 1 {
						t.Errorf("%s %s/%s %s to %v: %q", version, o.GetKind(), o.GetName(), field, to, got)
					}
					if is {
						n++
					}
				}
			})
		}
		if n < 150 {
			t.Errorf("%s: only %d changes were tried", version, n)
		}
	}
}

// What nobody said, added to a proxy without any that was there.
func TestRealProxiesAddedTo(t *testing.T) {
	t.Parallel()
	const container = "spec.template.spec.containers[kgateway-proxy]."
	for _, version := range []string{"v2.0.0", "v2.4.0"} {
		d := diagnosedSnapshot(t, version, ofProxies())
		for field, v := range map[string]any{
			"spec.template.spec.nodeSelector":              map[string]any{"disk": "ssd"},
			"spec.template.spec.tolerations":               []any{map[string]any{"key": "a", "operator": "Exists"}},
			"spec.template.spec.affinity":                  map[string]any{"nodeAffinity": map[string]any{"requiredDuringSchedulingIgnoredDuringExecution": map[string]any{"nodeSelectorTerms": []any{map[string]any{}}}}},
			"spec.template.spec.imagePullSecrets":          []any{map[string]any{"name": "s"}},
			"spec.template.spec.priorityClassName":         "high",
			"spec.template.spec.topologySpreadConstraints": []any{map[string]any{"topologyKey": "zone", "maxSkew": int64(1)}},
			container + "resources":                        map[string]any{"limits": map[string]any{"cpu": "1", "memory": "1Gi"}},
			container + "env[MORE].value":                  "1",
			"spec.template.metadata.labels.more":           "1",
			"spec.template.metadata.annotations.more":      "1",
		} {
			if got := d.more("Deployment", "shop", "plain", field, v); len(got) != 1 || !strings.HasPrefix(got[0], "KGW4102 warning Deployment/plain "+field) {
				t.Errorf("%s %s: %q", version, field, got)
			}
		}
	}
}

// What decides about proxies, changed in one place.
func TestRealSourcesChanged(t *testing.T) {
	t.Parallel()
	gone := func(map[string]any) map[string]any { return nil }
	set := func(field string, v any) func(map[string]any) map[string]any {
		return func(o map[string]any) map[string]any { return rendering.Put(o, field, v) }
	}
	all := map[string]*diagnosed{}
	for _, version := range []string{"v2.0.0", "v2.4.0"} {
		all[version] = diagnosedSnapshot(t, version, append(liveChecks(), kgatewayChecks()...))
	}
	const ref = "spec.infrastructure.parametersRef"
	for _, c := range []struct {
		kind, namespace, name string
		change                func(map[string]any) map[string]any
		tells                 string
	}{
		{"Gateway", "shop", "tuned", set(ref+".name", "nobody"), "KGW4101 error Gateway/tuned " + ref},
		{"Gateway", "shop", "tuned", set(ref+".kind", "ConfigMap"), "KGW4101 error Gateway/tuned " + ref},
		{"Gateway", "shop", "tuned", set(ref+".group", "agentgateway.dev"), "KGW4101 error Gateway/tuned " + ref},
		{"Gateway", "shop", "plain", set("spec.gatewayClassName", "none"), "KGW4108 error GatewayClass/none"},
		{"GatewayClass", "", "classy", set("spec.parametersRef.namespace", "shop"), "KGW4101 error GatewayClass/classy spec.parametersRef"},
		{"GatewayClass", "", "classy", set("spec.parametersRef.name", "none"), "KGW4101 error GatewayClass/classy spec.parametersRef"},
		{"GatewayClass", "", "classy", set("spec.parametersRef.namespace", rendering.Absent{}), "KGW4101 error GatewayClass/classy spec.parametersRef"},
		{"GatewayClass", "", "classy", set("spec.controllerName", "example.com/other"), "KGW4108 error GatewayClass/classy spec.controllerName"},
		{"GatewayClass", "", "classy", set("spec.controllerName", "kgateway.dev/agentgateway"), "KGW4108 error GatewayClass/classy spec.controllerName"},
		{"GatewayClass", "", "classy", gone, "KGW4108 error GatewayClass/classy"},
		{"GatewayParameters", "kgateway-system", "class-wide", gone, "KGW4101 error GatewayClass/classy spec.parametersRef"},
		{"GatewayParameters", "kgateway-system", "class-wide", set("spec.kube.service.type", "NodePort"), "KGW4102 warning Service/both spec.type"},
		{"GatewayParameters", "shop", "small", set("spec.kube.deployment.replicas", int64(4)), "KGW4102 warning Deployment/both spec.replicas"},
		{"GatewayParameters", "shop", "small", set("spec.kube.podTemplate.tolerations", []any{map[string]any{"key": "a", "operator": "Exists"}}), "KGW4102 warning Deployment/both spec.template.spec.tolerations"},
		{"GatewayParameters", "shop", "small", set("spec.kube.envoyContainer.securityContext", map[string]any{"runAsUser": int64(7)}), "KGW4102 warning Deployment/both spec.template.spec.containers[kgateway-proxy].securityContext.runAsUser"},
		{"GatewayParameters", "shop", "small", set("spec.kube.podTemplate.nodeSelector", map[string]any{}), `KGW4102 warning Deployment/both spec.template.spec.nodeSelector`},
		{"Deployment", "shop", "plain", gone, "KGW4107 warning Gateway/plain"},
	} {
		for version, d := range all {
			if got := d.with(c.kind, c.namespace, c.name, c.change); len(got) != 1 || !strings.HasPrefix(got[0], c.tells) {
				t.Errorf("%s %s/%s, want %s: got %q", version, c.kind, c.name, c.tells, got)
			}
		}
	}
	got := all["v2.4.0"].with("GatewayParameters", "shop", "small", set("spec", map[string]any{"selfManaged": map[string]any{}}))
	if len(got) != 2 || !strings.HasPrefix(got[0], "KGW4109 warning Deployment/both") {
		t.Errorf("selfManaged: %q", got)
	}
	for version, container := range map[string]string{"v2.0.0": "kgateway", "v2.4.0": "controller"} {
		field := "spec.template.spec.containers[" + container + "].env[KGW_DEFAULT_IMAGE_PULL_POLICY].value"
		if got := all[version].more("Deployment", "kgateway-system", "kgateway", field, "Never"); len(got) != 1 || !strings.HasPrefix(got[0], "KGW2002") {
			t.Errorf("%s: %q", version, got)
		}
	}
}
