package printer

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

// TextOptions says how a report is laid out for a person.
type TextOptions struct {
	Width       int       // of the terminal, in characters; 0: 100; never less than 40
	Color       bool      // colour the severities
	Now         time.Time // ages are counted up to here; the zero time leaves them out
	Values      bool      // list every supplied value with its verdict, too
	Detail      bool      // with Values: list every field that each value reaches and loses
	ShowSecrets bool      // secret-like values are written as they are
}

// Limits of the text; -o json lists all.
const (
	defaultWidth = 100
	leastWidth   = 40
	shownFixes   = 3
	shownChanges = 8
	shownFields  = 12
	labelWidth   = 7
)

// Text writes the report for a person: each release, its findings, worst first, with their fixes, and one line of
// totals.
func Text(w io.Writer, r fix.Report, o TextOptions) error {
	p := newPage(r, o)
	for i, release := range r.Releases {
		if i > 0 {
			p.blank()
		}
		p.release(release)
		if len(release.Findings) == 0 && len(r.Releases) > 1 {
			p.line("  no findings; " + strings.ToLower(releaseTotals(release)))
		}
	}
	if len(r.Releases) > 0 {
		p.blank()
	}
	p.totals(r)
	_, err := io.WriteString(w, p.String())
	return err
}

// A page is text being laid out.
type page struct {
	strings.Builder
	o      TextOptions
	m      mask
	broken bool // the release at hand does not render as it is
}

func newPage(r fix.Report, o TextOptions) *page {
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	o.Width = max(o.Width, leastWidth)
	p := &page{o: o}
	if !o.ShowSecrets {
		p.m = newMask(r)
	}
	return p
}

// clean makes text from outside fit to be shown.
func (p *page) clean(text string) string { return Escape(p.m.text(text)) }

func (p *page) line(text string) {
	p.WriteString(strings.TrimRight(text, " "))
	p.WriteByte('\n')
}

func (p *page) blank() { p.WriteByte('\n') }

// hang writes text behind a lead; further lines are indented so that they stand below the text's first one.
func (p *page) hang(lead, text string) {
	indent := utf8.RuneCountInString(lead)
	for i, line := range wrap(text, max(p.o.Width-indent, 20)) {
		if i > 0 {
			lead = strings.Repeat(" ", indent)
		}
		p.line(lead + line)
	}
}

// labelled writes one labelled line below a finding. An empty label continues the one above.
func (p *page) labelled(width int, label, text string) { p.nested(2, width, label, text) }

func (p *page) nested(indent, width int, label, text string) {
	p.hang(fmt.Sprintf("%*s%-*s  ", indent, "", width, label), text)
}

func (p *page) release(r fix.Release) {
	p.broken = r.Reproduction == "impossible"
	p.head(r.Release)
	told := func(f fix.Finding) bool { return f.Message == r.ReproductionReason }
	if r.ReproductionReason != "" && !slices.ContainsFunc(r.Findings, told) {
		p.hang("  ", p.clean(r.ReproductionReason))
	}
	for _, f := range r.Findings {
		p.blank()
		p.finding(f)
	}
	if p.o.Values && len(r.Values) > 0 {
		p.blank()
		p.values(r.Values)
	}
}

// head says which release this is and how well it could be rendered again, on one line where it fits.
func (p *page) head(r finding.Release) {
	name := r.Name
	if r.Namespace != "" && r.Name != "" {
		name = r.Namespace + "/" + r.Name
	}
	parts := []string{name, strings.TrimSpace(r.Chart.Name + " " + r.Chart.Version), p.status(r), reproduction(r)}
	line := ""
	for _, part := range parts {
		part = p.clean(part)
		switch {
		case part == "":
		case line == "":
			line = part
		case utf8.RuneCountInString(line)+3+utf8.RuneCountInString(part) <= p.o.Width:
			line += "   " + part
		default:
			p.line(line)
			line = "  " + part
		}
	}
	p.line(line)
}

func (p *page) status(r finding.Release) string {
	switch r.Status {
	case "preflight":
		return "as it would be"
	case "audit":
		return "the chart alone"
	}
	text := r.Status
	if updated, err := time.Parse(time.RFC3339, r.Updated); err == nil && !p.o.Now.IsZero() {
		text += " " + age(p.o.Now.Sub(updated)) + " ago"
	}
	if r.Revision == 0 {
		return text
	}
	return strings.TrimSuffix(fmt.Sprintf("revision %d, %s", r.Revision, text), ", ")
}

// age writes a duration in its largest unit, as kubectl get does, but in words that read on.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(int(d.Seconds()), 0))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func reproduction(r finding.Release) string {
	recorded := r.Status != "preflight" && r.Status != "audit"
	switch r.Reproduction {
	case "exact":
		if recorded {
			return "rendered again: identical to the record"
		}
	case "noise":
		if recorded {
			return "rendered again: identical to the record, random values apart"
		}
		return "rendered twice: random values differ"
	case "mismatch":
		return "rendered again: not what the record holds"
	case "impossible":
		return "could not be rendered"
	case "none":
		return "no Helm record: rendered for its Application"
	}
	return ""
}

func (p *page) finding(f fix.Finding) {
	message := f.Message
	if message == "" {
		message = f.Title
	}
	word := strings.ToUpper(f.Severity.String())
	lead := word + " " + p.clean(f.Code) + "  "
	lines := wrap(p.clean(message), max(p.o.Width-len(lead), 20))
	p.line(p.severity(f.Severity, word) + lead[len(word):] + lines[0])
	for _, line := range lines[1:] {
		p.line(strings.Repeat(" ", len(lead)) + line)
	}

	width := labelWidth
	for _, fact := range f.Facts {
		width = max(width, utf8.RuneCountInString(p.clean(fact.Label)))
	}
	above := ""
	for _, fact := range f.Facts {
		label := p.clean(fact.Label)
		if label == above {
			label = ""
		} else {
			above = label
		}
		p.labelled(width, label, p.clean(fact.Text))
	}
	for i, x := range f.Fixes {
		if i == shownFixes {
			p.labelled(width, "", fmt.Sprintf("… and %s more (-o json lists all)", count(len(f.Fixes)-i, "fix", "fixes")))
			break
		}
		p.fix(width, i, x)
	}
	if len(f.Fixes) == 0 {
		p.steps(width, f)
	}
}

// steps says what to do where no fix was proved.
func (p *page) steps(width int, f fix.Finding) {
	label := "to do"
	for _, step := range f.Steps {
		p.command(width, label, step)
		label = ""
	}
	if len(f.Refused) > 0 {
		r := f.Refused[0]
		p.labelled(width, "tried", p.clean(strings.Join(r.Set, ", ")+": "+r.Reason))
	}
}

// command writes a shell command that can be pasted: it breaks only at flags.
func (p *page) command(width int, label, command string) {
	indent := width + 4
	for _, part := range strings.Split(command, "\n") {
		for _, line := range wrapCommand(p.clean(part), p.o.Width-indent) {
			p.line(fmt.Sprintf("  %-*s  %s", width, label, line))
			label = ""
		}
	}
}

// severity colours a severity's word.
func (p *page) severity(s finding.Severity, word string) string {
	if !p.o.Color {
		return word
	}
	color := map[finding.Severity]string{finding.Error: "1;31", finding.Warning: "1;33"}[s]
	if color == "" {
		color = "1;36"
	}
	return "\x1b[" + color + "m" + word + "\x1b[0m"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
