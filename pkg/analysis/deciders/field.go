package deciders

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// Step is one step of a field: a key of a table, or an item of a list by its merge key or index.
type Step struct {
	Name string
	Item bool // in brackets and not quoted: an item of a list, or a key
}

// ParseField reads a field as people write it: as kubectl explain does, with list items by merge key or index, keys in
// quotes, and with the dot, the dollar sign and the braces of a JSONPath.
func ParseField(text string) ([]Step, error) {
	rest := strings.TrimSpace(text)
	if strings.HasPrefix(rest, "{") && strings.HasSuffix(rest, "}") {
		rest = rest[1 : len(rest)-1]
	}
	rest = strings.TrimPrefix(rest, "$")
	var out []Step
	for rest != "" {
		var s Step
		var err error
		if rest[0] == '[' {
			s, rest, err = bracket(rest)
		} else {
			s, rest, err = plain(rest)
		}
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", text, err)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("field %q is empty: name one, such as spec.replicas", text)
	}
	return out, nil
}

// plain reads a key up to the next dot or bracket; a backslash takes the sign behind it as it is.
func plain(text string) (Step, string, error) {
	text = strings.TrimPrefix(text, ".")
	var key strings.Builder
	i := 0
	for ; i < len(text) && text[i] != '.' && text[i] != '['; i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		key.WriteByte(text[i])
	}
	if key.Len() == 0 {
		return Step{}, "", fmt.Errorf("a key is empty before %q", text)
	}
	return Step{Name: key.String()}, text[i:], nil
}

// bracket reads [name], [0], ["key"], ['key'] and [?(@.name=="x")].
func bracket(text string) (Step, string, error) {
	if len(text) > 1 && (text[1] == '"' || text[1] == '\'') {
		end := strings.Index(text[2:], string(text[1])+"]")
		if end < 0 {
			return Step{}, "", fmt.Errorf("%q has no end", text)
		}
		return Step{Name: text[2 : 2+end]}, text[2+end+2:], nil
	}
	end := closing(text)
	if end < 0 {
		return Step{}, "", fmt.Errorf("%q has a [ without a ]", text)
	}
	name := text[1:end]
	if strings.HasPrefix(name, "?(") {
		_, value, found := strings.Cut(name, "==")
		if !found {
			return Step{}, "", fmt.Errorf("%q: of filters only [?(@.name==\"x\")] is known", text)
		}
		name = strings.Trim(strings.TrimSuffix(strings.TrimSpace(value), ")"), `"' `)
	}
	if name == "" {
		return Step{}, "", fmt.Errorf("%q names no item", text)
	}
	return Step{Name: name, Item: true}, text[end+1:], nil
}

// closing finds the ] that ends an item's name, which may itself hold brackets.
func closing(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] == ']' && (i+1 == len(text) || text[i+1] == '.' || text[i+1] == '[') {
			return i
		}
	}
	return -1
}

// Resolve finds a field in an object. It gives the field as findings write it as far as it exists, and whether all of
// it does.
func Resolve(content map[string]any, steps []Step) (field string, value any, found bool) {
	at := any(content)
	for _, s := range steps {
		switch t := at.(type) {
		case map[string]any:
			v, ok := t[s.Name]
			if !ok {
				return field, nil, false
			}
			field, at = rendering.JoinField(field, s.Name), v
		case []any:
			names := rendering.ItemNames(t)
			i := slices.Index(names, s.Name)
			if n, err := strconv.Atoi(s.Name); i < 0 && err == nil && n >= 0 && n < len(t) {
				i = n
			}
			if i < 0 {
				return field, nil, false
			}
			field, at = field+"["+names[i]+"]", t[i]
		default:
			return field, nil, false
		}
	}
	return field, at, true
}

// Written is the field as findings write it, whether it exists or not.
func Written(content map[string]any, steps []Step) string {
	n := len(steps)
	field, _, found := "", any(nil), false
	for ; n > 0; n-- {
		if field, _, found = Resolve(content, steps[:n]); found {
			break
		}
	}
	if n == 0 {
		field = ""
	}
	for _, s := range steps[n:] {
		if s.Item {
			field += "[" + s.Name + "]"
		} else {
			field = rendering.JoinField(field, s.Name)
		}
	}
	return field
}

// Fields lists every field of an object, tables and lists included, sorted. What the API server keeps for itself is
// left out.
func Fields(content map[string]any) []string {
	var out []string
	var walk func(at string, v any)
	walk = func(at string, v any) {
		if at == "metadata.managedFields" {
			return
		}
		if at != "" {
			out = append(out, at)
		}
		switch t := v.(type) {
		case map[string]any:
			for k, x := range t {
				walk(rendering.JoinField(at, k), x)
			}
		case []any:
			for i, n := range rendering.ItemNames(t) {
				walk(at+"["+n+"]", t[i])
			}
		}
	}
	walk("", content)
	slices.Sort(out)
	return out
}

const shownNearest = 5

// Nearest lists the fields of an object that may have been meant.
func Nearest(content map[string]any, steps []Step) []string {
	wanted := Written(content, steps)
	last := strings.ToLower(steps[len(steps)-1].Name)
	deepest, _, _ := Resolve(content, steps)
	type near struct {
		field string
		score int
	}
	var all []near
	for _, f := range Fields(content) {
		own, err := ParseField(f)
		if err != nil || len(own) == 0 {
			continue
		}
		score := 4 * distance(last, strings.ToLower(own[len(own)-1].Name))
		score += distance(strings.ToLower(wanted), strings.ToLower(f))
		if deepest != "" && strings.HasPrefix(f, deepest) && len(f) > len(deepest) {
			score -= 3
		}
		all = append(all, near{f, score})
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Compare(a.score, b.score) })
	var out []string
	for _, n := range all[:min(len(all), shownNearest)] {
		out = append(out, n.field)
	}
	return out
}

// Closest chooses, of some texts, those that are most like the given one: the likeliest first, none that is quite
// different.
func Closest(text string, all []string) []string {
	type near struct {
		text  string
		score int
	}
	var list []near
	for _, t := range all {
		if d := distance(strings.ToLower(text), strings.ToLower(t)); d <= max(3, len(text)/3) {
			list = append(list, near{t, d})
		}
	}
	slices.SortStableFunc(list, func(a, b near) int { return cmp.Compare(a.score, b.score) })
	var out []string
	for _, n := range list[:min(len(list), shownNearest)] {
		out = append(out, n.text)
	}
	return out
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
