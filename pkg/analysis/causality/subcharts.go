package causality

import (
	"fmt"
	"slices"
	"sync"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// subcharts are the judges of the worlds in which a disabled subchart is switched on, one for each switch.
type subcharts struct {
	mu  sync.Mutex
	all map[string]*judge // nil for a switch with which the chart does not render
}

func (s *subcharts) with(j *judge, on values.Edit) *judge {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprint(on.Path, on.Value)
	if inner, done := s.all[key]; done {
		return inner
	}
	if s.all == nil {
		s.all = map[string]*judge{}
	}
	w, err := j.world.Edited(on)
	if err != nil {
		s.all[key] = nil
		return nil
	}
	reading := chart.ReadTemplates(w)
	w.Reach(reading.May)
	s.all[key] = &judge{world: w, reading: reading, budget: j.budget, defaults: w.Defaults(), literals: literalsByPath(reading.Reads)}
	return s.all[key]
}

// switchedOff recognises a value of a subchart that Chart.yaml's condition or tags keep out: it is judged with the
// subchart switched on, and what it does there it misses.
func (t *trial) switchedOff() bool {
	e := t.e
	on, site, found := t.world.SwitchedOn(e.Path)
	if !found || on.Path.Equal(e.Path) {
		return false
	}
	did := "put " + shown([]values.Edit{on})
	inner := t.subcharts.with(t.judge, on)
	if inner == nil {
		e.Verdict, e.Reason = finding.Unknown, "the chart does not render with "+shown([]values.Edit{on})
		return true
	}
	there := inner.leaf(values.Leaf{Path: e.Path, Value: e.Value})
	switch there.Verdict {
	case finding.Unread:
		e.Verdict, e.Reason = finding.Unread, there.Reason+", with "+shown([]values.Edit{on})+" either"
		e.Evidence = append(e.Evidence, finding.Evidence{Did: did, Saw: "no value of " + e.Path.String() + " changes anything"})
		return true
	case finding.Unknown, finding.Discarded:
		e.Verdict, e.Reason = there.Verdict, there.Reason
		return true
	}
	e.Verdict, e.Site, e.Stack = finding.Gated, there.Site, there.Stack
	e.Winners = there.Winners
	e.Gates = addCauses([]Cause{t.cause(on.Path, on, site)}, there.Gates)
	e.Ways = [][]values.Edit{{on}}
	for i, way := range there.Ways {
		e.Ways = append(e.Ways[:i:i], append([]values.Edit{on}, way...))
	}
	e.Misses = slices.Clone(there.Misses)
	for _, c := range there.Reaches {
		then := c.From // another value was put in its place
		if slices.ContainsFunc(there.Removed, func(r rendering.Change) bool { return r.ID() == c.ID() }) {
			then = c.To
		}
		e.Misses = addMisses(e.Misses, []Miss{{Field: c.Field, Now: rendering.Absent{}, Then: then, Gates: e.Gates, Site: site}})
	}
	e.Evidence = append(e.Evidence, finding.Evidence{Did: did, Saw: e.Path.String() + " decides " + decided(there)},
		finding.Evidence{Did: "left it as it is", Saw: "no value of " + e.Path.String() + " changes anything"})
	return true
}

// decided says what a value decides, or would.
func decided(e Effect) string {
	if len(e.Reaches) > 0 {
		return fields(e.Reaches)
	}
	return fmt.Sprintf("%d fields, with more switched", len(e.Misses))
}
