package rendering

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Error is a chart that does not render.
type Error struct {
	File string // the file that was rendered
	Site Site   // the innermost place named by the template engine; zero if none is
	Said string // the chart author's own words (fail, required); "" if the engine failed
	Err  error
}

// Site is a place in a template.
type Site struct {
	File string // chart/templates/x.yaml
	Line int
}

func (s Site) String() string {
	if s.File == "" {
		return ""
	}
	return s.File + ":" + strconv.Itoa(s.Line)
}

func (e *Error) Error() string {
	if e.Said != "" {
		return fmt.Sprintf("execution error at (%s): %s", e.Site, e.Said)
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// place finds "template: chart/templates/x.yaml:12:34:" in the engine's messages.
var place = regexp.MustCompile(`template: ([^:\s]+):(\d+)(?::\d+)?:`)

func execError(file string, err error) error {
	e := &Error{File: file, Err: err}
	if all := place.FindAllStringSubmatch(err.Error(), -1); len(all) > 0 {
		// Nested includes name their callers first.
		for _, m := range all {
			if m[1] != "gotpl" {
				line, _ := strconv.Atoi(m[2])
				e.Site = Site{m[1], line}
			}
		}
	}
	var said *Said
	if errors.As(err, &said) {
		e.Said = said.Message
	}
	return e
}

func parseError(file string, err error) error {
	e := &Error{File: file, Err: err}
	if m := place.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[2])
		e.Site = Site{m[1], line}
	}
	tokens := strings.Split(err.Error(), ": ")
	if len(tokens) > 1 {
		e.Err = fmt.Errorf("parse error at (%s): %s", tokens[1], tokens[len(tokens)-1])
	}
	return e
}
