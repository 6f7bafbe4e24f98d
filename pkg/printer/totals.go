package printer

import (
	"fmt"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

// totals is the last paragraph: how many values do what they say, how many findings there are, and what could not be
// read. It never says that all is well when something was not read.
func (p *page) totals(r fix.Report) {
	s := Summarize(r)
	sentences := []string{valueTotals(s), findingTotals(s)}
	if len(r.Releases) == 0 {
		sentences = []string{"No release was diagnosed."}
	}
	if len(r.Incomplete) > 0 && len(r.Releases) > 0 && s.Errors+s.Warnings+s.Infos == 0 {
		sentences[1] = "No findings in what was read."
	}
	switch len(r.Incomplete) {
	case 0:
		if len(r.Releases) > 0 {
			sentences = append(sentences, "Everything that was asked for was read.")
		}
	case 1:
		sentences = append(sentences, "One thing could not be read or decided:")
	default:
		sentences = append(sentences, fmt.Sprintf("%d things could not be read or decided:", len(r.Incomplete)))
	}
	p.hang("", strings.Join(sentences, "  "))
	for _, i := range r.Incomplete {
		p.incomplete(i)
	}
	if s.Errors+s.Warnings+s.Infos == 0 && len(r.Checked) > 0 {
		p.hang("", p.clean("Checked: "+strings.Join(r.Checked, ", ")+"."))
	}
}

func (p *page) incomplete(i finding.Incomplete) {
	what := i.What
	if i.Release != "" && !strings.Contains(what, i.Release) {
		what = i.Release + ": " + what
	}
	p.hang("  - ", p.clean(what+": "+i.Why))
	remedy := strings.Trim(i.Remedy, "\n")
	if !strings.Contains(remedy, "\n") {
		if remedy != "" {
			p.hang("    ", p.clean(remedy))
		}
		return
	}
	for _, line := range strings.Split(remedy, "\n") { // YAML: its lines are not to be wrapped
		p.line("    " + p.clean(line))
	}
}

func valueTotals(s Summary) string {
	if s.Values == 0 {
		return "No values were supplied."
	}
	var parts []string
	for _, part := range []struct {
		n    int
		word string
	}{
		{s.inForce, "in force"},
		{s.unapplied, "asked for and never applied"},
		{s.overruled, "rendered and not what runs"},
		{s.partial, "in force in part"},
		{s.lost, "lost"},
		{s.needless, "not needed"},
		{s.unknown, "undecided"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.word))
		}
	}
	return count(s.Values, "value", "values") + ": " + strings.Join(parts, ", ") + "."
}

func findingTotals(s Summary) string {
	var parts []string
	if s.Errors > 0 {
		parts = append(parts, count(s.Errors, "error", "errors"))
	}
	if s.Warnings > 0 {
		parts = append(parts, count(s.Warnings, "warning", "warnings"))
	}
	if s.Infos > 0 {
		parts = append(parts, count(s.Infos, "note", "notes"))
	}
	if len(parts) == 0 {
		return "No findings."
	}
	return strings.Join(parts, ", ") + "."
}

func releaseTotals(r fix.Release) string {
	return strings.TrimSuffix(valueTotals(Summarize(fix.Report{Releases: []fix.Release{r}})), ".")
}
