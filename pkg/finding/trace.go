package finding

// Trace is the way of one value, from what was given to what the Pods run.
type Trace struct {
	Supplied any          `json:"supplied"` // null if it is not given
	Default  any          `json:"default"`  // the chart's own; null if it has none
	Computed any          `json:"computed"` // what the templates see
	Given    bool         `json:"given"`
	Preset   bool         `json:"preset"`          // the chart has a default
	Stack    []string     `json:"stack,omitempty"` // the calls that lead to where the value is read, outermost first
	Fields   []TraceField `json:"fields"`          // those that it reaches, then those that it loses
}

// TraceField is one field on the way, with what stands there at each step.
type TraceField struct {
	Field
	Reached  bool       `json:"reached"`
	Template string     `json:"template,omitempty"` // chart/templates/file.yaml:line
	Stack    []string   `json:"stack,omitempty"`    // the calls that lead there, outermost first
	Rendered any        `json:"rendered"`           // null if it is not rendered
	Live     any        `json:"live,omitempty"`     // absent without a cluster, and if the object does not have it
	Pods     []PodValue `json:"pods,omitempty"`     // of a workload's template: the values in its Pods
}

// PodValue is a value of a field, and in how many Pods it stands.
type PodValue struct {
	Value any `json:"value"`
	Pods  int `json:"pods"`
}
