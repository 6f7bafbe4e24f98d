package drift

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// step is one step of a field: a key of a table, or the name of a list item.
type step struct {
	key  string
	item bool
}

// parseField takes a field apart, as rendering.JoinField and ItemNames wrote it.
func parseField(field string) []step {
	var out []step
	for field != "" {
		switch {
		case strings.HasPrefix(field, `["`):
			q, err := strconv.QuotedPrefix(field[1:])
			if err != nil {
				return out
			}
			key, _ := strconv.Unquote(q) // QuotedPrefix has accepted it
			out = append(out, step{key: key})
			field = strings.TrimPrefix(field[1+len(q):], "]")
		case field[0] == '[':
			end := closing(field)
			if end < 0 {
				return out
			}
			out = append(out, step{field[1:end], true})
			field = field[end+1:]
		default:
			field = strings.TrimPrefix(field, ".")
			end := strings.IndexAny(field, ".[")
			if end < 0 {
				end = len(field)
			}
			if end == 0 {
				return out
			}
			out = append(out, step{key: field[:end]})
			field = field[end:]
		}
	}
	return out
}

// closing finds the ] that ends an item's name, which may itself hold brackets.
func closing(field string) int {
	for i := 1; i < len(field); i++ {
		if field[i] == ']' && (i+1 == len(field) || field[i+1] == '.' || field[i+1] == '[') {
			return i
		}
	}
	return -1
}

// child goes one step down; nil where there is nothing.
func child(v any, s step) any {
	switch t := v.(type) {
	case map[string]any:
		if !s.item {
			return t[s.key]
		}
	case []any:
		if i := slices.Index(rendering.ItemNames(t), s.key); s.item && i >= 0 {
			return t[i]
		}
	}
	return nil
}

// under says whether a field is another one or lies below it.
func under(field, parent string) bool {
	rest, ok := strings.CutPrefix(field, parent)
	return ok && (rest == "" || parent == "" || rest[0] == '.' || rest[0] == '[')
}

// pointerStep is the step that a key of a JSON pointer is, from where it points; ok is false if nothing is there.
func pointerStep(from any, key string) (s step, ok bool) {
	switch t := from.(type) {
	case map[string]any:
		_, ok = t[key]
		return step{key: key}, ok
	case []any:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(t) {
			return step{rendering.ItemNames(t)[i], true}, true
		}
	}
	return step{}, false
}

// joinStep writes one step more of a field, as parseField reads it.
func joinStep(field string, s step) string {
	if s.item {
		return field + "[" + s.key + "]"
	}
	return rendering.JoinField(field, s.key)
}
