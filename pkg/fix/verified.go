// Package fix proves remedies. A remedy is a suggestion; a Verified fix has been rendered, diagnosed again, and
// lists every field that it changes. Only this package can make one, and the printer takes nothing else.
package fix

import (
	"encoding/json"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Change is one field that a fix changes. Intended tells the fields that the value was meant for from side effects.
// From or To is nil where the field is absent.
type Change struct {
	finding.Field
	From     any  `json:"from"`
	To       any  `json:"to"`
	Intended bool `json:"intended"`
}

// Verified is a fix that has been proved by rendering. The zero value is no fix; only Prove makes others.
type Verified struct {
	summary  string
	set      []string
	flags    []string
	command  string
	values   map[string]any
	changes  []Change
	leftOver []string
	partial  bool // some of the fields that were lost stay lost
	inexact  bool // some field holds the value in another form than the value itself would give
	order    int  // of the remedy
	gitops   *GitOps
}

// Summary is a verb phrase: what the fix does.
func (v Verified) Summary() string { return v.summary }

// Set gives the arguments of the value flags, without the flags.
func (v Verified) Set() []string { return v.set }

// Flags gives helm's value flags and their arguments, unquoted, one word each.
func (v Verified) Flags() []string { return v.flags }

// Command is the complete command, quoted for a POSIX shell, on one line: helm's or, where Flux or Argo CD keeps the
// release, one that changes its object; empty where only Git can be changed.
func (v Verified) Command() string { return v.command }

// Values is the same as a fragment of values.yaml.
func (v Verified) Values() map[string]any { return v.values }

// Changes lists every field that changes, the intended ones first.
func (v Verified) Changes() []Change { return v.changes }

// GitOps is the form that survives the next sync of Flux or Argo CD; nil for a release that Helm alone keeps.
func (v Verified) GitOps() *GitOps { return v.gitops }

// LeftOver lists supplied values that nothing reads and that the fix leaves in place.
func (v Verified) LeftOver() []string { return v.leftOver }

// MarshalJSON writes the fix as the contract kgw-doctor/v1 says.
func (v Verified) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Summary  string         `json:"summary"`
		Set      []string       `json:"set"`
		Flags    []string       `json:"flags"`
		Command  string         `json:"command"`
		Values   map[string]any `json:"values"`
		Verified bool           `json:"verified"`
		Changes  []Change       `json:"changes"`
		LeftOver []string       `json:"leftOver,omitempty"`
		GitOps   *GitOps        `json:"gitops,omitempty"`
	}{v.summary, v.set, v.flags, v.command, v.values, v.changes != nil, v.changes, v.leftOver, v.gitops})
}

// Refused is a remedy that was tried and did not hold, and why.
type Refused struct {
	Summary string   `json:"summary"`
	Set     []string `json:"set"`
	Reason  string   `json:"reason"`
}

// Finding is a finding with the fixes proved for it, the best first.
type Finding struct {
	finding.Finding
	Fixes   []Verified `json:"fixes"`
	Refused []Refused  `json:"refused,omitempty"`
}

// Release is the result for one release, ready to be printed. Findings are sorted, worst first.
type Release struct {
	finding.Release
	Findings []Finding `json:"findings"`
}

// Report is the result of one run: the document of kgw-doctor/v1.
type Report struct {
	Releases   []Release            `json:"releases"`
	Incomplete []finding.Incomplete `json:"incomplete"`
	Checked    []string             `json:"-"` // what was looked at, said in words when nothing is wrong
}
