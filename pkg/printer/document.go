package printer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

// APIVersion is the version of the document that JSON and YAML write. Within it fields may be added, never renamed or
// removed.
const APIVersion = "kgw-doctor/v1"

// DocumentOptions says how the machine-readable report is written.
type DocumentOptions struct {
	ShowSecrets bool // secret-like values are written as they are
}

type document struct {
	APIVersion string               `json:"apiVersion"`
	Kind       string               `json:"kind"`
	Releases   []documentRelease    `json:"releases"`
	Incomplete []finding.Incomplete `json:"incomplete"`
	Summary    Summary              `json:"summary"`
}

type documentRelease struct {
	finding.Release
	Values   []finding.Value   `json:"values"`
	Findings []documentFinding `json:"findings"`
}

type documentFinding struct {
	fix.Finding
	Fixes         []fix.Verified `json:"fixes"`
	Documentation string         `json:"documentation"`
}

// JSON writes the report as one document, with a newline at its end.
func JSON(w io.Writer, r fix.Report, o DocumentOptions) error {
	text, err := marshal(r, o)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// YAML writes the same document as JSON does.
func YAML(w io.Writer, r fix.Report, o DocumentOptions) error {
	text, err := marshal(r, o)
	if err != nil {
		return err
	}
	text, err = toYAML(text)
	if err != nil {
		return fmt.Errorf("write the report as YAML: %w", err)
	}
	_, err = w.Write(text)
	return err
}

// toYAML turns a JSON text into YAML, fields in the order of their names.
func toYAML(text []byte) ([]byte, error) {
	return yaml.JSONToYAML(rewriteStrings(text, visible))
}

func marshal(r fix.Report, o DocumentOptions) ([]byte, error) {
	var m mask
	if !o.ShowSecrets {
		m = newMask(r)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(newDocument(r, m)); err != nil {
		return nil, fmt.Errorf("write the report as JSON: %w", err)
	}
	return rewriteStrings(b.Bytes(), m.text), nil
}

func newDocument(r fix.Report, m mask) document {
	d := document{
		APIVersion: APIVersion,
		Kind:       "Report",
		Releases:   []documentRelease{},
		Incomplete: filled(r.Incomplete),
		Summary:    Summarize(r),
	}
	for _, release := range r.Releases {
		out := documentRelease{Release: release.Release, Values: []finding.Value{}, Findings: []documentFinding{}}
		for _, v := range release.Values {
			v.Trace = m.trace(v)
			v.Value = m.value(v.Value, valueKeys(v.Path))
			v.Winners, v.Gates = filled(v.Winners), filled(v.Gates)
			v.Reaches, v.Misses = filled(v.Reaches), filled(v.Misses)
			out.Values = append(out.Values, v)
		}
		for _, f := range release.Findings {
			f.Expected, f.Actual = m.value(f.Expected, findingKeys(f)...), m.value(f.Actual, findingKeys(f)...)
			out.Findings = append(out.Findings, documentFinding{
				Finding:       f,
				Fixes:         filled(f.Fixes),
				Documentation: "docs/checks/" + f.Code + ".md",
			})
		}
		d.Releases = append(d.Releases, out)
	}
	return d
}

// filled turns no list into an empty list: consumers of the contract may iterate without asking.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
