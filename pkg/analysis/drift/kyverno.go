package drift

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Kyverno's own kinds. Its webhook only asks them.
var (
	kyvernoKinds = []string{"ClusterPolicy.kyverno.io", "Policy.kyverno.io", "MutatingPolicy.policies.kyverno.io"}
	kyvernoHook  = regexp.MustCompile(`^kyverno-.*mutating-webhook-cfg`)
)

// kyverno lists the rules of Kyverno's policies that mutate such an object; read is false where the policies of the
// cluster are not known.
func (r request) kyverno() (out []Mutator, read bool) {
	for _, k := range kyvernoKinds {
		name, _, _ := strings.Cut(k, ".")
		if k != kyvernoKinds[2] && r.unread(name) {
			return nil, false
		}
	}
	for _, o := range r.snap.Kind(kyvernoKinds...) {
		if r.later(o) || o.GetNamespace() != "" && o.GetNamespace() != r.namespace {
			continue
		}
		if o.GetKind() == "MutatingPolicy" {
			spec, _, _ := unstructured.NestedMap(o.Object, "spec")
			if match, _ := spec["matchConstraints"].(map[string]any); r.constrained(match) {
				out = append(out, Mutator{Name: "Kyverno MutatingPolicy/" + o.GetName(), Made: made(o), says: mutations(spec)})
			}
			continue
		}
		out = append(out, r.kyvernoRules(o)...)
	}
	return out, true
}

func (r request) kyvernoRules(o *unstructured.Unstructured) []Mutator {
	rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules")
	var out []Mutator
	for _, x := range rules {
		rule, _ := x.(map[string]any)
		mutate, _ := rule["mutate"].(map[string]any)
		if mutate == nil || mutate["targets"] != nil { // targets: other objects than the one that is asked about
			continue
		}
		matches, sure := r.kyvernoMatch(rule["match"], autogen(o))
		excluded, surely := r.kyvernoMatch(rule["exclude"], autogen(o))
		if !matches || excluded && surely {
			continue
		}
		name, _ := rule["name"].(string)
		m := Mutator{Name: "Kyverno " + o.GetKind() + "/" + o.GetName(), Part: "rule " + name, Made: made(o), says: jsonText(mutate)}
		if !sure || excluded || rule["preconditions"] != nil {
			m.Remarks = []string{"may match: it has conditions"}
		}
		out = append(out, m)
	}
	return out
}

// jsonText is a tree as one text, to look for words in.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // nothing of an unstructured object cannot be written
	}
	return strings.ReplaceAll(string(b), `\n`, " ")
}

// autogen says whether rules for Pods are also rules for what makes Pods.
// Source: kyverno.io docs, "Auto-Gen Rules".
func autogen(policy *unstructured.Unstructured) func(kind string) bool {
	wanted, given := policy.GetAnnotations()["pod-policies.kyverno.io/autogen-controllers"]
	return func(kind string) bool {
		return IsWorkload(kind) && (!given || slices.Contains(strings.Split(wanted, ","), kind))
	}
}

// kyvernoMatch says whether a match or exclude block takes the request, and whether that is sure: who asks is not known.
func (r request) kyvernoMatch(block any, generated func(string) bool) (matches, sure bool) {
	m, _ := block.(map[string]any)
	if m == nil {
		return false, true
	}
	filters, all := m["any"].([]any)
	if all = !all; all {
		if filters, _ = m["all"].([]any); filters == nil {
			filters = []any{m}
		}
	}
	sure = true
	for _, f := range filters {
		filter, _ := f.(map[string]any)
		takes := r.kyvernoTakes(filter["resources"], generated)
		for _, who := range []string{"subjects", "roles", "clusterRoles"} {
			sure = sure && filter[who] == nil
		}
		if takes != all {
			return takes, sure
		}
	}
	return all && len(filters) > 0, sure
}

func (r request) kyvernoTakes(resources any, generated func(string) bool) bool {
	m, _ := resources.(map[string]any)
	if m == nil {
		return true // it is about who asks
	}
	anyOf := func(key string, is func(string) bool) bool {
		list := texts(m[key])
		return len(list) == 0 || slices.ContainsFunc(list, is)
	}
	glob := func(of string) func(string) bool {
		return func(pattern string) bool { ok, err := path.Match(pattern, of); return ok && err == nil }
	}
	name, _ := m["name"].(string)
	return anyOf("kinds", func(k string) bool {
		k = path.Base(k)
		return k == r.kind || k == "*" || k == "Pod" && generated(r.kind)
	}) && anyOf("namespaces", glob(r.namespace)) && anyOf("names", glob(r.name)) && (name == "" || glob(r.name)(name)) &&
		anyOf("operations", func(op string) bool { return slices.Contains(r.operations, op) }) &&
		(m["namespaceSelector"] == nil || r.inNamespace(m["namespaceSelector"])) && (m["selector"] == nil || r.labelled(m["selector"]))
}

// kyvernoPatch is a line of the annotation by which Kyverno tells what it changed last.
// Source: kyverno pkg/webhooks/utils, annotationFromEngineResponses: RULE.POLICY.kyverno.io: replaced /spec/…
var kyvernoPatch = regexp.MustCompile(`^\s*([^\s:]+)\.([a-z0-9-]+)\.kyverno\.io: *(?:added|removed|replaced|\S+) (/\S*)\s*$`)

const kyvernoAnnotation = "policies.kyverno.io/last-applied-patches"

// patchedBy names the policy and rule of Kyverno that the Pod's annotation says wrote the field.
func patchedBy(field string, p *unstructured.Unstructured) (culprit, how string) {
	for line := range strings.Lines(p.GetAnnotations()[kyvernoAnnotation]) {
		m := kyvernoPatch.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if at := pointed(p.Object, m[3]); at != "" && (under(field, at) || under(at, field)) {
			return "Kyverno policy " + m[2] + ", rule " + m[1], "the Pods' annotation " + kyvernoAnnotation + " tells it"
		}
	}
	return "", ""
}

// kyvernoSigns is for a Pod that Kyverno changed: the annotation holds the last patch of each rule only, so that one it
// does not hold may be Kyverno's all the same.
func kyvernoSigns(p *unstructured.Unstructured) []Mutator {
	if p.GetAnnotations()[kyvernoAnnotation] == "" {
		return nil
	}
	return []Mutator{{Name: "Kyverno", Remarks: []string{"the Pods' annotation " + kyvernoAnnotation}, hook: kyvernoHook}}
}

// pointed turns a JSON pointer into an object into a field of it; empty if nothing is there.
func pointed(object any, pointer string) string {
	at, field := object, ""
	for _, key := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
		s, ok := pointerStep(at, key)
		if !ok {
			return field
		}
		at, field = child(at, s), joinStep(field, s)
	}
	return field
}
