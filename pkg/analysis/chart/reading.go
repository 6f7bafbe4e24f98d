// Package chart reads what the templates of a chart read: which values, where, instead of which others, and under
// which conditions.
//
// It is an abstract interpreter over text/template/parse. It follows dot, $, variables, include, tpl, dict, with and
// range with the release's own values at hand, but goes into every branch, taken or not. What it says are proposals:
// nothing is proved until it has been rendered.
package chart

import (
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// Read is one place in a template at which a value decides something.
type Read struct {
	Path   values.Path      // in the root chart's computed values
	Whole  bool             // the table or list there goes in with everything below it
	Test   bool             // only its truth is asked: a condition
	Omit   []string         // keys of it that are dropped first
	File   string           // the rendered file
	Site   rendering.Site   // the innermost place
	Stack  []rendering.Site // the calls that lead there, outermost first
	Taken  bool             // with the values as they are
	Guards []*Guard         // the conditions around it, outermost first
	Chain  *Chain           // the others that are asked for the same; nil if none
	Rank   int              // in the chain: lower is asked first
	When   []*Cond          // it is only asked if these hold, the guards apart
	Cond   *Cond            // of a test: the whole condition
}

// Guard is a condition that must come out as wanted for what it guards to be rendered.
type Guard struct {
	Cond  *Cond
	Want  bool
	Holds bool // with the values as they are
	Site  rendering.Site
	End   int // the last line of what it guards, in the same file
}

// Chain is a set of values asked one after the other for the same thing: default, or, coalesce, merge, if/else.
type Chain struct {
	Members []Member
}

// Member is one value of a chain.
type Member struct {
	Path  values.Path
	Whole bool
	Rank  int
	When  []*Cond // it is only asked if these hold
}

// Before lists what the chain asks before the given read, for the very place p at or below the read's path.
func (r *Read) Before(p values.Path) []Member {
	if r.Chain == nil {
		return nil
	}
	var out []Member
	below := values.Path(nil)
	if r.Whole && p.HasPrefix(r.Path) {
		below = p[len(r.Path):]
	}
	for _, m := range r.Chain.Members {
		if m.Rank >= r.Rank {
			continue
		}
		q := m.Path
		if m.Whole {
			q = q.Join(below)
		}
		if !q.Equal(p) && !slices.ContainsFunc(out, func(m Member) bool { return m.Path.Equal(q) }) {
			m.Path = q
			out = append(out, m)
		}
	}
	return out
}

// Covers says whether the value at p goes into this read.
func (r *Read) Covers(p values.Path) bool {
	if r.Path.HasPrefix(p) {
		return true
	}
	if !r.Whole || !p.HasPrefix(r.Path) {
		return false
	}
	next := p[len(r.Path)]
	return next.Index >= 0 || !slices.Contains(r.Omit, next.Key)
}

// Op is the kind of a condition.
type Op int

// The kinds of conditions. Truthy, Eq, Less, Greater and Has are about the value at Path. Opaque depends on Paths in a
// way that was not followed. KubeVersion is about the cluster's Kubernetes version, or about one that a value at Paths
// says in its place.
const (
	Const Op = iota
	Truthy
	Eq      // equals Literal
	Greater // than Literal
	Less
	Has // holds the key, item or text Literal
	Not
	And
	Or
	Merged // Args are the same entry in tables that were merged: the first that is there counts, true or not
	Opaque
	Capability  // the cluster has the API Literal
	KubeVersion // is within Literal, a constraint of semverCompare; "" if it is not known
)

// Cond is a condition as far as values decide it.
type Cond struct {
	Op      Op
	Path    values.Path
	Literal any
	Args    []*Cond
	Paths   []values.Path
	Truth   bool // of Const, Capability and KubeVersion: on this cluster
}

// OfCluster says whether the cluster decides the condition, or a part of it.
func (c *Cond) OfCluster() bool {
	return c != nil && (c.Op == Capability || c.Op == KubeVersion || slices.ContainsFunc(c.Args, (*Cond).OfCluster))
}

// Reading is all that the templates of a chart read.
type Reading struct {
	Reads  []*Read
	Opaque map[string]string // files that were not followed to the end, and why

	clusters  map[string][]*Cond // by file, the conditions on the cluster
	byFile    map[string]*fileReads
	always    []string // files that anything may reach
	touchedBy map[string][]string
	wholeBy   map[string][]string
	byFirst   map[string][]*Read
	roots     map[string]bool // where the values of each chart stand
}

// fileReads is what can change the text of one file.
type fileReads struct {
	touched map[string]bool // paths looked at, each with all of its ancestors
	whole   map[string]bool // paths that go in with everything below
	all     bool
}

// May lists the files that a change at p may change, or keep from rendering at all. A file may come twice.
func (r *Reading) May(p values.Path) []string {
	out := slices.Concat(r.always, r.touchedBy[p.String()])
	for i := 0; i <= len(p); i++ {
		out = append(out, r.wholeBy[p[:i].String()]...)
	}
	return out
}

// Of lists the reads that the value at p goes into. Those of all values of a chart at once are left out.
func (r *Reading) Of(p values.Path) []*Read {
	var out []*Read
	for _, x := range r.byFirst[first(p)] {
		if x.Covers(p) && !r.roots[x.Path.String()] {
			out = append(out, x)
		}
	}
	return out
}

// Clusters lists the conditions on the cluster in the files that the value at p may change.
func (r *Reading) Clusters(p values.Path) []*Cond {
	var out []*Cond
	for _, file := range r.May(p) {
		out = append(out, r.clusters[file]...)
	}
	return out
}

// TakenWhole says whether a template takes all values of the chart at once to which the value at p belongs: what it then
// does with this one was not followed.
func (r *Reading) TakenWhole(p values.Path) bool {
	for i := range p {
		for _, x := range r.byFirst[first(p[:i])] {
			if x.Whole && x.Path.Equal(p[:i]) && r.roots[x.Path.String()] {
				return true
			}
		}
	}
	return false
}

func first(p values.Path) string {
	if len(p) == 0 {
		return ""
	}
	return p[0].Key
}

// Paths lists every path that is read, sorted, each once.
func (r *Reading) Paths() []values.Path {
	seen := map[string]bool{}
	var out []values.Path
	for _, x := range r.Reads {
		if k := x.Path.String(); len(x.Path) > 0 && !seen[k] {
			seen[k] = true
			out = append(out, x.Path)
		}
	}
	slices.SortFunc(out, func(a, b values.Path) int { return strings.Compare(a.String(), b.String()) })
	return out
}

func (r *Reading) finish() {
	r.byFirst = map[string][]*Read{}
	slices.SortStableFunc(r.Reads, func(a, b *Read) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Site.Line - b.Site.Line
	})
	r.touchedBy, r.wholeBy = map[string][]string{}, map[string][]string{}
	for _, name := range sortedKeys(r.byFile) {
		f := r.byFile[name]
		if f.all {
			r.always = append(r.always, name)
			continue
		}
		for p := range f.touched {
			r.touchedBy[p] = append(r.touchedBy[p], name)
		}
		for p := range f.whole {
			r.wholeBy[p] = append(r.wholeBy[p], name)
		}
	}
	for _, x := range r.Reads {
		r.byFirst[first(x.Path)] = append(r.byFirst[first(x.Path)], x)
	}
}
