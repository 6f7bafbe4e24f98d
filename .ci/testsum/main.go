// Testsum reads `go test -json` on stdin, prints a line per package and the whole output of what failed, and writes
// "passed failed skipped" to the file it is given. A package that fails without a failed test (it did not build, it
// panicked, it timed out) counts as one failed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is what `go help test2json` documents.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

type summary struct {
	passed, failed, skipped int
	passedIn, failedIn      map[string]int
	output                  map[string]*strings.Builder // by package and test
}

func main() {
	s := summary{passedIn: map[string]int{}, failedIn: map[string]int{}, output: map[string]*strings.Builder{}}
	if err := s.read(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
	counts := fmt.Sprintf("%d %d %d\n", s.passed, s.failed, s.skipped)
	if err := os.WriteFile(os.Args[1], []byte(counts), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
}

func (s *summary) read(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Action == "" {
			fmt.Fprintln(out, lines.Text()) // not of go test: the progress of a build, a message of make
			continue
		}
		s.add(e, out)
	}
	return lines.Err()
}

func (s *summary) add(e event, out io.Writer) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(out, e.Output)
	case "output":
		if s.output[key] == nil {
			s.output[key] = &strings.Builder{}
		}
		s.output[key].WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.endPackage(e, out)
		} else {
			s.endTest(e, out)
		}
		delete(s.output, key)
	}
}

func (s *summary) endTest(e event, out io.Writer) {
	switch e.Action {
	case "pass":
		s.passed++
		s.passedIn[e.Package]++
	case "skip":
		s.skipped++
		fmt.Fprint(out, s.text(e))
	case "fail":
		s.failed++
		s.failedIn[e.Package]++
		fmt.Fprintf(out, "%s\n%s", e.Package, s.text(e))
	}
}

func (s *summary) endPackage(e event, out io.Writer) {
	switch {
	case e.Action == "skip":
		return // no test files
	case e.Action == "fail" && s.failedIn[e.Package] == 0:
		s.failed++
		s.failedIn[e.Package]++
		fmt.Fprint(out, s.text(e))
	}
	fmt.Fprintf(out, "%-4s %6.1fs  %4d passed %3d failed  %s\n", e.Action, e.Elapsed, s.passedIn[e.Package], s.failedIn[e.Package], e.Package)
}

func (s *summary) text(e event) string {
	if b := s.output[e.Package+" "+e.Test]; b != nil {
		return b.String()
	}
	return ""
}
