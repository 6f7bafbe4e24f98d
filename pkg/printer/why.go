package printer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/fix"
)

// Why is the answer to the question what decides one field.
type Why struct {
	Object     finding.Object       `json:"object"`
	Field      string               `json:"field"`
	Release    string               `json:"release,omitempty"` // namespace/name
	Revision   int                  `json:"revision,omitempty"`
	Note       string               `json:"note,omitempty"`     // said of a field that no value decides, or that is in no release
	Chain      []Link               `json:"chain"`              // in the order in which the template asks; conditions come last
	Written    string               `json:"template,omitempty"` // where the template writes the field
	Rendered   any                  `json:"rendered"`
	Live       any                  `json:"live"`
	Pods       []PodValue           `json:"pods"`
	Writers    []Writer             `json:"writers"` // the newest first
	Incomplete []finding.Incomplete `json:"incomplete"`

	Gateway string `json:"gateway,omitempty"` // namespace/name, of a proxy: rendered is then what its sources say
	Class   string `json:"gatewayClass,omitempty"`
	Setting string `json:"setting,omitempty"` // where parameters can say the field
}

// Link is one value that the template asks or, of a proxy, one source of the field.
type Link struct {
	Path     string `json:"path"` // --set syntax; of a proxy also a field of Object, or a variable of its environment
	Value    any    `json:"value"`
	Origin   string `json:"origin,omitempty"`   // given in revision 3; preset by the chart (values.yaml:59)
	Template string `json:"template,omitempty"` // where it is asked
	Decides  bool   `json:"decides"`

	Role  string   `json:"role,omitempty"`  // value: it stands in the field; condition: it switches something that changes it
	After string   `json:"after,omitempty"` // it is asked if this one is empty
	Stack []string `json:"stack,omitempty"` // the calls that lead to the template line, outermost first

	Source string          `json:"source,omitempty"` // of a proxy: overlay, parameters, gateway, environment, value or built-in
	Object *finding.Object `json:"object,omitempty"` // the object that says it, to be edited
	By     string          `json:"by,omitempty"`     // who refers to the object
	Field  string          `json:"field,omitempty"`  // that it is about, where the answer is about several
}

// condition is the Role of a link that is not asked for the value.
const condition = "condition"

// PodValue is a value of the field, and in how many Pods it stands.
type PodValue struct {
	Value any `json:"value"`
	Pods  int `json:"pods"`
}

// Writer is a field manager that owns the field.
type Writer struct {
	Manager   string `json:"manager"`
	Operation string `json:"operation,omitempty"`
	Time      string `json:"time,omitempty"` // RFC 3339
}

// WhyText writes the answer for a person.
func WhyText(w io.Writer, y Why, o TextOptions) error {
	p := newPage(fix.Report{}, o)
	if !o.ShowSecrets {
		p.m = whyMask(y)
	}
	p.line(p.clean(y.Object.String() + "  " + y.Field))
	p.blank()
	p.chain(y.Chain)
	switch {
	case y.Note != "":
		p.labelled(labelWidth+1, "note", p.clean(y.Note))
	case len(y.Chain) == 0:
		p.labelled(labelWidth+1, "asks", "no value decides it: the template has it fixed, or the chart does not render it")
	}
	if y.Written != "" {
		p.labelled(labelWidth+1, "template", p.clean(y.Written))
	}
	keys := objectKeys(y.Object.Kind, y.Field)
	label := "rendered"
	if y.Gateway != "" {
		p.labelled(labelWidth+1, "gateway", p.clean(y.Gateway+", of class "+y.Class))
		label = "sources"
	}
	p.labelled(labelWidth+1, label, p.value(y.Rendered, keys))
	p.labelled(labelWidth+1, "live", p.value(y.Live, keys))
	label = "pods"
	for _, v := range y.Pods {
		p.labelled(labelWidth+1, label, fmt.Sprintf("%s   in %s", p.value(v.Value, keys), count(v.Pods, "pod", "pods")))
		label = ""
	}
	label = "written"
	for _, writer := range y.Writers {
		text := "by " + writer.Manager
		if writer.Operation != "" {
			text += " (" + writer.Operation + ")"
		}
		if writer.Time != "" {
			text += " at " + writer.Time
		}
		p.labelled(labelWidth+1, label, p.clean(text))
		label = ""
	}
	if len(y.Incomplete) > 0 {
		p.blank()
		p.line("Not read or decided:")
		for _, i := range y.Incomplete {
			p.incomplete(i)
		}
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// chain writes who is asked, one after the other, and then what else would change the field.
func (p *page) chain(links []Link) {
	above := ""
	for i, link := range links {
		label := fmt.Sprintf("asks %d", i+1)
		text := p.value(link.Value, valueKeys(link.Path))
		if link.Path != "" {
			text = link.Path + "=" + text
		}
		if link.Role == condition {
			label = "if"
			if above == label {
				label = ""
			}
			above = "if"
		} else if link.Decides {
			text += "   decides"
		}
		p.labelled(labelWidth+1, label, p.clean(text))
		after := ""
		if link.After != "" {
			after = "if " + link.After + " is empty"
		}
		if link.Field != "" {
			p.nested(4, labelWidth+1, "", p.clean("for "+link.Field))
		}
		if where := join(said(link), link.Origin, link.Template, after); where != "" {
			p.nested(4, labelWidth+1, "", p.clean(where))
		}
		if len(link.Stack) > 0 {
			p.nested(4, labelWidth+1, "", p.clean("called from "+strings.Join(link.Stack, ", then ")))
		}
	}
}

// said names the object that says it, and who refers to that.
func said(link Link) string {
	if link.Object == nil {
		return ""
	}
	text := link.Object.String() + " in " + link.Object.Namespace
	if link.By != "" {
		text += ", of " + link.By
	}
	return text
}

func join(parts ...string) string {
	var given []string
	for _, part := range parts {
		if part != "" {
			given = append(given, part)
		}
	}
	return strings.Join(given, "; ")
}

// WhyJSON writes the answer as one document of kind Why.
func WhyJSON(w io.Writer, y Why, o DocumentOptions) error {
	text, err := marshalWhy(y, o)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// WhyYAML writes the same document as WhyJSON does.
func WhyYAML(w io.Writer, y Why, o DocumentOptions) error {
	text, err := marshalWhy(y, o)
	if err != nil {
		return err
	}
	if text, err = toYAML(text); err != nil {
		return fmt.Errorf("write the answer as YAML: %w", err)
	}
	_, err = w.Write(text)
	return err
}

func marshalWhy(y Why, o DocumentOptions) ([]byte, error) {
	var m mask
	if !o.ShowSecrets {
		m = whyMask(y)
	}
	keys := objectKeys(y.Object.Kind, y.Field)
	chain := []Link{}
	for _, link := range y.Chain {
		link.Value = m.value(link.Value, valueKeys(link.Path))
		chain = append(chain, link)
	}
	pods := []PodValue{}
	for _, v := range y.Pods {
		v.Value = m.value(v.Value, keys)
		pods = append(pods, v)
	}
	y.Chain, y.Pods = chain, pods
	y.Rendered, y.Live = m.value(y.Rendered, keys), m.value(y.Live, keys)
	y.Writers, y.Incomplete = filled(y.Writers), filled(y.Incomplete)

	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Why
	}{APIVersion, "Why", y})
	if err != nil {
		return nil, fmt.Errorf("write the answer as JSON: %w", err)
	}
	return rewriteStrings(b.Bytes(), m.text), nil
}

func whyMask(y Why) mask {
	var secrets secrets
	for _, link := range y.Chain {
		secrets.add(link.Value, valueKeys(link.Path))
	}
	keys := objectKeys(y.Object.Kind, y.Field)
	secrets.add(y.Rendered, keys)
	secrets.add(y.Live, keys)
	for _, v := range y.Pods {
		secrets.add(v.Value, keys)
	}
	return secrets.mask()
}
