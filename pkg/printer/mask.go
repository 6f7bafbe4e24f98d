package printer

import (
	"encoding/json"
	"sort"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

// The shortest text that is masked wherever it occurs. Shorter ones would hide every "1" and "on" of a report; they
// are masked only in the places that are known to hold them.
const shortestSecret = 5

// A mask hides the secret-like values of one report, wherever they occur in it: a password that was supplied stands
// in messages, proofs and commands too.
type mask struct {
	replacer *strings.Replacer
}

// newMask collects the secret-like values of a report: of the supplied values, of the fields that findings are about
// and of the fields that fixes change.
func newMask(r fix.Report) mask {
	var secrets secrets
	for _, release := range r.Releases {
		for _, v := range release.Values {
			secrets.add(valueKeys(v.Path), v.Value)
		}
		for _, f := range release.Findings {
			secrets.add(findingKeys(f), f.Expected)
			secrets.add(findingKeys(f), f.Actual)
			for _, x := range f.Fixes {
				for _, c := range x.Changes() {
					secrets.add(changeKeys(c), c.From)
					secrets.add(changeKeys(c), c.To)
				}
			}
		}
	}
	return secrets.mask()
}

// secrets are the texts to hide, and what is shown instead of each.
type secrets map[string]string

func (s *secrets) add(path []string, value any) {
	text, ok := value.(string)
	if !ok || len(text) < shortestSecret || !secretLike(path, value) {
		return
	}
	if *s == nil {
		*s = secrets{}
	}
	(*s)[text] = masked(text)
}

// mask puts the longest texts first, so that a secret which holds another one is hidden whole.
func (s secrets) mask() mask {
	texts := make([]string, 0, len(s))
	for text := range s {
		texts = append(texts, text)
	}
	sort.Slice(texts, func(i, j int) bool {
		if len(texts[i]) != len(texts[j]) {
			return len(texts[i]) > len(texts[j])
		}
		return texts[i] < texts[j]
	})
	pairs := make([]string, 0, 2*len(texts))
	for _, text := range texts {
		pairs = append(pairs, text, s[text])
	}
	return mask{replacer: strings.NewReplacer(pairs...)}
}

// text hides the secrets in a piece of text. The zero mask hides nothing.
func (m mask) text(text string) string {
	if m.replacer == nil {
		return text
	}
	return m.replacer.Replace(text)
}

// value hides a secret-like value that stands at a place, or the secrets in it.
func (m mask) value(path []string, v any) any {
	if m.replacer == nil || v == nil {
		return v
	}
	text, isText := v.(string)
	if secretLike(path, v) {
		if !isText {
			text, _ = marshalPlain(v)
		}
		return masked(text)
	}
	if isText {
		return m.text(text)
	}
	return v
}

// json hides the secrets in the strings of a JSON text and leaves everything else as it is.
func (m mask) json(text []byte) []byte {
	if m.replacer == nil {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		if text[i] != '"' {
			out = append(out, text[i])
			i++
			continue
		}
		end := i + 1
		for text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		end++
		out = append(out, m.literal(text[i:end])...)
		i = end
	}
	return out
}

func (m mask) literal(quoted []byte) []byte {
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return quoted
	}
	hidden := m.text(text)
	if hidden == text {
		return quoted
	}
	out, err := marshalPlain(hidden)
	if err != nil {
		return quoted
	}
	return []byte(out)
}

// valueKeys are the keys of a path in --set syntax; list indexes are left out.
func valueKeys(path string) []string {
	parsed, err := values.Parse(path)
	if err != nil {
		return fieldKeys(path)
	}
	var keys []string
	for _, step := range parsed {
		if step.Index < 0 {
			keys = append(keys, step.Key)
		}
	}
	return keys
}

// findingKeys are the words of the value and of the field that a finding is about.
func findingKeys(f fix.Finding) []string {
	return append(valueKeys(f.ValuePath), fieldKeys(f.Field)...)
}

func changeKeys(c fix.Change) []string {
	return append([]string{c.Kind}, fieldKeys(c.Field.Field)...)
}

// fieldKeys are the words of a field such as spec.containers[kgateway].env[API_TOKEN].value.
func fieldKeys(field string) []string {
	return strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

// secretLike says whether a value looks like one that must not be shown.
func secretLike(path []string, value any) bool {
	for _, key := range path {
		key = strings.ToLower(key)
		for _, word := range []string{"password", "passwd", "token", "apikey", "api_key", "privatekey", "credential"} {
			if strings.Contains(key, word) {
				_, isText := value.(string)
				return isText
			}
		}
	}
	return false
}

func masked(string) string { return "***" }
