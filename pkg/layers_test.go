package pkg_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/kgateway-dev/kubectl-kgw-doctor/"

// Modules that several packages may use.
const (
	apimachinery = "k8s.io/apimachinery"
	kubeAPI      = "k8s.io/api"
	helm         = "helm.sh/helm/v3/pkg/"
	yaml         = "sigs.k8s.io/yaml"
	yamlNodes    = "go.yaml.in/yaml/v3" // for line numbers and comments
)

// layers is the dependency rule. A package may import those of ours with a lower number, the standard library, and
// the packages listed, with all below them. A new package gets a line here, or the test fails.
//
// The rule is about direct imports: helm/pkg/engine itself imports client-go, so a ban on what is imported
// indirectly could not be kept.
var layers = map[string]struct {
	layer   int
	outside []string
}{
	"pkg/analysis/values": {0, nil},

	"pkg/finding":  {1, nil},
	"pkg/snapshot": {1, []string{helm + "release", helm + "chart", apimachinery, yaml}},

	// The only renderer: Helm's engine, and what that engine is made of.
	"pkg/analysis/rendering": {2, []string{helm + "engine", helm + "chartutil", helm + "chart", helm + "release", helm + "releaseutil",
		"github.com/Masterminds/sprig/v3", "github.com/Masterminds/semver/v3", "github.com/BurntSushi/toml", "github.com/gobwas/glob",
		// The types behind UnknownFields; Helm's chartutil brings them anyway.
		"k8s.io/client-go/kubernetes/scheme", "sigs.k8s.io/json",
		apimachinery, yaml}},

	"pkg/analysis/chart": {3, []string{helm + "chart", yaml, yamlNodes}},
	"pkg/analysis/drift": {3, []string{apimachinery, kubeAPI}},

	"pkg/analysis/causality": {4, nil},
	"pkg/analysis/gitops":    {3, []string{helm + "strvals", apimachinery, yaml}},
	"pkg/analysis/kgateway":  {4, []string{"github.com/Masterminds/semver/v3", apimachinery, kubeAPI}},

	"pkg/analysis": {5, []string{helm + "chart", helm + "release", apimachinery}},

	"pkg/analysis/deciders": {4, []string{yamlNodes}},

	"pkg/analysis/checks": {6, []string{helm + "release", apimachinery, kubeAPI}},
	"pkg/fix":             {6, []string{helm + "strvals", yaml}},

	"pkg/printer": {7, []string{yaml, "golang.org/x/text"}},

	// The only package that talks to an API server.
	"pkg/cluster": {8, []string{"k8s.io/client-go", apimachinery, kubeAPI, helm + "release", yaml}},

	"pkg/cmd": {9, []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "k8s.io/cli-runtime", apimachinery, kubeAPI,
		"k8s.io/client-go/rest", "k8s.io/client-go/tools/clientcmd", "k8s.io/client-go/plugin/pkg/client/auth", "k8s.io/client-go/util/homedir",
		helm + "chart", helm + "cli", helm + "getter", helm + "registry", helm + "repo", helm + "downloader", helm + "release", helm + "strvals",
		"golang.org/x/term", yaml}},

	"cmd/kubectl-kgw-doctor": {10, []string{"k8s.io/cli-runtime/pkg/genericiooptions"}},
}

// pure is the highest layer that is a function of its arguments: no clock, no files, no network, no terminal.
const pure = 7

// Packages under these are for tests. Only test files import them, and they may import anything of ours.
var testSupport = []string{"pkg/internal/", "test/"}

// impure is what a pure package must not import, and notAsked what it must not call of packages it may import.
var (
	impure   = []string{"os", "net/http", "log", "math/rand", "syscall", "testing"}
	notAsked = []string{"time.Now", "time.Since", "time.Until", "time.Sleep", "fmt.Print", "fmt.Printf", "fmt.Println"}
)

type goPackage struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func (p goPackage) name() string { return strings.TrimPrefix(p.ImportPath, module) }

// goPackages lists the packages of the module; those that hold only tests have no imports.
func goPackages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p goPackage
		if err := decoder.Decode(&p); err != nil {
			t.Fatalf("go list: %v", err)
		}
		if len(p.GoFiles) > 0 {
			packages = append(packages, p)
		}
	}
	slices.SortFunc(packages, func(a, b goPackage) int { return cmp.Compare(a.ImportPath, b.ImportPath) })
	return packages
}

func TestPackagesImportOnlyLowerLayers(t *testing.T) {
	t.Parallel()
	for _, p := range goPackages(t) {
		if isTestSupport(p.name()) {
			continue
		}
		if _, listed := layers[p.name()]; !listed {
			t.Errorf("%s has no layer: give it a line in the table of pkg/layers_test.go", p.name())
			continue
		}
		for _, imported := range p.Imports {
			if why := refused(p.name(), imported); why != "" {
				t.Errorf("%s imports %s: %s", p.name(), imported, why)
			}
		}
	}
}

// refused says why a package may not import another, or nothing if it may.
func refused(importer, imported string) string {
	rule := layers[importer]
	if ours, ok := strings.CutPrefix(imported, module); ok {
		other, listed := layers[ours]
		switch {
		case isTestSupport(ours):
			return "it is for tests only"
		case !listed:
			return "it has no layer"
		case other.layer >= rule.layer:
			return "layer " + strconv.Itoa(rule.layer) + " may import only lower layers, and this is layer " + strconv.Itoa(other.layer)
		}
		return ""
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") { // the standard library
		if rule.layer <= pure && (under(imported, impure) || imported == "net") { // net/url only reads text
			return "layers 0 to " + strconv.Itoa(pure) + " are functions of their arguments"
		}
		return ""
	}
	if !under(imported, rule.outside) {
		return "not among the outside packages that its line in the table allows"
	}
	return ""
}

// under says whether the import path is one of the parents or below one of them.
func under(imported string, parents []string) bool {
	return slices.ContainsFunc(parents, func(parent string) bool {
		return imported == parent || strings.HasPrefix(imported, parent+"/")
	})
}

func isTestSupport(name string) bool {
	return slices.ContainsFunc(testSupport, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

func TestPureLayersAskNoClockAndPrintNothing(t *testing.T) {
	t.Parallel()
	for _, p := range goPackages(t) {
		rule, listed := layers[p.name()]
		if !listed || rule.layer > pure {
			continue
		}
		for _, file := range p.GoFiles {
			fset := token.NewFileSet()
			tree, err := parser.ParseFile(fset, filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, use := range forbiddenUses(tree) {
				t.Errorf("%s/%s:%d uses %s: layers 0 to %d are given the time and an io.Writer",
					p.name(), file, fset.Position(use.Pos()).Line, useName(use), pure)
			}
		}
	}
}

// forbiddenUses finds the selectors of notAsked, also where the package was imported under another name.
func forbiddenUses(file *ast.File) []*ast.SelectorExpr {
	imported := map[string]string{} // the name in this file -> the import path
	for _, spec := range file.Imports {
		full, _ := strconv.Unquote(spec.Path.Value) // the parser has accepted it
		name := path.Base(full)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = full
	}
	var found []*ast.SelectorExpr
	ast.Inspect(file, func(n ast.Node) bool {
		if use, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := use.X.(*ast.Ident); ok && slices.Contains(notAsked, imported[x.Name]+"."+use.Sel.Name) {
				found = append(found, use)
			}
		}
		return true
	})
	return found
}

func useName(use *ast.SelectorExpr) string { return use.X.(*ast.Ident).Name + "." + use.Sel.Name }

// The rule must be able to fail: each of these is refused, or the two tests above prove nothing.
func TestTheRuleRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ importer, imported string }{
		{"pkg/analysis/values", helm + "chart"},
		{"pkg/analysis/values", module + "pkg/finding"},
		{"pkg/finding", module + "pkg/snapshot"},
		{"pkg/analysis", module + "pkg/analysis/checks"},
		{"pkg/analysis/causality", helm + "engine"},
		{"pkg/cmd", helm + "engine"},
		{"pkg/cmd", helm + "chartutil"},
		{"pkg/cmd", "k8s.io/client-go/kubernetes"},
		{"pkg/snapshot", "k8s.io/client-go/rest"},
		{"pkg/printer", "os"},
		{"pkg/analysis/rendering", "net/http"},
		{"pkg/analysis/rendering", "net"},
		{"pkg/fix", module + "pkg/internal/golden"},
	} {
		if refused(c.importer, c.imported) == "" {
			t.Errorf("%s may import %s", c.importer, c.imported)
		}
	}
	source := `package p
import clock "time"
var t = clock.Now()`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if len(forbiddenUses(file)) != 1 {
		t.Error("time.Now under another name is not seen")
	}
}
