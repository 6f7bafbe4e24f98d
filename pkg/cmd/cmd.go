// Package cmd is the command line: flags become options, options are validated, the engine is asked, and its report is
// printed. It decides nothing about releases.
package cmd

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // the credential plugins a kubeconfig may ask for

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/printer"
)

// The exit status, the same for every output format. Failed wins over Findings.
const (
	Clean    = 0 // nothing at or above --fail-on
	Findings = 1
	Failed   = 2 // the doctor could not do its work
)

const exitStatusHelp = `Exit status:
  0  nothing found at or above --fail-on (default: error)
  1  findings at or above --fail-on
  2  the doctor could not do its work: wrong usage, no connection, nothing to
     diagnose, or something that the answer needs could not be read`

// Main runs the program with its arguments, the name it was called by first, and gives its exit status.
func Main(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	a := &app{streams: streams, engine: doctor{}, docs: checkDocs(), now: time.Now}
	return a.main(ctx, args)
}

// app is one run of the program.
type app struct {
	streams genericiooptions.IOStreams
	engine  engine
	docs    []checkDoc
	now     func() time.Time

	called string // the name it was called by, as the user types it
	flags  *globalFlags
	status int
}

func (a *app) main(ctx context.Context, args []string) int {
	root := a.root(args[0])
	root.SetArgs(args[1:])
	if err := root.ExecuteContext(ctx); err != nil {
		a.report(err)
		return Failed
	}
	return a.status
}

// report tells what went wrong, on stderr.
func (a *app) report(err error) {
	a.say("error: " + userError(err, a.called))
}

func (a *app) notice(format string, args ...any) { a.say(printer.Escape(fmt.Sprintf(format, args...))) }

// say writes to stderr, for a terminal in lines that fit.
func (a *app) say(text string) {
	for _, line := range printer.Wrap(text, terminalOf(a.streams.ErrOut).width) {
		fmt.Fprintln(a.streams.ErrOut, printer.Escape(line))
	}
}

// calledBy is the program's name as the user types it: kubectl finds plugins as files named kubectl-….
func calledBy(arg0 string) string {
	name := strings.TrimSuffix(filepath.Base(arg0), ".exe")
	if strings.HasPrefix(name, "kubectl-") {
		return "kubectl kgw-doctor"
	}
	return name
}

// root builds the commands. The root itself is check, since that is what it is there for.
func (a *app) root(arg0 string) *cobra.Command {
	a.called = calledBy(arg0)
	a.flags = newGlobalFlags()

	root := a.check("")
	root.Use = strings.TrimSuffix(filepath.Base(arg0), ".exe") + " [RELEASE...]"
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: a.called}
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(a.streams.In)
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.ErrOut)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage(c, err) })
	a.flags.addTo(root)

	root.AddGroup(&cobra.Group{ID: "diagnose", Title: "Diagnose:"}, &cobra.Group{ID: "other", Title: "Other commands:"})
	for _, c := range []*cobra.Command{
		a.check("check"), a.preflight(), a.trace(), a.why(), a.audit(),
	} {
		c.GroupID = "diagnose"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{
		a.snapshot(), a.explain(), a.rights(), a.version(), a.completion(),
	} {
		c.GroupID = "other"
		root.AddCommand(c)
	}
	root.SetHelpCommandGroupID("other")
	return root
}

// example puts the name the program was called by into a text: every {} of it.
func (a *app) example(text string) string {
	return strings.ReplaceAll(strings.Trim(text, "\n"), "{}", a.called)
}

// exactly wants arguments by their names: a wrong number is answered with those names.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usagef(c, "%s is missing", strings.Join(names[len(args):], " and "))
		case len(args) > len(names):
			return usagef(c, "%q is one argument too many", args[len(names)])
		}
		return nil
	}
}
