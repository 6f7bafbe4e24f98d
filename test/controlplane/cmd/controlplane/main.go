// Command controlplane runs a real Kubernetes control plane on 127.0.0.1 for
// the end-to-end tests and the demo: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, and kwok in the place of the kubelets.
//
// It is one binary that starts itself once per component, with argv[0] set to
// the component's name. Client-go derives the field manager from argv[0], so
// managedFields carry the names of a real cluster.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const usage = `usage: controlplane up --dir DIR [flags] [--exec -- COMMAND [ARG]...]

Brings up a control plane and prints "ready" when pods can run in it.
DIR must be empty or absent. It receives:
  kubeconfig            user admin, of system:masters
  kubeconfig-plain      user viewer, who has no rights of his own
  kubeconfig-auditor    user auditor, likewise; for tests that read the audit log
  audit.log             every request of a person, at level Metadata
  logs/COMPONENT.log

Without --exec it runs until SIGINT or SIGTERM. With --exec it runs COMMAND
with KUBECONFIG set, stops everything, and exits with COMMAND's status.

An image whose tag is "missing" or "crash" keeps its pod from becoming ready
(ImagePullBackOff, CrashLoopBackOff): for stalled rollouts.

flags:
`

func main() {
	if run, ok := components[filepath.Base(os.Args[0])]; ok {
		exitWithParent()
		run()
		return
	}
	os.Exit(up(os.Args[1:]))
}

func up(args []string) int {
	flags := flag.NewFlagSet("controlplane up", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	var opts options
	var timeout time.Duration
	var execute, attached bool
	flags.StringVar(&opts.dir, "dir", "", "folder for data, logs and kubeconfigs")
	flags.StringVar(&opts.admission, "admission", "", "further admission plugins, comma-separated, e.g. AlwaysPullImages")
	flags.IntVar(&opts.nodes, "nodes", 2, "number of nodes")
	flags.DurationVar(&timeout, "timeout", 2*time.Minute, "longest time to become ready")
	flags.BoolVar(&attached, "until-stdin-closes", false, "stop when stdin closes, so that a test that crashes leaves nothing behind")
	flags.BoolVar(&execute, "exec", false, "run the command after -- and stop")
	if len(args) == 0 || args[0] != "up" {
		flags.Usage()
		return 2
	}
	if err := flags.Parse(args[1:]); err != nil {
		return 2
	}
	command := flags.Args()
	if opts.dir == "" || execute != (len(command) > 0) || execute && attached {
		flags.Usage()
		return 2
	}

	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if attached {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			signals <- syscall.SIGTERM
		}()
	}

	plane, err := newPlane(opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		return 1
	}
	status := 0
	if err = plane.start(timeout, signals); err == nil {
		fmt.Println("ready")
		if execute {
			status, err = plane.run(command, signals)
		} else {
			err = plane.wait(signals)
		}
	}
	plane.stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		return 1
	}
	return status
}

// run runs the command with the admin's KUBECONFIG and returns its exit
// status. A SIGTERM is passed on to it; a SIGINT from a terminal reaches it
// without our help.
func (p *plane) run(command []string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "KUBECONFIG="+p.path("kubeconfig"), "CONTROLPLANE_DIR="+p.dir)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case sig := <-signals:
			if sig != syscall.SIGINT {
				_ = cmd.Process.Signal(sig)
			}
		case name := <-p.died:
			_ = cmd.Process.Signal(syscall.SIGTERM)
			<-done
			return 0, p.deathOf(name)
		case err := <-done:
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				if code := exit.ExitCode(); code >= 0 {
					return code, nil
				}
				return 0, fmt.Errorf("%s: %w", strings.Join(command, " "), err)
			}
			return 0, err
		}
	}
}

// wait returns at the first signal, or with an error when a component dies.
func (p *plane) wait(signals <-chan os.Signal) error {
	select {
	case <-signals:
		return nil
	case name := <-p.died:
		return p.deathOf(name)
	}
}
