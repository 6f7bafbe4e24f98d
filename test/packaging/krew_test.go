package packaging

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Real krew, no network: the archive that a release would make for this platform, the committed manifest with that
// archive's sum, and an empty KREW_ROOT. `make krew` builds krew and names it in KREW.
func TestKrewInstallsThePlugin(t *testing.T) {
	krew := os.Getenv("KREW")
	if krew == "" {
		t.Skip("KREW does not name krew's executable: run `make krew`")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the archive made here is a tar file")
	}
	version := readManifest(t).Spec.Version
	dir := t.TempDir()
	archive := filepath.Join(dir, fmt.Sprintf("kubectl-kgw_doctor_%s_%s_%s.tar.gz", version, runtime.GOOS, runtime.GOARCH))
	pack(t, archive, build(t, dir, version))
	file := filledFor(t, dir, archive)

	root := filepath.Join(dir, "krew")
	env := append(os.Environ(), "KREW_ROOT="+root, "HOME="+dir, "KREW_NO_UPGRADE_CHECK=1",
		"PATH="+filepath.Join(root, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	run := func(name string, args ...string) (string, error) {
		c := exec.CommandContext(t.Context(), name, args...)
		c.Env = env
		out, err := c.CombinedOutput()
		return string(out), err
	}

	if out, err := run(krew, "install", "--manifest="+file, "--archive="+archive); err != nil {
		t.Fatalf("krew install: %v\n%s", err, out)
	}
	link := filepath.Join(root, "bin", "kubectl-kgw_doctor")
	if out, err := run(link, "version"); err != nil || !strings.Contains(out, version) {
		t.Errorf("%s version: %v\n%s\nwant the version that was built in, %s", link, err, out, version)
	}
	for _, installed := range []string{"kubectl-kgw_doctor", "LICENSE"} {
		if _, err := os.Stat(filepath.Join(root, "store", "kgw-doctor", version, installed)); err != nil {
			t.Error(err)
		}
	}
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Log("no kubectl on the PATH: not called through kubectl")
	} else if out, err := run("kubectl", "kgw-doctor", "version"); err != nil || !strings.Contains(out, version) {
		t.Errorf("kubectl kgw-doctor version: %v\n%s\nwant %s", err, out, version)
	}

	// krew asks for an index before it removes anything; an empty one will do.
	if out, err := run("git", "init", "--quiet", filepath.Join(root, "index", "default")); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	if out, err := run(krew, "uninstall", "kgw-doctor"); err != nil {
		t.Errorf("krew uninstall: %v\n%s", err, out)
	}
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there after krew uninstall: %v", link, err)
	}
}

// The committed manifest has sums of zeros: nobody can install an archive that no release has vouched for.
func TestKrewRefusesAnArchiveWithoutItsSum(t *testing.T) {
	krew := os.Getenv("KREW")
	if krew == "" {
		t.Skip("KREW does not name krew's executable: run `make krew`")
	}
	dir := t.TempDir()
	archive := filepath.Join(dir, "plugin.tar.gz")
	pack(t, archive, filepath.Join(top, "LICENSE"))
	file := filepath.Join(dir, "kgw-doctor.yaml")
	if err := os.WriteFile(file, read(t, filepath.Join(top, "krew-manifest.yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), krew, "install", "--manifest="+file, "--archive="+archive)
	install.Env = append(os.Environ(), "KREW_ROOT="+filepath.Join(dir, "krew"), "KREW_NO_UPGRADE_CHECK=1")
	if out, err := install.CombinedOutput(); err == nil || !strings.Contains(string(out), "checksum") {
		t.Errorf("want a refusal because of the checksum, got %v\n%s", err, out)
	}
}

// validate-krew-manifest checks the manifest's structure and then downloads every archive, which nobody has published
// yet: getting as far as the download is the proof. It takes the plugin's name from the file's name.
func TestKrewsOwnValidatorAcceptsTheManifest(t *testing.T) {
	validator := os.Getenv("VALIDATE_KREW_MANIFEST")
	if validator == "" {
		t.Skip("VALIDATE_KREW_MANIFEST does not name the validator: run `make krew`")
	}
	validate := func(text []byte) string {
		file := filepath.Join(t.TempDir(), "kgw-doctor.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		run := exec.CommandContext(t.Context(), validator, "-manifest", file)
		run.Env = append(os.Environ(), "HTTPS_PROXY=http://127.0.0.1:9", "NO_PROXY=") // nothing listens there
		out, _ := run.CombinedOutput()                                                // the download fails, always
		return string(out)
	}
	const accepted = "structural validation OK"
	text := read(t, filepath.Join(top, "krew-manifest.yaml"))
	if out := validate(text); !strings.Contains(out, accepted) {
		t.Errorf("want %q:\n%s", accepted, out)
	}
	if out := validate(bytes.ReplaceAll(text, []byte("name: kgw-doctor"), []byte("name: doctor"))); strings.Contains(out, accepted) {
		t.Errorf("accepted under a wrong name:\n%s", out)
	}
}

// build makes the plugin as a release does, and gives its path.
func build(t *testing.T, dir, version string) string {
	t.Helper()
	binary := filepath.Join(dir, "kubectl-kgw_doctor")
	ldflags := expand(t, readRelease(t).Builds[0].Ldflags[0], release{}, version, runtime.GOOS, runtime.GOARCH, "")
	c := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", ldflags, "-o", binary, "./cmd/kubectl-kgw-doctor")
	c.Dir = top
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// pack writes a .tar.gz of the program and what .goreleaser.yaml adds to it.
func pack(t *testing.T, archive, binary string) {
	t.Helper()
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	w := tar.NewWriter(zipped)
	add := func(file string, mode int64) {
		text := read(t, file)
		if err := w.WriteHeader(&tar.Header{Name: filepath.Base(file), Mode: mode, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	add(binary, 0o755)
	for _, extra := range readRelease(t).Archives[0].Files {
		add(filepath.Join(top, extra), 0o644)
	}
	if err := errors.Join(w.Close(), zipped.Close(), os.WriteFile(archive, packed.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// filledFor writes the manifest with the sum of the one archive that was made, under the name krew wants.
func filledFor(t *testing.T, dir, archive string) string {
	t.Helper()
	var sums strings.Builder
	for _, p := range readManifest(t).Spec.Platforms {
		sum := sha256.Sum256(nil)
		if p.archive() == filepath.Base(archive) {
			sum = sha256.Sum256(read(t, archive))
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum, p.archive())
	}
	file := filepath.Join(dir, "kgw-doctor.yaml")
	if err := os.WriteFile(file, fill(t, sums.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
