package drift

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// Mutator is a webhook or policy that is asked about an object on its way into the cluster, and may change it.
type Mutator struct {
	Name    string // MutatingWebhookConfiguration/x
	Part    string // which webhook or rule of it; empty where there is only one
	Remarks []string
	Made    string         // when it was made, RFC 3339; empty: not known
	hook    *regexp.Regexp // of what is known by its signs: the names of its webhook configurations
	says    string         // what it does, as far as it can be read; empty for a webhook
}

func (m Mutator) String() string {
	out := m.Name
	if m.Part != "" {
		out += ", " + m.Part
	}
	if len(m.Remarks) > 0 {
		out += " (" + strings.Join(m.Remarks, "; ") + ")"
	}
	return out
}

// sends says whether another mutator is only the webhook of this one.
func (m Mutator) sends(other Mutator) bool {
	name, found := strings.CutPrefix(other.Name, "MutatingWebhookConfiguration/")
	return found && m.hook != nil && m.hook.MatchString(name)
}

// Kinds of the snapshot that change objects on their way in.
const (
	webhookKind = "MutatingWebhookConfiguration.admissionregistration.k8s.io"
	policyKind  = "MutatingAdmissionPolicy.admissionregistration.k8s.io"
	bindingKind = "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io"
)

// mutators lists what is asked about a request, in the order in which the API server asks: policies, then webhooks.
func (r request) mutators() []Mutator {
	out := r.policies()
	kyverno, read := r.kyverno()
	for _, o := range r.snap.Kind(webhookKind) {
		switch {
		case r.later(o):
		case read && kyvernoHook.MatchString(o.GetName()):
			out = append(out, kyverno...) // what asks them
			kyverno = nil
		default:
			out = append(out, r.webhooks(o)...)
		}
	}
	return append(out, kyverno...)
}

// webhooks gives those of one configuration that are asked. Of a program whose webhook is known, and which never
// writes the field, there are none.
func (r request) webhooks(o *unstructured.Unstructured) []Mutator {
	for _, in := range Injectors {
		if in.Webhook != nil && in.Webhook.MatchString(o.GetName()) && in.Field != nil && !in.Field.MatchString(r.field) && r.kind == "Pod" {
			return nil
		}
	}
	hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
	var out []Mutator
	for _, h := range hooks {
		hook, _ := h.(map[string]any)
		if !r.ruled(hook["rules"], hook["matchPolicy"] == any("Exact")) || !r.selected(hook) {
			continue
		}
		m := Mutator{Name: "MutatingWebhookConfiguration/" + o.GetName(), Made: made(o)}
		if name, _ := hook["name"].(string); len(hooks) > 1 {
			m.Part = "webhook " + name
		}
		if conditions, _ := hook["matchConditions"].([]any); len(conditions) > 0 {
			m.Remarks = append(m.Remarks, "may match: it has match conditions")
		}
		if hook["reinvocationPolicy"] == any("IfNeeded") {
			m.Remarks = append(m.Remarks, "asked again after others")
		}
		out = append(out, m)
	}
	return out
}

// policies gives the MutatingAdmissionPolicies that are asked: those with a binding that takes the request, or with
// any if the bindings were not read.
func (r request) policies() []Mutator {
	var out []Mutator
	for _, o := range r.snap.Kind(policyKind) {
		spec, _, _ := unstructured.NestedMap(o.Object, "spec")
		constraints, _ := spec["matchConstraints"].(map[string]any)
		if r.later(o) || !r.constrained(constraints) {
			continue
		}
		remarks, bound := r.bound(o.GetName())
		if !bound {
			continue
		}
		m := Mutator{Name: "MutatingAdmissionPolicy/" + o.GetName(), Made: made(o), Remarks: remarks, says: mutations(spec)}
		if conditions, _ := spec["matchConditions"].([]any); len(conditions) > 0 {
			m.Remarks = append(m.Remarks, "may match: it has match conditions")
		}
		out = append(out, m)
	}
	return out
}

// constrained says whether matchConstraints, or a binding's matchResources, take the request.
func (r request) constrained(match map[string]any) bool {
	exact := match["matchPolicy"] == any("Exact")
	rules, given := match["resourceRules"].([]any)
	return r.selected(match) && (!given || len(rules) == 0 || r.ruled(rules, exact)) && !r.ruled(match["excludeResourceRules"], exact)
}

// bound says whether a binding puts the policy in force for the request, and what is not known of it.
func (r request) bound(policy string) (remarks []string, found bool) {
	if r.unread("MutatingAdmissionPolicyBinding") {
		return []string{"its bindings were not read"}, true
	}
	for _, b := range r.snap.Kind(bindingKind) {
		spec, _, _ := unstructured.NestedMap(b.Object, "spec")
		match, _ := spec["matchResources"].(map[string]any)
		if spec["policyName"] != any(policy) || r.later(b) || !r.constrained(match) {
			continue
		}
		if ref, _ := spec["paramRef"].(map[string]any); ref != nil {
			name, _ := ref["name"].(string)
			if name == "" {
				name = "a selector"
			}
			return []string{fmt.Sprintf("with the parameters of %s, binding %s", name, b.GetName())}, true
		}
		return []string{"binding " + b.GetName()}, true
	}
	return nil, false
}

// unread says whether objects of a kind may be in the cluster without being in the snapshot.
func (r request) unread(kind string) bool {
	s := &sights{Snapshot: r.snap}
	return r.snap.Header.TakenAt == "" && len(r.snap.Kind(kind)) == 0 || s.listFailed(kind)
}

// mutations is the text of what a policy does: its expressions, and the variables that they use.
func mutations(spec map[string]any) string {
	var out []string
	for _, k := range []string{"mutations", "variables"} {
		rendering.Leaves("", map[string]any{k: spec[k]}, func(field string, v any) {
			if s, ok := v.(string); ok && strings.HasSuffix(field, "expression") {
				out = append(out, s)
			}
		})
	}
	return strings.Join(out, "\n")
}

// names says whether the mutator's own text speaks of the request's field.
func (m Mutator) names(r request) bool {
	words := fieldWords(r.field)
	return m.says != "" && len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !holdsWord(m.says, w) })
}

// gives says whether the text speaks of the value that the field has now.
func (m Mutator) gives(r request) bool {
	given := false
	rendering.Leaves("", map[string]any{"x": r.live}, func(_ string, v any) {
		given = given || v != nil && holdsWord(m.says, fmt.Sprint(v))
	})
	return given
}

// fieldWords are what a text must hold that writes the field: its last key and, where that says little by itself, what
// it is a part of.
func fieldWords(field string) []string {
	var out []string
	for _, s := range slices.Backward(parseField(field)) {
		if s.item && isIndex.MatchString(s.key) {
			continue
		}
		out = append(out, s.key)
		if !slices.Contains([]string{"value", "valueFrom", "name", "cpu", "memory"}, s.key) {
			break
		}
	}
	return out
}

var isIndex = regexp.MustCompile(`^\d+$`)

// holdsWord says whether a text holds a word, not as a part of a longer one.
func holdsWord(text, word string) bool {
	if word == "" {
		return false
	}
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		begin, end := at+i, at+i+len(word)
		if (begin == 0 || !wordByte(text[begin-1])) && (end == len(text) || !wordByte(text[end])) {
			return true
		}
		at = begin + 1
	}
}

func wordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
