package rendering

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v2"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Object is one rendered Kubernetes object.
type Object struct {
	finding.Object
	APIVersion string
	File       string // the template that made it
	Hook       bool   // annotated helm.sh/hook: not part of the stored manifest
	Content    map[string]any
}

// key tells objects apart. Two objects of one name get #2 and so on from number.
type key struct {
	kind, namespace, name string
	nth                   int
}

// ParseManifest splits a stream of YAML documents into objects, in their order. A document that is no object (no kind,
// or not YAML) is left out and counted in bad.
func ParseManifest(file, text string) (objects []Object, bad int) {
	for _, doc := range documents(text) {
		o, n := parseDocument(file, doc)
		objects, bad = append(objects, o...), bad+n
	}
	return objects, bad
}

// documents splits a text at lines that begin with three dashes.
func documents(text string) []string {
	var out []string
	from := 0
	for at := 0; at < len(text); {
		end := strings.IndexByte(text[at:], '\n')
		if end < 0 {
			end = len(text)
		} else {
			end += at
		}
		if strings.HasPrefix(text[at:end], "---") {
			out = append(out, text[from:at])
			from = end
		}
		at = end + 1
	}
	return append(out, text[from:])
}

func parseDocument(file, doc string) (objects []Object, bad int) {
	doc = strings.TrimSpace(doc) // as Helm does before it stores or applies a document
	if blank(doc) {
		return nil, 0
	}
	content, err := parseYAML(doc)
	if err != nil {
		return nil, 1
	}
	kind, _ := content["kind"].(string)
	if kind == "" {
		return nil, min(len(content), 1)
	}
	if items, ok := content["items"].([]any); ok && strings.HasSuffix(kind, "List") {
		for _, it := range items {
			if m, ok := it.(map[string]any); ok {
				objects = append(objects, newObject(file, m))
			}
		}
		return objects, 0
	}
	if file == "" {
		if m := sourceLine.FindStringSubmatch(doc); m != nil {
			file = m[1]
		}
	}
	return []Object{newObject(file, content)}, 0
}

// parseYAML gives what sigs.k8s.io/yaml gives, as Helm and Kubernetes read YAML, without going through JSON where the
// document holds nothing that JSON would change but the types of numbers.
func parseYAML(doc string) (map[string]any, error) {
	var tree any
	if err := goyaml.Unmarshal([]byte(doc), &tree); err != nil {
		return nil, fmt.Errorf("parse YAML: %w", err)
	}
	if plain, ok := asJSON(tree); ok {
		if m, isTable := plain.(map[string]any); isTable || plain == nil {
			return m, nil
		}
	}
	var content map[string]any
	err := yaml.Unmarshal([]byte(doc), &content)
	return content, err
}

// asJSON gives a tree the types that encoding/json would; ok is false for what it knows nothing of.
func asJSON(v any) (out any, ok bool) {
	switch t := v.(type) {
	case nil, string, bool:
		return t, true
	case int:
		return float64(t), true
	case int64:
		return float64(t), true
	case uint64:
		return float64(t), true
	case float64:
		return t, !math.IsNaN(t) && !math.IsInf(t, 0)
	case []any:
		l := make([]any, len(t))
		for i, x := range t {
			if l[i], ok = asJSON(x); !ok {
				return nil, false
			}
		}
		return l, true
	case map[any]any:
		m := make(map[string]any, len(t))
		for k, x := range t {
			name, isText := k.(string)
			if !isText {
				return nil, false
			}
			if m[name], ok = asJSON(x); !ok {
				return nil, false
			}
		}
		return m, true
	}
	return nil, false
}

var sourceLine = regexp.MustCompile(`(?m)^# Source: (\S+)$`)

func blank(doc string) bool {
	for line := range strings.Lines(doc) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

func newObject(file string, content map[string]any) Object {
	o := Object{File: file, Content: content}
	o.Kind, _ = content["kind"].(string)
	o.APIVersion, _ = content["apiVersion"].(string)
	meta, _ := content["metadata"].(map[string]any)
	o.Name = text(meta["name"])
	if o.Name == "" && meta["generateName"] != nil {
		o.Name = text(meta["generateName"]) + "*"
	}
	o.Namespace = text(meta["namespace"])
	if a, _ := meta["annotations"].(map[string]any); a["helm.sh/hook"] != nil {
		o.Hook = true
	}
	return o
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// objects parses one rendered file; documents that were parsed before are taken from there.
func (w *World) objects(file, text string) []Object {
	if Notes(file) {
		return nil
	}
	var out []Object
	for _, doc := range documents(text) {
		k := file + "\x00" + doc
		got, found := w.docs.get(k)
		if !found {
			got, _ = parseDocument(file, doc)
			w.docs.put(k, got, 0)
		}
		out = append(out, got...)
	}
	return out
}

// Objects parses everything that was rendered, in file order.
func (o *Outcome) Objects() []Object {
	texts := o.Texts()
	names := make([]string, 0, len(texts))
	for n := range texts {
		names = append(names, n)
	}
	slices.Sort(names)
	var out []Object
	for _, n := range names {
		out = append(out, o.world.objects(n, texts[n])...)
	}
	return out
}
