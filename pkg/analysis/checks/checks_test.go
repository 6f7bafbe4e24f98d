package checks_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	helmyaml "sigs.k8s.io/yaml"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/checks"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // Helm tells of clashes in values through the global logger
	os.Exit(m.Run())
}

// An archive of testdata is a small chart, values for it, and what the doctor says of them.
//
//	chart/…         the chart
//	cluster.yaml    kubeVersion and apiVersions, where they matter
//	values.yaml     the supplied values, each line with what is expected of it
//	NAME.yaml       other values for the same chart, as often as needed
//	out/…           golden: the findings, and the first fix of each
//
// An expectation is a comment on the line that it is about, and holds for everything below it:
//
//	a: 1                # nothing said: the value is effective, and there is no finding about it
//	b: 2                # verdict redundant
//	c: 3                # want KGW1001 shadowed winner=x.c severity=warning
//	d: {}               # want KGW1004 unread; KGW1005
//	# want KGW1007      (a line of its own: a finding about no value)
//	# at e.f want KGW1103  (a line of its own: about a path that the file does not have)
//
// A chart/values.yaml with such comments is audited, as a chart without a release.
type archive struct {
	name  string
	text  *txtar.Archive
	chart *helmchart.Chart
	kube  rendering.Cluster
	runs  []*run
}

// run is one file of values.
type run struct {
	*archive
	golden   string // prefix of its golden sections
	text     string
	supplied map[string]any
	mode     analysis.Mode
	expected []*expectation
}

// expectation is what a comment says of the place that it stands on.
type expectation struct {
	at             values.Path
	verdict        finding.Verdict // "" says nothing
	codes          []string
	severity       string
	winners, gates []string
	line           int
}

func archives(t testing.TB) []*archive {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var out []*archive
	for _, file := range files {
		text, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a := &archive{name: strings.TrimSuffix(filepath.Base(file), ".txtar"), text: text, kube: rendering.Cluster{KubeVersion: "v1.33.0"}}
		if err := a.load(); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out = append(out, a)
	}
	return out
}

func (a *archive) load() error {
	var files []*loader.BufferedFile
	for _, f := range a.text.Files {
		switch name, inChart := strings.CutPrefix(f.Name, "chart/"); {
		case inChart:
			files = append(files, &loader.BufferedFile{Name: name, Data: f.Data})
			if name == "values.yaml" && strings.Contains(string(f.Data), " want KGW") {
				r := &run{archive: a, text: string(f.Data), golden: "out/audit/", mode: analysis.Audit}
				if err := r.parse(f.Data); err != nil {
					return fmt.Errorf("%s: %w", f.Name, err)
				}
				r.supplied = map[string]any{}
				a.runs = append(a.runs, r)
			}
		case f.Name == "cluster.yaml":
			if err := helmyaml.Unmarshal(f.Data, &a.kube); err != nil {
				return err
			}
		case strings.HasPrefix(f.Name, "out/"):
		default:
			r := &run{archive: a, text: string(f.Data), golden: "out/", mode: analysis.Preflight}
			if f.Name != "values.yaml" {
				r.golden = "out/" + strings.TrimSuffix(f.Name, ".yaml") + "/"
			}
			if err := r.parse(f.Data); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
			a.runs = append(a.runs, r)
		}
	}
	var err error
	a.chart, err = loader.LoadFiles(files)
	return err
}

func (r *run) parse(text []byte) error {
	if err := helmyaml.Unmarshal(text, &r.supplied); err != nil {
		return err
	}
	if r.supplied == nil {
		r.supplied = map[string]any{}
	}
	for line := range strings.Lines(r.text) {
		var at values.Path
		if about, found := strings.CutPrefix(line, "# at "); found {
			path, rest, _ := strings.Cut(about, " ")
			line = "# " + rest
			var err error
			if at, err = values.Parse(path); err != nil {
				return err
			}
		}
		if strings.HasPrefix(line, "# want ") {
			if err := r.expect(at, line, 0); err != nil {
				return err
			}
		}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return err
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return r.comments(nil, doc.Content[0])
}

// comments collects the expectations of a tree of YAML.
func (r *run) comments(at values.Path, n *yaml.Node) error {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if err := r.expect(at.Key(key.Value), key.LineComment, key.Line); err != nil {
				return err
			}
			if err := r.below(at.Key(key.Value), value); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if err := r.below(at.Item(i), item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) below(at values.Path, n *yaml.Node) error {
	if err := r.expect(at, n.LineComment, n.Line); err != nil {
		return err
	}
	return r.comments(at, n)
}

func (r *run) expect(at values.Path, comment string, line int) error {
	text := strings.TrimSpace(strings.TrimPrefix(comment, "#"))
	wanted, isWant := strings.CutPrefix(text, "want ")
	verdict, isVerdict := strings.CutPrefix(text, "verdict ")
	if !isWant && !isVerdict {
		return nil
	}
	x := &expectation{at: at, line: line}
	for _, word := range strings.FieldsFunc(wanted+" ", func(c rune) bool { return c == ' ' || c == ';' }) {
		name, list, isPair := strings.Cut(word, "=")
		switch {
		case isVerdict:
		case strings.HasPrefix(word, "KGW"):
			x.codes = append(x.codes, word)
		case isPair && name == "winner":
			x.winners = strings.Split(list, ",")
		case isPair && name == "gate":
			x.gates = strings.Split(list, ",")
		case isPair && name == "severity":
			x.severity = list
		case isPair:
			return fmt.Errorf("line %d: %q is no expectation", line, word)
		default:
			x.verdict = finding.Verdict(word)
		}
	}
	if isVerdict {
		x.verdict = finding.Verdict(strings.Fields(verdict)[0])
	}
	r.expected = append(r.expected, x)
	return nil
}

// about gives the expectation that speaks of a path: that of the nearest place at or above it.
func (r *run) about(p values.Path) *expectation {
	var best *expectation
	for _, x := range r.expected {
		if len(x.at) > 0 && p.HasPrefix(x.at) && (best == nil || len(x.at) > len(best.at)) {
			best = x
		}
	}
	return best
}

func (r *run) facts(t testing.TB) *analysis.Facts {
	t.Helper()
	return gather(t, r.mode, r.chart, r.supplied, r.kube)
}

func gather(t testing.TB, mode analysis.Mode, c *helmchart.Chart, supplied map[string]any, kube rendering.Cluster) *analysis.Facts {
	t.Helper()
	f, err := analysis.Gather(analysis.Input{
		Mode: mode, Chart: c, Supplied: supplied, Cluster: kube,
		Release: rendering.Release{Name: "rel", Namespace: "ns", Revision: 1}, ChartArgument: "./chart",
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestCases holds every line of every case against what the doctor says of it, in both directions.
func TestCases(t *testing.T) {
	t.Parallel()
	for _, a := range archives(t) {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			golden := map[string]string{}
			for _, r := range a.runs {
				f := r.facts(t)
				found, incomplete := analysis.Run(f, checks.All())
				r.verdicts(t, f)
				r.findings(t, found)
				for _, i := range incomplete {
					t.Errorf("%s: incomplete: %s: %s", r.golden, i.What, i.Why)
				}
				proved := fix.Prove(f, found)
				golden[r.golden+"findings"] = written(proved)
				golden[r.golden+"fix"] = fixes(proved)
			}
			a.golden(t, golden)
		})
	}
}

func (r *run) verdicts(t *testing.T, f *analysis.Facts) {
	t.Helper()
	for _, e := range f.Effects {
		want := finding.Effective
		if len(f.Blamed) > 0 && slices.ContainsFunc(f.Blamed[0], func(l values.Leaf) bool { return e.Path.HasPrefix(l.Path) }) {
			want = finding.Unknown
		}
		x := r.about(e.Path)
		if x != nil && x.verdict != "" {
			want = x.verdict
		}
		if e.Verdict != want && (r.mode != analysis.Audit || x != nil && x.verdict != "") {
			t.Errorf("%s: %s is %s (%s), want %s\n%v", r.golden, e.Path, e.Verdict, e.Reason, want, e.Evidence)
		}
		if x == nil {
			continue
		}
		if got := causes(e.Winners); x.winners != nil && !slices.Equal(got, x.winners) {
			t.Errorf("%s: %s has the winners %v, want %v", r.golden, e.Path, got, x.winners)
		}
		if got := causes(e.Gates); x.gates != nil && !slices.Equal(got, x.gates) {
			t.Errorf("%s: %s has the gates %v, want %v", r.golden, e.Path, got, x.gates)
		}
	}
}

func causes(all []causality.Cause) []string {
	var out []string
	for _, c := range all {
		out = append(out, c.Path.String())
	}
	return out
}

func (r *run) findings(t *testing.T, found finding.Release) {
	t.Helper()
	met := map[*expectation]map[string]bool{}
	for _, x := range found.Findings {
		var want *expectation
		if p, err := values.Parse(x.ValuePath); err == nil {
			want = r.about(p)
		} else if i := slices.IndexFunc(r.expected, func(e *expectation) bool { return len(e.at) == 0 }); i >= 0 {
			want = r.expected[i]
		}
		if want == nil || !slices.Contains(want.codes, x.Code) {
			t.Errorf("%s: unexpected %s %s: %s", r.golden, x.Code, x.ValuePath, x.Message)
			continue
		}
		if met[want] == nil {
			met[want] = map[string]bool{}
		}
		met[want][x.Code] = true
		if want.severity != "" && x.Severity.String() != want.severity {
			t.Errorf("%s: %s %s is a finding of severity %s, want %s", r.golden, x.Code, x.ValuePath, x.Severity, want.severity)
		}
	}
	for _, want := range r.expected {
		for _, code := range want.codes {
			if !met[want][code] {
				t.Errorf("%s: line %d, %s: no %s", r.golden, want.line, want.at, code)
			}
		}
	}
}

// written gives the findings as text, proofs included.
func written(r fix.Release) string {
	var b strings.Builder
	for _, x := range r.Findings {
		fmt.Fprintf(&b, "%s %s %s\n", x.Severity, x.Code, x.Message)
		for _, f := range x.Facts {
			fmt.Fprintf(&b, "  %-8s %s\n", f.Label, strings.Join(strings.Fields(f.Text), " "))
		}
	}
	return b.String()
}

// fixes gives the first fix of each finding: its flags, and what they change that was not asked for.
func fixes(r fix.Release) string {
	var b strings.Builder
	for _, x := range r.Findings {
		about := strings.TrimSpace(x.Code + " " + x.ValuePath)
		if len(x.Fixes) == 0 {
			fmt.Fprintf(&b, "%s: none\n", about)
			for _, no := range x.Refused {
				fmt.Fprintf(&b, "  refused  %s: %s\n", strings.Join(no.Set, " "), no.Reason)
			}
			continue
		}
		first := x.Fixes[0]
		fmt.Fprintf(&b, "%s: %s\n", about, strings.Join(first.Flags(), " "))
		for _, c := range first.Changes() {
			label := "changes"
			if !c.Intended {
				label = "also"
			}
			field := c.Field.Field
			if field == "" {
				field = "as a whole"
			}
			fmt.Fprintf(&b, "  %-8s %s %s: %s -> %s\n", label, c.Object, field, short(c.From), short(c.To))
		}
	}
	return b.String()
}

func short(v any) string {
	if _, isObject := v.(map[string]any); isObject {
		return "{…}"
	}
	return rendering.Show(v)
}

// golden holds the sections out/… against what was made; UPDATE_GOLDEN=1 writes them.
func (a *archive) golden(t *testing.T, made map[string]string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		a.text.Files = slices.DeleteFunc(a.text.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "out/") })
		for _, r := range a.runs {
			for _, part := range []string{"findings", "fix"} {
				if text := made[r.golden+part]; text != "" {
					a.text.Files = append(a.text.Files, txtar.File{Name: r.golden + part, Data: []byte(text)})
				}
			}
		}
		if err := os.WriteFile(filepath.Join("testdata", a.name+".txtar"), txtar.Format(a.text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have := map[string]string{}
	for _, f := range a.text.Files {
		if strings.HasPrefix(f.Name, "out/") {
			have[f.Name] = string(f.Data)
		}
	}
	for name, text := range made {
		if diff := cmp.Diff(have[name], text); diff != "" {
			t.Errorf("%s (-want +got; UPDATE_GOLDEN=1 writes it):\n%s", name, diff)
		}
		delete(have, name)
	}
	for name := range have {
		t.Errorf("%s: no values make this section", name)
	}
}
