package fix

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/strvals"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

func TestFlagKeepsTheType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path  values.Path
		value any
		want  string
	}{
		{values.Keys("a", "b"), "Always", "--set a.b=Always"},
		{values.Keys("a"), true, "--set a=true"},
		{values.Keys("a"), "true", "--set-string a=true"},
		{values.Keys("a"), int64(3), "--set a=3"},
		{values.Keys("a"), float64(3), "--set a=3"},
		{values.Keys("a"), "3", "--set-string a=3"},
		{values.Keys("a"), 1.5, "--set-json a=1.5"},
		{values.Keys("a"), "007", "--set a=007"}, // Helm keeps leading zeros
		{values.Keys("a"), nil, "--set a=null"},
		{values.Keys("a"), "null", "--set-string a=null"},
		{values.Keys("a"), "x,y=z", `--set a=x\,y=z`},
		{values.Keys("a"), "{x}", `--set a=\{x}`},
		{values.Keys("a"), "", "--set a="},
		{values.Keys("p", "server.insecure"), true, `--set p.server\.insecure=true`},
		{values.Keys("a"), []any{"x", int64(1)}, `--set-json a=["x",1]`},
		{values.Keys("a"), map[string]any{}, "--set-json a={}"},
		{values.Keys("a"), []any{}, "--set-json a=[]"},
	} {
		f, err := flagFor(c.path, c.value)
		if got := f.name + " " + f.arg; err != nil || got != c.want {
			t.Errorf("%s=%#v: %s (%v), want %s", c.path, c.value, got, err, c.want)
		}
	}
}

func TestAnEditBelowAListGivesTheWholeList(t *testing.T) {
	t.Parallel()
	supplied := map[string]any{"l": []any{map[string]any{"n": "a"}, map[string]any{"n": "b"}}}
	got, err := flags([]values.Edit{values.Set(values.Keys("l").Item(1).Key("n"), "c"), values.Set(values.Keys("l").Item(0).Key("m"), int64(1))}, supplied)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != (flag{"--set-json", `l=[{"m":1,"n":"a"},{"n":"c"}]`}) {
		t.Errorf("%v", got)
	}
}

// parsers are Helm's own, as helm upgrade calls them.
var parsers = map[string]func(string, map[string]any) error{
	"--set": strvals.ParseInto, "--set-string": strvals.ParseIntoString, "--set-json": strvals.ParseJSON, "--set-literal": strvals.ParseLiteralInto,
}

// FuzzFlags wants of every flag that is written that Helm's parser reads the same tree from it: the path as it was
// given, the value of the same type.
func FuzzFlags(f *testing.F) {
	for _, seed := range [][2]string{
		{"a.b", `"Always"`}, {`p.server\.insecure`, "true"}, {"a", `"true"`}, {"a", "null"}, {"a", `"x,y={z}\\"`}, {"a[0].b", "1"}, {"a", "1.5"},
		{"a", "1e21"}, {"a", `{"b":[1,{"c":null}]}`}, {"a", "[]"}, {"a=b", `"\n"`}, {"a", `" x "`}, {"a", `"0x10"`}, {"a", `"1_000"`}, {"ä", `"{"`},
		{"a", "9007199254740993"}, {"a", `"null"`}, {"a", `""`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, path, text string) {
		p, err := values.Parse(path)
		if err != nil {
			return
		}
		for _, s := range p {
			if s.Index > 100 {
				return
			}
		}
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		edit := values.Set(p, v)
		written, err := flags([]values.Edit{edit}, map[string]any{})
		if err != nil {
			return // not every tree can be given by a flag; then no fix is printed
		}
		got := map[string]any{}
		for _, x := range written {
			if err := parsers[x.name](x.arg, got); err != nil {
				t.Fatalf("helm refuses %s %s: %v", x.name, x.arg, err)
			}
		}
		if want := values.Apply(map[string]any{}, edit); !rendering.Equal(got, want) {
			t.Fatalf("%v (-want +helm)\n%s", written, cmp.Diff(want, got))
		}
	})
}

// FuzzQuote wants of every word that a POSIX shell reads it back.
func FuzzQuote(f *testing.F) {
	for _, word := range []string{"a=b", "it's", "$(reboot)", "`x`", "a b", "", "\\", "!x", "~", "*", "a\nb", "#", "-x", "ä"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if strings.ContainsRune(word, 0) {
			return // no argument of a process holds it
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+quote(word)).Output()
		if err != nil || string(out) != word {
			t.Fatalf("%q is quoted %s, which a shell reads as %q (%v)", word, quote(word), out, err)
		}
	})
}
