package rendering

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Holds says whether a field carries a value: its text stands in it, plain or, as in a Secret, in base64. Of switches,
// tables and lists no text can be looked for: maybe is the answer for them.
func Holds(field, value any, maybe bool) bool {
	switch value.(type) {
	case nil, bool, map[string]any, []any:
		return maybe
	}
	text, shown := fmt.Sprint(value), fmt.Sprint(field)
	if text == "" {
		return maybe
	}
	return strings.Contains(shown, text) || strings.Contains(shown, base64.StdEncoding.EncodeToString([]byte(text)))
}
