//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// TestRightsAreEnoughAndNoneIsIdle gives a user of his own the roles that `rights` prints, and others all of it but one
// verb on one resource. The first is told what the admin is told; each of the others misses exactly what the missing
// rule is for, is told the rule, and everything else.
func TestRightsAreEnoughAndNoneIsIdle(t *testing.T) {
	t.Setenv("PATH", shared.path)
	t.Setenv("KUBECONFIG", filepath.Join(shared.dir, "kubeconfig"))
	must(t, "helm", "install", "one", filepath.Join(shared.charts, "kgateway"), "-n", "rights", "--create-namespace",
		"--set", "image.pullPolicy=Always", "--wait", "--timeout", "60s")

	for name, args := range map[string][]string{
		"in the namespace":     {"one", "-n", "rights"},
		"in the whole cluster": {"one", "-A"},
	} {
		t.Run(name, func(t *testing.T) {
			roles := parseRoles(t, must(t, "kubectl", append([]string{"kgw-doctor", "rights"}, args...)...))
			grants := append([]grant{{what: "nothing", roles: roles}}, eachLess(roles)...)
			bind(t, strings.ReplaceAll(name, " ", "-"), grants)
			admin, _ := report(t, "system:admin", args)
			for _, g := range grants {
				t.Run("without "+g.what, func(t *testing.T) {
					t.Parallel()
					g.check(t, args, admin)
				})
			}
		})
	}
}

// needed cuts off what is read only where something is to be explained: here all is as it was rendered.
const needed = "# Read only where"

type cut struct{ verb, resource string }

// grant is the rights of one user.
type grant struct {
	what  string // is missing
	cut   cut
	user  string
	roles []rbacv1.ClusterRole // with a namespace: Roles
}

func parseRoles(t *testing.T, text string) []rbacv1.ClusterRole {
	t.Helper()
	var out []rbacv1.ClusterRole
	for _, doc := range strings.Split(text, "---\n") {
		doc, _, _ = strings.Cut(doc, needed)
		var r rbacv1.ClusterRole
		if err := yaml.UnmarshalStrict([]byte(doc), &r); err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		for _, rule := range r.Rules {
			for _, verb := range rule.Verbs {
				if verb != "get" && verb != "list" {
					t.Errorf("%s may %s %v", r.Name, verb, rule.Resources)
				}
			}
		}
		out = append(out, r)
	}
	return out
}

// eachLess gives the roles once for each verb on each resource, without it.
func eachLess(roles []rbacv1.ClusterRole) []grant {
	var out []grant
	for i, r := range roles {
		for j, rule := range r.Rules {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					less := *r.DeepCopy()
					rest := rule.DeepCopy()
					less.Rules[j].Resources = slices.DeleteFunc(less.Rules[j].Resources, func(s string) bool { return s == resource })
					rest.Resources = []string{resource}
					rest.Verbs = slices.DeleteFunc(rest.Verbs, func(s string) bool { return s == verb })
					less.Rules = slices.DeleteFunc(append(less.Rules, *rest), func(p rbacv1.PolicyRule) bool { return len(p.Resources)*len(p.Verbs) == 0 })
					g := grant{what: verb + " " + resource, cut: cut{verb, resource}, roles: slices.Clone(roles)}
					g.roles[i] = less
					out = append(out, g)
				}
			}
		}
	}
	return out
}

// bind makes the roles of every user, and binds them.
func bind(t *testing.T, prefix string, grants []grant) {
	t.Helper()
	var docs []string
	add := func(o any) {
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, string(text))
	}
	for i := range grants {
		g := &grants[i]
		g.user = fmt.Sprintf("%s-%d", prefix, i)
		for n, r := range g.roles {
			r.ObjectMeta = metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", g.user, n), Namespace: r.Namespace, Labels: map[string]string{"test": "rights"}}
			add(r)
			add(rbacv1.ClusterRoleBinding{TypeMeta: metav1.TypeMeta{Kind: r.Kind + "Binding", APIVersion: r.APIVersion}, ObjectMeta: r.ObjectMeta,
				RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: r.Kind, Name: r.Name},
				Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: g.user}}})
		}
	}
	file := filepath.Join(t.TempDir(), "roles.yaml")
	if err := os.WriteFile(file, []byte(strings.Join(docs, "---\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "kubectl", "create", "-f", file)
	t.Cleanup(func() { must(t, "kubectl", "delete", "clusterrole,clusterrolebinding", "-l", "test=rights") })
}

// answer is what the check says, its exit status included.
type answer struct {
	status     int
	findings   []string
	Incomplete []struct{ What, Why, Remedy string }
}

func report(t *testing.T, user string, args []string) (answer, string) {
	t.Helper()
	call := append([]string{"kgw-doctor", "-o", "json"}, args...)
	if user != "system:admin" {
		call = append(call, "--as", user)
	}
	cmd := exec.Command("kubectl", call...)
	out, err := cmd.Output()
	if len(out) == 0 {
		t.Fatalf("%v: no report", err)
	}
	a := answer{status: cmd.ProcessState.ExitCode()}
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatal(err)
	}
	if a.findings, err = told(out); err != nil {
		t.Fatal(err)
	}
	return a, string(out)
}

func (g grant) check(t *testing.T, args []string, admin answer) {
	got, text := report(t, g.user, args)
	if g.cut == (cut{}) {
		if got.status != admin.status || !slices.Equal(got.findings, admin.findings) || len(got.Incomplete) > 0 {
			t.Errorf("status %d, %q, want %d, %q; incomplete: %v", got.status, got.findings, admin.status, admin.findings, got.Incomplete)
		}
		return
	}
	want, most := 2, 1
	if g.cut.resource == "customresourcedefinitions" { // of the Gateway API and the parameters: the answer holds without them
		want, most = admin.status, 2
	}
	if n := len(got.Incomplete); got.status != want || n == 0 || n > most {
		t.Fatalf("status %d, want %d and one thing that is incomplete\n%s", got.status, want, text)
	}
	for _, i := range got.Incomplete {
		if !strings.Contains(i.Remedy, "resources: ["+g.cut.resource+"]") || !strings.Contains(i.Remedy, g.cut.verb) {
			t.Errorf("the rule is not told: %q", i.Remedy)
		}
	}
	// Without the record there are no values; without anything else they are judged all the same.
	if g.cut.resource != "secrets" && !slices.Equal(got.findings, admin.findings) {
		t.Errorf("findings %q, want %q", got.findings, admin.findings)
	}
}

// must runs a command and returns its stdout.
func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}
