package snapshot

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const listed = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: b, namespace: ns}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: a, namespace: ns, generation: 3}
`

func TestReadTakesWhatKubectlPrints(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"List":       listed,
		"stream":     "---\napiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: ns}\n---\n" + `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","namespace":"ns","generation":3}}`,
		"typed list": "apiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: b, namespace: ns}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: ns, generation: 3}",
		"gzip":       zipped(listed),
	} {
		s, err := Read(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Get("Service", "ns", "b") == nil || s.Get("Deployment.apps", "ns", "a").GetGeneration() != 3 || s.Get("Deployment", "", "a") != nil {
			t.Errorf("%s: read %v", name, s.Objects)
		}
	}
}

func TestReadSaysWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":           "the snapshot is empty",
		" \n":        "the snapshot is empty",
		"---\n---\n": "holds no Kubernetes objects",
		"apiVersion: v1\nkind: List\nitems: []\n": "holds no Kubernetes objects",
		listed + "---\na: b\nc: [\n":              "line 12 of the snapshot: neither YAML nor JSON",
		"---\njust words":                         "line 2 of the snapshot: not a Kubernetes object, but a text",
		"a: 1":                                    "it has no kind or no apiVersion",
		"\x1f\x8bnot gzip":                        "read the gzip'ed snapshot",
		"apiVersion: v1\nkind: Service\n":         "the Service has no metadata",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Read(%q): %v, want %q", text, err, want)
		}
	}
}

func TestWriteIsReadBack(t *testing.T) {
	t.Parallel()
	s, err := Read(strings.NewReader(listed))
	if err != nil {
		t.Fatal(err)
	}
	s.Header = Header{ServerVersion: "v1.37.2", APIVersions: []string{"apps/v1"}, TakenAt: "2026-01-02T03:04:05Z",
		Gaps: []Gap{{What: "Secret ns/x", Why: "forbidden"}}, Masked: true}
	var first, second bytes.Buffer
	if err := s.Write(&first); err != nil {
		t.Fatal(err)
	}
	again, err := Read(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s.Header, again.Header); d != "" {
		t.Error(d)
	}
	if err := again.Write(&second); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first.String(), second.String()); d != "" {
		t.Error(d)
	}
	if again.Unread("Secret", "ns", "x") == nil || again.Unread("Secret", "ns", "y") != nil {
		t.Error("a gap that names an object is not found by the object's name")
	}
}

func TestRealSnapshotsDecode(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("../../../shared/snapshots/*.json.gz")
	if len(files) == 0 {
		t.Skip("no snapshots of a real kgateway beside the repository")
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Read(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*Snapshot{s, s.Redact()} {
			records := s.Records()
			if len(records) == 0 {
				t.Errorf("%s: no release records", file)
			}
			for _, r := range records {
				if r.Err != nil || r.Release.Chart == nil || r.Revision != 1 || r.Status != "deployed" {
					t.Errorf("%s: %s: %+v", file, r.Source, r)
				}
			}
		}
		unmasked, masked := s.Records(), s.Redact().Records()
		if d := cmp.Diff(unmasked[0].Release.Manifest, masked[0].Release.Manifest); d != "" {
			t.Errorf("%s: holds no secrets, but masking changed: %s", file, d)
		}
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	zip.Write([]byte(text))
	zip.Close()
	return b.String()
}
