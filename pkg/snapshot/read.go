package snapshot

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// MaxFile is the largest snapshot that is read, unpacked.
const MaxFile = 512 << 20

// Read reads objects as kubectl prints them: YAML or JSON, single or in a List, one document or a stream, gzip'ed
// or not; with the doctor's header or without. Where an object comes twice the later one counts.
func Read(r io.Reader) (*Snapshot, error) {
	text, err := readAll(r)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("the snapshot is empty")
	}
	in := reading{at: map[string]int{}}
	for _, d := range documents(text) {
		if err := in.document(d); err != nil {
			return nil, err
		}
	}
	if len(in.snap.Objects) == 0 && !in.header {
		return nil, errors.New("the snapshot holds no Kubernetes objects: make one with `kubectl get … -o yaml`, or with `kgw-doctor snapshot`")
	}
	return &in.snap, nil
}

func readAll(r io.Reader) ([]byte, error) {
	buf := bufio.NewReader(r)
	r = buf
	if magic, _ := buf.Peek(2); bytes.Equal(magic, gzipMagic) {
		zip, err := gzip.NewReader(buf)
		if err != nil {
			return nil, fmt.Errorf("read the gzip'ed snapshot: %w", err)
		}
		r = zip
	}
	text, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the snapshot: %w", err)
	}
	if len(text) > MaxFile {
		return nil, fmt.Errorf("the snapshot is larger than %d MiB", MaxFile>>20)
	}
	return text, nil
}

type reading struct {
	snap   Snapshot
	header bool
	at     map[string]int // place of an object in snap.Objects, by what it is
}

func (in *reading) document(d document) error {
	tree, err := d.parse()
	if err != nil || tree == nil {
		return err
	}
	m, ok := tree.(map[string]any)
	if !ok {
		return fmt.Errorf("line %d of the snapshot: not a Kubernetes object, but %s", d.line, typeName(tree))
	}
	return in.object(m, d.line)
}

func (in *reading) object(m map[string]any, line int) error {
	kind, _ := m["kind"].(string)
	apiVersion, _ := m["apiVersion"].(string)
	if apiVersion == APIVersion && kind == Kind {
		in.header = true
		return runtime.DefaultUnstructuredConverter.FromUnstructured(m, &in.snap.Header)
	}
	if items, isList := m["items"].([]any); isList && (kind == "" || strings.HasSuffix(kind, "List")) {
		return in.list(items, apiVersion, strings.TrimSuffix(kind, "List"), line)
	}
	if kind == "" || apiVersion == "" {
		return fmt.Errorf("line %d of the snapshot: not a Kubernetes object: it has no kind or no apiVersion", line)
	}
	if _, ok := m["metadata"].(map[string]any); !ok {
		return fmt.Errorf("line %d of the snapshot: the %s has no metadata", line, kind)
	}
	o := &unstructured.Unstructured{Object: m}
	key := o.GroupVersionKind().GroupKind().String() + " " + o.GetNamespace() + "/" + o.GetName()
	if i, twice := in.at[key]; twice {
		in.snap.Objects[i] = o
		return nil
	}
	in.at[key] = len(in.snap.Objects)
	in.snap.Objects = append(in.snap.Objects, o)
	return nil
}

// list takes the items of a List. The items of a typed list, as the API server sends them, carry no kind.
func (in *reading) list(items []any, apiVersion, kind string, line int) error {
	for i, item := range items {
		m, ok := item.(map[string]any)
		if !ok {
			return fmt.Errorf("line %d of the snapshot: item %d of the list is no object, but %s", line, i+1, typeName(item))
		}
		if _, has := m["kind"]; !has && kind != "" {
			m["kind"], m["apiVersion"] = kind, apiVersion
		}
		if err := in.object(m, line); err != nil {
			return err
		}
	}
	return nil
}

// document is one document of a stream, and the line it begins at.
type document struct {
	text []byte
	line int
}

// documents splits a stream where a line begins with ---. No such line can stand inside a YAML or JSON value of an
// object: there it would be indented.
func documents(text []byte) []document {
	var out []document
	start, first, line := 0, 1, 0
	for at := 0; at < len(text); {
		line++
		end := at + bytes.IndexByte(text[at:], '\n') + 1
		if end == at {
			end = len(text)
		}
		if l := bytes.TrimRight(text[at:end], " \t\r\n"); bytes.Equal(l, []byte("---")) || bytes.HasPrefix(l, []byte("--- ")) {
			out = append(out, document{text[start:at], first})
			start, first = end, line+1
		}
		at = end
	}
	return append(out, document{text[start:], first})
}

var yamlLine = regexp.MustCompile(`^(?:error converting YAML to JSON: )?yaml: line (\d+): `)

// parse gives nil for a document without content. Integers are int64, as in every unstructured object.
func (d document) parse() (any, error) {
	text := bytes.TrimSpace(d.text)
	if len(text) == 0 {
		return nil, nil
	}
	var tree any
	if text[0] == '{' && utiljson.Unmarshal(text, &tree) == nil {
		return tree, nil // ten times as fast as through YAML
	}
	text, err := yaml.YAMLToJSON(d.text)
	if err != nil {
		message, line := err.Error(), d.line
		if m := yamlLine.FindStringSubmatch(message); m != nil {
			n, _ := strconv.Atoi(m[1])
			line += n - 1
			message = strings.TrimPrefix(message, m[0])
		}
		return nil, fmt.Errorf("line %d of the snapshot: neither YAML nor JSON: %s", line, strings.TrimPrefix(message, "yaml: "))
	}
	if err := utiljson.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("line %d of the snapshot: %w", d.line, err)
	}
	return tree, nil
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a number"
}
