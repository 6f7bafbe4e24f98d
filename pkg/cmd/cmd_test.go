package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cluster"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/printer"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// told is an engine that answers what it was told to, and remembers what it was asked.
type told struct {
	report fix.Report
	snap   *snapshot.Snapshot
	rights []cluster.Right
	err    error
	asked  any
}

func (e *told) Check(_ context.Context, o *CheckOptions) (fix.Report, error) {
	e.asked = o
	return e.report, e.err
}

func (e *told) Preflight(_ context.Context, o *PreflightOptions) (fix.Report, error) {
	e.asked = o
	return e.report, e.err
}

func (e *told) Trace(_ context.Context, o *TraceOptions) (fix.Report, error) {
	e.asked = o
	return e.report, e.err
}

func (e *told) Why(_ context.Context, o *WhyOptions) (printer.Why, error) {
	e.asked = o
	return printer.Why{Object: finding.Object{Kind: o.Type, Name: o.Name}, Field: o.Field}, e.err
}

func (e *told) Audit(_ context.Context, o *AuditOptions) (fix.Report, error) {
	e.asked = o
	return e.report, e.err
}

func (e *told) Rights(_ context.Context, _ *Scope, releases []string) ([]cluster.Right, error) {
	e.asked = releases
	return e.rights, e.err
}

func (e *told) Snapshot(_ context.Context, o *Scope, releases []string) (*snapshot.Snapshot, error) {
	e.asked = releases
	return e.snap, e.err
}

// call runs the program with an engine.
func call(t *testing.T, e *told, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	streams, in, out, errOut := genericiooptions.NewTestIOStreams()
	in.WriteString(stdin)
	a := &app{
		streams: streams, engine: e,
		now:  func() time.Time { return time.Date(2026, 2, 24, 12, 0, 0, 0, time.UTC) },
		docs: []checkDoc{{Code: "KGW1001", Name: "shadowed", Severity: finding.Error, Title: "a title", Text: "A text.", Before: "a: 1\nb: 2"}},
	}
	status = a.main(t.Context(), append([]string{"kubectl-kgw_doctor"}, args...))
	return status, out.String(), errOut.String()
}

func report(fatal bool, severities ...finding.Severity) fix.Report {
	release := fix.Release{Release: finding.Release{Name: "kgateway", Namespace: "ns"}}
	for _, s := range severities {
		release.Findings = append(release.Findings, fix.Finding{Finding: finding.Finding{Code: "KGW1001", Severity: s}})
	}
	r := fix.Report{Releases: []fix.Release{release}}
	if fatal {
		r.Incomplete = []finding.Incomplete{{What: "it", Why: "so", Fatal: true}}
	}
	return r
}

func TestExitStatusIsTheSameForEveryFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		engine told
		args   []string
		want   int
	}{
		{"nothing found", told{report: report(false)}, nil, Clean},
		{"an error", told{report: report(false, finding.Error)}, nil, Findings},
		{"a warning", told{report: report(false, finding.Warning)}, nil, Clean},
		{"a warning that fails", told{report: report(false, finding.Warning)}, []string{"--fail-on", "warning"}, Findings},
		{"an info that fails", told{report: report(false, finding.Info)}, []string{"--fail-on", "info"}, Findings},
		{"nothing fails", told{report: report(false, finding.Error)}, []string{"--fail-on", "none"}, Clean},
		{"not read wins over found", told{report: report(true, finding.Error)}, nil, Failed},
		{"not read wins over none", told{report: report(true)}, []string{"--fail-on", "none"}, Failed},
		{"no release", told{}, nil, Failed},
		{"no answer", told{err: errors.New("no")}, nil, Failed},
	} {
		for _, format := range []string{"text", "json", "yaml"} {
			e := c.engine
			status, stdout, stderr := call(t, &e, "", append([]string{"-o", format}, c.args...)...)
			if status != c.want {
				t.Errorf("%s, %s: status %d, want %d\n%s%s", c.name, format, status, c.want, stdout, stderr)
			}
			if e.err != nil && stdout != "" {
				t.Errorf("%s, %s: stdout of a failure: %s", c.name, format, stdout)
			}
		}
	}
}

func TestEveryCommandAsksTheEngine(t *testing.T) {
	t.Parallel()
	ignore := cmpopts.IgnoreFields(Scope{}, "Cluster", "Notice", "Now")
	for _, c := range []struct {
		args string
		want any
	}{
		{"", &CheckOptions{}},
		{"check a b -n ns", &CheckOptions{Scope: Scope{Namespace: "ns"}, Releases: []string{"a", "b"}}},
		{"a --revision 3 -A --show-secrets", &CheckOptions{Scope: Scope{AllNamespaces: true, Revision: 3, ShowSecrets: true}, Releases: []string{"a"}}},
		{"preflight a ./c --offline --set x.y=1 --set-string z=1 --reset-values --kube-version 1.33 -a x/v1", &PreflightOptions{
			Release: "a", ChartRef: "./c", Offline: true, Reuse: ResetValues, KubeVersion: "1.33", APIVersions: []string{"x/v1"},
			Values: map[string]any{"x": map[string]any{"y": int64(1)}, "z": "1"},
			Given:  []string{"--set", "x.y=1", "--set-string", "z=1", "--reset-values"},
		}},
		{"trace image.tag --release a", &TraceOptions{Release: "a", Value: "image.tag"}},
		{"why deploy/a spec.replicas", &WhyOptions{Type: "deploy", Name: "a", Field: "spec.replicas"}},
		{"audit ./c --version 1", &AuditOptions{ChartRef: "./c", Version: "1"}},
	} {
		e := &told{report: report(false)}
		status, _, stderr := call(t, e, "", strings.Fields(c.args)...)
		if status != Clean {
			t.Errorf("%s: status %d: %s", c.args, status, stderr)
		}
		if diff := cmp.Diff(c.want, e.asked, ignore, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.args, diff)
		}
	}
}

func TestSnapshotReplacesTheCluster(t *testing.T) {
	t.Parallel()
	const record = "apiVersion: v1\nkind: Secret\ntype: helm.sh/release.v1\nmetadata: {name: sh.helm.release.v1.a.v1, namespace: ns}\n"
	e := &told{report: report(false)}
	status, _, stderr := call(t, e, record, "--snapshot", "-", "--kubeconfig", "/nowhere")
	if status != Clean {
		t.Fatal(stderr)
	}
	o := e.asked.(*CheckOptions)
	if o.Cluster != nil || o.File == nil || len(o.File.Objects) != 1 {
		t.Errorf("the engine was given %+v", o.Scope)
	}
}

func TestOfflineGivesNoCluster(t *testing.T) {
	t.Parallel()
	e := &told{report: report(false)}
	if status, _, stderr := call(t, e, "", "preflight", "a", "./c", "--offline"); status != Clean {
		t.Fatal(stderr)
	}
	if o := e.asked.(*PreflightOptions); o.Cluster != nil {
		t.Error("there is a cluster in spite of --offline")
	}
}

func TestMistypedCommandIsSuggested(t *testing.T) {
	t.Parallel()
	_, _, stderr := call(t, &told{err: errors.New("no such release")}, "", "explian")
	if !strings.Contains(stderr, "Did you mean the command explain?") {
		t.Error(stderr)
	}
}

func TestSaveIsPrivateAndPacked(t *testing.T) {
	t.Parallel()
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": "ns"},
	}}
	for _, name := range []string{"a.yaml", "a.yaml.gz"} {
		file := filepath.Join(t.TempDir(), name)
		status, stdout, stderr := call(t, &told{snap: &snapshot.Snapshot{Objects: []*unstructured.Unstructured{o}}}, "", "snapshot", "-o", file)
		if status != Clean || stdout != "" {
			t.Fatalf("status %d: %s%s", status, stdout, stderr)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
		in, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		snap, err := snapshot.Read(in)
		in.Close()
		if err != nil || len(snap.Objects) != 1 {
			t.Errorf("%s: %v, %v", name, snap, err)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"KGW1001", "kgw1001", "1001", "shadowed"} {
		status, stdout, stderr := call(t, &told{}, "", "explain", code)
		want := "KGW1001  a title (error)\n\nA text.\n\nBefore:\n\n    a: 1\n    b: 2\n"
		if status != Clean || stdout != want {
			t.Errorf("explain %s: status %d: %q%s", code, status, stdout, stderr)
		}
	}
	_, stdout, _ := call(t, &told{}, "", "explain", "-o", "json")
	var docs []map[string]any
	if err := json.Unmarshal([]byte(stdout), &docs); err != nil || len(docs) != 1 {
		t.Errorf("%s: %v", stdout, err)
	}
}

func TestCalledBy(t *testing.T) {
	t.Parallel()
	for arg0, want := range map[string]string{
		"/usr/bin/kubectl-kgw_doctor": "kubectl kgw-doctor",
		"kubectl-kgw-doctor":          "kubectl kgw-doctor",
		"kubectl-kgw_doctor.exe":      "kubectl kgw-doctor",
		"./kgw-doctor":                "kgw-doctor",
	} {
		if got := calledBy(arg0); got != want {
			t.Errorf("calledBy(%q) = %q, want %q", arg0, got, want)
		}
	}
}
