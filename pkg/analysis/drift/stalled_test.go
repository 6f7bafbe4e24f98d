package drift_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
)

// at says when the snapshot was taken.
func at(clock string) string {
	return "\n---\napiVersion: kgw-doctor/v1\nkind: Snapshot\ntakenAt: \"2026-01-02T" + clock + "Z\"\n"
}

// warning is an event about the Pod of the newest template, made at 11:00:00.
func warning(reason, message string) string {
	return `
---
apiVersion: v1
kind: Event
metadata: {name: e, namespace: ns}
type: Warning
reason: ` + reason + `
message: ` + message + `
count: 9
lastTimestamp: "2026-01-02T11:00:30Z"
involvedObject: {kind: Pod, name: x-new-1, namespace: ns, fieldPath: "spec.containers{a}"}
`
}

// What the kubelet goes on trying is a stall only after a while, and only in a Pod that is not ready.
func TestFruitless(t *testing.T) {
	t.Parallel()
	const begun = `, containerStatuses: [{name: a, state: {running: {startedAt: "2026-01-02T11:00:10Z"}}}]`
	unready := made("", asTemplate) + "\nstatus: {conditions: [{type: Ready, status: \"False\"}]" + begun + "}"
	slow := strings.Replace(unready, "imagePullPolicy: IfNotPresent", "imagePullPolicy: IfNotPresent, readinessProbe: {initialDelaySeconds: 120}", 1)
	for name, c := range map[string]struct {
		text  string
		state drift.State
		says  string // reason, container, since
	}{
		"probe":                   {unready + warning("Unhealthy", "Readiness probe failed") + at("11:01:10"), drift.Stalled, "Unhealthy a 2026-01-02T11:00:00Z"},
		"probe, just now":         {unready + warning("Unhealthy", "Readiness probe failed") + at("11:01:09"), drift.Progressing, "  2026-01-02T10:00:00Z"},
		"probe that begins later": {slow + warning("Unhealthy", "Readiness probe failed") + at("11:02:00"), drift.Progressing, "  2026-01-02T10:00:00Z"},
		"volume":                  {unready + warning("FailedMount", "secret x not found") + at("11:01:00"), drift.Stalled, "FailedMount a 2026-01-02T11:00:00Z"},
		"no event":                {unready + at("12:00:00"), drift.Progressing, "  2026-01-02T10:00:00Z"},
		"ready by now":            {strings.Replace(unready, `"False"`, `"True"`, 1) + warning("Unhealthy", "Readiness probe failed") + at("12:00:00"), drift.Progressing, "  2026-01-02T10:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status := strings.Replace(waiting, "reason: ReplicaSetUpdated", `reason: ReplicaSetUpdated, lastTransitionTime: "2026-01-02T10:00:00Z"`, 1)
			r := running(t, fmt.Sprintf(run, "", status, template2, c.text)).Rollout()
			if got := r.Reason + " " + r.Container + " " + r.Since; r.State != c.state || got != c.says {
				t.Errorf("got %s, %q, want %s, %q", r.State, got, c.state, c.says)
			}
		})
	}
}

// Who refused a Pod stands in the API server's words.
func TestRefused(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		`pods "x-1" is forbidden: exceeded quota: small.team, requested: pods=1, used: pods=1, limited: pods=1`: "ResourceQuota/small.team",
		`pods "x-1" is forbidden: failed quota: cpu: must specify limits.cpu for: a`:                            "ResourceQuota/cpu",
		`admission webhook "deny.example.com" denied the request: no`:                                           "the admission webhook deny.example.com",
		`Internal error occurred: failed calling webhook "x.y.z": connection refused`:                           "the admission webhook x.y.z, which does not answer",
		`pods "x" is forbidden: ValidatingAdmissionPolicy 'signed' with binding 'b' denied request: no`:         "ValidatingAdmissionPolicy/signed",
		`pods "x" is invalid: : policy 'm' with binding 'b' denied request: type mismatch`:                      "MutatingAdmissionPolicy/m",
		`pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot`:                         "the namespace's Pod security level restricted:latest",
		`pods "x" is forbidden: error looking up service account ns/x: serviceaccount "x" not found`:            "ServiceAccount/x, which is not there",
		`pods "x" is forbidden: maximum cpu usage per Container is 1, but limit is 2`:                           "a LimitRange",
		`something else`: "",
	} {
		status := strings.ReplaceAll(waiting, "conditions: [", fmt.Sprintf(`conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, lastTransitionTime: "2026-01-02T10:00:00Z", message: %q}, `, message))
		r := running(t, fmt.Sprintf(run, "", status, template2, plainPod)).Rollout()
		if r.State != drift.Stalled || r.By != want || r.Since != "2026-01-02T10:00:00Z" {
			t.Errorf("%s: got %+v", message, r)
		}
	}
}

// A paused rollout names who paused it, and when; its history stands in the order of time.
func TestPausedAndHistory(t *testing.T) {
	t.Parallel()
	text := fmt.Sprintf(run, "paused: true", waiting[:len(waiting)-1]+", updatedReplicas: 0}", template2, made("", asTemplate))
	text = strings.Replace(text, "uid: d, generation: 2}", `uid: d, generation: 2, managedFields: [
  {manager: kubectl-rollout, operation: Update, time: "2026-01-02T11:30:00Z", fieldsV1: {"f:spec": {"f:paused": {}}}},
  {manager: helm, operation: Update, time: "2026-01-02T10:59:00Z", fieldsV1: {"f:spec": {"f:template": {}}}},
  {manager: kube-controller-manager, operation: Update, subresource: status, time: "2026-01-02T11:59:00Z", fieldsV1: {"f:status": {}}}]}`, 1)
	w := running(t, text+warning("Failed", "no"))
	if r := w.Rollout(); r.State != drift.Paused || r.By != "kubectl rollout" || r.Since != "2026-01-02T11:30:00Z" {
		t.Errorf("got %+v", r)
	}
	var got []string
	for _, m := range w.History() {
		got = append(got, m.Time[11:19]+" "+m.What)
	}
	want := []string{"10:59:00 Helm wrote Deployment/x", "11:00:00 the first Pod of the newest template was made: x-new-1",
		"11:00:30 Failed of Pod/x-new-1, 9 times", "11:30:00 kubectl rollout wrote Deployment/x"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
