package cluster

import (
	"slices"
	"strings"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

const keptManifest = "apiVersion: v1\nkind: Service\nmetadata:\n  name: kgateway\n  labels:\n    helm.toolkit.fluxcd.io/name: kgw\n    helm.toolkit.fluxcd.io/namespace: apps\n"

// kept is a cluster whose release Flux keeps, with values from a ConfigMap and a Secret.
func kept() *server {
	return &server{objects: map[string][]m{
		"secrets":    {record("sys", "kgw", 1, "deployed", "kgateway", keptManifest), object1("apps", "passwords", m{}), object1("apps", "other", m{})},
		"configmaps": {object1("apps", "defaults", m{})},
		"helmreleases": {{"metadata": m{"namespace": "apps", "name": "kgw"}, "spec": m{"valuesFrom": []any{
			m{"kind": "ConfigMap", "name": "defaults"}, m{"kind": "Secret", "name": "passwords"}, m{"kind": "Secret", "name": "passwords", "valuesKey": "k"},
			m{"kind": "ConfigMap", "name": "nowhere", "optional": true}}}}},
	}}
}

func TestTheObjectThatKeepsAReleaseIsReadWithWhatItRefersTo(t *testing.T) {
	t.Parallel()
	s := kept()
	snap, err := s.start(t).Snapshot(t.Context(), Target{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ConfigMap apps/defaults", "HelmRelease apps/kgw", "Secret apps/passwords", "Secret sys/sh.helm.release.v1.kgw.v1"}
	if got := names(snap); !slices.Equal(got, want) || len(snap.Header.Gaps) > 0 {
		t.Errorf("%q, gaps %+v", got, snap.Header.Gaps)
	}
	if n := s.count("/secrets/passwords"); n != 1 {
		t.Errorf("the Secret was read %d times", n)
	}
}

func TestAnOwnerThatMayNotBeReadIsAnOptionalGap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ forbidden, what, rule string }{
		{"get helmreleases apps", "HelmRelease apps/kgw", "resources: [helmreleases]"},
		{"get configmaps apps", "ConfigMap apps/defaults", "resources: [configmaps]"},
	} {
		s := kept()
		s.forbidden = []string{c.forbidden}
		snap, err := s.start(t).Snapshot(t.Context(), Target{})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(snap.Header.Gaps, func(g snapshot.Gap) bool { return g.What == c.what })
		if i < 0 || !snap.Header.Gaps[i].Optional || !strings.Contains(snap.Header.Gaps[i].Remedy, c.rule) {
			t.Errorf("%s: %+v", c.forbidden, snap.Header.Gaps)
		}
	}
}

func TestAReleaseThatHelmAloneKeepsCostsNoRequestMore(t *testing.T) {
	t.Parallel()
	s := installed()
	if _, err := s.start(t).Snapshot(t.Context(), Target{}); err != nil {
		t.Fatal(err)
	}
	if n := s.count("helmreleases") + s.count("applications"); n > 0 {
		t.Errorf("%d requests for objects of Flux and Argo CD", n)
	}
}

// applied is a release that Argo CD made: no record, an Application in an unusual namespace, a Deployment and what its
// status says beside it.
func applied() *server {
	d := deployment("sys", "kgateway", "", "kgateway-v2.0.0")
	meta := d["metadata"].(m)
	delete(meta, "annotations")
	meta["labels"].(m)["app.kubernetes.io/instance"] = "kgw"
	meta["annotations"] = m{"argocd.argoproj.io/tracking-id": "kgw:apps/Deployment:sys/kgateway"}
	return &server{objects: map[string][]m{
		"deployments": {d},
		"pods":        {object1("sys", "kgateway-1", m{"kgateway": "kgateway"})},
		"services":    {object1("sys", "kgateway", m{}), object1("sys", "other", m{})},
		"applications": {{"metadata": m{"namespace": "gitops", "name": "kgw"}, "spec": m{"source": m{"chart": "kgateway"}},
			"status": m{"resources": []any{
				m{"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "sys", "name": "kgateway"},
				m{"version": "v1", "kind": "Service", "namespace": "sys", "name": "kgateway"},
				m{"version": "v1", "kind": "Pod", "namespace": "sys", "name": "hook", "hook": true}}}}},
	}}
}

func TestAReleaseOfArgoCDIsReadByItsApplication(t *testing.T) {
	t.Parallel()
	snap, err := applied().start(t).Snapshot(t.Context(), Target{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Application gitops/kgw", "Deployment sys/kgateway", "Pod sys/kgateway-1", "Service sys/kgateway"}
	if got := names(snap); !slices.Equal(got, want) || len(snap.Header.Gaps) > 0 {
		t.Errorf("%q, gaps %+v", got, snap.Header.Gaps)
	}
}

func TestWithoutTheApplicationTheReleaseIsNotKnown(t *testing.T) {
	t.Parallel()
	s := applied()
	s.forbidden = []string{"get applications argocd"}
	snap, err := s.start(t).Snapshot(t.Context(), Target{})
	if err != nil {
		t.Fatal(err)
	}
	var fatal, optional []string
	for _, g := range snap.Header.Gaps {
		if g.Optional {
			optional = append(optional, g.What)
		} else {
			fatal = append(fatal, g.What)
		}
	}
	if !slices.Equal(fatal, []string{"release record of sys/kgw"}) || !slices.Equal(optional, []string{"Application argocd/kgw"}) {
		t.Errorf("fatal %q, optional %q", fatal, optional)
	}
}
