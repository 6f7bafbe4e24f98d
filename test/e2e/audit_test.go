//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// request is one line of the API server's audit log.
type request struct {
	Verb, RequestURI, UserAgent string
	User                        struct{ Username string }
	ObjectRef                   *struct{ Resource string }
}

func (r request) String() string {
	what, _, _ := strings.Cut(r.RequestURI, "?")
	if r.ObjectRef != nil && r.ObjectRef.Resource != "" {
		what = r.ObjectRef.Resource
	}
	return r.Verb + " " + what
}

// requests gives each kind of request once, sorted: "get secrets", "list deployments", "get /version".
func requests(chosen func(request) bool) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(shared.dir, "audit.log"))
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		var r request
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, err
		}
		if chosen(r) {
			out = append(out, r.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// onlyReads is asked when everything has been played: of all that the plugin sent the API server, whoever ran it and
// with whichever command, nothing was but a get or a list.
func onlyReads() error {
	asked, err := requests(func(r request) bool { return strings.HasPrefix(r.UserAgent, "kubectl-kgw-doctor") })
	if err != nil {
		return err
	}
	for _, a := range asked {
		if verb, _, _ := strings.Cut(a, " "); verb != "get" && verb != "list" {
			return fmt.Errorf("the plugin asked the API server to %s", a)
		}
	}
	if len(asked) == 0 {
		return fmt.Errorf("the audit log holds no request of the plugin")
	}
	return nil
}

// audit USER puts what the user asked of the API server on stdout. Requests of
// the current scene and of all before it.
func audit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: audit USER")
	}
	asked, err := requests(func(r request) bool { return r.User.Username == args[0] })
	ts.Check(err)
	for _, a := range asked {
		fmt.Fprintln(ts.Stdout(), a)
	}
}
