//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// json PATH [VALUE] requires that in the JSON of the last stdout something is
// at PATH, and that one of the things there is VALUE.
// ! json PATH [VALUE] requires that nothing is, or nothing equal to VALUE.
//
// A path is a chain of keys, each followed by any number of selectors:
//
//	releases[0].findings[code=KGW1001].fixes[*].set[*]
//
// An empty list counts as nothing.
func jsonIs(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: json PATH [VALUE]")
	}
	var document any
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		ts.Fatalf("the last stdout is no JSON: %v", err)
	}
	found, err := at(document, args[0])
	ts.Check(err)
	var texts []string
	for _, f := range found {
		texts = append(texts, text(f))
	}
	holds := len(texts) > 0
	if len(args) == 2 {
		holds = slices.Contains(texts, args[1])
	}
	if holds == neg {
		ts.Fatalf("at %s: %q", args[0], texts)
	}
}

// at returns what is at the path; several things where a selector chooses several.
func at(document any, path string) ([]any, error) {
	found := []any{document}
	for _, step := range steps(path) {
		key, rest, _ := strings.Cut(step, "[")
		found = each(found, func(v any) []any {
			if member, ok := v.(map[string]any)[key]; ok && member != nil {
				return []any{member}
			}
			return nil
		}, key != "")
		if rest == "" {
			continue
		}
		for _, selector := range strings.Split(strings.TrimSuffix(rest, "]"), "][") {
			choose, err := chooser(selector)
			if err != nil {
				return nil, fmt.Errorf("path %s: %w", path, err)
			}
			found = each(found, choose, true)
		}
	}
	if len(found) == 1 {
		if list, ok := found[0].([]any); ok && len(list) == 0 {
			return nil, nil
		}
	}
	return found, nil
}

// steps cuts a path at the dots that stand outside of brackets.
func steps(path string) []string {
	depth := 0
	return strings.FieldsFunc(path, func(r rune) bool {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		}
		return r == '.' && depth == 0
	})
}

func each(values []any, next func(any) []any, wanted bool) []any {
	if !wanted {
		return values
	}
	var out []any
	for _, v := range values {
		if _, ok := v.(map[string]any); !ok {
			if _, ok := v.([]any); !ok {
				continue
			}
		}
		out = append(out, next(v)...)
	}
	return out
}

// chooser understands *, an index, and KEY=VALUE[,KEY=VALUE]...
func chooser(selector string) (func(any) []any, error) {
	items := func(v any) []any { list, _ := v.([]any); return list }
	if selector == "*" {
		return items, nil
	}
	if i, err := strconv.Atoi(selector); err == nil {
		return func(v any) []any {
			if list := items(v); i < len(list) {
				return list[i : i+1]
			}
			return nil
		}, nil
	}
	wants := map[string]string{}
	for _, condition := range strings.Split(selector, ",") {
		key, value, ok := strings.Cut(condition, "=")
		if !ok {
			return nil, fmt.Errorf("selector [%s] is not *, a number or KEY=VALUE", selector)
		}
		wants[key] = value
	}
	return func(v any) []any {
		var out []any
		for _, item := range items(v) {
			member, _ := item.(map[string]any)
			if matches(member, wants) {
				out = append(out, item)
			}
		}
		return out
	}, nil
}

func matches(member map[string]any, wants map[string]string) bool {
	for key, want := range wants {
		if v, ok := member[key]; !ok || text(v) != want {
			return false
		}
	}
	return true
}

// text is a scalar as a person writes it, anything else as JSON.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any, []any:
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(v)
		return strings.TrimSpace(b.String())
	default:
		return fmt.Sprint(v)
	}
}

// helmfix RELEASE NAMESPACE CHART runs the command of the release's first
// verified fix, as the `-o json` report in the last stdout prints it. Only its
// chart, which is a public address or a placeholder, becomes the local CHART.
func helmfix(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: helmfix RELEASE NAMESPACE CHART")
	}
	var report any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &report))
	commands, err := at(report, fmt.Sprintf(
		"releases[name=%s,namespace=%s].findings[*].fixes[verified=true].command", args[0], args[1]))
	ts.Check(err)
	if len(commands) == 0 {
		ts.Fatalf("the report has no verified fix for %s/%s", args[1], args[0])
	}
	command := text(commands[0])
	local := chartArgument.ReplaceAllString(versionFlag.ReplaceAllString(command, ""), "${1}'"+args[2]+"'")
	if local == command {
		ts.Fatalf("no chart found in the command: %s", command)
	}
	ts.Logf("[fix] %s", local)
	ts.Check(ts.Exec("sh", "-c", local))
}

var (
	chartArgument = regexp.MustCompile(`^(helm upgrade \S+ )('[^']*'|\S+)`)
	versionFlag   = regexp.MustCompile(` --version[ =]\S+`)
)
