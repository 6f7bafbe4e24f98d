package printer

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The longest value that text shows whole; -o json shows all of every value.
const longestValue = 60

// formatValue writes a value as a person would in values.yaml, on one line. Text that YAML would read as something
// else, such as "true" or "", is quoted. Hide takes the secrets out of tables and lists, before anything is cut.
func formatValue(v any, hide func(string) string) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if ambiguous(v) {
			return shorten(fmt.Sprintf("%q", v))
		}
		return shorten(Escape(v))
	case bool, int, int32, int64, uint64:
		return fmt.Sprint(v)
	}
	text, err := marshalPlain(v)
	if err != nil {
		return shorten(Escape(hide(fmt.Sprint(v))))
	}
	return shorten(Escape(hide(text)))
}

// marshalPlain is JSON on one line, with < > & as they are.
func marshalPlain(v any) (string, error) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func ambiguous(text string) bool {
	switch strings.ToLower(text) {
	case "", "null", "~", "true", "false":
		return true
	}
	if strings.TrimSpace(text) != text {
		return true
	}
	var number json.Number
	return json.Unmarshal([]byte(text), &number) == nil && text[0] != '"'
}

func shorten(text string) string {
	if utf8.RuneCountInString(text) <= longestValue {
		return text
	}
	return string([]rune(text)[:longestValue-1]) + "…"
}
