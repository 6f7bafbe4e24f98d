// Package packaging tests what is released: that krew-manifest.yaml and .goreleaser.yaml speak of the same archives,
// that krew accepts the manifest, and, with `make krew`, that real krew installs the plugin from it.
package packaging

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const (
	top      = "../.."
	homepage = "https://github.com/kgateway-dev/kubectl-kgw-doctor"
)

// manifest is a krew plugin, strictly: a field that krew does not know is an error.
type manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string     `json:"version"`
		Homepage         string     `json:"homepage"`
		ShortDescription string     `json:"shortDescription"`
		Description      string     `json:"description"`
		Caveats          string     `json:"caveats"`
		Platforms        []platform `json:"platforms"`
	} `json:"spec"`
}

type platform struct {
	Selector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	} `json:"selector"`
	URI    string `json:"uri"`
	Sha256 string `json:"sha256"`
	Files  []struct {
		From string `json:"from"`
		To   string `json:"to"`
	} `json:"files"`
	Bin string `json:"bin"`
}

func (p platform) os() string      { return p.Selector.MatchLabels["os"] }
func (p platform) arch() string    { return p.Selector.MatchLabels["arch"] }
func (p platform) archive() string { return path.Base(p.URI) }

// release is the part of .goreleaser.yaml that the manifest depends on.
type release struct {
	ProjectName string `json:"project_name"`
	Builds      []struct {
		Main    string   `json:"main"`
		Binary  string   `json:"binary"`
		Ldflags []string `json:"ldflags"`
		GOOS    []string `json:"goos"`
		GOARCH  []string `json:"goarch"`
	} `json:"builds"`
	Archives []struct {
		NameTemplate    string   `json:"name_template"`
		Formats         []string `json:"formats"`
		FormatOverrides []struct {
			GOOS    string   `json:"goos"`
			Formats []string `json:"formats"`
		} `json:"format_overrides"`
		Files []string `json:"files"`
	} `json:"archives"`
	Checksum struct {
		Algorithm string `json:"algorithm"`
	} `json:"checksum"`
	Krews []struct {
		Name             string `json:"name"`
		Homepage         string `json:"homepage"`
		ShortDescription string `json:"short_description"`
		Description      string `json:"description"`
		URLTemplate      string `json:"url_template"`
	} `json:"krews"`
}

func readManifest(t *testing.T) manifest {
	t.Helper()
	return parseManifest(t, read(t, filepath.Join(top, "krew-manifest.yaml")))
}

func parseManifest(t *testing.T, text []byte) manifest {
	t.Helper()
	var m manifest
	if err := yaml.UnmarshalStrict(text, &m); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return m
}

func readRelease(t *testing.T) release {
	t.Helper()
	var r release
	if err := yaml.Unmarshal(read(t, filepath.Join(top, ".goreleaser.yaml")), &r); err != nil {
		t.Fatalf(".goreleaser.yaml: %v", err)
	}
	if len(r.Builds) != 1 || len(r.Archives) != 1 || len(r.Krews) != 1 {
		t.Fatalf(".goreleaser.yaml: want one build, one archive and one krew entry, got %d, %d and %d", len(r.Builds), len(r.Archives), len(r.Krews))
	}
	return r
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// expand fills in a goreleaser template for one platform.
func expand(t *testing.T, text string, r release, version, goos, goarch, archive string) string {
	t.Helper()
	parsed, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var out strings.Builder
	err = parsed.Execute(&out, map[string]string{
		"ProjectName": r.ProjectName, "Version": strings.TrimPrefix(version, "v"), "Os": goos, "Arch": goarch, "ArtifactName": archive,
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out.String()
}

// Source of the rules: sigs.k8s.io/krew@v0.5.0 internal/index/validation and the naming guide of krew-index.
func TestManifestKeepsKrewsRules(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	if m.APIVersion != "krew.googlecontainertools.github.com/v1alpha2" || m.Kind != "Plugin" {
		t.Errorf("apiVersion %q, kind %q", m.APIVersion, m.Kind)
	}
	if m.Metadata.Name != "kgw-doctor" {
		t.Errorf("name %q: kubectl finds the plugin as kgw-doctor", m.Metadata.Name)
	}
	if !regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9a-z.]+)?$`).MatchString(m.Spec.Version) {
		t.Errorf("version %q is not semantic with a leading v", m.Spec.Version)
	}
	if d := m.Spec.ShortDescription; d == "" || len(d) > 50 || strings.ContainsAny(d, "\r\n") || strings.HasSuffix(d, ".") {
		t.Errorf("shortDescription %q: one line, at most 50 characters, no full stop", d)
	}
	if m.Spec.Homepage != homepage {
		t.Errorf("homepage %q", m.Spec.Homepage)
	}
	for _, p := range m.Spec.Platforms {
		name := p.os() + "/" + p.arch()
		if !regexp.MustCompile(`^[a-f0-9]{64}$`).MatchString(p.Sha256) {
			t.Errorf("%s: sha256 %q", name, p.Sha256)
		}
		var from []string
		for _, f := range p.Files {
			from = append(from, f.From)
			if f.To != "." {
				t.Errorf("%s: %s goes to %q, want the top of the folder", name, f.From, f.To)
			}
		}
		if diff := cmp.Diff([]string{p.Bin, "LICENSE"}, from); diff != "" {
			t.Errorf("%s: files (-want +got):\n%s", name, diff)
		}
	}
	// A sum of digits only is a number to YAML unless it is quoted.
	if bare := regexp.MustCompile(`(?m)sha256: [^"].*$`).Find(read(t, filepath.Join(top, "krew-manifest.yaml"))); bare != nil {
		t.Errorf("not quoted: %s", bare)
	}
}

func TestManifestNamesTheArchivesOfARelease(t *testing.T) {
	t.Parallel()
	m, r := readManifest(t), readRelease(t)
	build, archive := r.Builds[0], r.Archives[0]

	var want, got []string
	for _, goos := range build.GOOS {
		format, exe := archive.Formats[0], ""
		for _, o := range archive.FormatOverrides {
			if o.GOOS == goos {
				format = o.Formats[0]
			}
		}
		if goos == "windows" {
			exe = ".exe"
		}
		for _, goarch := range build.GOARCH {
			file := expand(t, archive.NameTemplate, r, m.Spec.Version, goos, goarch, "") + "." + format
			uri := expand(t, r.Krews[0].URLTemplate, r, m.Spec.Version, goos, goarch, file)
			want = append(want, fmt.Sprintf("%s/%s %s %s", goos, goarch, uri, build.Binary+exe))
		}
	}
	for _, p := range m.Spec.Platforms {
		got = append(got, fmt.Sprintf("%s/%s %s %s", p.os(), p.arch(), p.URI, p.Bin))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("platforms, archives and programs (-.goreleaser.yaml +krew-manifest.yaml):\n%s", diff)
	}
	if !slices.Contains(archive.Files, "LICENSE") {
		t.Errorf("the archive holds %v: krew asks for the LICENSE", archive.Files)
	}
	if r.Checksum.Algorithm != "sha256" {
		t.Errorf("checksums by %q, krew wants sha256", r.Checksum.Algorithm)
	}
}

func TestBothManifestsSayTheSame(t *testing.T) {
	t.Parallel()
	m, krew := readManifest(t), readRelease(t).Krews[0]
	want := []string{m.Metadata.Name, m.Spec.Homepage, m.Spec.ShortDescription, m.Spec.Description}
	got := []string{krew.Name, krew.Homepage, krew.ShortDescription, krew.Description}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-krew-manifest.yaml +.goreleaser.yaml, krews:\n%s", diff)
	}
}

// `make build` and a release must stamp the version into the same variable.
func TestMakefileAndReleaseStampTheSameVariable(t *testing.T) {
	t.Parallel()
	const variable = "/pkg/cmd.version="
	if makefile := string(read(t, filepath.Join(top, "Makefile"))); !strings.Contains(makefile, variable) {
		t.Errorf("the Makefile does not set %s", variable)
	}
	if flags := strings.Join(readRelease(t).Builds[0].Ldflags, " "); !strings.Contains(flags, variable) {
		t.Errorf(".goreleaser.yaml does not set %s", variable)
	}
}

func TestKrewSumsFillsEveryPlatform(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	const version = "v0.2.0-rc.1"
	var sums strings.Builder
	want := map[string]string{}
	for i, p := range m.Spec.Platforms {
		archive := strings.ReplaceAll(p.archive(), m.Spec.Version, version)
		want[archive] = fmt.Sprintf("%064x", i+1)
		fmt.Fprintf(&sums, "%s  %s\n", want[archive], archive)
	}
	filled := parseManifest(t, fill(t, sums.String()))
	if filled.Spec.Version != version {
		t.Errorf("version %q, want %q", filled.Spec.Version, version)
	}
	got := map[string]string{}
	for _, p := range filled.Spec.Platforms {
		got[p.archive()] = p.Sha256
		if !strings.Contains(p.URI, "/"+version+"/") {
			t.Errorf("address of another version: %s", p.URI)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sums (-want +got):\n%s", diff)
	}
}

func TestKrewSumsRefusesAReleaseThatLacksAnArchive(t *testing.T) {
	t.Parallel()
	sums := strings.Repeat("a", 64) + "  kubectl-kgw_doctor_v0.1.0_linux_amd64.tar.gz\n"
	if _, err := krewSums(t, sums); err == nil || !strings.Contains(err.Error(), "no sum of kubectl-kgw_doctor_v0.1.0_windows_arm64.zip") {
		t.Errorf("got %v", err)
	}
}

// fill is .ci/krew-sums on the committed manifest; sums are lines of sha256sum.
func fill(t *testing.T, sums string) []byte {
	t.Helper()
	text, err := krewSums(t, sums)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func krewSums(t *testing.T, sums string) ([]byte, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "checksums.txt")
	if err := os.WriteFile(file, []byte(sums), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	run := exec.CommandContext(t.Context(), "bash", filepath.Join(top, ".ci/krew-sums"), file)
	run.Stdin = bytes.NewReader(read(t, filepath.Join(top, "krew-manifest.yaml")))
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		return nil, fmt.Errorf("krew-sums: %w: %s", err, stderr.String())
	}
	return out, nil
}
