package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The order of the kinds is Helm's, not that of the command line: files, JSON, --set, strings, files of values, literals.
func TestValueFlagsMergeInHelmsOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	f := valueFlags{
		files:      []string{write("a.yaml", "t: {a: 1, b: 1}\nl: [1, 2]\n"), "-", write("empty.yaml", "")},
		setJSON:    []string{`j={"a":1}`, `t.a=2`},
		set:        []string{"t.a=3,gone=null", "j=set"},
		setString:  []string{"s=3"},
		setFile:    []string{"f=" + write("text", "one\ntwo\n")},
		setLiteral: []string{"lit=a,b=c"},
	}
	got, err := f.merge(strings.NewReader("t: {b: 2}\nl: [3]\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"t": map[string]any{"a": int64(3), "b": 2.0}, "l": []any{3.0}, "j": "set", "gone": nil, "s": "3",
		"f": "one\ntwo\n", "lit": "a,b=c",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
