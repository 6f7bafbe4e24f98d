package printer

import "testing"

func TestAShortSecretWordIsNotHiddenInsideNames(t *testing.T) {
	t.Parallel()
	var s secrets
	s.add("admin", []string{"auth", "password"})
	s.add("s3cr3tValue", []string{"auth", "token"})
	m := s.mask()
	for text, want := range map[string]string{
		"grafana.adminUser is read":      "grafana.adminUser is read",
		"the password is admin, no more": "the password is ***, no more",
		"postgres://admin@db":            "postgres://***@db",
		"prefixs3cr3tValuesuffix":        "prefix***suffix",
	} {
		if got := m.text(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
