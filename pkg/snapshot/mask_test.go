package snapshot

import (
	"strings"
	"testing"
)

func TestSecretLikeGoesByTheNameAndTheText(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"db.password": true, "dbPassword": true, "DB_PASSWORD": true, "db-passwd": true, "auth.token": true, "apiKey": true,
		"api_key": true, "APIKey": true, "APIKEY": true, "tls.key": true, "tls.crt": true, "privateKey": true, "ca.cert": true,
		"controller/env/DB_PASSWORD/value": true, "env/0/GITHUB_TOKEN/value": true, "license.secretKey": true,
		"credentials/github": true, "stringData/anything": true, "credentials": true, "key.data": true,

		"image.tag": false, "imagePullSecrets/0": false, "imagePullSecrets/0/name": false, "secretName": false, "existingSecret": false,
		"existingSecretKey": false, "valueFrom/secretKeyRef/name": false, "valueFrom/secretKeyRef/key": false,
		"tokenReviewer": false, "tokenAudience": false, "passwordFile": false, "keyword": false, "tokenizer": false,
		"privateRegistry": false, "tls.mode": false, "certificateIssuer": false, "credentials/secretName": false, "value": false,
	} {
		steps := strings.Split(path, "/")
		if len(steps) == 1 {
			steps = strings.Split(path, ".")
			if path == "tls.key" || path == "tls.crt" || path == "key.data" {
				steps = []string{path}
			}
		}
		if got := SecretLike(steps, "text"); got != want {
			t.Errorf("SecretLike(%q) = %v, want %v", steps, got, want)
		}
	}
	for _, v := range []any{true, false, 3, 4.5, nil, "", map[string]any{}, []any{"x"}} {
		if SecretLike([]string{"password"}, v) {
			t.Errorf("%#v was masked: only texts hide anything", v)
		}
	}
	for _, text := range []string{"-----BEGIN RSA PRIVATE KEY-----\nMIIE", "https://me:geheim1@host/x"} {
		if !SecretLike([]string{"anything"}, text) {
			t.Errorf("%q was not masked", text)
		}
	}
	if SecretLike([]string{"address"}, "https://host:8443/a@b") {
		t.Error("an address with a port holds no password")
	}
}
