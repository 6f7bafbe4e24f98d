package snapshot

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const small = `{"name":"r","namespace":"ns","version":2,"info":{"status":"deployed"},"config":{"n":3},` +
	`"chart":{"metadata":{"name":"c","version":"1","apiVersion":"v2"},"templates":[null,{"name":"templates/a.yaml","data":"e30="}]}}`

func TestDecodeRecordTakesEveryFormInUse(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"ConfigMap, or Secret decoded": pack([]byte(small)),
		"Secret as JSON":               encode(pack([]byte(small))),
		"Helm before 2.7":              encode(small),
		"folded":                       pack([]byte(small))[:40] + "\n" + pack([]byte(small))[40:],
	} {
		r, err := DecodeRecord([]byte(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Name != "r" || r.Version != 2 || r.Config["n"] != float64(3) || len(r.Chart.Templates) != 1 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestDecodeRecordSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := pack([]byte(small))
	for name, c := range map[string]struct{ data, want string }{
		"empty":           {"", "is empty"},
		"not base64":      {"%%%", "not base64"},
		"not gzip":        {encode("hello there"), "neither gzip nor JSON"},
		"not JSON":        {pack([]byte("hello")), "not the JSON of a Helm release"},
		"cut short":       {good[:len(good)/8*4], "cut short"},
		"bomb":            {pack(make([]byte, MaxDecompressed+1)), "unpacks to more than 64 MiB"},
		"too large":       {strings.Repeat("AAAA", MaxCompressed), "larger than 4 MiB"},
		"no name":         {pack([]byte(`{"chart":{}}`)), "it has no name"},
		"no chart":        {pack([]byte(`{"name":"r"}`)), "holds no chart"},
		"chart of future": {pack([]byte(strings.Replace(small, `"v2"`, `"v3"`, 1))), `apiVersion "v3"`},
		"wrong types":     {pack([]byte(`{"name":1}`)), "not the JSON of a Helm release"},
	} {
		if _, err := DecodeRecord([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(pack([]byte(small))))
	f.Add([]byte(encode(pack([]byte(small)))))
	f.Add([]byte(encode(small)))
	f.Add([]byte("H4sIAAAAAAAA"))
	f.Add([]byte(pack([]byte(`{"name":"r","hooks":[null],"chart":{"metadata":{"name":"c","dependencies":[null],"maintainers":[null]}}}`))))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := DecodeRecord(data)
		if (r == nil) == (err == nil) {
			t.Fatalf("record %v and error %v", r, err)
		}
		if err == nil && (r.Info == nil || r.Chart.Metadata == nil) {
			t.Fatal("a release without info or chart was given out")
		}
	})
}

func TestRecordsKeepWhatTheLabelsSayOfADamagedOne(t *testing.T) {
	t.Parallel()
	record := func(name, status, version, data string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
			"metadata": map[string]any{"namespace": "ns", "name": RecordPrefix + name + ".v" + version,
				"labels": map[string]any{"owner": "helm", "name": name, "status": status, "version": version}},
			"data": map[string]any{"release": data}}}
	}
	s := &Snapshot{Objects: []*unstructured.Unstructured{
		record("r", "deployed", "2", encode(pack([]byte(small)))),
		record("r", "failed", "10", "%"),
		record("q", "deployed", "1", "%"),
		{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "other"}}},
	}}
	got := s.Records()
	if len(got) != 3 || got[0].Name != "q" || got[1].Revision != 2 || got[1].Release == nil || got[2].Revision != 10 {
		t.Fatalf("%+v", got)
	}
	if bad := got[2]; bad.Status != "failed" || bad.Err == nil || bad.Release != nil || !strings.Contains(bad.Err.Error(), "Secret ns/"+RecordPrefix+"r.v10") {
		t.Errorf("%+v", bad)
	}
}
