// Package values is a tree of Helm values, addressed by path and edited by copy.
//
// It knows nothing of Helm or Kubernetes: a tree is the map[string]any that
// Helm's parsers give.
package values

import (
	"fmt"
	"strconv"
	"strings"
)

// Step is one step of a Path: a key of a table, or an index of a list.
type Step struct {
	Key   string
	Index int // of a list item; -1 for a key
}

// Path addresses one place in a tree of values. The empty Path is the tree itself.
type Path []Step

// Keys makes a Path of table keys.
func Keys(keys ...string) Path {
	p := make(Path, len(keys))
	for i, k := range keys {
		p[i] = Step{Key: k, Index: -1}
	}
	return p
}

// Key is p with one table key added. p is not changed.
func (p Path) Key(k string) Path {
	return append(p[:len(p):len(p)], Step{Key: k, Index: -1})
}

// Item is p with one list index added. p is not changed.
func (p Path) Item(i int) Path {
	return append(p[:len(p):len(p)], Step{Index: i})
}

// Join is p followed by q.
func (p Path) Join(q Path) Path {
	return append(p[:len(p):len(p)], q...)
}

// Parent is p without its last step; the parent of the root is the root.
func (p Path) Parent() Path {
	if len(p) == 0 {
		return p
	}
	return p[: len(p)-1 : len(p)-1]
}

// Last is the last key of the path, list indexes passed over; "" if there is none.
func (p Path) Last() string {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i].Index < 0 {
			return p[i].Key
		}
	}
	return ""
}

// Equal says whether both address the same place.
func (p Path) Equal(q Path) bool {
	return len(p) == len(q) && p.HasPrefix(q)
}

// HasPrefix says whether p is at or below q.
func (p Path) HasPrefix(q Path) bool {
	if len(q) > len(p) {
		return false
	}
	for i := range q {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// Overlaps says whether one of the two is at or below the other.
func (p Path) Overlaps(q Path) bool {
	return p.HasPrefix(q) || q.HasPrefix(p)
}

// escaped are the characters that mean something to Helm's --set parser inside a key.
const escaped = `.,=[]\`

// String gives the path in the syntax of Helm's --set, so that it can be pasted: keys joined by dots, list
// indexes in brackets, special characters of keys escaped by a backslash.
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		if s.Index >= 0 {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(s.Index))
			b.WriteByte(']')
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		// Byte by byte: a key need not be UTF-8.
		for i := range len(s.Key) {
			if strings.IndexByte(escaped, s.Key[i]) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(s.Key[i])
		}
	}
	return b.String()
}

// Parse reads what String writes. Errors name the place in the text.
func Parse(text string) (Path, error) {
	var p Path
	var key strings.Builder
	pending := false // a key has begun, or must begin after a dot
	flush := func() {
		if pending {
			p = append(p, Step{Key: key.String(), Index: -1})
			key.Reset()
			pending = false
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\\':
			if i+1 == len(text) {
				return nil, fmt.Errorf("value path %q ends in a backslash: write \\\\ for a backslash in a key", text)
			}
			i++
			key.WriteByte(text[i])
			pending = true
		case '.':
			if !pending && (len(p) == 0 || p[len(p)-1].Index < 0) {
				return nil, fmt.Errorf("value path %q has an empty key at character %d: write \\. for a dot in a key", text, i+1)
			}
			flush()
			if i+1 == len(text) {
				return nil, fmt.Errorf("value path %q ends in a dot", text)
			}
		case '[':
			flush()
			end := strings.IndexByte(text[i:], ']')
			if end < 0 {
				return nil, fmt.Errorf("value path %q has a [ without a ] at character %d", text, i+1)
			}
			n, err := strconv.Atoi(text[i+1 : i+end])
			if err != nil || n < 0 || n > 65535 {
				return nil, fmt.Errorf("value path %q: %q is not a list index", text, text[i+1:i+end])
			}
			if len(p) == 0 {
				return nil, fmt.Errorf("value path %q begins with a list index: values are a table", text)
			}
			p = append(p, Step{Index: n})
			i += end
			if i+1 < len(text) && text[i+1] != '.' && text[i+1] != '[' {
				return nil, fmt.Errorf("value path %q: after ] only . or [ may follow, at character %d", text, i+2)
			}
		default:
			key.WriteByte(c)
			pending = true
		}
	}
	flush()
	if len(p) == 0 {
		return nil, fmt.Errorf("value path is empty")
	}
	return p, nil
}
