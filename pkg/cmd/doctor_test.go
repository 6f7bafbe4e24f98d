package cmd

import (
	"os"
	"regexp"
	"testing"
)

// TestLibraryVersion: charts are rendered offline for the Kubernetes version of the client library in go.mod, whose
// v0.X.Y goes with Kubernetes v1.X.Y.
func TestLibraryVersion(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`k8s\.io/client-go v0\.(\S+)`).FindSubmatch(text)
	if m == nil {
		t.Fatal("go.mod requires no k8s.io/client-go")
	}
	if want := "v1." + string(m[1]); libraryVersion != want {
		t.Errorf("libraryVersion is %s, go.mod says %s", libraryVersion, want)
	}
}
