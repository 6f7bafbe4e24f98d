package values_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

func TestPathIsWrittenAsHelmReadsIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path values.Path
		text string
	}{
		{values.Keys("image", "pullPolicy"), "image.pullPolicy"},
		{values.Keys("params", "server.insecure"), `params.server\.insecure`},
		{values.Keys("nodeSelector", "kubernetes.io/os"), `nodeSelector.kubernetes\.io/os`},
		{values.Keys("hosts").Item(0).Key("name"), "hosts[0].name"},
		{values.Keys("rows").Item(1).Item(2), "rows[1][2]"},
		{values.Keys(`a=b,c[d]\`), `a\=b\,c\[d\]\\`},
		{values.Keys("ä b"), "ä b"},
	} {
		if got := c.path.String(); got != c.text {
			t.Errorf("%#v is written %q, want %q", c.path, got, c.text)
		}
		got, err := values.Parse(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
		if diff := cmp.Diff(c.path, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestParseNamesTheMistake(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":          "value path is empty",
		".a":        `value path ".a" has an empty key at character 1: write \. for a dot in a key`,
		"a..b":      `value path "a..b" has an empty key at character 3: write \. for a dot in a key`,
		"a.":        `value path "a." ends in a dot`,
		"a[x]":      `value path "a[x]": "x" is not a list index`,
		"a[-1]":     `value path "a[-1]": "-1" is not a list index`,
		"a[99999]":  `value path "a[99999]": "99999" is not a list index`,
		"a[0":       `value path "a[0" has a [ without a ] at character 2`,
		"a[0]b":     `value path "a[0]b": after ] only . or [ may follow, at character 5`,
		"[0]":       `value path "[0]" begins with a list index: values are a table`,
		`a\`:        `value path "a\\" ends in a backslash: write \\ for a backslash in a key`,
		"a[0].b[1]": "",
	} {
		_, err := values.Parse(text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s\nwant: %s", text, got, want)
		}
	}
}

// FuzzPath wants of every text that parses that its path is written as a text of the same path.
func FuzzPath(f *testing.F) {
	for _, text := range []string{
		"image.pullPolicy", `params.server\.insecure`, "hosts[0].name", "rows[1][2]", `a\=b\,c\[d\]\\`, "a[65535]", "ä.ö", "a b.c/d", `a\b`,
		".a", "a..b", "a.", "[0]", "a[0]b", "a[", "\xff.b", "a\x00b",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := values.Parse(text)
		if err != nil {
			return
		}
		written := p.String()
		again, err := values.Parse(written)
		if err != nil {
			t.Fatalf("%q is written %q, which does not parse: %v", text, written, err)
		}
		if !p.Equal(again) {
			t.Fatalf("%q: (-first +second)\n%s", text, cmp.Diff(p, again))
		}
		tree := values.Apply(map[string]any{}, values.Set(p, "x"))
		leaves := values.Leaves(tree)
		if len(leaves) != 1 || leaves[0].Value != "x" {
			t.Fatalf("%q: set in an empty tree it has the leaves %v", text, leaves)
		}
		if got := values.Apply(tree, values.Remove(leaves[0].Path)); len(values.Leaves(got)) != min(1, len(p)-1) {
			t.Fatalf("%q: taken away again it leaves %v", text, got)
		}
	})
}
