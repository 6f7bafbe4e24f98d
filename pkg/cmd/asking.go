package cmd

import (
	"context"
	"errors"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/printer"
)

func (d doctor) Trace(ctx context.Context, o *TraceOptions) (fix.Report, error) {
	return fix.Report{}, errors.New("not wired yet")
}

func (d doctor) Why(ctx context.Context, o *WhyOptions) (printer.Why, error) {
	return printer.Why{}, errors.New("not wired yet")
}
