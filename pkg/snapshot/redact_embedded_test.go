package snapshot

import (
	"bytes"
	"strings"
	"testing"
)

// Values stand as text in what Flux and Argo CD read them from; passwords in them are masked like others.
func TestRedactFindsSecretsInTextsOfValues(t *testing.T) {
	t.Parallel()
	snap, err := Read(strings.NewReader(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  source:
    helm:
      values: "db: {password: hunter2text}\ntag: plain-tag\n"
      valuesObject: {db: {password: hunter2object}}
      parameters: [{name: db.password, value: hunter2param}, {name: image.tag, value: other-tag}]
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: ns}
spec: {values: {api: {token: hunter2inline}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: values, namespace: ns}
data: {values.yaml: "{db: {password: hunter2map}, level: debugging}", note: "level: high"}
`))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := snap.Redact().Write(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "hunter2") {
		t.Errorf("a secret is left:\n%s", b.String())
	}
	for _, stays := range []string{"plain-tag", "other-tag", "debugging", "level: high"} {
		if !strings.Contains(b.String(), stays) {
			t.Errorf("%q was masked:\n%s", stays, b.String())
		}
	}
}
