package checks_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/checks"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

const docs = "../../../docs/checks"

// TestDocs holds docs/checks against the documentation of the checks; UPDATE_DOCS=1 writes it.
func TestDocs(t *testing.T) {
	t.Parallel()
	if err := generate(os.Getenv("UPDATE_DOCS") != ""); err != nil {
		t.Error(err)
	}
}

// generate makes the page of every check, and their index. Without write it tells what is not as it should be.
func generate(write bool) error {
	pages := map[string]string{"README.md": index()}
	for _, c := range checks.All() {
		pages[c.Code+".md"] = page(c)
	}
	have, err := filepath.Glob(filepath.Join(docs, "*.md"))
	if err != nil {
		return err
	}
	var stale []string
	for _, file := range have {
		if _, wanted := pages[filepath.Base(file)]; wanted {
			continue
		}
		if write {
			err = os.Remove(file)
		}
		if err != nil || !write {
			stale = append(stale, filepath.Base(file)+" is of no check")
		}
	}
	for name, text := range pages {
		file := filepath.Join(docs, name)
		if write {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				return err
			}
			continue
		}
		is, _ := os.ReadFile(file)
		if diff := cmp.Diff(string(is), text); diff != "" {
			stale = append(stale, name+":\n"+diff)
		}
	}
	if len(stale) > 0 {
		slices.Sort(stale)
		return fmt.Errorf("docs/checks is not current (make docs writes it):\n%s", strings.Join(stale, "\n"))
	}
	return nil
}

func page(c *analysis.Check) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s: %s\n\n%s, %s. Since v%s.\n\n%s\n", c.Code, c.Doc.Title, c.Name, c.Doc.Severity, c.Doc.Since, strings.TrimSpace(c.Doc.Text))
	for _, part := range []struct{ title, text string }{{"Before", c.Doc.Before}, {"After", c.Doc.After}} {
		if part.text != "" {
			fmt.Fprintf(&b, "\n## %s\n\n```yaml\n%s\n```\n", part.title, strings.TrimSpace(part.text))
		}
	}
	b.WriteString("\n---\n\nMade from the check itself by `make docs`; `kubectl kgw-doctor explain " + c.Code + "` prints the same. [All findings](README.md)\n")
	return strings.ReplaceAll(b.String(), "```yaml\n--", "```sh\n--")
}

// families are the hops at which something is lost, by the first digits of a code.
var families = []struct{ prefix, title string }{
	{"KGW10", "From a value to the manifest"},
	{"KGW11", "A chart by itself (`audit`)"},
	{"KGW2", "From the manifest to the live object"},
	{"KGW3", "From the live object to the Pods"},
	{"KGW4", "From the controller to its proxies"},
	{"KGW0", "What the doctor could not do"},
}

func index() string {
	var b bytes.Buffer
	b.WriteString("# Findings\n\nEvery finding has a permanent code. The severity is the usual one; a page says when it differs.\n")
	for _, f := range families {
		var rows []string
		for _, c := range checks.All() {
			if strings.HasPrefix(c.Code, f.prefix) {
				rows = append(rows, fmt.Sprintf("| [%s](%s.md) | %s | %s |\n", c.Code, c.Code, c.Doc.Severity, c.Doc.Title))
			}
		}
		if len(rows) > 0 {
			slices.Sort(rows)
			fmt.Fprintf(&b, "\n## %s\n\n| code | severity | what it says |\n|---|---|---|\n%s", f.title, strings.Join(rows, ""))
		}
	}
	if len(checks.Retired) > 0 {
		b.WriteString("\n## Retired\n\n")
		for code, why := range checks.Retired {
			fmt.Fprintf(&b, "- %s: %s\n", code, why)
		}
	}
	b.WriteString("\nMade by `make docs`. What a verdict means is in [verdicts.md](../verdicts.md).\n")
	return b.String()
}

// goTests are the beginnings of the codes that need a cluster, or a second chart. A case of testdata has none: they
// have Go tests.
var goTests = []string{"KGW2", "KGW3", "KGW4", "KGW1012", "KGW1105", "KGW1106"}

// inGoTests says whether a Go test of this package names the code.
func inGoTests(t *testing.T, code string) bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && file != "docs_test.go" && bytes.Contains(text, []byte(code))
	})
}

// TestRegistry wants of every check a code of its own that is not retired, complete documentation, a place in the
// index, and among the cases a line that it is about and one that it is not.
func TestRegistry(t *testing.T) {
	t.Parallel()
	if err := analysis.Validate(checks.All()); err != nil {
		t.Error(err)
	}
	positive, negative := map[string]bool{}, map[string]bool{}
	for _, a := range archives(t) {
		codes := map[string]bool{}
		quiet := false
		for _, r := range a.runs {
			for _, x := range r.expected {
				for _, code := range x.codes {
					codes[code] = true
				}
			}
			tree := r.supplied
			if r.mode == analysis.Audit {
				tree = r.chart.Values
			}
			for _, l := range values.Leaves(tree) {
				x := r.about(l.Path)
				quiet = quiet || x == nil || len(x.codes) == 0
			}
		}
		for code := range codes {
			positive[code] = true
			negative[code] = negative[code] || quiet
		}
	}
	for _, c := range checks.All() {
		if why, retired := checks.Retired[c.Code]; retired {
			t.Errorf("%s is retired: %s", c.Code, why)
		}
		inGo := slices.ContainsFunc(goTests, func(p string) bool { return strings.HasPrefix(c.Code, p) })
		if c.Name == "" || c.Doc.Before == "" && !inGo {
			t.Errorf("%s has no name, or no example", c.Code)
		}
		if !slices.ContainsFunc(families, func(f struct{ prefix, title string }) bool { return strings.HasPrefix(c.Code, f.prefix) }) {
			t.Errorf("%s belongs to no family of the index", c.Code)
		}
		if inGo {
			if !inGoTests(t, c.Code) {
				t.Errorf("%s has no Go test", c.Code)
			}
			continue
		}
		if !positive[c.Code] {
			t.Errorf("%s: no line of testdata/*.txtar wants it", c.Code)
		}
		if !negative[c.Code] {
			t.Errorf("%s: its cases have no line without a finding", c.Code)
		}
	}
}
