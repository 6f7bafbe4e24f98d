package snapshot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// stretch is how often the salt is hashed: some 10 ms once for us, the same for every guess of a stranger.
const stretch = 1 << 16

// salt is made of all the secrets together: no clock and no chance, the same snapshot gives the same bytes, and
// who guesses one secret must know all the others to see whether the guess was right.
func salt(secrets []string) []byte {
	slices.Sort(secrets)
	h := sha256.New()
	for _, s := range secrets {
		h.Write([]byte(strconv.Itoa(len(s)) + ":" + s))
	}
	sum := h.Sum(nil)
	for range stretch {
		next := sha256.Sum256(sum)
		sum = next[:]
	}
	return sum
}

// token replaces a secret by text of the same length and shape: a digit by a digit, a letter by a letter of the
// same case, everything else stays. So what was a number, an address, several lines or safe without quotes in YAML
// stays so, and a chart that renders the token takes the same branches.
func token(salt []byte, secret string) string {
	lettersToo := !isNumber(secret) // else 1e6 would become 4x2
	out := []byte(secret)
	var noise []byte
	armour := false // a line like -----BEGIN PRIVATE KEY----- stays
	for i, c := range out {
		if i%sha256.Size == 0 {
			mac := hmac.New(sha256.New, salt)
			mac.Write([]byte(strconv.Itoa(i) + ":" + secret))
			noise = mac.Sum(nil)
		}
		if i == 0 || out[i-1] == '\n' {
			armour = strings.HasPrefix(secret[i:], "-----")
		}
		n := noise[i%sha256.Size]
		switch {
		case armour:
		case c >= '1' && c <= '9': // 0 stays: a leading one makes a number octal
			out[i] = '1' + n%9
		case lettersToo && c >= 'a' && c <= 'z':
			out[i] = 'a' + n%26
		case lettersToo && c >= 'A' && c <= 'Z':
			out[i] = 'A' + n%26
		}
	}
	return string(out)
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	if err != nil {
		_, err = strconv.ParseInt(s, 0, 64)
	}
	return err == nil
}

// replacer replaces secrets in any text, in all the forms that templates give them.
type replacer struct {
	pairs map[string]string
	ready *strings.Replacer
}

// add makes every form of the secret become the same form of its token.
func (r *replacer) add(secret, token string) {
	if r.pairs == nil {
		r.pairs = map[string]string{}
	}
	for _, form := range forms {
		if from, to := form(secret), form(token); from != to {
			r.pairs[from] = to
		}
	}
	// A text of several lines is indented in a manifest.
	from, to := strings.Split(secret, "\n"), strings.Split(token, "\n")
	for i := range from {
		if len(from) > 1 && len(from[i]) >= shortest && from[i] != to[i] {
			r.pairs[from[i]] = to[i]
		}
	}
}

var forms = []func(string) string{
	func(s string) string { return s },
	encode,
	func(s string) string { return unquoted(strconv.Quote(s)) },
	func(s string) string { b, _ := json.Marshal(s); return unquoted(string(b)) },
	func(s string) string { return strings.ReplaceAll(s, "'", "''") },
	url.QueryEscape,
}

func unquoted(s string) string { return s[1 : len(s)-1] }

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// in replaces in one text. Longer secrets go first, so that one that holds another is replaced whole.
func (r *replacer) in(text string) string {
	if r.ready == nil {
		froms := make([]string, 0, len(r.pairs))
		for from := range r.pairs {
			froms = append(froms, from)
		}
		slices.SortFunc(froms, func(a, b string) int {
			if len(a) != len(b) {
				return len(b) - len(a)
			}
			return strings.Compare(a, b)
		})
		list := make([]string, 0, 2*len(froms))
		for _, from := range froms {
			list = append(list, from, r.pairs[from])
		}
		r.ready = strings.NewReplacer(list...)
	}
	return r.ready.Replace(text)
}
