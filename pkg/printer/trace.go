package printer

import (
	"fmt"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

const traceWidth = 8

// trace writes the way of one value, step by step.
func (p *page) trace(v finding.Value) {
	t := v.Trace
	keys := valueKeys(v.Path)
	step := func(label string, there bool, value any) {
		text := "nothing"
		if there {
			text = p.value(value, keys)
		}
		p.nested(4, traceWidth, label, p.clean(text))
	}
	step("given", t.Given, t.Supplied)
	step("default", t.Preset, t.Default)
	step("computed", t.Given || t.Preset, t.Computed)
	if v.Template != "" {
		p.nested(4, traceWidth, "read", p.clean(v.Template))
		p.stack(4, t.Stack)
	}
	misses := map[finding.Field]finding.Miss{}
	for _, m := range v.Misses {
		misses[m.Field] = m
	}
	reached, lost := 0, 0
	for _, f := range t.Fields {
		label, n := "reaches", &reached
		if !f.Reached {
			label, n = "loses", &lost
		}
		if *n++; *n > shownFields {
			continue
		}
		p.nested(4, traceWidth, label, p.field(f.Field))
		if because := missText(misses[f.Field]); !f.Reached && because != "" {
			p.nested(6, traceWidth, "", p.clean(because))
		}
		p.way(f)
	}
	if more := max(reached-shownFields, 0) + max(lost-shownFields, 0); more > 0 {
		p.nested(4, traceWidth, "", fmt.Sprintf("… and %d more (-o json lists all)", more))
	}
}

func (p *page) stack(indent int, calls []string) {
	if len(calls) > 0 {
		p.nested(indent, traceWidth, "", p.clean("called from "+strings.Join(calls, ", then ")))
	}
}

// way writes what stands in a field at each step.
func (p *page) way(f finding.TraceField) {
	keys := objectKeys(f.Kind, f.Field.Field)
	if f.Reached && f.Template != "" {
		p.nested(6, traceWidth, "at", p.clean(f.Template))
		p.stack(6, f.Stack)
	}
	show := func(label string, v any) {
		text := "nothing"
		if v != nil {
			text = p.value(v, keys)
		}
		p.nested(6, traceWidth, label, p.clean(text))
	}
	show("rendered", f.Rendered)
	if f.Live != nil || len(f.Pods) > 0 {
		show("live", f.Live)
	}
	label := "pods"
	for _, v := range f.Pods {
		text := "nothing"
		if v.Value != nil {
			text = p.value(v.Value, keys)
		}
		p.nested(6, traceWidth, label, p.clean(fmt.Sprintf("%s   in %s", text, count(v.Pods, "pod", "pods"))))
		label = ""
	}
}

// traceSecrets collects the secret-like values of a trace.
func traceSecrets(s *secrets, v finding.Value) {
	if v.Trace == nil {
		return
	}
	for _, x := range []any{v.Trace.Supplied, v.Trace.Default, v.Trace.Computed} {
		s.add(x, valueKeys(v.Path))
	}
	for _, f := range v.Trace.Fields {
		keys := objectKeys(f.Kind, f.Field.Field)
		s.add(f.Rendered, keys)
		s.add(f.Live, keys)
		for _, x := range f.Pods {
			s.add(x.Value, keys)
		}
	}
}

// trace is the trace without the values that are too short to be masked wherever they occur.
func (m mask) trace(v finding.Value) *finding.Trace {
	if v.Trace == nil || m.replacer == nil {
		return v.Trace
	}
	t := *v.Trace
	keys := valueKeys(v.Path)
	t.Supplied, t.Default, t.Computed = m.value(t.Supplied, keys), m.value(t.Default, keys), m.value(t.Computed, keys)
	t.Fields = nil
	for _, f := range v.Trace.Fields {
		keys := objectKeys(f.Kind, f.Field.Field)
		f.Rendered, f.Live = m.value(f.Rendered, keys), m.value(f.Live, keys)
		var pods []finding.PodValue
		for _, x := range f.Pods {
			x.Value = m.value(x.Value, keys)
			pods = append(pods, x)
		}
		f.Pods = pods
		t.Fields = append(t.Fields, f)
	}
	return &t
}
