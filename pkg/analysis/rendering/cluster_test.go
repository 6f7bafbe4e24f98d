package rendering

import "testing"

func TestVersionWhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		constraint string
		want       bool
		now        string
		version    string
	}{
		{">=1.21-0", false, "v1.33.0", "v1.20.0"},
		{">=1.21-0", true, "v1.18.4", "v1.21.0"},
		{"<1.25-0", true, "v1.33.0", "v1.24.0"},
		{"~1.20-0", true, "v1.33.0", "v1.20.0"},
		{">= 1.19.0 < 1.22.0", true, "v1.33.0", "v1.21.0"},
		{">= 1.19.0 < 1.22.0", true, "v1.10.0", "v1.19.0"},
		{">=1.0", false, "v1.33.0", ""}, // there is no such Kubernetes
		{"no version at all", true, "v1.33.0", ""},
		{"", true, "v1.33.0", ""},
	} {
		got, found := VersionWhere(c.constraint, c.want, c.now)
		if found != (c.version != "") || found && got != c.version {
			t.Errorf("%q, %t, near %s: %q, found %t, want %q", c.constraint, c.want, c.now, got, found, c.version)
		}
	}
}
