package drift

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// PodDifference is one field that Pods have otherwise than the template they were made from.
type PodDifference struct {
	Field      string // as in the workload: spec.template.spec.…
	Want, Live any    // in the template; in the first of the Pods
	Pods       []string
	Culprit    string   // who did it, if its signature says so
	Suspects   []string // webhooks and policies of the snapshot that match Pods, where there is no signature
}

// Admission lists what admission changed in the Pods of the template in charge, beyond what the API server, the
// scheduler and the service account always add. One difference holds all Pods that have the same.
func Admission(w *Workload) []PodDifference {
	if w == nil {
		return nil
	}
	from := w.Object
	if w.ReplicaSet != nil {
		from = w.ReplicaSet
	} else if w.Object.GetKind() == "Deployment" {
		return nil // the Pods of which ReplicaSet are meant is not known
	}
	template, _, _ := unstructured.NestedMap(from.Object, "spec", "template", "spec")
	claims, _, _ := unstructured.NestedSlice(w.Object.Object, "spec", "volumeClaimTemplates")
	var out []PodDifference
	for _, p := range w.Current {
		for _, u := range podChanges(template, p) {
			if !claimed(claims, u.field) {
				out = w.note(out, u, p, template)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b PodDifference) int {
		return cmp.Or(strings.Compare(a.Culprit, b.Culprit), strings.Compare(a.Field, b.Field))
	})
	return out
}

// claimed says whether a volume is one that a StatefulSet gives each of its Pods.
func claimed(claims []any, field string) bool {
	return slices.ContainsFunc(claims, func(c any) bool {
		m, _ := c.(map[string]any)
		name, _, _ := unstructured.NestedString(m, "metadata", "name")
		return under(field, "spec.volumes["+name+"]")
	})
}

func (w *Workload) note(out []PodDifference, u unlike, p *unstructured.Unstructured, template map[string]any) []PodDifference {
	field := "spec.template." + u.field
	d := PodDifference{Field: field, Want: u.want, Live: u.live, Pods: []string{p.GetName()}, Culprit: culprit(u, p, template)}
	if d.Culprit == "" && strings.Contains(u.field, ".resources") {
		d.Culprit = Resizer(w.Object, w.snap)
	}
	for i := range out {
		if out[i].Field == field && out[i].Culprit == d.Culprit && rendering.Equal(out[i].Live, u.live) {
			out[i].Pods = append(out[i].Pods, p.GetName())
			return out
		}
	}
	if d.Culprit == "" {
		d.Suspects = w.suspects(p)
	}
	return append(out, d)
}

// podChanges lists the fields of a Pod that its template has otherwise, or does not have.
func podChanges(template map[string]any, p *unstructured.Unstructured) []unlike {
	spec, _, _ := unstructured.NestedMap(p.Object, "spec")
	s := schemaOf("v1", "Pod").at("spec")
	all := compare("spec", s, template, spec)
	for _, u := range compare("spec", s, spec, template) {
		if u.live == any(rendering.Absent{}) && u.want != nil {
			all = append(all, unlike{field: u.field, want: u.live, live: u.want})
		}
	}
	return slices.DeleteFunc(all, func(u unlike) bool { return usual(u) || covered(all, u) })
}

// covered says whether a difference is told by another one: a list that differs as a whole.
func covered(all []unlike, u unlike) bool {
	return slices.ContainsFunc(all, func(o unlike) bool { return o.field != u.field && under(u.field, o.field) })
}

// usualFields are what every Pod gets: from the API server's defaults, the scheduler, the service account, the
// controllers, and kubectl debug.
var usualFields = regexp.MustCompile(`^spec\.(nodeName|serviceAccount|serviceAccountName|automountServiceAccountToken|enableServiceLinks|` +
	`preemptionPolicy|priority|priorityClassName|hostname|subdomain|schedulerName|restartPolicy|dnsPolicy|terminationGracePeriodSeconds|` +
	`overhead|schedulingGates.*|ephemeralContainers.*|imagePullSecrets.*|` +
	`tolerations(\[(node\.kubernetes\.io/[a-z-]+|\d+)\].*)?|` +
	`affinity\.nodeAffinity\.requiredDuringSchedulingIgnoredDuringExecution.*|` +
	`volumes\[(kube-api-access-[a-z0-9]+|[a-z0-9.-]+-token-[a-z0-9]{5})\].*|` +
	`(initC|c)ontainers\[[^\]]+\]\.volumeMounts\[/var/run/secrets/kubernetes\.io/serviceaccount\].*|` +
	`(initC|c)ontainers\[[^\]]+\]\.(terminationMessagePath|terminationMessagePolicy|imagePullPolicy)|` +
	`(initC|c)ontainers\[[^\]]+\]\.volumeMounts\[(kube-api-access-[a-z0-9]+)\].*)$`)

// usual says whether a Pod always differs so. What the template asks for is never usual: only what it leaves open.
func usual(u unlike) bool {
	if u.want != any(rendering.Absent{}) {
		return u.defaulted || u.field == "spec.tolerations" && tolerationsAdded(u)
	}
	switch v := u.live.(type) {
	case map[string]any:
		if strings.HasSuffix(mountPath(v), "/serviceaccount") {
			return true
		}
	case []any:
		return usualList(u.field, v)
	}
	return usualFields.MatchString(u.field)
}

// tolerationsAdded says whether a list of tolerations only grew by those that every Pod gets.
func tolerationsAdded(u unlike) bool {
	want, _ := u.want.([]any)
	live, _ := u.live.([]any)
	if len(live) < len(want) || !rendering.Equal(want, live[:len(want)]) {
		return false
	}
	return !slices.ContainsFunc(live[len(want):], func(t any) bool {
		m, _ := t.(map[string]any)
		key, _ := m["key"].(string)
		return !strings.HasPrefix(key, "node.kubernetes.io/")
	})
}

func mountPath(mount map[string]any) string {
	s, _ := mount["mountPath"].(string)
	return s
}

// usualList is for lists that the template does not have at all.
func usualList(field string, list []any) bool {
	if usualFields.MatchString(field) {
		return true
	}
	for _, it := range list {
		m, _ := it.(map[string]any)
		name, _ := m["name"].(string)
		if !strings.HasPrefix(name, "kube-api-access-") {
			return false
		}
	}
	return strings.HasSuffix(field, "olumes") || strings.HasSuffix(field, "olumeMounts")
}

// signature is how something that changes Pods can be known by what it leaves behind.
type signature struct {
	culprit    string
	annotation *regexp.Regexp // on the Pod
	field      *regexp.Regexp // that it changes; nil: any
}

// signatures are tried in this order. A new one is one line and one case in TestCulprits.
var signatures = []signature{
	{"LimitRanger", regexp.MustCompile(`^kubernetes\.io/limit-ranger$`), regexp.MustCompile(`\.resources(\.|$)`)},
	{"VerticalPodAutoscaler", regexp.MustCompile(`^vpaUpdates$|^vpaObservedContainers$`), regexp.MustCompile(`\.resources(\.|$)`)},
	{"the Istio sidecar injector", regexp.MustCompile(`^sidecar\.istio\.io/status$|^istio\.io/rev$`), regexp.MustCompile(`istio|^spec\.(securityContext|volumes|containers|initContainers|imagePullSecrets)`)},
	{"the Linkerd proxy injector", regexp.MustCompile(`^linkerd\.io/(proxy-version|created-by|trust-root-sha256)$`), regexp.MustCompile(`linkerd|^spec\.(volumes|containers|initContainers)`)},
	{"the Vault agent injector", regexp.MustCompile(`^vault\.hashicorp\.com/agent-inject-status$`), nil},
	{"Dapr's sidecar injector", regexp.MustCompile(`^dapr\.io/sidecar-injected$`), nil},
	{"the OpenTelemetry operator", regexp.MustCompile(`^sidecar\.opentelemetry\.io/injected$`), nil},
	{"Kyverno", regexp.MustCompile(`^policies\.kyverno\.io/`), nil},
	{"OPA Gatekeeper", regexp.MustCompile(`^gatekeeper\.sh/mutation`), nil},
}

// culprit names who changed a field; "" if nothing says so.
func culprit(u unlike, p *unstructured.Unstructured, template map[string]any) string {
	if strings.HasSuffix(u.field, ".imagePullPolicy") && u.live == any("Always") && allAlways(p) && !allPull(template, "Always") {
		return "AlwaysPullImages"
	}
	for _, s := range signatures {
		if s.field != nil && !s.field.MatchString(u.field) {
			continue
		}
		for name := range p.GetAnnotations() {
			if s.annotation.MatchString(name) {
				return s.culprit
			}
		}
	}
	return ""
}

// allAlways is the signature of the AlwaysPullImages plugin: every container, init containers too, pulls always.
func allAlways(p *unstructured.Unstructured) bool {
	spec, _, _ := unstructured.NestedMap(p.Object, "spec")
	return allPull(spec, "Always")
}

func allPull(spec map[string]any, policy string) bool {
	for _, kind := range []string{"initContainers", "containers"} {
		list, _ := spec[kind].([]any)
		for _, c := range list {
			if m, _ := c.(map[string]any); m["imagePullPolicy"] != any(policy) {
				return false
			}
		}
	}
	return true
}

// suspects lists the webhooks and policies that are asked when a Pod is made.
func (w *Workload) suspects(p *unstructured.Unstructured) []string {
	var out []string
	for _, o := range w.snap.Kind("MutatingWebhookConfiguration.admissionregistration.k8s.io") {
		hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
		for _, h := range hooks {
			m, _ := h.(map[string]any)
			rules, _ := m["rules"].([]any)
			if slices.ContainsFunc(rules, matchesPods) && selects(m["objectSelector"], p.GetLabels()) && w.selectsNamespace(m["namespaceSelector"], p) {
				out = append(out, "MutatingWebhookConfiguration/"+o.GetName())
				break
			}
		}
	}
	for _, o := range w.snap.Kind("MutatingAdmissionPolicy.admissionregistration.k8s.io") {
		if !w.bound(o.GetName()) {
			continue
		}
		match, _, _ := unstructured.NestedMap(o.Object, "spec", "matchConstraints")
		rules, _ := match["resourceRules"].([]any)
		if slices.ContainsFunc(rules, matchesPods) && selects(match["objectSelector"], p.GetLabels()) && w.selectsNamespace(match["namespaceSelector"], p) {
			out = append(out, "MutatingAdmissionPolicy/"+o.GetName())
		}
	}
	return out
}

// bound says whether a policy may be in force: it has a binding, or none was read.
func (w *Workload) bound(policy string) bool {
	bindings := w.snap.Kind("MutatingAdmissionPolicyBinding.admissionregistration.k8s.io")
	return len(bindings) == 0 || slices.ContainsFunc(bindings, func(b *unstructured.Unstructured) bool {
		name, _, _ := unstructured.NestedString(b.Object, "spec", "policyName")
		return name == policy
	})
}

func matchesPods(rule any) bool {
	m, _ := rule.(map[string]any)
	has := func(key string, any ...string) bool {
		list, _, _ := unstructured.NestedStringSlice(m, key)
		return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(any, s) })
	}
	return has("resources", "pods", "*", "*/*", "pods/*") && has("apiGroups", "", "*") && has("operations", "CREATE", "*")
}

// selects says whether a label selector may match; what it does not understand matches.
func selects(selector any, labels map[string]string) bool {
	m, _ := selector.(map[string]any)
	want, _, _ := unstructured.NestedStringMap(m, "matchLabels")
	for k, v := range want {
		if labels[k] != v {
			return false
		}
	}
	expressions, _ := m["matchExpressions"].([]any)
	for _, e := range expressions {
		x, _ := e.(map[string]any)
		key, _ := x["key"].(string)
		values, _, _ := unstructured.NestedStringSlice(x, "values")
		got, found := labels[key]
		switch x["operator"] {
		case "In":
			if !slices.Contains(values, got) {
				return false
			}
		case "NotIn":
			if found && slices.Contains(values, got) {
				return false
			}
		case "Exists":
			if !found {
				return false
			}
		case "DoesNotExist":
			if found {
				return false
			}
		}
	}
	return true
}

// selectsNamespace matches the labels of the Pod's namespace; a namespace that was not read has one label for sure.
func (w *Workload) selectsNamespace(selector any, p *unstructured.Unstructured) bool {
	ns := w.snap.Get("Namespace.", "", p.GetNamespace())
	if ns == nil {
		m, _ := selector.(map[string]any)
		return len(m) == 0 || selects(selector, map[string]string{"kubernetes.io/metadata.name": p.GetNamespace()})
	}
	return selects(selector, ns.GetLabels())
}

// Added says whether the template says nothing of the field.
func (d PodDifference) Added() bool { return d.Want == any(rendering.Absent{}) }
