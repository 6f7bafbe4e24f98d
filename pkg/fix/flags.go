package fix

import (
	"encoding/json"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/strvals"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// flag is one of helm's value flags with its argument.
type flag struct{ name, arg string }

// flags writes edits as helm's value flags. Each was read back by Helm's own parser and gave the same tree, types
// included.
func flags(edits []values.Edit, supplied map[string]any) ([]flag, error) {
	var out []flag
	for _, e := range edits {
		if e.Remove {
			return nil, fmt.Errorf("no flag of helm's takes %s back once it is given", e.Path)
		}
	}
	for _, e := range whole(edits, supplied) {
		f, err := flagFor(e.Path, e.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// whole makes edits below a list into edits of the whole list: neither helm upgrade --reuse-values nor a merge of values
// edits a list, both replace it.
func whole(edits []values.Edit, supplied map[string]any) []values.Edit {
	after := values.Apply(supplied, edits...)
	var out []values.Edit
	done := map[string]bool{}
	for _, e := range edits {
		for i, s := range e.Path {
			if s.Index >= 0 {
				v, _ := values.Get(after, e.Path[:i])
				e = values.Set(e.Path[:i], v)
				break
			}
		}
		if !done[e.Path.String()] {
			done[e.Path.String()] = true
			out = append(out, e)
		}
	}
	return out
}

func flagFor(p values.Path, v any) (flag, error) {
	want := values.Apply(map[string]any{}, values.Set(p, v))
	try := func(f flag, parse func(string) (map[string]any, error)) bool {
		got, err := parse(f.arg)
		return err == nil && sameTypes(got, want)
	}
	name := p.String()
	if s, ok := scalar(v); ok {
		f := flag{"--set", name + "=" + escape(s)}
		if try(f, strvals.Parse) {
			return f, nil
		}
	}
	if s, ok := v.(string); ok {
		f := flag{"--set-string", name + "=" + escape(s)}
		if try(f, strvals.ParseString) {
			return f, nil
		}
		f = flag{"--set-literal", name + "=" + s}
		if try(f, strvals.ParseLiteral) {
			return f, nil
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return flag{}, fmt.Errorf("write %s as a flag: %w", name, err)
	}
	f := flag{"--set-json", name + "=" + string(text)}
	parseJSON := func(s string) (map[string]any, error) {
		m := map[string]any{}
		err := strvals.ParseJSON(s, m)
		return m, err
	}
	if !try(f, parseJSON) {
		return flag{}, fmt.Errorf("no flag of helm's gives %s the value %s", name, text)
	}
	return f, nil
}

// scalar writes a value as --set reads it.
func scalar(v any) (string, bool) {
	switch t := v.(type) {
	case nil:
		return "null", true
	case string:
		return t, true
	case bool, int, int64:
		return fmt.Sprint(t), true
	case float64:
		if t == float64(int64(t)) {
			return fmt.Sprint(int64(t)), true
		}
	case []any:
		if len(t) == 0 {
			return "", false
		}
	}
	return "", false
}

// escape protects what means something in a value of --set: commas, backslashes, a leading brace.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `,`, `\,`).Replace(s)
	if strings.HasPrefix(s, "{") {
		s = `\` + s
	}
	return s
}

// sameTypes compares trees as a template would see them: true is not "true", and 1 is 1 whether it came as an integer
// or a float.
func sameTypes(a, b any) bool { return rendering.Equal(a, b) }

// quote makes one word of a POSIX shell's command of any text.
func quote(word string) string {
	plain := word != ""
	for _, r := range word {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_@%+=:,./-", r)) {
			plain = false
		}
	}
	if plain {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
