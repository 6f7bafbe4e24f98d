//go:build e2e

// Package e2e runs the plugin, through kubectl, against a real control plane.
//
// Each txtar of testdata is a scene. It makes the namespaces it uses and shares
// the cluster with the other scenes; those of testdata/alone look at all
// namespaces and are played before the others.
package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A world is what all scenes share.
type world struct {
	path   string // PATH: the plugin, kubectl, helm, then the caller's
	tools  string // where the control plane's binary is
	dir    string // of the control plane: its kubeconfigs and audit.log
	charts string
	helm4  string // the program
}

var shared world

func TestMain(m *testing.M) {
	status, err := play(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		status = 1
	}
	os.Exit(status)
}

func play(m *testing.M) (int, error) {
	temp, err := os.MkdirTemp("", "kgw-doctor-e2e")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(temp)

	tools, err := output("../controlplane/build.sh")
	if err != nil {
		return 1, fmt.Errorf("build the control plane: %w", err)
	}
	shared.tools = tools
	helm4, err := output("../controlplane/helm4/build.sh")
	if err != nil {
		return 1, fmt.Errorf("build Helm 4: %w", err)
	}
	shared.helm4 = filepath.Join(helm4, "helm4")
	// kubectl finds `kgw-doctor` under this name: dashes become underscores.
	plugin := filepath.Join(temp, "bin", "kubectl-kgw_doctor")
	if _, err := output("go", "build", "-o", plugin, "../../cmd/kubectl-kgw-doctor"); err != nil {
		return 1, fmt.Errorf("build the plugin: %w", err)
	}
	shared.path = strings.Join([]string{filepath.Dir(plugin), tools, os.Getenv("PATH")}, string(os.PathListSeparator))
	if shared.charts, err = filepath.Abs("../charts"); err != nil {
		return 1, err
	}

	// Set by `controlplane up --exec`: one is running already.
	if dir := os.Getenv("CONTROLPLANE_DIR"); dir != "" {
		shared.dir = dir
		return m.Run(), onlyReads()
	}
	shared.dir = filepath.Join(temp, "controlplane")
	stop, err := startControlPlane(filepath.Join(tools, "controlplane"), shared.dir)
	if err != nil {
		return 1, err
	}
	defer stop()
	return m.Run(), onlyReads()
}

// output runs a command, shows its stderr, and returns its stdout's text.
func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// startControlPlane returns when pods can run in it.
func startControlPlane(binary, dir string, flags ...string) (stop func(), err error) {
	cmd := exec.Command(binary, append([]string{"up", "--dir", dir, "--until-stdin-closes"}, flags...)...)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "ready\n" {
		stop()
		return nil, fmt.Errorf("the control plane did not become ready: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	return stop, nil
}

// TestAlone plays the scenes that look at the whole cluster, one after the
// other. No other test runs while it does.
func TestAlone(t *testing.T) {
	scenes, err := filepath.Glob("testdata/alone/*.txtar")
	if err != nil || len(scenes) == 0 {
		t.Fatalf("no scenes: %v", err)
	}
	for _, scene := range scenes {
		t.Run(filepath.Base(scene), func(t *testing.T) {
			params := params()
			params.Files = []string{scene}
			testscript.Run(t, params)
		})
	}
}

func TestScenes(t *testing.T) {
	params := params()
	params.Dir = "testdata"
	testscript.Run(t, params)
}

func params() testscript.Params {
	return testscript.Params{
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", shared.path)
			env.Setenv("KUBECONFIG", filepath.Join(shared.dir, "kubeconfig"))
			env.Setenv("CHARTS", shared.charts)
			env.Setenv("HELM4", shared.helm4)
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"apply":        apply,
			"audit":        audit,
			"eventually":   eventually,
			"exits":        exits,
			"helmfix":      helmfix,
			"findings":     findings,
			"json":         jsonIs,
			"controlplane": controlplane,
			"kubeconfig":   kubeconfig,
			"paste":        paste,
			"webhook":      webhook,
			"todo":         todo,
		},
	}
}

// exits N COMMAND [ARG]... runs a command and requires its exit status to be N.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND [ARG]...")
	}
	if got := status(ts, ts.Exec(args[1], args[2:]...)); got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

func status(ts *testscript.TestScript, err error) string {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if exit == nil {
		return "0"
	}
	return fmt.Sprint(exit.ExitCode())
}

// eventually DURATION COMMAND [ARG]... runs a command until it succeeds.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually DURATION COMMAND [ARG]...")
	}
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		err := ts.Exec(args[1], args[2:]...)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("not within %v: %v", limit, err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// kubeconfig admin|plain|auditor chooses who the later commands are. All but
// the admin have no rights but those that a scene gives them.
func kubeconfig(ts *testscript.TestScript, neg bool, args []string) {
	files := map[string]string{"admin": "kubeconfig", "plain": "kubeconfig-plain", "auditor": "kubeconfig-auditor"}
	if neg || len(args) != 1 || files[args[0]] == "" {
		ts.Fatalf("usage: kubeconfig admin|plain|auditor")
	}
	ts.Setenv("KUBECONFIG", filepath.Join(shared.dir, files[args[0]]))
}
