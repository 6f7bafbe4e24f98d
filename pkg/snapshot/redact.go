package snapshot

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Redact gives a copy in which every secret-like value is replaced, everywhere alike: in supplied values, the
// chart's defaults, manifests, notes and live objects, plain, quoted or in base64. The copy can be diagnosed as the
// original can: see docs/adr/0002-masking.md for what is replaced, what stays, and why no verdict changes.
func (s *Snapshot) Redact() *Snapshot {
	out := &Snapshot{Header: s.Header}
	out.Header.Masked = true
	records := make([]map[string]any, len(s.Objects)) // nil for other objects
	var seen survey
	seen.know(s.Header.ServerVersion)
	for i, o := range s.Objects {
		seen.know(o.GetName(), o.GetNamespace())
		if IsRecord(o) {
			records[i] = recordTree(o)
			seen.record(records[i])
		}
	}
	for i, o := range s.Objects {
		if records[i] == nil && !IsRecord(o) {
			seen.object(o.Object)
		}
	}
	replace := seen.replacer()
	for i, o := range s.Objects {
		if IsRecord(o) {
			out.Objects = append(out.Objects, redactRecord(o, records[i], replace))
			continue
		}
		out.Objects = append(out.Objects, &unstructured.Unstructured{Object: redactObject(o.Object, replace)})
	}
	return out
}

// recordTree is the JSON of a record, so that fields that our Helm library does not know stay; nil if the record
// cannot be read.
func recordTree(o *unstructured.Unstructured) map[string]any {
	data, err := recordData(o)
	if err != nil {
		return nil
	}
	text, err := unpack(data)
	if err != nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // numbers keep every digit
	var tree map[string]any
	if d.Decode(&tree) != nil {
		return nil
	}
	return tree
}

// redactRecord writes the record anew. One that cannot be read is emptied: nobody knows what it holds.
func redactRecord(o *unstructured.Unstructured, tree map[string]any, replace *replacer) *unstructured.Unstructured {
	out := &unstructured.Unstructured{Object: map[string]any{}}
	for k, v := range o.Object {
		if k != "data" && k != "stringData" {
			out.Object[k] = redactTree(v, replace)
		}
	}
	if tree == nil {
		return out
	}
	tree["config"] = redactTree(tree["config"], replace)
	if chart := table(tree["chart"]); chart != nil {
		chart["values"] = redactTree(chart["values"], replace)
	}
	tree["manifest"] = redactTree(tree["manifest"], replace)
	tree["hooks"] = redactTree(tree["hooks"], replace)
	tree["info"] = redactTree(tree["info"], replace)
	text, err := json.Marshal(tree)
	if err != nil {
		return out
	}
	data := pack(text)
	if o.GetKind() == "Secret" {
		data = encode(data)
	}
	out.Object["data"] = map[string]any{"release": data}
	return out
}

func redactObject(o map[string]any, replace *replacer) map[string]any {
	out, _ := redactTree(o, replace).(map[string]any)
	if o["kind"] != "Secret" {
		return out
	}
	data := map[string]any{}
	for k, v := range table(o["data"]) {
		text, _ := v.(string)
		data[k] = redactData(text, replace)
	}
	if len(data) > 0 {
		out["data"] = data
	}
	return out
}

// redactData replaces inside one base64 value of a Secret.
func redactData(data string, replace *replacer) string {
	plain, isText := decodeData(data)
	if !isText {
		return replace.in(data)
	}
	return encode(replace.in(plain))
}

// identity are the keys whose values name or date an object and never hold a supplied value.
var identity = []string{"apiVersion", "kind", "uid", "resourceVersion", "creationTimestamp", "managedFields"}

// redactTree replaces in every text of a tree; keys, numbers and points in time stay.
func redactTree(v any, replace *replacer) any {
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, x := range t {
			if slices.Contains(identity, k) {
				out[k] = x
				continue
			}
			out[k] = redactTree(x, replace)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, x := range t {
			out[i] = redactTree(x, replace)
		}
		return out
	case string:
		if _, err := time.Parse(time.RFC3339, t); err == nil {
			return t
		}
		return replace.in(t)
	}
	return v
}

func table(v any) map[string]any {
	t, _ := v.(map[string]any)
	return t
}

func decodeBase64(s string) ([]byte, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	return b, err == nil
}
