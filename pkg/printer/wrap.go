package printer

import (
	"strings"
	"unicode/utf8"
)

// Wrap breaks a text at spaces, and at its own line ends, into lines of at most width characters; 0: at its own only.
func Wrap(text string, width int) []string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if width == 0 {
			out = append(out, line)
			continue
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		for _, part := range wrap(line, width) {
			out = append(out, indent+strings.TrimLeft(part, " "))
		}
	}
	return out
}

// wrap breaks prose at spaces into lines of at most width characters. A word that is longer stands alone on its line:
// a path or an image must stay in one piece to be copied. Text that fits is given back as it is, spaces included.
func wrap(text string, width int) []string {
	if utf8.RuneCountInString(text) <= width {
		return []string{text}
	}
	var lines []string
	line, length := "", 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			lines = append(lines, line)
			line, length = "", 0
		}
		if length > 0 {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+n
	}
	return append(lines, line)
}

// wrapCommand breaks a shell command between flags, never between a flag and its argument and never inside quotes.
// Every line but the last ends in a backslash, and every line but the first is indented by two more characters, so
// that the lines can be pasted as they are.
func wrapCommand(command string, width int) []string {
	if utf8.RuneCountInString(command) <= width || strings.ContainsAny(command, "\n") {
		return strings.Split(command, "\n")
	}
	var lines []string
	line := ""
	for _, part := range flagGroups(command) {
		limit := width - len(` \`)
		if len(lines) > 0 {
			limit -= 2
		}
		switch {
		case line == "":
			line = part
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(part) <= limit:
			line += " " + part
		default:
			lines = append(lines, line)
			line = part
		}
	}
	lines = append(lines, line)
	for i := range lines {
		if i > 0 {
			lines[i] = "  " + lines[i]
		}
		if i < len(lines)-1 {
			lines[i] += ` \`
		}
	}
	return lines
}

// flagGroups splits a command before every word that begins with a dash. A bare "--" or "-" is no flag.
func flagGroups(command string) []string {
	var groups []string
	for _, word := range shellWords(command) {
		isFlag := len(word) > 1 && word[0] == '-' && word != "--"
		if len(groups) == 0 || isFlag {
			groups = append(groups, word)
			continue
		}
		groups[len(groups)-1] += " " + word
	}
	return groups
}

// shellWords splits at spaces outside of quotes; the words keep their quotes.
func shellWords(command string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	escaped, dollar := false, false
	for _, r := range command {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && (quote != '\'' || dollar):
			escaped = true
		case quote != 0:
			if r == quote {
				quote, dollar = 0, false
			}
		case r == '\'' || r == '"':
			quote = r
			dollar = r == '\'' && strings.HasSuffix(word.String(), "$")
		case r == ' ':
			if word.Len() > 0 {
				words = append(words, word.String())
				word.Reset()
			}
			continue
		}
		word.WriteRune(r)
	}
	if word.Len() > 0 {
		words = append(words, word.String())
	}
	return words
}

// quote writes a word so that a POSIX shell reads it as it is.
func quote(word string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%+=:,./_-", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
