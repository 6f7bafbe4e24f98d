package cmd

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// valueFlags are helm's value flags, merged by Helm's own parser and in Helm's order.
//
// helm.sh/helm/v3/pkg/cli/values does the same, but through its getters it brings the registry client and kubectl's
// commands: 190 packages and some 12 ms at every start, for value files from a URL. Those are refused, with a way out.
type valueFlags struct {
	files, set, setString, setFile, setJSON, setLiteral []string
}

func (f *valueFlags) addTo(flags *pflag.FlagSet) {
	flags.StringSliceVarP(&f.files, "values", "f", nil, "values file (- is stdin); may be repeated")
	flags.StringArrayVar(&f.set, "set", nil, "value, as helm takes it: key1=val1,key2=val2; may be repeated")
	flags.StringArrayVar(&f.setString, "set-string", nil, "value that stays a string; may be repeated")
	flags.StringArrayVar(&f.setFile, "set-file", nil, "value that is read from a file: key=path; may be repeated")
	flags.StringArrayVar(&f.setJSON, "set-json", nil, "value written as JSON; may be repeated")
	flags.StringArrayVar(&f.setLiteral, "set-literal", nil, "value taken as it stands, commas and all; may be repeated")
}

// merge gives the values that helm would make of the flags. The order of the kinds is that of
// helm.sh/helm/v3@v3.22.0 pkg/cli/values/options.go, MergeValues.
func (f *valueFlags) merge(stdin io.Reader) (map[string]any, error) {
	merged := map[string]any{}
	for _, name := range f.files {
		text, err := readValues("-f", name, stdin)
		if err != nil {
			return nil, err
		}
		tree := map[string]any{}
		if err := yaml.Unmarshal(text, &tree); err != nil {
			return nil, valueError{flag: "-f " + name, err: err}
		}
		merged = mergeOver(merged, tree)
	}
	readFile := func(name []rune) (any, error) {
		text, err := readValues("--set-file", string(name), stdin)
		return string(text), err
	}
	for _, kind := range []struct {
		flag  string
		texts []string
		parse func(string, map[string]any) error
	}{
		{"--set-json", f.setJSON, strvals.ParseJSON},
		{"--set", f.set, strvals.ParseInto},
		{"--set-string", f.setString, strvals.ParseIntoString},
		{"--set-file", f.setFile, func(s string, into map[string]any) error { return strvals.ParseIntoFile(s, into, readFile) }},
		{"--set-literal", f.setLiteral, strvals.ParseLiteralInto},
	} {
		for _, text := range kind.texts {
			if err := kind.parse(text, merged); err != nil {
				return nil, valueError{flag: kind.flag + " " + text, err: err}
			}
		}
	}
	return merged, nil
}

func readValues(flag, name string, stdin io.Reader) ([]byte, error) {
	if strings.TrimSpace(name) == "-" {
		text, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("%s -: %w", flag, err)
		}
		return text, nil
	}
	if u, err := url.Parse(name); err == nil && len(u.Scheme) > 1 && u.Host != "" {
		return nil, valueError{
			flag: flag + " " + name,
			err:  fmt.Errorf("only files are read: download it first, for example with curl -fsSLO %s", name),
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return text, nil
}

// mergeOver puts b over a, tables merged, everything else replaced, as helm merges its value files.
func mergeOver(a, b map[string]any) map[string]any {
	out := make(map[string]any, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		table, isTable := v.(map[string]any)
		below, wasTable := out[k].(map[string]any)
		if isTable && wasTable {
			v = mergeOver(below, table)
		}
		out[k] = v
	}
	return out
}

// valueError says which value flag does not parse.
type valueError struct {
	flag string
	err  error
}

func (e valueError) Error() string { return e.flag + ": " + e.err.Error() }
func (e valueError) Unwrap() error { return e.err }
