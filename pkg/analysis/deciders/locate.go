package deciders

import (
	"regexp"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// Place is the line of a template that writes a field.
type Place struct {
	Site    rendering.Site
	Text    string // of the line
	Literal bool   // the line holds no action: it is the same whatever the values are
	Sure    bool   // no other line could have written it
}

// Locate finds the line that writes a field, by comparing what was rendered with the texts of the templates; the zero
// Place if none is like it. It proves nothing: it is for people, who look there.
func Locate(w *rendering.World, t Target) Place {
	text, found := w.Baseline().Text(t.File)
	if !found {
		return Place{}
	}
	lines := strings.Split(text, "\n")
	n := renderedLine(text, t)
	if n < 1 || n > len(lines) {
		return Place{}
	}
	return match(w, t.File, lines, n-1)
}

var documentStart = regexp.MustCompile(`(?m)^---[^\n]*$`)

// renderedLine is the line, from 1, at which a field stands in a rendered file; 0 if it does not.
func renderedLine(text string, t Target) int {
	steps, err := ParseField(t.Field.Field)
	if err != nil {
		return 0
	}
	bounds := documentStart.FindAllStringIndex(text, -1)
	start, nth := 0, 0
	for i := 0; i <= len(bounds); i++ {
		end := len(text)
		if i < len(bounds) {
			end = bounds[i][0]
		}
		var doc yaml.Node
		if yaml.Unmarshal([]byte(text[start:end]), &doc) == nil && len(doc.Content) > 0 && kindOf(doc.Content[0]) == t.Kind {
			if nth == t.Nth {
				line := nodeLine(doc.Content[0], steps)
				if line == 0 {
					return 0
				}
				return line + strings.Count(text[:start], "\n")
			}
			nth++
		}
		if i < len(bounds) {
			start = bounds[i][1]
		}
	}
	return 0
}

func kindOf(n *yaml.Node) string {
	if v, _ := entry(n, "kind"); v != nil {
		return v.Value
	}
	return ""
}

func entry(n *yaml.Node, key string) (value *yaml.Node, line int) {
	if n.Kind != yaml.MappingNode {
		return nil, 0
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			value, line = n.Content[i+1], n.Content[i].Line // the last one of a name counts
		}
	}
	return value, line
}

func nodeLine(n *yaml.Node, steps []Step) int {
	line := n.Line
	for _, s := range steps {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if n.Kind != yaml.SequenceNode {
			if n, line = entry(n, s.Name); n == nil {
				return 0
			}
			continue
		}
		var list []any
		if n.Decode(&list) != nil {
			return 0
		}
		i := slices.Index(rendering.ItemNames(list), s.Name)
		if i < 0 || i >= len(n.Content) {
			return 0
		}
		n = n.Content[i]
		line = n.Line
	}
	return line
}

// Points for a template line that may have written a rendered one.
const (
	sameLine  = 100 // letter for letter
	sameKey   = 60  // the key, and an action as the value
	sameAbove = 12  // for each table around it that is around the rendered one
	neighbour = 3   // for each line near it that is the same near the rendered one
)

// match finds the template line that is most like line n of a rendered file.
func match(w *rendering.World, file string, lines []string, n int) Place {
	want := strings.TrimSpace(lines[n])
	best, second := 0, 0
	var out Place
	for _, f := range w.Files() {
		if f.Name != file && !f.Partial {
			continue
		}
		text := strings.Split(f.Text, "\n")
		for i, l := range text {
			score := alikeLine(strings.TrimSpace(l), want)
			if score == 0 {
				continue
			}
			if f.Name == file {
				score++
			}
			score += neighbours(text, i, lines, n)
			switch {
			case score > best:
				best, second = score, best
				out = Place{Site: rendering.Site{File: f.Name, Line: i + 1}, Text: strings.TrimSpace(l), Literal: !strings.Contains(l, "{{")}
			case score > second:
				second = score
			}
		}
	}
	out.Sure = best > 0 && best > second
	return out
}

func alikeLine(template, rendered string) int {
	if template == "" || rendered == "" {
		return 0
	}
	if template == rendered {
		return sameLine
	}
	key, _, found := strings.Cut(strings.TrimPrefix(rendered, "- "), ":")
	have, value, is := strings.Cut(strings.TrimPrefix(template, "- "), ":")
	if found && is && key == have && strings.Contains(value, "{{") {
		return sameKey
	}
	return 0
}

// neighbours compares what stands around the two lines.
func neighbours(template []string, i int, rendered []string, n int) int {
	near := func(lines []string, at, reach int) []string {
		var out []string
		for k := max(0, at-reach); k <= min(len(lines)-1, at+reach); k++ {
			if l := strings.TrimSpace(lines[k]); k != at && l != "" {
				out = append(out, l)
			}
		}
		return out
	}
	around := near(template, i, 8)
	score := 0
	mine := above(template, i)
	for k, l := range above(rendered, n) {
		if k >= len(mine) || alikeLine(mine[k], l) == 0 {
			break
		}
		score += sameAbove
	}
	for _, l := range near(rendered, n, 4) {
		if slices.ContainsFunc(around, func(a string) bool { return alikeLine(a, l) > 0 }) {
			score += neighbour
		}
	}
	return score
}

// above lists the lines that a line stands below in the tree of a YAML text, the innermost first. Actions are no part of
// the tree.
func above(lines []string, n int) []string {
	indent := func(l string) int { return len(l) - len(strings.TrimLeft(l, " ")) }
	var out []string
	depth := indent(lines[n])
	for i := n - 1; i >= 0 && depth > 0 && len(out) < 6; i-- {
		l := strings.TrimSpace(lines[i])
		if l == "" || strings.HasPrefix(l, "{{") || strings.HasPrefix(l, "#") || indent(lines[i]) >= depth {
			continue
		}
		depth = indent(lines[i])
		out = append(out, l)
	}
	return out
}
