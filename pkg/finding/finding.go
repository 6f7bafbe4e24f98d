// Package finding is the vocabulary of the result: what was found, how sure, what to try.
//
// It is data only. The names and JSON fields are the contract kgw-doctor/v1: fields may be added, never renamed
// or removed.
package finding

import (
	"fmt"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

// Severity says how much a finding matters.
type Severity int

// Error: the release does not do what its values say. Warning: probably not what was meant. Info: worth knowing,
// nothing is wrong.
const (
	Info Severity = iota
	Warning
	Error
)

var severities = []string{"info", "warning", "error"}

func (s Severity) String() string { return severities[s] }

// MarshalText writes error, warning or info.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity reads error, warning or info.
func ParseSeverity(text string) (Severity, error) {
	for i, s := range severities {
		if s == text {
			return Severity(i), nil
		}
	}
	return 0, fmt.Errorf("%q is no severity: use error, warning or info", text)
}

// Verdict says what a supplied value does. See docs/verdicts.md.
type Verdict string

// The verdicts of docs/verdicts.md.
const (
	Effective Verdict = "effective"
	Partial   Verdict = "partial"
	Redundant Verdict = "redundant"
	Shadowed  Verdict = "shadowed"
	Gated     Verdict = "gated"
	Discarded Verdict = "discarded"
	Unread    Verdict = "unread"
	Unknown   Verdict = "unknown"
)

// Ineffective says whether the verdict means that the value does nothing.
func (v Verdict) Ineffective() bool {
	return v == Shadowed || v == Gated || v == Discarded || v == Unread
}

// Object names a Kubernetes object.
type Object struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
}

func (o Object) String() string { return o.Kind + "/" + o.Name }

// Field is one field of one object, written as kubectl explain would, list items named by their merge key:
// spec.template.spec.containers[kgateway].imagePullPolicy.
type Field struct {
	Object
	Field string `json:"field"`
}

// Miss is a field that a value would decide, but for a winner or a gate.
type Miss struct {
	Field
	Winner   string `json:"winner,omitempty"`   // path of the value that decides instead
	Gate     string `json:"gate,omitempty"`     // path of the value that switches the part off
	Template string `json:"template,omitempty"` // chart/templates/file.yaml:line of the place that decided
}

// Value is the verdict on one supplied leaf.
type Value struct {
	Path     string   `json:"path"` // --set syntax
	Value    any      `json:"value"`
	Verdict  Verdict  `json:"verdict"`
	Winners  []string `json:"winners"`
	Gates    []string `json:"gates"`
	Reason   string   `json:"reason"`
	Reaches  []Field  `json:"reaches"`
	Misses   []Miss   `json:"misses"`
	Template string   `json:"template,omitempty"` // where the value is read
	Trace    *Trace   `json:"trace,omitempty"`    // for the command trace alone
}

// Evidence is one step of a proof: what the doctor did, and what it saw.
type Evidence struct {
	Did string `json:"did"`
	Saw string `json:"saw"`
}

// Pods counts the Pods of the object, and those in which the field has the expected value.
type Pods struct {
	Total    int `json:"total"`
	Matching int `json:"matching"`
}

// Fact is one labelled line of a finding's text, such as "winner": "controller.image.pullPolicy=IfNotPresent, …".
type Fact struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// Remedy is something to try: edits of the supplied values. It is unproved; only fix.Prove makes a fix of it.
type Remedy struct {
	Summary string
	Edits   []values.Edit
	Meant   []Field // the fields it is for; empty: those that the value reaches with the edits made
	Then    []any   // what each of them has then, where that is known; else it must hold Value
	Value   any     // what is asked for
}

// Finding is one thing worth telling.
type Finding struct {
	Code        string     `json:"code"`
	Severity    Severity   `json:"severity"`
	Title       string     `json:"title"`
	Message     string     `json:"message"`
	ValuePath   string     `json:"valuePath,omitempty"`
	Object      *Object    `json:"object,omitempty"`
	Field       string     `json:"field,omitempty"`
	Expected    any        `json:"expected,omitempty"`
	Actual      any        `json:"actual,omitempty"` // in the live object
	Pods        *Pods      `json:"pods,omitempty"`
	Since       string     `json:"since,omitempty"` // RFC 3339
	Facts       []Fact     `json:"facts,omitempty"`
	Evidence    []Evidence `json:"evidence,omitempty"`
	Steps       []string   `json:"steps,omitempty"` // what to do where nothing can be proved by rendering; shell commands to paste
	Fingerprint string     `json:"fingerprint"`

	Remedies []Remedy `json:"-"`
	Ordered  bool     `json:"-"` // the remedies stand in the order of their likelihood, which the proof must keep
}

// Incomplete is one thing that could not be read or decided.
type Incomplete struct {
	What    string `json:"what"`
	Why     string `json:"why"`
	Remedy  string `json:"remedy,omitempty"` // the RBAC rule or the flag that would help
	Fatal   bool   `json:"-"`                // the answer asked for needs it: exit status 2
	Release string `json:"release,omitempty"`
}

// ChartRef names a chart.
type ChartRef struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion,omitempty"`
}

// Release is what was found out about one release.
type Release struct {
	Name               string    `json:"name"`
	Namespace          string    `json:"namespace"`
	Revision           int       `json:"revision,omitempty"`
	Status             string    `json:"status"` // Helm's word; preflight or audit for those commands; synced or not synced where Argo CD keeps no record
	Updated            string    `json:"updated,omitempty"`
	Chart              ChartRef  `json:"chart"`
	Reproduction       string    `json:"reproduction"` // exact, noise, mismatch or impossible; none if there is no record
	ReproductionReason string    `json:"reproductionReason,omitempty"`
	Values             []Value   `json:"values"`
	Findings           []Finding `json:"findings"`
}
