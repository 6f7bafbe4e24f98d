package drift_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
)

// pods of one template that ask for an image, each with the imageID of its status and its node.
func imagePods(asked string, ids ...[2]string) string {
	var out strings.Builder
	for i, id := range ids {
		fmt.Fprintf(&out, `
---
apiVersion: v1
kind: Pod
metadata: {name: x-new-%d, namespace: ns, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: x-new, uid: n, controller: true}]}
spec: {nodeName: node-%s, containers: [{name: a, image: %q}]}
status: {containerStatuses: [{name: a, imageID: %q}]}
`, i+2, id[1], asked, id[0])
	}
	return out.String()
}

func node(name, arch string) string {
	return "\n---\napiVersion: v1\nkind: Node\nmetadata: {name: node-" + name + ", labels: {kubernetes.io/arch: " + arch + "}}\n"
}

func TestImages(t *testing.T) {
	t.Parallel()
	of := func(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }
	const amd, arm = "amd64", "arm64"
	for name, c := range map[string]struct {
		text string
		tell string // asked, then each digest's first digit and number of Pods; + where it is sure
	}{
		"one digest":                         {imagePods("x:2", [2]string{"docker.io/library/x@" + of("a"), "m"}, [2]string{"docker-pullable://x@" + of("a"), "n"}), ""},
		"a moved tag":                        {imagePods("x:2", [2]string{"docker.io/library/x@" + of("a"), "m"}, [2]string{"docker.io/library/x@" + of("b"), "n"}, [2]string{"docker.io/library/x@" + of("b"), "n"}), "x:2 b2 a1"},
		"on one node":                        {imagePods("x:2", [2]string{"x@" + of("a"), "n"}, [2]string{"x@" + of("b"), "n"}), "x:2 a1 b1+"},
		"architectures":                      {imagePods("x:2", [2]string{"x@" + of("a"), "m"}, [2]string{"x@" + of("b"), "n"}) + node("m", amd) + node("n", arm), ""},
		"one architecture":                   {imagePods("x:2", [2]string{"x@" + of("a"), "m"}, [2]string{"x@" + of("b"), "n"}) + node("m", amd) + node("n", amd), "x:2 a1 b1+"},
		"IDs of no registry":                 {imagePods("x:2", [2]string{of("a"), "m"}, [2]string{"docker://" + of("b"), "n"}), ""},
		"of another repository":              {imagePods("r.example:5000/x:2", [2]string{"r.example:5000/x@" + of("a"), "m"}, [2]string{"mirror/x@" + of("b"), "n"}), ""},
		"the digest asked for":               {imagePods("x@"+of("a"), [2]string{"docker.io/library/x@" + of("a"), "m"}), ""},
		"another than asked for":             {imagePods("r.example/x:2@"+of("a"), [2]string{"r.example/x@" + of("b"), "m"}), "r.example/x:2@" + of("a") + " b1"},
		"Pods that ask for different images": {imagePods("x:2", [2]string{"x@" + of("a"), "m"}) + strings.ReplaceAll(imagePods("x:3", [2]string{"x@" + of("b"), "m"}), "x-new-2", "x-new-3"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			for _, i := range drift.Images(running(t, fmt.Sprintf(run, "", complete, template2, plainPod)+c.text)) {
				got += i.Asked
				for _, d := range i.Running {
					got += fmt.Sprintf(" %c%d", d.Digest[len("sha256:")], len(d.Pods))
				}
				if i.Sure {
					got += "+"
				}
			}
			if got != c.tell {
				t.Errorf("got %q, want %q", got, c.tell)
			}
		})
	}
}
