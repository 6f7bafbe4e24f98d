package kgateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// variable is an environment variable that a controller reads, with the first and the last line of versions (2.1 is
// 2.1.0 with all its patches) of which that is known.
type variable struct{ name, first, last string }

// environment is what the controllers read: KGW_ in kgateway, AGW_ in agentgateway. A line holds what any of its
// releases reads, so that a name is only called unread if no release of the line has it.
// Source: the settings of kgateway v2.0.0 to v2.4 and agentgateway v1.0.0 to v1.4.1, by their tags and branches.
var environment = []variable{
	{"AGW_ADDITIONAL_XDS_TLS_HOSTS", "1.2", "1.4"},
	{"AGW_AGENTGATEWAY_CLASS_NAME", "1.4", "1.4"},
	{"AGW_AGENTGATEWAY_XDS_SERVICE_PORT", "1.0", "1.4"},
	{"AGW_BACKEND_REF_GRANT_MODE", "1.3", "1.4"},
	{"AGW_CONTROLLER_NAME", "1.4", "1.4"},
	{"AGW_DEFAULT_IMAGE_PULL_POLICY", "1.0", "1.0"},
	{"AGW_DEFAULT_IMAGE_REGISTRY", "1.0", "1.0"},
	{"AGW_DEFAULT_IMAGE_TAG", "1.0", "1.0"},
	{"AGW_DISABLE_LEADER_ELECTION", "1.0", "1.4"},
	{"AGW_DISCOVERY_NAMESPACE_SELECTORS", "1.0", "1.4"},
	{"AGW_DNS_LOOKUP_FAMILY", "1.0", "1.4"},
	{"AGW_ENABLE_AGENTGATEWAY_MODELS", "1.4", "1.4"},
	{"AGW_ENABLE_BUILTIN_DEFAULT_METRICS", "1.0", "1.4"},
	{"AGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES", "1.0", "1.4"},
	{"AGW_ENABLE_INFER_EXT", "1.0", "1.4"},
	{"AGW_GATEWAY_CLASS_PARAMETERS_REFS", "1.0", "1.4"},
	{"AGW_GLOBAL_POLICY_NAMESPACE", "1.0", "1.4"},
	{"AGW_ISTIO_AUTO_ENABLED", "1.3", "1.4"},
	{"AGW_ISTIO_CA_ADDRESS", "1.3", "1.4"},
	{"AGW_ISTIO_CLUSTER_ID", "1.3", "1.4"},
	{"AGW_ISTIO_NAMESPACE", "1.0", "1.4"},
	{"AGW_ISTIO_NETWORK", "1.3", "1.4"},
	{"AGW_ISTIO_REVISION", "1.0", "1.4"},
	{"AGW_LISTENER_BIND_IPV6", "1.0", "1.4"},
	{"AGW_LOG_LEVEL", "1.0", "1.4"},
	{"AGW_NO_LISTENERS_DUMMY_PORT", "1.0", "1.4"},
	{"AGW_PROXY_IMAGE_REGISTRY", "1.0", "1.4"},
	{"AGW_PROXY_IMAGE_REPOSITORY", "1.0", "1.4"},
	{"AGW_PROXY_IMAGE_TAG", "1.0", "1.4"},
	{"AGW_XDS_AUTH", "1.0", "1.4"},
	{"AGW_XDS_MODE", "1.2", "1.4"},
	{"AGW_XDS_SERVICE_HOST", "1.0", "1.4"},
	{"AGW_XDS_SERVICE_NAME", "1.0", "1.4"},
	{"AGW_XDS_TLS", "1.0", "1.1"},
	{"KGW_ADMIN_BIND_ADDRESS", "2.4", "2.4"},
	{"KGW_AGENTGATEWAY_XDS_SERVICE_PORT", "2.1", "2.2"},
	{"KGW_AWS_EC2_REFRESH_INTERVAL", "2.4", "2.4"},
	{"KGW_DEFAULT_IMAGE_PULL_POLICY", "2.0", "2.4"},
	{"KGW_DEFAULT_IMAGE_REGISTRY", "2.0", "2.4"},
	{"KGW_DEFAULT_IMAGE_TAG", "2.0", "2.4"},
	{"KGW_DISABLE_LEADER_ELECTION", "2.1", "2.4"},
	{"KGW_DISCOVERY_NAMESPACE_SELECTORS", "2.1", "2.4"},
	{"KGW_DNS_LOOKUP_FAMILY", "2.0", "2.4"},
	{"KGW_ENABLE_AGENTGATEWAY", "2.1", "2.2"},
	{"KGW_ENABLE_AUTH_METADATA", "2.3", "2.4"},
	{"KGW_ENABLE_AWS_EC2_DISCOVERY", "2.4", "2.4"},
	{"KGW_ENABLE_BUILTIN_DEFAULT_METRICS", "2.1", "2.4"},
	{"KGW_ENABLE_ENVOY", "2.2", "2.3"},
	{"KGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES", "2.2", "2.4"},
	{"KGW_ENABLE_INFER_EXT", "2.0", "2.2"},
	{"KGW_ENABLE_ISTIO_AUTO_MTLS", "2.0", "2.4"},
	{"KGW_ENABLE_ISTIO_INTEGRATION", "2.0", "2.4"},
	{"KGW_ENABLE_ORDERED_ADS", "2.4", "2.4"},
	{"KGW_ENABLE_ROUTE_SOURCE_METADATA", "2.4", "2.4"},
	{"KGW_ENABLE_WAYPOINT", "2.1", "2.4"},
	{"KGW_GATEWAY_CLASS_PARAMETERS_REFS", "2.2", "2.4"},
	{"KGW_GLOBAL_POLICY_NAMESPACE", "2.1", "2.4"},
	{"KGW_INFER_EXT_AUTO_PROVISION", "2.0", "2.1"},
	{"KGW_INGRESS_USE_WAYPOINTS", "2.0", "2.4"},
	{"KGW_ISTIO_NAMESPACE", "2.0", "2.4"},
	{"KGW_LISTENER_BIND_IPV6", "2.1", "2.4"},
	{"KGW_LOG_LEVEL", "2.1", "2.4"},
	{"KGW_POLICY_MERGE", "2.1", "2.4"},
	{"KGW_REFERENCE_GRANT_MODE", "2.2", "2.4"},
	{"KGW_SERVICE_ENTRIES_EXCLUSION_LABEL_SELECTORS", "2.3", "2.4"},
	{"KGW_SKIP_GATEWAY_API_VERSION_CHECK", "2.2", "2.2"},
	{"KGW_USE_RUST_FORMATIONS", "2.0", "2.3"},
	{"KGW_VALIDATION_MODE", "2.1", "2.4"},
	{"KGW_VALIDATOR_CACHE_SIZE", "2.3", "2.4"},
	{"KGW_VALIDATOR_MODE", "2.3", "2.4"},
	{"KGW_WAYPOINT_LOCAL_BINDING", "2.0", "2.4"},
	{"KGW_WEIGHTED_ROUTE_PRECEDENCE", "2.1", "2.4"},
	{"KGW_WORKLOAD_ENTRIES_EXCLUSION_LABELS", "2.3", "2.4"},
	{"KGW_XDS_AUTH", "2.0", "2.4"},
	{"KGW_XDS_SERVICE_HOST", "2.1", "2.4"},
	{"KGW_XDS_SERVICE_NAME", "2.0", "2.4"},
	{"KGW_XDS_SERVICE_PORT", "2.0", "2.4"},
	{"KGW_XDS_TLS", "2.1", "2.4"},
	// Read outside the settings, from a line that is not known: it is never called unread.
	// Source: kgateway, xdsFirstConnectDelay in pkg/krtcollections.
	{"KGW_XDS_FIRST_CONNECT_DELAY", "2.0", "2.4"},
}

// Known lines of versions, by the prefix of the names that they read.
var lines = map[string][]string{
	"KGW_": {"2.0", "2.1", "2.2", "2.3", "2.4"},
	"AGW_": {"1.0", "1.1", "1.2", "1.3", "1.4"},
}

// Prefix is how the variables begin that the controller of a chart of this version reads; "" if it is not known.
// The agentgateway chart of 2.2 was still a part of kgateway.
func Prefix(chart, version string) string {
	line := lineOf(version)
	for _, prefix := range []string{"KGW_", "AGW_"} {
		if slices.Contains(lines[prefix], line) && (chart == "agentgateway" || chart == "kgateway" && prefix == "KGW_") {
			return prefix
		}
	}
	return ""
}

// IsSetting says whether a variable is meant for one of the controllers.
func IsSetting(name string) bool {
	return strings.HasPrefix(name, "KGW_") || strings.HasPrefix(name, "AGW_")
}

// Variables lists what the controller of this version reads, sorted; nil if that is not known.
func Variables(chart, version string) []string {
	prefix, line := Prefix(chart, version), lineOf(version)
	if prefix == "" {
		return nil
	}
	var out []string
	for _, v := range environment {
		if strings.HasPrefix(v.name, prefix) && v.first <= line && line <= v.last {
			out = append(out, v.name)
		}
	}
	slices.Sort(out)
	return out
}

// Elsewhere tells which lines of versions read a variable; "" if none is known to.
func Elsewhere(name string) string {
	for _, v := range environment {
		switch {
		case v.name != name:
		case v.first == v.last:
			return v.first
		default:
			return v.first + " to " + v.last
		}
	}
	return ""
}

// Nearest chooses, of the names, the one that was meant by another; "" if none is like it. The order of the words in
// a name does not count, since that is what people get wrong.
func Nearest(name string, names []string) string {
	best, score := "", 0.0
	for _, n := range names {
		if s := alike(name, n); s > score {
			best, score = n, s
		}
	}
	if score < 0.6 {
		return ""
	}
	return best
}

// alike is 1 for the same words, less for each that only one of the two has; the prefix does not count.
func alike(a, b string) float64 {
	x, y := words(a), words(b)
	common := 0
	for _, w := range x {
		if slices.ContainsFunc(y, func(v string) bool { return sameWord(w, v) }) {
			common++
		}
	}
	return float64(common) / float64(max(len(x), len(y)))
}

func words(name string) []string {
	for _, prefix := range []string{"KGW_", "AGW_"} {
		name = strings.TrimPrefix(name, prefix)
	}
	return strings.Split(strings.ToUpper(name), "_")
}

// sameWord takes plural and singular for one, and ENABLE for ENABLED.
func sameWord(a, b string) bool {
	trim := func(s string) string { return strings.TrimSuffix(strings.TrimSuffix(s, "S"), "D") }
	return trim(a) == trim(b)
}

// lineOf is major.minor of a released version; "" for a pre-release, of which too little is known, and for what is no
// version. Build metadata does not matter.
func lineOf(version string) string {
	v, err := semver.NewVersion(version)
	if err != nil || v.Prerelease() != "" {
		return ""
	}
	return fmt.Sprintf("%d.%d", v.Major(), v.Minor())
}
