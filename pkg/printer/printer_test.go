package printer

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

var now = time.Date(2026, 2, 24, 12, 0, 0, 0, time.UTC)

// checkGolden compares with a file of testdata; UPDATE_GOLDEN=1 writes it.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; UPDATE_GOLDEN=1 writes it):\n%s", file, diff)
	}
}

func text(t *testing.T, r fix.Report, o TextOptions) string {
	t.Helper()
	var b bytes.Buffer
	o.Now = now
	if err := Text(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	t.Parallel()
	lost, clean, hostile := lostReport(), cleanReport(), hostileReport()
	partly := cleanReport()
	partly.Incomplete = []finding.Incomplete{{
		What: "pods in namespace kgateway-system", Why: `User "sre" cannot list resource "pods"`,
		Remedy: "a rule for pods with the verbs get and list", Release: "kgateway-system/kgateway",
	}, {
		What: "secrets in all namespaces", Why: "forbidden", Remedy: "rules:\n- apiGroups: [\"\"]\n  resources: [secrets]\n  verbs: [get, list]\n",
	}}
	for _, c := range []struct {
		golden string
		report fix.Report
		o      TextOptions
	}{
		{"lost-120.txt", lost, TextOptions{Width: 120}},
		{"lost-60.txt", lost, TextOptions{Width: 60}},
		{"lost-color.txt", lost, TextOptions{Width: 120, Color: true}},
		{"lost-values.txt", lost, TextOptions{Width: 120, Values: true}},
		{"lost-detail.txt", lost, TextOptions{Width: 100, Values: true, Detail: true}},
		{"clean.txt", clean, TextOptions{Width: 100}},
		{"incomplete.txt", partly, TextOptions{Width: 80}},
		{"hostile.txt", hostile, TextOptions{Width: 100, Values: true}},
		{"nothing.txt", fix.Report{}, TextOptions{}},
	} {
		t.Run(c.golden, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, c.golden, text(t, c.report, c.o))
		})
	}
}

func TestColorChangesNothingElse(t *testing.T) {
	t.Parallel()
	plain := text(t, lostReport(), TextOptions{Width: 120})
	colored := text(t, lostReport(), TextOptions{Width: 120, Color: true})
	for _, code := range []string{"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;36m", "\x1b[0m"} {
		colored = strings.ReplaceAll(colored, code, "")
	}
	if diff := cmp.Diff(plain, colored); diff != "" {
		t.Error(diff)
	}
}

func TestHostileTextReachesNoTerminal(t *testing.T) {
	t.Parallel()
	var j, y bytes.Buffer
	if err := JSON(&j, hostileReport(), DocumentOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := YAML(&y, hostileReport(), DocumentOptions{}); err != nil {
		t.Fatal(err)
	}
	for format, out := range map[string]string{
		"text": text(t, hostileReport(), TextOptions{Width: 100, Values: true}), "json": j.String(), "yaml": y.String(),
	} {
		for _, r := range out {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%U is in the %s", r, format)
			}
		}
	}
	var got struct{ Releases []struct{ Name string } }
	if err := json.Unmarshal(j.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if want := hostileReport().Releases[0].Name; got.Releases[0].Name != want {
		t.Errorf("the JSON says %q, want %q", got.Releases[0].Name, want)
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	var j, y bytes.Buffer
	if err := JSON(&j, lostReport(), DocumentOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := YAML(&y, lostReport(), DocumentOptions{}); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "lost.json", j.String())
	checkGolden(t, "lost.yaml", y.String())
}

func TestDocumentListsAreNeverNull(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	r := fix.Report{Releases: []fix.Release{{
		Release:  finding.Release{Name: "a", Values: []finding.Value{{Path: "x"}}},
		Findings: []fix.Finding{{Finding: finding.Finding{Code: "KGW1001"}}},
	}}}
	if err := JSON(&b, r, DocumentOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"winners", "gates", "reaches", "misses", "fixes", "incomplete"} {
		if !strings.Contains(b.String(), `"`+list+`": []`) {
			t.Errorf("%s is no empty list:\n%s", list, b.String())
		}
	}
	b.Reset()
	if err := JSON(&b, fix.Report{}, DocumentOptions{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"releases": []`) {
		t.Error(b.String())
	}
}

func TestSecretsAreMaskedWhereverTheyStand(t *testing.T) {
	t.Parallel()
	const secret = `hunter2"<&>`
	r := fix.Report{Releases: []fix.Release{{
		Release: finding.Release{Name: "a", Values: []finding.Value{{Path: "db.password", Value: secret, Verdict: finding.Unread}}},
		Findings: []fix.Finding{{Finding: finding.Finding{
			Code: "KGW1004", Message: "db.password=" + secret + " is read by nothing", Expected: secret, ValuePath: "db.password",
			Facts: []finding.Fact{{Label: "asked", Text: secret}},
			Steps: []string{"helm upgrade a b --set db.password=" + secret},
		}}},
	}}}
	var b bytes.Buffer
	for name, write := range map[string]func(bool) error{
		"text": func(show bool) error { return Text(&b, r, TextOptions{Values: true, ShowSecrets: show}) },
		"json": func(show bool) error { return JSON(&b, r, DocumentOptions{ShowSecrets: show}) },
		"yaml": func(show bool) error { return YAML(&b, r, DocumentOptions{ShowSecrets: show}) },
	} {
		b.Reset()
		if err := write(false); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "hunter2") || !strings.Contains(b.String(), "***") {
			t.Errorf("%s is not masked:\n%s", name, b.String())
		}
		b.Reset()
		if err := write(true); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "hunter2") {
			t.Errorf("%s is masked in spite of ShowSecrets:\n%s", name, b.String())
		}
	}
}

func TestMaskedJSONIsJSON(t *testing.T) {
	t.Parallel()
	m := secrets{`a"b\c`: "***"}.mask()
	in, err := json.Marshal(map[string]any{"k": `x a"b\c y`, `a"b\c`: []any{1, "\\", `"`, "é"}})
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(rewriteStrings(in, m.text), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"k": "x *** y", "***": []any{1.0, "\\", `"`, "é"}}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	y := Why{
		Object: finding.Object{Kind: "Deployment", Name: "kgateway", Namespace: "kgateway-system"},
		Field:  "spec.template.spec.containers[kgateway].imagePullPolicy",
		Chain: []Link{
			{Path: "controller.image.pullPolicy", Value: "IfNotPresent", Origin: "preset by the chart (values.yaml:59)", Template: "templates/deployment.yaml:34", Decides: true},
			{Path: "image.pullPolicy", Value: "Always", Origin: "given in revision 3", Template: "templates/deployment.yaml:34"},
		},
		Rendered: "IfNotPresent", Live: "IfNotPresent",
		Pods:    []PodValue{{Value: "IfNotPresent", Pods: 2}},
		Writers: []Writer{{Manager: "helm", Operation: "Update", Time: "2026-02-24T10:00:00Z"}},
	}
	var b bytes.Buffer
	if err := WhyText(&b, y, TextOptions{Width: 80}); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "why.txt", b.String())
	b.Reset()
	if err := WhyJSON(&b, y, DocumentOptions{}); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "why.json", b.String())
}

func TestEscape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain – ünïcode 日本": "plain – ünïcode 日本",
		"a\nb\tc\r":          `a\nb\tc\x0d`,
		"\x1b[31mred\x07":    `\x1b[31mred\x07`,
		"\u009b31m":          `\u009b31m`,
		"ab\u202ecd\u2066":   `ab\u202ecd\u2066`,
		"zero\u200bwidth":    `zero\u200bwidth`,
		"tag\U000e0041":      `tag\U000e0041`,
		"not utf8 \xff":      `not utf8 \xff`,
		"no\u00a0break":      `no\u00a0break`,
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestFormatValue(t *testing.T) {
	t.Parallel()
	same := func(s string) string { return s }
	for _, c := range []struct {
		in   any
		want string
	}{
		{nil, "null"},
		{"Always", "Always"},
		{"", `""`},
		{"true", `"true"`},
		{"3", `"3"`},
		{"null", `"null"`},
		{3.0, "3"},
		{1e21, "1e+21"},
		{true, "true"},
		{map[string]any{}, "{}"},
		{[]any{"a<b", 1}, `["a<b",1]`},
		{"one\ntwo", `one\ntwo`},
		{strings.Repeat("x", 70), strings.Repeat("x", 59) + "…"},
	} {
		if got := formatValue(c.in, same); got != c.want {
			t.Errorf("formatValue(%#v) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestAValueWhoseWinnerSaysTheSameIsNotLost(t *testing.T) {
	t.Parallel()
	r := fix.Report{Releases: []fix.Release{{Release: finding.Release{Name: "a", Status: "deployed", Values: []finding.Value{
		{Path: "image.pullPolicy", Value: "Always", Verdict: finding.Shadowed, Winners: []string{"controller.image.pullPolicy"}},
		{Path: "controller.image.pullPolicy", Value: "Always", Verdict: finding.Effective},
	}}}}}
	if got := text(t, r, TextOptions{}); !strings.Contains(got, "2 values: 1 in force, 1 not needed.  No findings.") {
		t.Error(got)
	}
}
