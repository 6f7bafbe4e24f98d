//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// findings [FINDING]... requires the findings of the `-o json` report in the
// last stdout to be exactly these, each as often as it is given, in any order.
// A finding is its code, or severity and code and, where there are any, object,
// field and value:
//
//	findings KGW2001 'error KGW2002 Deployment/kgateway spec.replicas replicaCount'
//
// Without arguments: that there are none.
func findings(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: findings [FINDING]...")
	}
	got, err := told([]byte(ts.ReadFile("stdout")))
	ts.Check(err)
	rest, unmet := slices.Clone(got), false
	for _, want := range args {
		i := slices.IndexFunc(rest, func(f string) bool { return f == want || strings.Fields(f)[1] == want })
		if i < 0 {
			unmet = true
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	if unmet || len(rest) > 0 {
		ts.Fatalf("found\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(args, "\n  "))
	}
}

// told writes the findings of a report as findings takes them, sorted.
func told(report []byte) ([]string, error) {
	var r struct {
		Releases []struct {
			Findings []struct {
				Severity, Code, Field, ValuePath string
				Object                           *struct{ Kind, Name string }
			}
		}
	}
	if err := json.Unmarshal(report, &r); err != nil {
		return nil, fmt.Errorf("the last stdout is no report: %w", err)
	}
	out := []string{}
	for _, release := range r.Releases {
		for _, f := range release.Findings {
			words := []string{f.Severity, f.Code}
			if f.Object != nil {
				words = append(words, f.Object.Kind+"/"+f.Object.Name)
			}
			for _, word := range []string{f.Field, f.ValuePath} {
				if word != "" {
					words = append(words, word)
				}
			}
			out = append(out, strings.Join(words, " "))
		}
	}
	slices.Sort(out)
	return out, nil
}

// todo CODE runs the last step that the `-o json` report in the last stdout
// gives for the first finding of this code, as somebody would paste it.
func todo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: todo CODE")
	}
	var report any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &report))
	steps, err := at(report, "releases[*].findings[code="+args[0]+"].steps")
	ts.Check(err)
	if len(steps) == 0 {
		ts.Fatalf("the report has no step for %s", args[0])
	}
	list, _ := steps[0].([]any)
	step := text(list[len(list)-1])
	ts.Logf("[todo] %s", step)
	ts.Check(ts.Exec("sh", "-c", step))
}
