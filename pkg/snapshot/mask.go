package snapshot

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Masked is what a person sees in the place of a secret-like value.
const Masked = "***"

// Mask gives what to show in the place of a secret-like value. Its length tells nothing; empty stays empty, since
// "nothing is set" is no secret and often the point.
func Mask(value string) string {
	if value == "" {
		return ""
	}
	return Masked
}

// SecretLike says whether the value at a path is to be masked. The path holds the keys from the root; list items
// may be an index ("0") or, better, their name, so that env[DB_PASSWORD].value is seen for what it is.
//
// Only texts are ever masked: a boolean or number decides things and hides nothing. The name decides (password,
// apiKey, tls.key …), unless it says that it only speaks of a secret (secretName, existingSecret, tokenAudience);
// private keys, signed tokens and addresses with a password in them are secret-like under any name.
func SecretLike(path []string, value any) bool {
	text, ok := value.(string)
	if !ok || text == "" {
		return false
	}
	if secretText.MatchString(text) {
		return true
	}
	names := slices.DeleteFunc(slices.Clone(path), isIndex)
	if n := len(names); n > 1 && strings.EqualFold(names[n-1], "value") {
		names = names[:n-1]
	}
	if len(names) == 0 {
		return false
	}
	own := words(names[len(names)-1])
	if speaksOfSecret(own) {
		return false
	}
	return isSecretName(own) || slices.ContainsFunc(names[:len(names)-1], isSecretTable)
}

// secretText is what is secret-like by itself: a PEM private key, a JSON web token, user:password@ in an address.
var secretText = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----|^eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.|://[^/\s:@]*:[^/\s@]+@`)

// secretWords make a name secret-like wherever they stand in it; secretPairs do when the two follow each other.
var (
	secretWords = []string{"password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "tokens",
		"apikey", "accesskey", "secretkey", "privatekey", "licensekey", "credential", "credentials", "htpasswd",
		"dockerconfigjson", "kubeconfig", "authorization", "dsn"}
	secretPairs = []string{"api key", "access key", "private key", "license key", "encryption key", "signing key",
		"key data", "cert data", "connection string", "tls key", "tls crt", "tls cert"}
	secretEnds = []string{"private", "cert", "certificate"} // only as the last word: privateRegistry is none
)

// neutralEnds end names that speak of a secret and hold none; neutralWords make them so wherever they stand.
var (
	neutralEnds = []string{"name", "names", "namespace", "ref", "refs", "selector", "path", "file", "dir", "mount", "type", "kind",
		"class", "mode", "policy", "ttl", "duration", "expiration", "seconds", "interval", "timeout", "issuer", "audience",
		"audiences", "url", "uri", "endpoint", "host", "port", "version", "reviewer", "provider", "algorithm", "format", "size",
		"enabled", "enable", "annotations", "labels", "key"}
	neutralWords = []string{"existing", "pull", "reviewer", "automount"}
	// secretTables hold secrets under keys of any name.
	secretTables = []string{"stringdata", "secretdata", "credentials", "secrets", "passwords", "tokens", "apikeys"}
)

func isIndex(name string) bool {
	_, err := strconv.ParseUint(name, 10, 32)
	return err == nil
}

func isSecretTable(name string) bool {
	return slices.Contains(secretTables, strings.ToLower(strings.Join(words(name), "")))
}

func speaksOfSecret(name []string) bool {
	if len(name) == 0 {
		return false
	}
	if slices.ContainsFunc(name, func(w string) bool { return slices.Contains(neutralWords, w) }) {
		return true
	}
	last := name[len(name)-1]
	if last == "key" { // secretKey and tls.key are keys; existingSecretKey, above, is the name of one
		return !isSecretName(name)
	}
	return slices.Contains(neutralEnds, last)
}

func isSecretName(name []string) bool {
	for i, w := range name {
		if slices.Contains(secretWords, w) {
			return true
		}
		if i > 0 && slices.Contains(secretPairs, name[i-1]+" "+w) {
			return true
		}
	}
	return len(name) > 0 && slices.Contains(secretEnds, name[len(name)-1])
}

// words takes a name apart: dbPassword, DB_PASSWORD, db-password and db.password are db and password.
func words(name string) []string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			b.WriteByte(' ')
			continue
		}
		afterLower := i > 0 && unicode.IsLower(runes[i-1])
		endsCapitals := i > 0 && unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(r) && (afterLower || endsCapitals) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(b.String())
}
