package printer

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// rewriteStrings puts every string of a JSON text, keys included, through a function, and leaves everything else as it
// is. What a terminal would obey or not show (C1 controls, bidi marks) is written as \u…, which is the same JSON.
func rewriteStrings(text []byte, rewrite func(string) string) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		if text[i] != '"' {
			out = append(out, text[i])
			i++
			continue
		}
		end := i + 1
		for text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		end++
		out = append(out, rewriteLiteral(text[i:end], rewrite)...)
		i = end
	}
	return out
}

func rewriteLiteral(literal []byte, rewrite func(string) string) string {
	var text string
	if err := json.Unmarshal(literal, &text); err != nil {
		return string(literal)
	}
	rewritten := rewrite(text)
	if rewritten == text {
		return escapeLiteral(string(literal))
	}
	out, err := marshalPlain(rewritten)
	if err != nil {
		return string(literal)
	}
	return escapeLiteral(out)
}

// escapeLiteral writes the characters that are not to be seen as \u…. The literal is UTF-8.
func escapeLiteral(literal string) string {
	if printable(literal) {
		return literal
	}
	var b strings.Builder
	for _, r := range literal {
		switch {
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// visible is Escape for YAML, whose plain scalars know no escapes: line breaks and tabs stay.
func visible(text string) string {
	if printable(text) {
		return text
	}
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\t' })
	for _, part := range parts {
		if escaped := Escape(part); escaped != part {
			text = strings.Replace(text, part, escaped, 1)
		}
	}
	return text
}
