package printer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

// shownFix is what the text needs of a fix.Verified. Only the tests of the layout make others.
type shownFix interface {
	Summary() string
	Flags() []string
	Command() string
	Changes() []fix.Change
	LeftOver() []string
	GitOps() *fix.GitOps
}

// fix writes one proved fix: its flags, what it was proved to change, and the command to paste.
func (p *page) fix(width, position int, x shownFix) {
	label := "fix"
	if position > 0 {
		label = "or"
	}
	if g := x.GitOps(); g != nil {
		p.kept(width, label, g, x.Changes())
	} else {
		p.flags(width, label, x)
	}
	changes := x.Changes()
	if !p.broken && (len(changes) > 1 || unintended(changes) > 0) {
		p.changes(width, changes)
	}
	if left := x.LeftOver(); len(left) > 0 {
		p.labelled(width, "", p.clean("nothing reads "+strings.Join(left, ", ")+"; left in the values"))
	}
	if g := x.GitOps(); g != nil {
		p.keptCommands(width, position, g)
	} else if x.Command() != "" {
		p.command(width, "", x.Command())
	}
}

// flags puts the flags and the proof on one line if both fit.
func (p *page) flags(width int, label string, x shownFix) {
	words := make([]string, 0, len(x.Flags()))
	for _, word := range x.Flags() {
		words = append(words, quote(word))
	}
	flags, proof := strings.Join(words, " "), proof(x.Changes())
	if p.broken {
		proof = "verified: with it the chart renders"
	}
	both := p.clean(flags) + "      " + proof
	if width+4+utf8.RuneCountInString(both) <= p.o.Width {
		p.line(fmt.Sprintf("  %-*s  %s", width, label, both))
		return
	}
	p.command(width, label, flags)
	p.labelled(width, "", proof)
}

// proof says in words what rendering with the fix showed.
func proof(changes []fix.Change) string {
	others := unintended(changes)
	switch meant := len(changes) - others; {
	case len(changes) == 0:
		return "verified: nothing that is rendered changes"
	case others == 0 && meant == 1:
		return "verified: this field changes and nothing else"
	case others == 0:
		return fmt.Sprintf("verified: these %d fields change and nothing else", meant)
	case len(changes) == 1:
		return "verified: 1 field changes, not asked for"
	default:
		return fmt.Sprintf("verified: %d fields change, %d of them not asked for", len(changes), others)
	}
}

func unintended(changes []fix.Change) int {
	n := 0
	for _, c := range changes {
		if !c.Intended {
			n++
		}
	}
	return n
}

// changes lists the changed fields, those not asked for marked. If there are too many, both kinds keep a share of the
// lines: what was not asked for is what must be seen before the command is pasted.
func (p *page) changes(width int, changes []fix.Change) {
	shown := choose(changes)
	longestObject, longestField := 0, 0
	for _, c := range shown {
		longestObject = max(longestObject, utf8.RuneCountInString(p.clean(c.String())))
		longestField = max(longestField, utf8.RuneCountInString(p.clean(c.Field.Field)))
	}
	for _, c := range shown {
		effect := p.effect(c)
		if !c.Intended {
			effect += "   not asked for"
		}
		object, field := p.clean(c.String()), p.clean(c.Field.Field)
		line := fmt.Sprintf("  %-*s  %-*s  %s", longestObject, object, longestField, field, effect)
		if width+4+utf8.RuneCountInString(line) <= p.o.Width {
			p.line(strings.Repeat(" ", width+4) + line)
			continue
		}
		p.line(strings.Repeat(" ", width+4) + "  " + object + "  " + field)
		p.line(strings.Repeat(" ", width+4) + "    " + effect)
	}
	if more := len(changes) - len(shown); more > 0 {
		p.labelled(width, "", fmt.Sprintf("  … and %d more (-o json lists all)", more))
	}
}

// effect says what becomes of a field, or of a whole object.
func (p *page) effect(c fix.Change) string {
	switch {
	case c.Field.Field == "" && c.From == nil:
		return "added"
	case c.Field.Field == "" && c.To == nil:
		return "removed"
	}
	side := func(v any) string {
		if v == nil {
			return "absent"
		}
		return p.value(v, changeKeys(c))
	}
	return side(c.From) + " → " + side(c.To)
}

// choose gives the changes to show, in their order.
func choose(changes []fix.Change) []fix.Change {
	if len(changes) <= shownChanges {
		return changes
	}
	others := unintended(changes)
	forOthers := min(others, max(shownChanges/2, shownChanges-(len(changes)-others)))
	forMeant := shownChanges - forOthers
	var shown []fix.Change
	for _, c := range changes {
		if c.Intended && forMeant > 0 {
			forMeant--
			shown = append(shown, c)
		} else if !c.Intended && forOthers > 0 {
			forOthers--
			shown = append(shown, c)
		}
	}
	return shown
}

// value writes a value that stands at a place, masked if it is secret-like.
func (p *page) value(v any, path []string) string {
	return formatValue(p.m.value(v, path), p.m.text)
}
