package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// damage HOW… adds to cluster.yaml the record of a release kgateway-HOW for every way of being damaged.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	whole := zipped(`{"name": "a", "chart": {"metadata": {"name": "kgateway"}}}` + strings.Repeat(" ", 1000))
	ways := map[string]string{
		"notbase64": "*** this is not base64 ***",
		"notgzip":   base64.StdEncoding.EncodeToString([]byte("plain text")),
		"notjson":   zipped("apiVersion: v1"),
		"cutshort":  whole[:len(whole)/8*4],
		"toolarge":  zipped(strings.Repeat(" ", 65<<20)),
		"norelease": zipped(`{"kind": "List"}`),
		"empty":     "",
		"future":    zipped(`{"name": "a", "chart": {"metadata": {"name": "kgateway", "apiVersion": "v9"}}}`),
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: damage HOW...")
	}
	file, err := os.OpenFile(ts.MkAbs("cluster.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	defer file.Close()
	for _, how := range args {
		record, known := ways[how]
		if !known {
			ts.Fatalf("unknown damage %s", how)
		}
		_, err := fmt.Fprintf(file, "---\napiVersion: v1\nkind: Secret\ntype: helm.sh/release.v1\nmetadata:\n  name: sh.helm.release.v1.kgateway-%s.v1\n"+
			"  namespace: ns\n  labels: {owner: helm, name: kgateway-%[1]s, status: deployed, version: \"1\"}\nstringData:\n  release: %q\n", how, record)
		ts.Check(err)
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = zip.Write([]byte(text)) // a Buffer takes everything
	_ = zip.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// apiserver STATUS starts a server that answers every request with this status, or never, and writes kubeconfig.yaml.
func apiserver(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: apiserver STATUS|silent")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	done := make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		if _, err := fmt.Sscan(args[0], &status); err != nil {
			select {
			case <-done:
			case <-r.Context().Done():
			}
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		text := http.StatusText(status)
		fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": %d, "reason": %q, "message": %q}`,
			status, strings.ReplaceAll(text, " ", ""), text)
	})}
	go server.Serve(l) // ends with the script
	ts.Defer(func() {
		close(done)
		_ = server.Close()
	})
	ts.Check(os.WriteFile(ts.MkAbs("kubeconfig.yaml"), fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: here
contexts:
- {name: here, context: {cluster: here, user: me}}
clusters:
- {name: here, cluster: {server: "http://%s"}}
users:
- {name: me, user: {token: t}}
`, l.Addr()), 0o600))
}
