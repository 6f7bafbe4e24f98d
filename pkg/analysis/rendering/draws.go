package rendering

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// draws stands in for chance: what random functions give in a World. Two renderings that call them alike differ by
// nothing but what was changed on purpose (common random numbers), and a certificate costs no time.
//
// What is drawn has the right shape and says nothing else: keys and certificates are no real ones. It depends on the
// file, the function, its arguments and how often the file has called it so, and on the seed.
type draws struct {
	seed string

	mu  sync.Mutex
	got map[string][]reflect.Value // of functions that have no stand-in: called once, remembered
}

func newDraws(seed string) *draws { return &draws{seed: seed, got: map[string][]reflect.Value{}} }

// stream gives bytes without end for one draw.
type stream struct {
	key   string
	block int
	left  []byte
}

func (s *stream) next() byte {
	if len(s.left) == 0 {
		sum := sha256.Sum256([]byte(fmt.Sprintf("%s\x00%d", s.key, s.block)))
		s.block++
		s.left = sum[:]
	}
	b := s.left[0]
	s.left = s.left[1:]
	return b
}

func (s *stream) text(n int, from string) string {
	var b strings.Builder
	for range n {
		b.WriteByte(from[int(s.next())%len(from)])
	}
	return b.String()
}

func (s *stream) bytes(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = s.next()
	}
	return out
}

// pem is a block of the size of a 2048 bit key or its certificate.
func (s *stream) pem(kind string, size int) string {
	text := base64.StdEncoding.EncodeToString(s.bytes(size))
	var b strings.Builder
	b.WriteString("-----BEGIN " + kind + "-----\n")
	for line := range slices.Chunk([]byte(text), 64) {
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteString("-----END " + kind + "-----\n")
	return b.String()
}

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

// standIn gives the result of a random function, or false for one that has to be called.
func standIn(name string, result reflect.Type, args []reflect.Value, key string) (reflect.Value, bool) {
	s := &stream{key: key}
	count := func() int {
		if len(args) == 1 && args[0].CanInt() {
			return max(0, min(int(args[0].Int()), maxOutput))
		}
		return 0
	}
	var v any
	switch name {
	case "randAlpha":
		v = s.text(count(), letters)
	case "randAlphaNum":
		v = s.text(count(), letters+digits)
	case "randNumeric":
		v = s.text(count(), digits)
	case "randAscii":
		v = s.text(count(), letters+digits+"!#$%&()*+,-./:;<=>?@[]^_{|}~")
	case "uuidv4":
		b := s.bytes(16)
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		v = fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	case "randInt":
		if len(args) != 2 || !args[0].CanInt() || args[1].Int() <= args[0].Int() {
			return reflect.Value{}, false
		}
		low, high := args[0].Int(), args[1].Int()
		v = int(low + int64(binary.BigEndian.Uint32(s.bytes(4)))%(high-low))
	case "genPrivateKey":
		v = s.pem("RSA PRIVATE KEY", 1190)
	case "htpasswd":
		v = fmt.Sprint(args[0].Interface()) + ":$2a$10$" + s.text(53, letters+digits)
	case "bcrypt":
		v = "$2a$10$" + s.text(53, letters+digits)
	case "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey":
		c := reflect.New(result).Elem()
		if result.Kind() != reflect.Struct || !c.FieldByName("Cert").IsValid() || !c.FieldByName("Key").IsValid() {
			return reflect.Value{}, false
		}
		c.FieldByName("Cert").SetString(s.pem("CERTIFICATE", 780))
		c.FieldByName("Key").SetString(s.pem("RSA PRIVATE KEY", 1190))
		return c, true
	default:
		return reflect.Value{}, false
	}
	r := reflect.ValueOf(v)
	if !r.Type().AssignableTo(result) {
		return reflect.Value{}, false
	}
	return r, true
}

// drawing wraps a random function. onlyOrder is for one whose result is in the order of a Go map.
func (w *worker) drawing(name string, fn any, onlyOrder bool) any {
	call := reflect.ValueOf(fn)
	variadic := call.Type().IsVariadic()
	return reflect.MakeFunc(call.Type(), func(args []reflect.Value) []reflect.Value {
		invoke := func() []reflect.Value {
			if variadic {
				return call.CallSlice(args)
			}
			return call.Call(args)
		}
		if w.draws == nil {
			return invoke()
		}
		if onlyOrder {
			out := invoke()
			sortStrings(out[0], w.draws.seed != "")
			w.drawn = append(w.drawn, name)
			return out
		}
		key := w.file + "\x00" + name
		for _, a := range args {
			key += fmt.Sprintf("\x00%v", a.Interface())
		}
		n := w.ordinals[key]
		w.ordinals[key] = n + 1
		key = fmt.Sprintf("%s\x00%d", key, n)
		w.drawn = append(w.drawn, key)
		if v, ok := standIn(name, call.Type().Out(0), args, w.draws.seed+key); ok {
			out := []reflect.Value{v}
			for i := 1; i < call.Type().NumOut(); i++ {
				out = append(out, reflect.Zero(call.Type().Out(i)))
			}
			return out
		}
		return w.draws.remember(key, invoke)
	}).Interface()
}

func (d *draws) remember(key string, invoke func() []reflect.Value) []reflect.Value {
	d.mu.Lock()
	defer d.mu.Unlock()
	out, found := d.got[key]
	if !found {
		out = invoke()
		if t, isTime := out[0].Interface().(time.Time); isTime && d.seed != "" {
			out = append([]reflect.Value{reflect.ValueOf(t.Add(25 * time.Hour))}, out[1:]...)
		}
		d.got[key] = out
	}
	return slices.Clone(out)
}
