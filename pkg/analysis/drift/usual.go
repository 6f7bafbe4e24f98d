package drift

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// usualFields are what every Pod gets: from the API server's defaults, the scheduler, the service account, the
// controllers, and kubectl debug.
var usualFields = regexp.MustCompile(`^spec\.(nodeName|serviceAccount|serviceAccountName|automountServiceAccountToken|enableServiceLinks|` +
	`preemptionPolicy|priority|priorityClassName|hostname|subdomain|schedulerName|restartPolicy|dnsPolicy|terminationGracePeriodSeconds|` +
	`overhead|schedulingGates.*|ephemeralContainers.*|imagePullSecrets.*|resources\..*|` +
	`affinity\.nodeAffinity\.requiredDuringSchedulingIgnoredDuringExecution.*|` +
	`volumes\[(kube-api-access-[a-z0-9]+|[a-z0-9.-]+-token-[a-z0-9]{5})\].*|` +
	`(initC|c)ontainers\[[^\]]+\]\.volumeMounts\[(/var/run/secrets/kubernetes\.io/serviceaccount|kube-api-access-[a-z0-9]+)\].*|` +
	`(initC|c)ontainers\[[^\]]+\]\.(terminationMessagePath|terminationMessagePolicy|imagePullPolicy|.*\.httpGet\.protocol))$`)

// usual says whether a Pod always differs so. What the template asks for is never usual: only what it leaves open.
func usual(u unlike) bool {
	if u.want != any(rendering.Absent{}) {
		return u.defaulted || u.field == "spec.tolerations" && tolerationsAdded(u)
	}
	m, _ := u.live.(map[string]any)
	if under(u.field, "spec.tolerations") {
		return usualToleration(m)
	}
	mount, _ := m["mountPath"].(string)
	return strings.HasSuffix(mount, "/serviceaccount") || usualFields.MatchString(u.field)
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
		return !usualToleration(m)
	})
}

func usualToleration(t map[string]any) bool {
	key, _ := t["key"].(string)
	return strings.HasPrefix(key, "node.kubernetes.io/")
}

// requested finds the requests of a container.
var requested = regexp.MustCompile(`^(spec\.(?:initC|c)ontainers\[[^\]]+\]\.resources)\.requests(.*)$`)

// byDefault says whether the API server filled the field in from another one of the Pod, as it does not in templates:
// requests from limits, host ports from ports, a toleration for a resource that is asked for.
// Source: k8s.io/kubernetes pkg/apis/core/v1/defaults.go, SetDefaults_Pod; plugin/pkg/admission/extendedresourcetoleration.
func byDefault(u unlike, template, spec map[string]any) bool {
	if u.want != any(rendering.Absent{}) {
		return false
	}
	if m := requested.FindStringSubmatch(u.field); m != nil {
		limits, found := rendering.Lookup(template, m[1]+".limits"+m[2])
		return found && Same("v1", "Pod", u.field, u.live, limits)
	}
	if strings.HasSuffix(u.field, ".hostPort") {
		return spec["hostNetwork"] == any(true)
	}
	t, _ := u.live.(map[string]any)
	key, _ := t["key"].(string)
	return under(u.field, "spec.tolerations") && strings.Contains(key, "/") && asksFor(spec, key)
}

// asksFor says whether a container asks for a resource.
func asksFor(spec map[string]any, resource string) bool {
	for _, kind := range []string{"initContainers", "containers"} {
		list, _ := spec[kind].([]any)
		if slices.ContainsFunc(list, func(c any) bool {
			m, _ := c.(map[string]any)
			_, found := rendering.Lookup(m, rendering.JoinField("resources.requests", resource))
			return found
		}) {
			return true
		}
	}
	return false
}

// ofResources is a table of a container's resources.
var ofResources = regexp.MustCompile(`\.resources(\.(limits|requests))?$`)

// parts takes apart what the template does not have at all: lists of tables, and resources, whose parts may each be
// somebody else's.
func parts(u unlike) []unlike {
	if u.want != any(rendering.Absent{}) {
		return []unlike{u}
	}
	var out []unlike
	switch live := u.live.(type) {
	case []any:
		if !holdsTables(live) {
			break
		}
		for i, name := range rendering.ItemNames(live) {
			out = append(out, unlike{field: u.field + "[" + name + "]", want: u.want, live: live[i]})
		}
	case map[string]any:
		if !ofResources.MatchString(u.field) {
			break
		}
		for k, v := range live {
			out = append(out, parts(unlike{field: rendering.JoinField(u.field, k), want: u.want, live: v})...)
		}
		slices.SortFunc(out, func(a, b unlike) int { return strings.Compare(a.field, b.field) })
	}
	if len(out) == 0 {
		return []unlike{u}
	}
	return out
}
