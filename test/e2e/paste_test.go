//go:build e2e

package e2e

import (
	"encoding/json"

	"github.com/rogpeppe/go-internal/testscript"
)

// paste PATH runs the first command at PATH in the JSON of the last stdout, as
// a person would paste it.
func paste(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: paste PATH")
	}
	var report any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &report))
	commands, err := at(report, args[0])
	ts.Check(err)
	if len(commands) == 0 {
		ts.Fatalf("nothing is at %s", args[0])
	}
	ts.Logf("[paste] %s", text(commands[0]))
	ts.Check(ts.Exec("sh", "-c", text(commands[0])))
}
