package main

import (
	"fmt"
	"strings"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodelease "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

// podStuck keeps a pod Pending, with its containers waiting, when one of its
// images has the tag "missing" or "crash".
const podStuck = `apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata:
  name: pod-stuck
spec:
  resourceRef:
    apiGroup: v1
    kind: Pod
  selector:
    matchExpressions:
    - key: '.metadata.deletionTimestamp'
      operator: DoesNotExist
    - key: '.status.containerStatuses'
      operator: DoesNotExist
    - key: '` + stuckImages + `'
      operator: Exists
  next:
    statusTemplate: |
      {{ $now := Now }}
      conditions:
      - {lastTransitionTime: {{ $now | Quote }}, status: "True", type: Initialized}
      - {lastTransitionTime: {{ $now | Quote }}, status: "False", type: Ready, reason: ContainersNotReady}
      - {lastTransitionTime: {{ $now | Quote }}, status: "False", type: ContainersReady, reason: ContainersNotReady}
      containerStatuses:
      {{ range .spec.containers }}
      {{ $name := .name }}
      {{ $image := .image }}
      - name: {{ $name | Quote }}
        image: {{ $image | Quote }}
        ready: false
        started: false
        restartCount: 0
        state:
          waiting:
            reason: {{ if hasSuffix ":crash" $image }}CrashLoopBackOff{{ else }}ImagePullBackOff{{ end }}
            message: {{ printf "container %s with image %s does not start" $name $image | Quote }}
      {{ end }}
      phase: Pending
      startTime: {{ $now | Quote }}
`

const stuckImages = `.spec.containers[].image | select(test(":(missing|crash)$"))`

// stages returns kwok's own fast stages and podStuck, as one file.
func stages() (string, error) {
	// kwok's pod-ready would take the stuck pods as well.
	const selector = "    matchExpressions:\n"
	if strings.Count(podfast.DefaultPodReady, selector) != 1 {
		return "", fmt.Errorf("kwok's stage pod-ready has changed its form")
	}
	ready := strings.Replace(podfast.DefaultPodReady, selector,
		selector+"    - key: '"+stuckImages+"'\n      operator: DoesNotExist\n", 1)
	return strings.Join([]string{
		nodefast.DefaultNodeInit, nodelease.DefaultNodeHeartbeatWithLease,
		ready, podfast.DefaultPodComplete, podfast.DefaultPodDelete, podStuck,
	}, "\n---\n"), nil
}
