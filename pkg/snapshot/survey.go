package snapshot

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// shortest is the length from which on a text is masked. Shorter ones hide nothing, since every one of them can be
// guessed, and they stand inside too many innocent words.
const shortest = 4

// survey collects what is secret in a snapshot, and what cannot be because the chart itself says it.
//
// Only what a template gets from outside may be replaced: if a text of the template were replaced in the manifest,
// the chart would no longer render what the record says.
type survey struct {
	public  strings.Builder // templates, files, keys, numbers, names
	values  map[string]bool // texts of values that are not secret-like
	secrets map[string]bool // texts of values that are
	data    []string        // texts in Secrets and other secret-like places of manifests and live objects
	binary  map[string]bool // base64 in Secrets that is no text
}

func (s *survey) know(texts ...string) {
	for _, t := range texts {
		s.public.WriteString(t)
		s.public.WriteByte('\n')
	}
}

// record surveys a release record; nil is none.
func (s *survey) record(tree map[string]any) {
	for _, key := range []string{"name", "namespace"} {
		text, _ := tree[key].(string)
		s.know(text)
	}
	chart := table(tree["chart"])
	for _, v := range table(chart["metadata"]) {
		text, _ := v.(string)
		s.know(text)
	}
	for _, key := range []string{"templates", "files"} {
		files, _ := chart[key].([]any)
		for _, f := range files {
			data, _ := table(f)["data"].(string)
			if plain, ok := decodeBase64(data); ok {
				s.know(string(plain), data)
			}
		}
	}
	s.supplied(nil, chart["values"])
	s.supplied(nil, tree["config"])
	text, _ := tree["manifest"].(string)
	s.manifest(text)
	hooks, _ := tree["hooks"].([]any)
	for _, h := range hooks {
		text, _ := table(h)["manifest"].(string)
		s.manifest(text)
	}
}

// supplied surveys a tree of values, which is where everything secret in a manifest comes from.
func (s *survey) supplied(path []string, v any) {
	switch t := v.(type) {
	case map[string]any:
		for k, x := range t {
			s.know(k)
			s.supplied(append(path[:len(path):len(path)], k), x)
		}
	case []any:
		for i, x := range t {
			s.supplied(append(path[:len(path):len(path)], step(i, x)), x)
		}
	case string:
		if SecretLike(path, t) {
			add(&s.secrets, strings.TrimSpace(t))
		} else {
			add(&s.values, t)
		}
	case nil:
	default:
		s.know(fmt.Sprint(t))
	}
}

// manifest surveys the objects of a manifest. What is no YAML is passed over, and so are CRDs: they hold schemas.
func (s *survey) manifest(text string) {
	for _, d := range documents([]byte(text)) {
		if strings.Contains(string(d.text), "\nkind: CustomResourceDefinition") {
			continue
		}
		var tree map[string]any
		if yaml.Unmarshal(d.text, &tree) == nil {
			s.object(tree)
		}
	}
}

// object surveys an object of a manifest or of the cluster.
func (s *survey) object(o map[string]any) {
	if o["kind"] == "CustomResourceDefinition" {
		return
	}
	if o["kind"] == "Secret" {
		for _, v := range table(o["data"]) {
			text, _ := v.(string)
			if plain, isText := decodeData(text); isText {
				s.data = append(s.data, plain)
			} else {
				add(&s.binary, text)
			}
		}
		for _, v := range table(o["stringData"]) {
			text, _ := v.(string)
			s.data = append(s.data, text)
		}
	}
	for k, v := range o {
		if k != "metadata" && k != "data" && k != "stringData" || o["kind"] != "Secret" && k == "data" {
			s.places([]string{k}, v)
		}
	}
}

// places finds the secret-like places below a path.
func (s *survey) places(path []string, v any) {
	switch t := v.(type) {
	case map[string]any:
		for k, x := range t {
			if !slices.Contains(identity, k) {
				s.places(append(path[:len(path):len(path)], k), x)
			}
		}
	case []any:
		for i, x := range t {
			s.places(append(path[:len(path):len(path)], step(i, x)), x)
		}
	case string:
		if SecretLike(path, t) {
			s.data = append(s.data, t)
		} else if tree := embedded(t); tree != nil {
			s.places(path, tree)
		}
	}
}

// embedded reads a table that stands as text in an object: value files in ConfigMaps, helm.values of an Application; nil
// if the text is none.
func embedded(text string) map[string]any {
	if !strings.Contains(text, ":") || !strings.ContainsAny(text, "\n{") {
		return nil
	}
	var tree map[string]any
	if yaml.Unmarshal([]byte(text), &tree) != nil {
		return nil
	}
	return tree
}

// replacer settles what is replaced by what.
func (s *survey) replacer() *replacer {
	public := s.public.String() + known
	stays := func(text string) bool {
		return len(text) < shortest || strings.Contains(text, "{{") || slices.Contains(plain, strings.ToLower(text)) ||
			strings.Contains(public, text)
	}
	// A value that is all of a Secret's entry is a secret whatever its name is.
	for _, d := range s.data {
		if d = strings.TrimSpace(d); s.values[d] {
			add(&s.secrets, d)
			delete(s.values, d)
		}
	}
	maps.DeleteFunc(s.secrets, func(text string, _ bool) bool { return stays(text) })
	supplied := longestFirst(s.secrets)

	// What else stands in a secret-like place is secret word by word: the words of the chart and of other values
	// come back when the chart is rendered, so they stay; what is left was made up or comes from elsewhere.
	public += strings.Join(slices.Sorted(maps.Keys(s.values)), "\n")
	made := func(word string) bool {
		foreign := func(run string) bool { return !strings.Contains(public, run) }
		return !stays(word) && slices.ContainsFunc(runs().FindAllString(word, -1), foreign)
	}
	var composed []string // base64 of a text that holds a supplied secret
	var all = maps.Clone(s.secrets)
	for _, d := range s.data {
		for _, word := range pieces(without(d, supplied)) {
			if inner, ok := decodeData(word); ok && holdsAny(inner, supplied) {
				composed = append(composed, word)
			} else if made(word) {
				add(&all, word)
			}
		}
	}
	for text := range s.binary {
		if !stays(text) {
			add(&all, text)
		}
	}

	r := &replacer{}
	key := salt(slices.Collect(maps.Keys(all)))
	for text := range all {
		r.add(text, token(key, text))
	}
	for _, word := range append(composed, encoded(s.data)...) {
		if to := redactData(word, r); to != word {
			r.pairs[word] = to
		}
	}
	r.ready = nil
	return r
}

// plain are texts that decide and hide nothing; known is what key files say of themselves.
var plain = []string{"true", "false", "null", "none", "yes", "auto"}

const known = "-----BEGIN CERTIFICATE----- -----END CERTIFICATE----- RSA EC ENCRYPTED OPENSSH PUBLIC PRIVATE KEY-----"

// encoded gives the texts in base64, as the data of Secrets have them in a manifest.
func encoded(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = encode(t)
	}
	return out
}

var delimiters = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("[\\s\"'`:,;{}()<>\\[\\]]+|=+(?:$|\\b)") })

var runs = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[\pL\pN]+`) })

// pieces takes a text apart into words, passwords with punctuation left whole.
func pieces(text string) []string { return delimiters().Split(text, -1) }

func without(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, " ")
	}
	return text
}

func holdsAny(text string, secrets []string) bool {
	return slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(text, s) })
}

func longestFirst(set map[string]bool) []string {
	out := slices.Sorted(maps.Keys(set))
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// decodeData reads base64; isText is false for what is not base64 of printable text.
func decodeData(data string) (text string, isText bool) {
	b, ok := decodeBase64(data)
	if !ok || !utf8.Valid(b) {
		return "", false
	}
	text = string(b)
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }
	return text, !strings.ContainsFunc(text, unprintable)
}

// step names a list item by its name, as env has them, else by its index.
func step(i int, item any) string {
	if name, ok := table(item)["name"].(string); ok && name != "" {
		return name
	}
	return strconv.Itoa(i)
}

func add(set *map[string]bool, text string) {
	if *set == nil {
		*set = map[string]bool{}
	}
	(*set)[text] = true
}
