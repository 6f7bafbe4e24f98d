package snapshot

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The chart of this test, rendered by hand from {db: {password: hunter2xyz, pin: 987654, user: admin}, level: info}.
const (
	redactTemplate = "kind: Secret\nstringData:\n  password: {{ .Values.db.password }}\n  url: postgres://{{ .Values.db.user }}:{{ .Values.db.password }}@db/app\n" +
		"  level: {{ .Values.level }}\ndata:\n  b64: {{ .Values.db.password | b64enc }}\n"
	redactManifest = "---\n# Source: c/templates/a.yaml\napiVersion: v1\nkind: Secret\nmetadata: {name: r, namespace: ns}\nstringData:\n  password: hunter2xyz\n" +
		"  url: postgres://admin:hunter2xyz@db/app\n  level: debugging\ndata:\n  b64: aHVudGVyMnh5eg==\n"
)

func redactCase() *Snapshot {
	rel := map[string]any{"name": "r", "namespace": "ns", "version": 1, "manifest": redactManifest, "future": "kept",
		"info": map[string]any{"status": "deployed", "first_deployed": "2026-01-02T03:04:05Z", "notes": "log in with hunter2xyz"},
		"config": map[string]any{"db": map[string]any{"password": "hunter2xyz", "pin": 987654, "user": "admin", "token": "ab"},
			"level": "debugging", "pullSecret": "regcred"},
		"chart": map[string]any{"metadata": map[string]any{"name": "c", "version": "1", "apiVersion": "v2"},
			"templates": []any{map[string]any{"name": "templates/a.yaml", "data": encode(redactTemplate)}},
			"values":    map[string]any{"db": map[string]any{"password": "hunter2xyz", "apiKey": "1234567"}}}}
	text, _ := json.Marshal(rel)
	object := func(kind, name string, more map[string]any) *unstructured.Unstructured {
		more["apiVersion"], more["kind"] = "v1", kind
		more["metadata"] = map[string]any{"name": name, "namespace": "ns", "uid": "u", "labels": map[string]any{"name": "r"}}
		return &unstructured.Unstructured{Object: more}
	}
	return &Snapshot{Objects: []*unstructured.Unstructured{
		object("Secret", RecordPrefix+"r.v1", map[string]any{"type": "helm.sh/release.v1", "data": map[string]any{"release": encode(pack(text))}}),
		object("Secret", "r", map[string]any{"data": map[string]any{"password": encode("hunter2xyz"),
			"url": encode("postgres://admin:hunter2xyz@db/app"), "other": encode("madeUp77random")}}),
		object("Pod", "p", map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "c", "args": []any{"--pw=hunter2xyz"},
			"env": []any{map[string]any{"name": "DB_PASSWORD", "value": "hunter2xyz"}, map[string]any{"name": "SIDE_TOKEN", "value": "outside99"}}}}}}),
	}}
}

func TestRedactLeavesNoSecretBehind(t *testing.T) {
	t.Parallel()
	s := redactCase().Redact()
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	rel := s.Records()[0].Release
	b.WriteString(rel.Manifest + rel.Info.Notes)
	for _, v := range []any{rel.Config, rel.Chart.Values} {
		text, _ := json.Marshal(v)
		b.Write(text)
	}
	for _, secret := range []string{"hunter2xyz", "madeUp77random", "outside99", "1234567"} {
		if strings.Contains(b.String(), secret) || strings.Contains(b.String(), encode(secret)) {
			t.Errorf("%q is still there:\n%s", secret, b.String())
		}
	}
	if !s.Header.Masked {
		t.Error("the header does not say that the snapshot is masked")
	}
}

func TestRedactReplacesAlikeSoThatTheChartStillRendersTheManifest(t *testing.T) {
	t.Parallel()
	s := redactCase().Redact()
	rel := s.Records()[0].Release
	db := rel.Config["db"].(map[string]any)
	token := db["password"].(string)
	if !regexp.MustCompile(`^[a-z]{6}[0-9][a-z]{3}$`).MatchString(token) || token == "hunter2xyz" {
		t.Errorf("hunter2xyz became %q: another shape", token)
	}
	again := strings.NewReplacer("hunter2xyz", token, "aHVudGVyMnh5eg==", encode(token)).Replace(redactManifest)
	again = strings.ReplaceAll(again, "debugging", rel.Config["level"].(string)) // an entry of a Secret by itself
	if d := cmp.Diff(again, rel.Manifest); d != "" {
		t.Errorf("the chart renders otherwise than the record says:\n%s", d)
	}
	if rel.Chart.Values["db"].(map[string]any)["password"] != token {
		t.Error("the default and the supplied value were equal, and are not any more")
	}
	if db["pin"] != float64(987654) || db["user"] != "admin" || db["token"] != "ab" || rel.Config["pullSecret"] != "regcred" {
		t.Errorf("numbers, short texts and names were masked: %v", rel.Config)
	}
	live := s.Get("Secret", "ns", "r").Object["data"].(map[string]any)
	if live["password"] != encode(token) || live["url"] != encode("postgres://admin:"+token+"@db/app") {
		t.Errorf("live Secret: %v", live)
	}
	if string(rel.Chart.Templates[0].Data) != redactTemplate || rel.Info.FirstDeployed.Year() != 2026 {
		t.Error("a template or a date was changed")
	}
	if before := redactCase(); cmp.Diff(before.Objects, redactCase().Objects) != "" || cmp.Diff(before.Redact().Objects, s.Objects) != "" {
		t.Error("not the same twice, or the given snapshot was changed")
	}
}

func TestRedactEmptiesARecordThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := redactCase()
	s.Objects[0].Object["data"] = map[string]any{"release": encode("hunter2xyz")}
	r := s.Redact().Records()
	if len(r) != 1 || r[0].Err == nil || r[0].Name != "r" {
		t.Errorf("%+v", r)
	}
}
