package kgateway

import (
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
)

// Every row can be used: its range is one, and its source is told.
func TestTables(t *testing.T) {
	t.Parallel()
	for _, x := range facts {
		if _, err := semver.NewConstraint(x.Versions); err != nil || x.Source == "" || x.Because == "" || x.Path == "" || x.Right == "" {
			t.Errorf("%+v: %v", x, err)
		}
	}
	for _, x := range moved {
		if _, err := semver.NewConstraint(x.Versions); err != nil || x.Source == "" || x.Where == "" {
			t.Errorf("%+v: %v", x, err)
		}
	}
	for _, v := range environment {
		if !IsSetting(v.name) || !slices.Contains(lines[v.name[:4]], v.first) || !slices.Contains(lines[v.name[:4]], v.last) || v.first > v.last {
			t.Errorf("%+v", v)
		}
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chart, version, name string
		read                 bool
	}{
		{"kgateway", "v2.0.0", "KGW_XDS_TLS", false},
		{"kgateway", "2.1.2", "KGW_XDS_TLS", true},
		{"kgateway", "v2.1.0+build", "KGW_XDS_TLS", true},
		{"kgateway", "v2.4.0", "KGW_ENABLE_AGENTGATEWAY", false},
		{"agentgateway", "v2.2.1", "KGW_ENABLE_AGENTGATEWAY", true},
		{"agentgateway", "v1.0.0", "AGW_XDS_TLS", true},
		{"agentgateway", "v1.2.0", "AGW_XDS_TLS", false},
	} {
		if got := slices.Contains(Variables(c.chart, c.version), c.name); got != c.read {
			t.Errorf("%s %s reads %s: %v", c.chart, c.version, c.name, got)
		}
	}
	for _, version := range []string{"", "latest", "v2.3.0-beta.1", "v2.5.0", "v1.0.0"} {
		if got := Variables("kgateway", version); got != nil {
			t.Errorf("%q is not known, and reads %s", version, strings.Join(got, " "))
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	read := Variables("kgateway", "v2.4.0")
	for name, want := range map[string]string{
		"KGW_ENABLE_GATEWAY_API_EXPERIMENTAL_FEATURES": "KGW_ENABLE_EXPERIMENTAL_GATEWAY_API_FEATURES",
		"KGW_DISCOVERY_NAMESPACES_SELECTOR":            "KGW_DISCOVERY_NAMESPACE_SELECTORS",
		"AGW_XDS_AUTH":                                 "KGW_XDS_AUTH",
		"KGW_XDS_TLS_ENABLED":                          "KGW_XDS_TLS",
		"KGW_SOMETHING_ELSE":                           "",
		"KGW_ENABLE":                                   "",
	} {
		if got := Nearest(name, read); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
