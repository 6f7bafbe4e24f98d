package printer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// values lists every value with its verdict.
func (p *page) values(list []finding.Value) {
	longest := 0
	for _, v := range list {
		longest = max(longest, utf8.RuneCountInString(p.assignment(v)))
	}
	longest = min(longest, p.o.Width/2)
	for _, v := range list {
		assignment := p.assignment(v)
		verdict := p.clean(verdictText(v))
		lead := fmt.Sprintf("  %-*s  ", longest, assignment)
		if utf8.RuneCountInString(assignment) > longest {
			p.line("  " + assignment)
			lead = "      "
		}
		p.hang(lead, verdict)
		if p.o.Detail {
			p.detail(v)
		}
	}
}

func (p *page) assignment(v finding.Value) string {
	return p.clean(v.Path) + "=" + p.value(v.Value, valueKeys(v.Path))
}

// verdictText is the verdict with the values that are to blame for it.
func verdictText(v finding.Value) string {
	text := string(v.Verdict)
	if len(v.Winners) > 0 {
		text += " by " + strings.Join(v.Winners, ", ")
	}
	if len(v.Gates) > 0 {
		text += " by " + strings.Join(v.Gates, ", ")
	}
	if v.Reason != "" {
		text += ": " + v.Reason
	}
	return text
}

// detail lists what one value reaches and what it loses, and where in the templates that is decided.
func (p *page) detail(v finding.Value) {
	if v.Trace != nil {
		p.trace(v)
		return
	}
	if v.Template != "" {
		p.nested(4, labelWidth, "read", p.clean(v.Template))
	}
	label := "reaches"
	for i, f := range v.Reaches {
		if i == shownFields {
			p.more(len(v.Reaches) - i)
			break
		}
		p.nested(4, labelWidth, label, p.field(f))
		label = ""
	}
	label = "loses"
	for i, m := range v.Misses {
		if i == shownFields {
			p.more(len(v.Misses) - i)
			break
		}
		p.nested(4, labelWidth, label, p.field(m.Field))
		label = ""
		if because := missText(m); because != "" {
			p.nested(4, labelWidth, "", "  "+p.clean(because))
		}
	}
}

func (p *page) more(n int) {
	p.nested(4, labelWidth, "", fmt.Sprintf("… and %d more (-o json lists all)", n))
}

func (p *page) field(f finding.Field) string {
	return p.clean(f.String()) + "  " + p.clean(f.Field)
}

func missText(m finding.Miss) string {
	var parts []string
	if m.Winner != "" {
		parts = append(parts, "to "+m.Winner)
	}
	if m.Gate != "" {
		parts = append(parts, "switched off by "+m.Gate)
	}
	if m.Template != "" {
		parts = append(parts, "at "+m.Template)
	}
	return strings.Join(parts, ", ")
}
