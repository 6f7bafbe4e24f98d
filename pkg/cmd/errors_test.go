package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
	request := func(err error) error {
		return fmt.Errorf("list deployments: %w", &url.Error{Op: "Get", URL: "https://1.2.3.4:6443/api", Err: err})
	}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"forbidden in a namespace", apierrors.NewForbidden(deployments, "", errors.New(`User "u" cannot list resource "deployments" in API group "apps" in the namespace "x"`)),
			"in the namespace x: a RoleBinding there:\n  - apiGroups: [\"apps\"]\n    resources: [deployments]\n    verbs: [list]"},
		{"forbidden everywhere", apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", errors.New(`User "u" cannot list resource "secrets" in API group "" at the cluster scope`)),
			"a ClusterRoleBinding:\n  - apiGroups: [\"\"]\n    resources: [secrets]"},
		{"unauthorized", apierrors.NewUnauthorized("no"), "have expired: log in again"},
		{"credential plugin", request(errors.New("getting credentials: exec: executable aws failed with exit code 1")), "log in again"},
		{"refused", request(&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}), "No API server answers there"},
		{"no kubeconfig", request(errors.New("dial tcp: lookup localhost:8080: connection refused")), "--snapshot FILE"},
		{"no such host", request(&net.DNSError{Err: "no such host", Name: "a.example", IsNotFound: true}), "unknown here"},
		{"time-out", request(context.DeadlineExceeded), "--request-timeout"},
		{"certificate", request(errors.New("tls: failed to verify certificate: x509: certificate signed by unknown authority")), "not trusted"},
		{"interrupted", request(context.Canceled), "interrupted"},
		{"nothing to diagnose", errNothing, "`kubectl kgw-doctor RELEASE -n NAMESPACE`"},
		{"value", valueError{flag: "--set a[", err: errors.New("bad")}, "as helm reads them"},
	} {
		got := userError(c.err, "kubectl kgw-doctor")
		if !strings.Contains(got, c.want) || !strings.HasPrefix(got, c.err.Error()) {
			t.Errorf("%s:\n%s\nwant: %s", c.name, got, c.want)
		}
	}
}

// What the kubeconfig loader says is text, not types: these are its own errors.
func TestKubeconfigErrorsSayWhatToDo(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	empty := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(empty, []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", empty)
	flags := genericclioptions.NewConfigFlags(false)
	*flags.Context = "production"
	_, err := flags.ToRESTConfig()
	if err == nil {
		t.Fatal("a context that does not exist gives a connection")
	}
	if got, want := userError(err, "kgw-doctor"), "choose one with --context"; !strings.Contains(got, want) {
		t.Errorf("%s\nwant: %s", got, want)
	}
}
