package causality

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// worlds are the judges of other worlds: those in which a disabled subchart is switched on, or the cluster is another.
type worlds struct {
	mu  sync.Mutex
	all map[string]*judge // nil for one in which the chart does not render
}

// with is the judge of the world in which a subchart is switched on; nil if the chart does not render there.
func (s *worlds) with(j *judge, on values.Edit) *judge {
	return s.get(fmt.Sprint(on.Path, on.Value), func() *judge {
		w, err := j.world.Edited(on)
		if err != nil {
			return nil
		}
		return j.in(w)
	})
}

// on is the judge of the world on another cluster; nil if the chart does not render there.
func (s *worlds) on(j *judge, k rendering.Cluster) *judge {
	return s.get(k.KubeVersion+" "+strings.Join(k.APIVersions, ","), func() *judge {
		w, err := j.world.On(k)
		if err != nil {
			return nil
		}
		inner := j.in(w)
		inner.elsewhere = true
		return inner
	})
}

func (s *worlds) get(key string, make func() *judge) *judge {
	s.mu.Lock()
	defer s.mu.Unlock()
	if inner, done := s.all[key]; done {
		return inner
	}
	if s.all == nil {
		s.all = map[string]*judge{}
	}
	s.all[key] = make()
	return s.all[key]
}

// in is the same judge in another world.
func (j *judge) in(w *rendering.World) *judge {
	reading := chart.ReadTemplates(w)
	w.Reach(reading.May)
	return &judge{world: w, reading: reading, budget: j.budget, elsewhere: j.elsewhere, defaults: w.Defaults(), literals: literalsByPath(reading.Reads)}
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
	inner := t.worlds.with(t.judge, on)
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
	e.Verdict, e.Reason, e.Site, e.Stack = finding.Gated, there.Reason, there.Site, there.Stack
	if there.Verdict == finding.Redundant {
		e.Reason = ""
	}
	e.Winners = there.Winners
	e.Gates = addCauses([]Cause{t.cause(on.Path, on, site)}, there.Gates)
	e.Misses = missedThere(there, e.Gates, site)
	e.Ways = []Way{{[]values.Edit{on}, e.Misses}}
	for i, way := range there.Ways {
		e.Ways = append(e.Ways[:i:i], Way{append([]values.Edit{on}, way.Edits...), way.Misses})
	}
	e.Evidence = append(e.Evidence, finding.Evidence{Did: did, Saw: e.Path.String() + " decides " + decided(there)},
		finding.Evidence{Did: "left it as it is", Saw: "no value of " + e.Path.String() + " changes anything"})
	return true
}

// missedThere is what a value decides in another world, and so misses in this one.
func missedThere(there Effect, gates []Cause, site rendering.Site) []Miss {
	misses := slices.Clone(there.Misses)
	for _, c := range there.Reaches {
		then := c.From // another value was put in its place
		if slices.ContainsFunc(there.Removed, func(r rendering.Change) bool { return r.ID() == c.ID() }) {
			then = c.To
		}
		misses = addMisses(misses, []Miss{{Field: c.Field, Now: rendering.Absent{}, Then: then, Gates: gates, Site: site}})
	}
	return misses
}

// decided says what a value decides, or would.
func decided(e Effect) string {
	if len(e.Reaches) > 0 {
		return fields(e.Reaches)
	}
	return fmt.Sprintf("%d fields, with more switched", len(e.Misses))
}
