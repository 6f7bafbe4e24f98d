package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/clientcmd"
)

var (
	errNothing = errors.New("there is nothing to diagnose: no release was found")
	errUnread  = errors.New("nothing could be diagnosed: the report says what could not be read")
)

// usageError is a wrong call.
type usageError struct {
	command string
	err     error
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usage(c *cobra.Command, err error) error {
	return usageError{command: c.CommandPath(), err: err}
}

func usagef(c *cobra.Command, format string, args ...any) error {
	return usage(c, fmt.Errorf(format, args...))
}

// userError puts an error into the user's words, one idea a line: what happened, where, and what to do. It is the one
// place for this; everywhere else errors say what was being done.
func userError(err error, called string) string {
	what := strings.TrimSpace(err.Error())
	if hint := hint(err, called); hint != "" {
		return what + "\n" + hint
	}
	return what
}

// hint says what to do about an error; "" if there is nothing to say that the error does not say itself.
func hint(err error, called string) string {
	var wrong usageError
	var noRelease errNoRelease
	var value valueError
	switch {
	case errors.As(err, &wrong):
		return fmt.Sprintf("See `%s --help`.", wrong.command)
	case errors.As(err, &noRelease):
		return "A snapshot needs the release records: make one with `" + called + " snapshot -o FILE`, or with\n" +
			"`kubectl get secrets,deployments,replicasets,pods -n NAMESPACE -o yaml > FILE`."
	case errors.As(err, &value):
		return "The value flags are read as helm reads them: https://helm.sh/docs/intro/using_helm/#the-format-and-limitations-of---set"
	case errors.Is(err, errNothing):
		return "Without a name the doctor looks for releases of the kgateway charts. Name a release of another chart:\n" +
			"`" + called + " RELEASE -n NAMESPACE`; `helm list -A` shows what there is."
	case errors.Is(err, context.Canceled):
		return "It was interrupted; nothing was changed."
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return ""
	}
	if text := clusterHint(err); text != "" {
		return text
	}
	return ""
}

// clusterHint is hint for everything between here and the API server.
func clusterHint(err error) string {
	var dns *net.DNSError
	var dial *net.OpError
	var timeout interface{ Timeout() bool }
	text := err.Error()
	switch {
	case clientcmd.IsEmptyConfig(err), strings.Contains(text, "localhost:8080"): // what client-go falls back to
		return "No kubeconfig was found: set KUBECONFIG, give --kubeconfig FILE, or work from a file with --snapshot FILE."
	case strings.Contains(text, "context") && strings.Contains(text, "does not exist"):
		return "`kubectl config get-contexts` lists the contexts; choose one with --context."
	case clientcmd.IsConfigurationInvalid(err):
		return "`kubectl config view` shows the kubeconfig in use."
	case apierrors.IsForbidden(err):
		return forbidden(err)
	case apierrors.IsUnauthorized(err), strings.Contains(text, "getting credentials"):
		return "The API server does not accept the credentials, or they have expired: log in again as for kubectl, then try\n" +
			"`kubectl auth whoami`."
	case strings.Contains(text, "x509:"):
		return "The API server's certificate is not trusted: check the address and the certificate authority with\n`kubectl config view --minify`."
	case errors.As(err, &dns):
		return "The name of the API server is unknown here: check `kubectl config view --minify` and the VPN."
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "The API server did not answer in time: check with `kubectl get --raw /readyz`, or give it longer with --request-timeout."
	case errors.As(err, &dial):
		return "No API server answers there: check the cluster, and the context with `kubectl config current-context`."
	}
	var request *url.Error
	if errors.As(err, &request) {
		return "Check the connection with `kubectl get --raw /readyz`."
	}
	return ""
}

// The API server says: deployments.apps is forbidden: User "u" cannot list resource "deployments" in API group "apps"
// in the namespace "x".
var forbiddenRule = regexp.MustCompile(`cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?`)

// forbidden gives the RBAC rule that would allow it.
func forbidden(err error) string {
	m := forbiddenRule.FindStringSubmatch(err.Error())
	if m == nil {
		return "The cluster's RBAC does not allow it."
	}
	where := "in all namespaces: a ClusterRoleBinding"
	if m[4] != "" {
		where = "in the namespace " + m[4] + ": a RoleBinding there"
	}
	return fmt.Sprintf("This rule would allow it, %s:\n  - apiGroups: [%q]\n    resources: [%s]\n    verbs: [%s]\n"+
		"The subcommand `rights` shows all that the doctor needs.", where, m[3], m[2], m[1])
}
