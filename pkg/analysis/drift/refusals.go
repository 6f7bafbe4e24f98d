package drift

import (
	"regexp"
	"strings"
)

// refusals are the API server's words when it does not store a Pod, and who that was. Sources: k8s.io/kubernetes and
// k8s.io/apiserver, the admission plugins of these names.
var refusals = []struct {
	words *regexp.Regexp
	by    string // $1 is the name in the words
}{
	{regexp.MustCompile(`(?:exceeded|failed) quota: ([a-z0-9.-]+)`), "ResourceQuota/$1"},
	{regexp.MustCompile(`admission webhook "([^"]+)" denied the request`), "the admission webhook $1"},
	{regexp.MustCompile(`failed calling webhook "([^"]+)"`), "the admission webhook $1, which does not answer"},
	{regexp.MustCompile(`ValidatingAdmissionPolicy '([^']+)'`), "ValidatingAdmissionPolicy/$1"},
	{regexp.MustCompile(`: policy '([^']+)' with binding`), "MutatingAdmissionPolicy/$1"},
	{regexp.MustCompile(`violates PodSecurity "([^"]+)"`), "the namespace's Pod security level $1"},
	{regexp.MustCompile(`serviceaccount "([^"]+)" not found`), "ServiceAccount/$1, which is not there"},
	{regexp.MustCompile(`no PriorityClass with name (\S+) was found`), "PriorityClass/$1, which is not there"},
	{regexp.MustCompile(`(?:maximum|minimum) \S+ usage per (?:Container|Pod)`), "a LimitRange"},
	{regexp.MustCompile(`unable to validate against any security context constraint`), "OpenShift's SecurityContextConstraints"},
}

// refuser says who refused to store a Pod; empty where the words do not tell.
func refuser(message string) string {
	for _, r := range refusals {
		if m := r.words.FindStringSubmatchIndex(message); m != nil {
			return strings.TrimSpace(string(r.words.ExpandString(nil, r.by, message, m)))
		}
	}
	return ""
}
