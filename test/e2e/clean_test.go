//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCleanInstallsRaiseNoAlarm installs every published chart that lies beside the checkout, as it is and then with
// values that work. The doctor has nothing to say about either.
func TestCleanInstallsRaiseNoAlarm(t *testing.T) {
	dir := os.Getenv("SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	charts, err := filepath.Glob(filepath.Join(dir, "charts", "*gateway-v*.tgz"))
	if err != nil || len(charts) == 0 {
		t.Skip("no published charts in " + dir + "/charts")
	}
	t.Setenv("PATH", shared.path)
	t.Setenv("KUBECONFIG", filepath.Join(shared.dir, "kubeconfig"))
	definitions := filepath.Join(dir, "charts", "kgateway-crds-v2.0.0.tgz")
	if out, err := run("helm", "install", "kgateway-crds", definitions, "-n", "clean-crds", "--create-namespace"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := run("kubectl", "apply", "-f", "testdata/gatewayclass.yaml"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// One after the other: their ClusterRoles have the same name.
	for _, chart := range charts {
		t.Run(strings.TrimSuffix(filepath.Base(chart), ".tgz"), func(t *testing.T) { cleanInstall(t, chart) })
	}
}

func cleanInstall(t *testing.T, chart string) {
	name, version, _ := strings.Cut(strings.TrimSuffix(filepath.Base(chart), ".tgz"), "-v")
	namespace := "clean-" + name + "-" + strings.ReplaceAll(version, ".", "-")
	values := []string{"resources.requests.cpu=1000m", "controller.logLevel=debug", "podAnnotations.team=edge", "controller.image.tag=v9"}

	if out, err := run("helm", "install", name, chart, "-n", namespace, "--create-namespace", "--wait", "--timeout", "60s"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := run("helm", "uninstall", name, "-n", namespace); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	if out, err := run("kubectl", "kgw-doctor", "-n", namespace, "--fail-on", "info"); err != nil {
		t.Errorf("default values: %v\n%s", err, out)
	}

	if out, err := run("helm", "upgrade", name, chart, "-n", namespace, "--wait", "--timeout", "60s", "--set", strings.Join(values, ",")); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := run("kubectl", "kgw-doctor", "-n", namespace, "--fail-on", "info")
	if err != nil || !strings.Contains(out, "4 values: 4 in force.  No findings.  Everything that was asked for was read.") {
		t.Errorf("values that work: %v\n%s", err, out)
	}
}

// run runs a command and returns all that it says.
func run(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}
