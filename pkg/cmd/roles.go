package cmd

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cluster"
)

// role is a Role or, without a namespace, a ClusterRole.
type role struct {
	name, namespace string
	rules           []roleRule
}

// roleRule is one rule of a role.
type roleRule struct {
	comment   string
	groups    []string
	resources []string
	names     []string // empty: all
	verbs     []string
}

var reading = []string{"get", "list"}

// charted is what pkg/cluster asks for: the records, what says how they fare, and every kind that the charts of
// cluster.Charts render.
var charted = []roleRule{
	{groups: []string{""}, resources: []string{"secrets", "configmaps", "pods", "services", "serviceaccounts"}, verbs: reading},
	{groups: []string{"apps"}, resources: []string{"deployments", "replicasets"}, verbs: reading},
	{groups: []string{"gateway.networking.k8s.io"}, resources: []string{"gateways", "gatewayclasses"}, verbs: reading},
	{groups: []string{"gateway.kgateway.dev"}, resources: []string{"gatewayparameters"}, verbs: reading},
	{groups: []string{"agentgateway.dev"}, resources: []string{"agentgatewayparameters"}, verbs: reading},
	{groups: []string{"apiextensions.k8s.io"}, resources: []string{"customresourcedefinitions"}, verbs: reading},
	{groups: []string{"rbac.authorization.k8s.io"}, resources: []string{"clusterroles", "clusterrolebindings"}, verbs: reading},
	{groups: []string{"autoscaling"}, resources: []string{"horizontalpodautoscalers"}, verbs: reading},
	{groups: []string{"autoscaling.k8s.io"}, resources: []string{"verticalpodautoscalers"}, verbs: reading},
	{groups: []string{"keda.sh"}, resources: []string{"scaledobjects"}, verbs: reading},
	{groups: []string{"policy"}, resources: []string{"poddisruptionbudgets"}, verbs: reading},
	{groups: []string{"helm.toolkit.fluxcd.io"}, resources: []string{"helmreleases"}, verbs: reading},
	{groups: []string{"argoproj.io"}, resources: []string{"applications"}, verbs: reading},
	{groups: []string{"monitoring.coreos.com"}, resources: []string{"podmonitors", "servicemonitors"}, verbs: reading},
}

// reasons is what pkg/cluster asks for where something is to be explained; a finding stands without it.
var reasons = []roleRule{
	{comment: "Read only where something is not as it was rendered: who changed it on its way in, why it does not go on.",
		groups: []string{""}, resources: []string{"events", "limitranges", "namespaces", "nodes", "resourcequotas"}, verbs: reading},
	{groups: []string{"admissionregistration.k8s.io"}, resources: []string{"mutatingwebhookconfigurations", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"}, verbs: reading},
	{groups: []string{"kyverno.io", "policies.kyverno.io"}, resources: []string{"clusterpolicies", "policies", "mutatingpolicies"}, verbs: reading},
}

// ofCluster are the resources above that have no namespace.
var ofCluster = []string{"gatewayclasses", "customresourcedefinitions", "clusterroles", "clusterrolebindings", "namespaces", "nodes",
	"mutatingwebhookconfigurations", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "clusterpolicies", "mutatingpolicies"}

// generalRoles are for the kgateway charts, whatever is installed: one ClusterRole or, for a namespace, a Role for what is
// in it and a ClusterRole for what is in none.
func generalRoles(namespace string) []role {
	return split("kgw-doctor", namespace, slices.Concat(charted, reasons))
}

func split(name, namespace string, rules []roleRule) []role {
	if namespace == "" {
		return []role{{name: name, rules: rules}}
	}
	inside, outside := role{name: name, namespace: namespace}, role{name: name + "-" + namespace}
	for _, r := range rules {
		in, out := r, r
		isOf := func(resource string) bool { return slices.Contains(ofCluster, resource) }
		in.resources = slices.DeleteFunc(slices.Clone(r.resources), isOf)
		out.resources = slices.DeleteFunc(slices.Clone(r.resources), func(s string) bool { return !isOf(s) })
		if len(in.resources) > 0 {
			inside.rules = append(inside.rules, in)
		}
		if len(out.resources) > 0 {
			outside.rules = append(outside.rules, out)
		}
	}
	return []role{inside, outside}
}

// exactRoles allow what a check asked for, and what it asks for where something is to be explained. With a namespace, what
// was asked of all namespaces is allowed in this one.
func exactRoles(name, namespace string, rights []cluster.Right) []role {
	byPlace := map[string][]cluster.Right{}
	for _, r := range rights {
		place := ""
		if namespace != "" && r.Namespaced {
			place = cmp.Or(r.Namespace, namespace)
		}
		if r.Namespaced {
			r.Name = ""
		}
		r.Namespace = place
		byPlace[place] = append(byPlace[place], r)
	}
	var out []role
	for _, why := range split(name, namespace, reasons) {
		why.rules = slices.Concat(rulesOf(byPlace[why.namespace]), why.rules)
		delete(byPlace, why.namespace)
		out = append(out, why)
	}
	for place, more := range byPlace { // what the release keeps in other namespaces
		out = append(out, role{name: name, namespace: place, rules: rulesOf(more)})
	}
	slices.SortStableFunc(out, func(a, b role) int { return cmp.Compare(b.namespace, a.namespace) })
	return out
}

// rulesOf joins rights into rules: the verbs of a resource, then the resources of a group that have the same verbs.
func rulesOf(rights []cluster.Right) []roleRule {
	type resource struct{ group, name string }
	verbs, names := map[resource][]string{}, map[resource][]string{}
	var order []resource
	for _, r := range rights {
		k := resource{r.Group, r.Resource}
		if verbs[k] == nil {
			order = append(order, k)
		}
		verbs[k] = append(verbs[k], r.Verb)
		if r.Name != "" {
			names[k] = append(names[k], r.Name)
		}
	}
	var out []roleRule
	for _, k := range order {
		v := slices.Compact(slices.Sorted(slices.Values(verbs[k])))
		if slices.Contains(v, "list") {
			names[k] = nil // a list cannot be of names
		}
		n := slices.Compact(slices.Sorted(slices.Values(names[k])))
		i := slices.IndexFunc(out, func(r roleRule) bool {
			return r.groups[0] == k.group && slices.Equal(r.verbs, v) && len(r.names) == 0 && len(n) == 0
		})
		if i >= 0 {
			out[i].resources = append(out[i].resources, k.name)
			continue
		}
		out = append(out, roleRule{groups: []string{k.group}, resources: []string{k.name}, names: n, verbs: v})
	}
	return out
}

// writeRoles writes them as YAML documents.
func writeRoles(roles []role) string {
	var docs []string
	for _, r := range roles {
		if len(r.rules) > 0 {
			docs = append(docs, r.String())
		}
	}
	return strings.Join(docs, "---\n")
}

func (r role) String() string {
	var b strings.Builder
	kind := "ClusterRole"
	if r.namespace != "" {
		kind = "Role"
	}
	fmt.Fprintf(&b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata:\n  name: %s\n", kind, r.name)
	if r.namespace != "" {
		fmt.Fprintf(&b, "  namespace: %s\n", r.namespace)
	}
	b.WriteString("rules:\n")
	for _, x := range r.rules {
		if x.comment != "" {
			fmt.Fprintf(&b, "# %s\n", x.comment)
		}
		fmt.Fprintf(&b, "- apiGroups: %s\n  resources: %s\n", flow(x.groups), flow(x.resources))
		if len(x.names) > 0 {
			fmt.Fprintf(&b, "  resourceNames: %s\n", flow(x.names))
		}
		fmt.Fprintf(&b, "  verbs: %s\n", flow(x.verbs))
	}
	return b.String()
}

var plainWord = regexp.MustCompile(`^[a-z][a-z0-9.-]*$`)

// flow writes a list of words in YAML's short form, quoted where a word could be read as something else.
func flow(words []string) string {
	out := slices.Clone(words)
	for i, w := range out {
		if !plainWord.MatchString(w) || slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off"}, w) {
			out[i] = strconv.Quote(w)
		}
	}
	return "[" + strings.Join(out, ", ") + "]"
}
