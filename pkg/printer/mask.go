package printer

import (
	"regexp"
	"sort"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// The shortest text that is masked wherever it occurs. Shorter ones would hide every "1" and "on" of a report; they
// are masked only in the places that are known to hold them.
const shortestSecret = 5

// A mask hides the secret-like values of one report, wherever they occur in it: a password that was supplied stands
// in messages, proofs and commands too.
type mask struct {
	replacer *strings.Replacer
	words    *regexp.Regexp // short words, which are hidden only where they stand alone: admin, but not adminUser
}

// newMask collects the secret-like values of a report: of the supplied values, of the fields that findings are about
// and of the fields that fixes change.
func newMask(r fix.Report) mask {
	var secrets secrets
	for _, release := range r.Releases {
		for _, v := range release.Values {
			secrets.add(v.Value, valueKeys(v.Path))
			traceSecrets(&secrets, v)
		}
		for _, f := range release.Findings {
			secrets.add(f.Expected, findingKeys(f)...)
			secrets.add(f.Actual, findingKeys(f)...)
			for _, x := range f.Fixes {
				for _, c := range x.Changes() {
					secrets.add(c.From, changeKeys(c))
					secrets.add(c.To, changeKeys(c))
				}
			}
		}
	}
	return secrets.mask()
}

// secrets are the texts to hide, and what is shown instead of each.
type secrets map[string]string

// add takes a value that stands at some places, if one of them makes it secret-like.
func (s *secrets) add(value any, paths ...[]string) {
	text, ok := value.(string)
	if !ok || len(text) < shortestSecret || !secretLike(value, paths...) {
		return
	}
	if *s == nil {
		*s = secrets{}
	}
	(*s)[text] = snapshot.Mask(text)
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
	var words []string
	for _, text := range texts {
		if shortWord.MatchString(text) {
			words = append(words, regexp.QuoteMeta(text))
			continue
		}
		pairs = append(pairs, text, s[text])
	}
	out := mask{replacer: strings.NewReplacer(pairs...)}
	if len(words) > 0 {
		out.words = regexp.MustCompile(`\b(` + strings.Join(words, "|") + `)\b`)
	}
	return out
}

// shortWord is a secret that may as well be part of a name.
var shortWord = regexp.MustCompile(`^[a-z]{1,12}$`)

// text hides the secrets in a piece of text. The zero mask hides nothing.
func (m mask) text(text string) string {
	if m.replacer == nil {
		return text
	}
	text = m.replacer.Replace(text)
	if m.words != nil {
		text = m.words.ReplaceAllStringFunc(text, func(word string) string { return snapshot.Mask(word) })
	}
	return text
}

// value hides a secret-like value that stands at some places, or the secrets in it.
func (m mask) value(v any, paths ...[]string) any {
	text, isText := v.(string)
	switch {
	case m.replacer == nil || !isText:
		return v
	case secretLike(v, paths...):
		return snapshot.Mask(text)
	}
	return m.text(text)
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

// findingKeys are the places of the value and of the field that a finding is about.
func findingKeys(f fix.Finding) [][]string {
	return [][]string{valueKeys(f.ValuePath), fieldKeys(f.Field)}
}

func changeKeys(c fix.Change) []string { return objectKeys(c.Kind, c.Field.Field) }

// objectKeys are the words of a field, below the kind of its object: everything in a Secret is secret.
func objectKeys(kind, field string) []string {
	return append([]string{kind}, fieldKeys(field)...)
}

// fieldKeys are the words of a field such as spec.containers[kgateway].env[API_TOKEN].value. Dots in brackets belong
// to the item's name.
func fieldKeys(field string) []string {
	depth := 0
	return strings.FieldsFunc(field, func(r rune) bool {
		switch r {
		case '[':
			depth++
			return depth == 1
		case ']':
			depth--
			return depth == 0
		}
		return r == '.' && depth == 0
	})
}

func secretLike(value any, paths ...[]string) bool {
	for _, path := range paths {
		if snapshot.SecretLike(path, value) {
			return true
		}
		if len(path) > 1 && path[0] == "Secret" && (path[1] == "data" || path[1] == "stringData") {
			return value != ""
		}
	}
	return false
}
