package cmd

import (
	"fmt"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/printer"
)

// print writes a report and sets the exit status that it asks for.
func (a *app) print(r fix.Report, o output, text printer.TextOptions) error {
	var err error
	switch o.format {
	case "json":
		err = printer.JSON(a.streams.Out, r, printer.DocumentOptions{ShowSecrets: o.showSecrets})
	case "yaml":
		err = printer.YAML(a.streams.Out, r, printer.DocumentOptions{ShowSecrets: o.showSecrets})
	default:
		err = printer.Text(a.streams.Out, r, text)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	a.status = exitStatus(r, o)
	switch {
	case len(r.Releases) == 0 && len(r.Incomplete) > 0:
		return errUnread
	case len(r.Releases) == 0:
		return errNothing
	}
	return nil
}

// text are the layout's options for this run.
func (a *app) text(o output) printer.TextOptions {
	return printer.TextOptions{
		Width: o.width, Color: o.color, Now: a.now(), Values: o.showValues, ShowSecrets: o.showSecrets,
	}
}

// exitStatus is the contract of the help text. What could not be read wins over what was found.
func exitStatus(r fix.Report, o output) int {
	status := Clean
	for _, release := range r.Releases {
		for _, f := range release.Findings {
			if o.failOn != nil && f.Severity >= *o.failOn {
				status = Findings
			}
		}
	}
	for _, i := range r.Incomplete {
		if i.Fatal {
			status = Failed
		}
	}
	return status
}
