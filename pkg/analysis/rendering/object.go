package rendering

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

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

var separator = regexp.MustCompile(`(?m)^---[^\n]*$`)

// ParseManifest splits a stream of YAML documents into objects, in their order. A document that is no object (no kind,
// or not YAML) is left out and counted in bad.
func ParseManifest(file, text string) (objects []Object, bad int) {
	for _, doc := range separator.Split(text, -1) {
		doc = strings.TrimSpace(doc) // as Helm does before it stores or applies a document
		if blank(doc) {
			continue
		}
		var content map[string]any
		if yaml.Unmarshal([]byte(doc), &content) != nil {
			bad++
			continue
		}
		kind, _ := content["kind"].(string)
		if kind == "" {
			if len(content) > 0 {
				bad++
			}
			continue
		}
		if items, ok := content["items"].([]any); ok && strings.HasSuffix(kind, "List") {
			for _, it := range items {
				if m, ok := it.(map[string]any); ok {
					objects = append(objects, newObject(file, m))
				}
			}
			continue
		}
		source := file
		if source == "" {
			if m := sourceLine.FindStringSubmatch(doc); m != nil {
				source = m[1]
			}
		}
		objects = append(objects, newObject(source, content))
	}
	return objects, bad
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

// objects parses one rendered file, or takes it from what was parsed before.
func (w *World) objects(file, text string) []Object {
	if Notes(file) {
		return nil
	}
	k := file + "\x00" + text
	w.mu.Lock()
	got, found := w.docs[k]
	w.mu.Unlock()
	if found {
		return got
	}
	got, _ = ParseManifest(file, text)
	w.mu.Lock()
	w.docs[k] = got
	w.mu.Unlock()
	return got
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
