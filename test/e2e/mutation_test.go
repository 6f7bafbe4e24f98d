//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// webhook CONFIGURATION PATCH serves a mutating webhook for the rest of the
// scene: it answers everything that it is asked with the JSON patch. $URL and
// $CA in the configuration become its address and certificate; then it is
// applied. At the end it is deleted, before its server is gone.
func webhook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: webhook CONFIGURATION PATCH")
	}
	patch := []byte(ts.ReadFile(args[1]))
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var review struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
			Request    struct {
				UID string `json:"uid"`
			} `json:"request"`
		}
		if err := json.NewDecoder(q.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": review.APIVersion, "kind": review.Kind, "response": map[string]any{
			"uid": review.Request.UID, "allowed": true, "patchType": "JSONPatch", "patch": patch}})
	}))
	ts.Defer(server.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	text := strings.NewReplacer("$URL", server.URL, "$CA", base64.StdEncoding.EncodeToString(certificate)).Replace(ts.ReadFile(args[0]))
	file := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(file, []byte(text), 0o600))
	applied(ts, file)
}

// applied applies a file for the length of the scene: what it holds may be
// about the whole cluster.
func applied(ts *testscript.TestScript, file string) {
	env := append(os.Environ(), "PATH="+shared.path, "KUBECONFIG="+ts.Getenv("KUBECONFIG"))
	ts.Defer(func() {
		remove := exec.Command("kubectl", "delete", "--ignore-not-found", "-f", file)
		remove.Env = env
		_ = remove.Run() // the control plane may be gone
	})
	ts.Check(ts.Exec("kubectl", "apply", "-f", file))
}

// apply FILE applies what is about the whole cluster, for the length of the
// scene.
func apply(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: apply FILE")
	}
	applied(ts, ts.MkAbs(args[0]))
}

// controlplane PLUGINS gives the scene a control plane of its own whose API
// server runs with these admission plugins.
func controlplane(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: controlplane PLUGINS")
	}
	dir := ts.MkAbs("controlplane")
	stop, err := startControlPlane(filepath.Join(shared.tools, "controlplane"), dir, "--admission="+args[0])
	ts.Check(err)
	ts.Defer(stop)
	ts.Setenv("KUBECONFIG", filepath.Join(dir, "kubeconfig"))
}
