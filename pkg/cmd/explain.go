package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

const explainExample = `
  # what does the code mean, and what is to be done?
  {} explain KGW1001

  # all codes
  {} explain`

func (a *app) explain() *cobra.Command {
	return &cobra.Command{
		Use:     "explain [CODE]",
		Short:   "Show the documentation of a finding, offline",
		Long:    "Show the documentation of a finding by its code, or list all codes. Neither a cluster nor the network is asked.",
		Example: a.example(explainExample),
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var codes []string
			for _, d := range a.docs {
				codes = append(codes, d.Code+"\t"+d.Title)
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			o, err := a.toOutput(c)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return writeData(a.streams.Out, o.format, a.docs, listDocs)
			}
			doc, err := a.doc(args[0])
			if err != nil {
				return err
			}
			return writeData(a.streams.Out, o.format, doc, writeDoc)
		},
	}
}

// doc finds the documentation of a code, however it is written: KGW1001, kgw1001, 1001, or by its name.
func (a *app) doc(code string) (checkDoc, error) {
	for _, d := range a.docs {
		if strings.EqualFold(d.Code, code) || strings.EqualFold(d.Code, "KGW"+code) || strings.EqualFold(d.Name, code) {
			return d, nil
		}
	}
	return checkDoc{}, fmt.Errorf("there is no code %q\n`%s explain` lists all codes", code, a.called)
}

func listDocs(w io.Writer, docs []checkDoc) error {
	for _, d := range docs {
		if _, err := fmt.Fprintf(w, "%s  %-7s  %s\n", d.Code, d.Severity, d.Title); err != nil {
			return err
		}
	}
	return nil
}

func writeDoc(w io.Writer, d checkDoc) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s (%s)\n\n%s\n", d.Code, d.Title, d.Severity, strings.TrimSpace(d.Text))
	for _, part := range []struct{ title, text string }{{"Before", d.Before}, {"After", d.After}} {
		if part.text != "" {
			fmt.Fprintf(&b, "\n%s:\n\n    %s\n", part.title, strings.ReplaceAll(strings.TrimSpace(part.text), "\n", "\n    "))
		}
	}
	if d.Since != "" {
		fmt.Fprintf(&b, "\nSince %s.\n", d.Since)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeData writes data as JSON or YAML, or by a function as text.
func writeData[T any](w io.Writer, format string, data T, text func(io.Writer, T) error) error {
	var out []byte
	var err error
	switch format {
	case "json":
		out, err = json.MarshalIndent(data, "", "  ")
		out = append(out, '\n')
	case "yaml":
		out, err = yaml.Marshal(data)
	default:
		return text(w, data)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}
