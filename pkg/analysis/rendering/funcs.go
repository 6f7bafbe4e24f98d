package rendering

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig/v3"
	"github.com/gobwas/glob"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v3"
)

// functions is the function map of Helm's engine, less those that need the running template (include, tpl).
// Source: helm.sh/helm/v3@v3.22.0 pkg/engine/funcs.go (funcMap) and engine.go (initFunMap). TestEveryShortcut
// holds it against the original.
func functions() template.FuncMap {
	f := sprig.TxtFuncMap()
	// Nothing of the machine that the doctor runs on may reach a template.
	delete(f, "env")
	delete(f, "expandenv")
	f["getHostByName"] = func(string) string { return "" }
	f["lookup"] = func(string, string, string, string) (map[string]any, error) { return map[string]any{}, nil }
	f["toYaml"] = toYAML
	f["toYamlPretty"] = func(v any) string {
		var b bytes.Buffer
		e := goyaml.NewEncoder(&b)
		e.SetIndent(2)
		if e.Encode(v) != nil {
			return ""
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	f["fromYaml"] = func(s string) map[string]any {
		m := map[string]any{}
		if err := yaml.Unmarshal([]byte(s), &m); err != nil {
			m["Error"] = err.Error()
		}
		return m
	}
	f["fromYamlArray"] = func(s string) []any {
		l := []any{}
		if err := yaml.Unmarshal([]byte(s), &l); err != nil {
			l = []any{err.Error()}
		}
		return l
	}
	f["toToml"] = func(v any) string {
		var b bytes.Buffer
		if err := toml.NewEncoder(&b).Encode(v); err != nil {
			return err.Error()
		}
		return b.String()
	}
	f["fromToml"] = func(s string) map[string]any {
		m := map[string]any{}
		if err := toml.Unmarshal([]byte(s), &m); err != nil {
			m["Error"] = err.Error()
		}
		return m
	}
	f["toJson"] = func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
	f["fromJson"] = func(s string) map[string]any {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(s), &m); err != nil {
			m["Error"] = err.Error()
		}
		return m
	}
	f["fromJsonArray"] = func(s string) []any {
		l := []any{}
		if err := json.Unmarshal([]byte(s), &l); err != nil {
			l = []any{err.Error()}
		}
		return l
	}
	f["required"] = func(warn string, v any) (any, error) {
		if s, isString := v.(string); v == nil || isString && s == "" {
			return v, &Said{warn}
		}
		return v, nil
	}
	f["fail"] = func(msg string) (string, error) { return "", &Said{msg} }
	return f
}

// Said is what a chart's author said through "fail" or "required": the message and nothing else.
type Said struct{ Message string }

func (s *Said) Error() string { return s.Message }

// toYAML is yaml.Marshal, which writes JSON first and makes YAML of it: the second, slow step is remembered.
func toYAML(v any) string {
	j, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	key := string(j)
	if text, found := written.get(key); found {
		return text
	}
	b, err := yaml.JSONToYAML(j)
	if err != nil {
		return ""
	}
	text := strings.TrimSuffix(string(b), "\n")
	written.put(key, text, len(text))
	return text
}

var written = newBounded[string](4 << 20)

// random are the functions that give something else at every call, or may.
var random = []string{
	"randAlpha", "randAlphaNum", "randAscii", "randNumeric", "randBytes", "randInt", "uuidv4", "shuffle",
	"genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert",
	"genSignedCertWithKey", "htpasswd", "bcrypt", "encryptAES", "now", "ago",
}

// unordered are the functions whose result has the order of a Go map.
var unordered = []string{"keys", "values"}

// mutators are the functions that change an argument they are given. A template that calls one on the chart's
// values changes what the templates after it see.
var mutators = map[string]bool{
	"set": true, "unset": true, "merge": true, "mustMerge": true, "mergeOverwrite": true, "mustMergeOverwrite": true,
}

// files is the .Files of a chart. Source: helm.sh/helm/v3@v3.22.0 pkg/engine/files.go.
type files map[string][]byte

func newFiles(from []*helmchart.File) files {
	f := files{}
	for _, x := range from {
		f[x.Name] = x.Data
	}
	return f
}

// GetBytes is called by templates.
func (f files) GetBytes(name string) []byte {
	if b, found := f[name]; found {
		return b
	}
	return []byte{}
}

// Get is called by templates.
func (f files) Get(name string) string { return string(f.GetBytes(name)) }

// Glob is called by templates. A pattern that cannot be parsed matches all, as in Helm.
func (f files) Glob(pattern string) files {
	g, err := glob.Compile(pattern, '/')
	if err != nil {
		g = glob.MustCompile("**")
	}
	out := files{}
	for name, b := range f {
		if g.Match(name) {
			out[name] = b
		}
	}
	return out
}

// AsConfig is called by templates.
func (f files) AsConfig() string {
	if f == nil {
		return ""
	}
	m := map[string]string{}
	for _, name := range f.names() {
		m[path.Base(name)] = string(f[name])
	}
	return toYAML(m)
}

// AsSecrets is called by templates.
func (f files) AsSecrets() string {
	if f == nil {
		return ""
	}
	m := map[string]string{}
	for _, name := range f.names() {
		m[path.Base(name)] = base64.StdEncoding.EncodeToString(f[name])
	}
	return toYAML(m)
}

// Lines is called by templates.
func (f files) Lines(name string) []string {
	if len(f[name]) == 0 {
		return []string{}
	}
	return strings.Split(strings.TrimSuffix(string(f[name]), "\n"), "\n")
}

func (f files) names() []string {
	names := make([]string, 0, len(f))
	for n := range f {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// sortStrings orders the result of keys or values: any order is one that Helm may give.
func sortStrings(v reflect.Value, backwards bool) {
	switch l := v.Interface().(type) {
	case []string:
		slices.Sort(l)
		if backwards {
			slices.Reverse(l)
		}
	case []any:
		slices.SortFunc(l, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		if backwards {
			slices.Reverse(l)
		}
	}
}

func toJSONText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// Functions lists the functions that templates may call, include and tpl among them, for parsing and for reading.
func Functions() map[string]any {
	f := functions()
	f["include"] = func(string, any) (string, error) { return "", nil }
	f["tpl"] = func(string, any) (string, error) { return "", nil }
	return f
}

// Repeatable says whether a function gives the same for the same arguments, at little cost.
func Repeatable(name string) bool {
	if slices.Contains(random, name) || slices.Contains(unordered, name) {
		return false
	}
	return name != "derivePassword"
}
