package gitops

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// mergePatch is the JSON merge patch (RFC 7386) that puts a tree at a place, such as spec.values.
func mergePatch(at string, tree any) (string, error) {
	for _, key := range slices.Backward(strings.Split(at, ".")) {
		tree = map[string]any{key: tree}
	}
	return marshal(tree)
}

func marshal(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write the patch: %w", err)
	}
	return string(text), nil
}

// patcher writes a JSON patch (RFC 6902), which can put null somewhere, and reach into a list without sending all of it:
// other items may hold what no report should show. Each item that is taken away is tested for its name first.
type patcher struct {
	content map[string]any // the object with the operations made
	ops     []operation
}

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// add puts a value at a place; tables on the way are made.
func (p *patcher) add(value any, at ...string) {
	var parent any = p.content
	for i, key := range at {
		below, found := child(parent, key)
		if found && i < len(at)-1 {
			parent = below
			continue
		}
		for _, k := range slices.Backward(at[i+1:]) {
			value = map[string]any{k: value}
		}
		p.ops = append(p.ops, operation{"add", pointer(at[:i+1]), value})
		if t, isTable := parent.(map[string]any); isTable {
			t[key] = value
		}
		return
	}
}

func child(v any, key string) (any, bool) {
	switch t := v.(type) {
	case map[string]any:
		below, found := t[key]
		return below, found && below != nil
	case []any:
		if i, err := strconv.Atoi(key); err == nil && i < len(t) {
			return t[i], true
		}
	}
	return nil, false
}

// removeNamed takes an item of a list away.
func (p *patcher) removeNamed(name string, at ...string) {
	p.ops = append(p.ops, operation{"test", pointer(append(at, "name")), name}, operation{"remove", pointer(at), nil})
}

func (p *patcher) text() (string, error) { return marshal(p.ops) }

// pointer is a JSON pointer (RFC 6901).
func pointer(at []string) string {
	var b strings.Builder
	for _, key := range at {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
	}
	return b.String()
}

// keysOf are the keys of a path, which has no list index.
func keysOf(p values.Path) []string {
	var out []string
	for _, s := range p {
		out = append(out, s.Key)
	}
	return out
}
