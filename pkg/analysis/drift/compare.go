package drift

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// unlike is one field in which two trees differ.
type unlike struct {
	field      string
	want, live any  // rendering.Absent{} where there is none
	unknown    bool // the kind has no such field
	defaulted  bool // nothing was asked for, and something is there: a default, or somebody's value
}

// comparer compares what is wanted with what is there. Only what is wanted is looked at: the API server adds the rest.
type comparer struct {
	out []unlike
}

// compare lists the fields in which live differs from want, both below path. Values are compared as the API server
// understands them: 1000m is 1, and an empty table is none.
func compare(path string, s schema, want, live any) []unlike {
	var c comparer
	c.value(path, s, want, live)
	return c.out
}

func (c *comparer) add(path string, want, live any) {
	c.out = append(c.out, unlike{field: path, want: want, live: live})
}

func (c *comparer) value(path string, s schema, want, live any) {
	if want == nil {
		return // null asks for nothing
	}
	absent := live == nil || live == any(rendering.Absent{})
	if s.typ != nil && scalar(s.typ) {
		c.leaf(path, s, want, live, absent)
		return
	}
	switch w := want.(type) {
	case map[string]any:
		l, isTable := live.(map[string]any)
		if isTable {
			c.tables(path, s, w, l)
			return
		}
		if absent {
			c.gone(path, s, w)
			return
		}
	case []any:
		l, isList := live.([]any)
		if isList || absent {
			c.lists(path, s, w, l)
			return
		}
	}
	c.leaf(path, s, want, live, absent)
}

func (c *comparer) leaf(path string, s schema, want, live any, absent bool) {
	switch {
	case absent:
		if !nothing(s, want) {
			c.add(path, want, rendering.Absent{})
		}
	case sameScalar(s, want, live):
	case nothing(s, want):
		c.out = append(c.out, unlike{field: path, want: want, live: live, defaulted: true})
	default:
		c.add(path, want, live)
	}
}

// nothing says whether a value is the same as none. False and 0 are, but where the type tells them apart from none.
func nothing(s schema, v any) bool {
	switch t := v.(type) {
	case nil:
		return true
	case string:
		return t == "" && !s.pointer
	case bool:
		return !t && !s.pointer
	case map[string]any:
		return len(t) == 0
	case []any:
		return len(t) == 0
	}
	return !s.pointer && s.typ != quantityType && rendering.Equal(v, 0)
}

func (c *comparer) tables(path string, s schema, want, live map[string]any) {
	for k, w := range want {
		at := rendering.JoinField(path, k)
		f, known := s.field(k)
		l, found := live[k]
		if !found {
			l = rendering.Absent{}
		}
		if !known && !found {
			if w != nil {
				c.out = append(c.out, unlike{field: at, want: w, live: l, unknown: true})
			}
			continue
		}
		c.value(at, f, w, l)
	}
}

// gone tells of a table that is not there: as one difference, unless only one of its fields matters, or the API server
// does not know some of them.
func (c *comparer) gone(path string, s schema, want map[string]any) {
	var inner comparer
	inner.tables(path, s, want, nil)
	unknown := slices.ContainsFunc(inner.out, func(u unlike) bool { return u.unknown })
	if len(inner.out) < 2 || unknown || path == "" {
		c.out = append(c.out, inner.out...)
		return
	}
	c.add(path, want, rendering.Absent{})
}

func (c *comparer) lists(path string, s schema, want, live []any) {
	if !holdsTables(want) && !holdsTables(live) {
		c.scalars(path, s, want, live)
		return
	}
	key := mergeKey(s.key, want, live)
	names := rendering.ItemNames(want)
	for i, w := range want {
		at := path + "[" + names[i] + "]"
		l := partner(key, want, live, i)
		if l == any(rendering.Absent{}) && w != nil {
			c.add(at, w, l)
			continue
		}
		c.value(at, s.item(), w, l)
	}
	if key == "" && len(live) > len(want) {
		c.add(path, want, live)
	}
}

// scalars compares lists without tables. They are replaced as a whole, so another length is told as one difference.
func (c *comparer) scalars(path string, s schema, want, live []any) {
	if s.set && sameSet(want, live) {
		return
	}
	if len(want) == 0 && len(live) > 0 {
		return // an empty list asks for nothing
	}
	if len(want) != len(live) {
		if live == nil {
			c.add(path, want, rendering.Absent{})
			return
		}
		c.add(path, want, live)
		return
	}
	for i := range want {
		if !sameScalar(s.item(), want[i], live[i]) {
			c.add(fmt.Sprintf("%s[%d]", path, i), want[i], live[i])
		}
	}
}

func sameSet(a, b []any) bool {
	return rendering.Equal(sorted(a), sorted(b))
}

func sorted(list []any) []any {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return out
}

func holdsTables(list []any) bool {
	return slices.ContainsFunc(list, func(v any) bool {
		switch v.(type) {
		case map[string]any, []any:
			return true
		}
		return false
	})
}

// keys are tried in this order where the type says none. Source: the patchMergeKey markers of k8s.io/api.
var keys = []string{"name", "mountPath", "devicePath", "containerPort", "port", "ip", "type", "topologyKey", "key"}

// mergeKey is the key by which the items of both lists can be told apart; "" means by position.
func mergeKey(typed string, lists ...[]any) string {
	for _, k := range append([]string{typed}, keys...) {
		if k != "" && !slices.ContainsFunc(lists, func(l []any) bool { return !keyed(l, k) }) {
			return k
		}
	}
	return ""
}

// keyed says whether every item has the key, each another value. Names may come twice, in a Pod's environment.
func keyed(list []any, key string) bool {
	seen := map[string]bool{}
	for _, it := range list {
		m, _ := it.(map[string]any)
		switch m[key].(type) {
		case nil, map[string]any, []any:
			return false
		}
		n := itemKey(m, key)
		if seen[n] && key != "name" {
			return false
		}
		seen[n] = true
	}
	return true
}

// itemKey is the value of an item's merge key. A port may come once for each protocol.
func itemKey(m map[string]any, key string) string {
	n := fmt.Sprint(m[key])
	if key == "containerPort" || key == "port" {
		protocol, _ := m["protocol"].(string)
		if protocol == "" {
			protocol = "TCP"
		}
		n += "/" + protocol
	}
	return n
}

// partner finds the live item that stands for want[i].
func partner(key string, want, live []any, i int) any {
	if key == "" {
		if i < len(live) {
			return live[i]
		}
		return rendering.Absent{}
	}
	w, _ := want[i].(map[string]any)
	name, nth := itemKey(w, key), 0
	for _, before := range want[:i] {
		if m, _ := before.(map[string]any); itemKey(m, key) == name {
			nth++
		}
	}
	for _, l := range live {
		if m, _ := l.(map[string]any); itemKey(m, key) == name {
			if nth == 0 {
				return l
			}
			nth--
		}
	}
	return rendering.Absent{}
}

// sameScalar compares two scalars as the type of the field has them.
func sameScalar(s schema, a, b any) bool {
	if rendering.Equal(a, b) {
		return true
	}
	x, y := fmt.Sprint(a), fmt.Sprint(b)
	switch s.typ {
	case nil:
		return false
	case quantityType:
		p, err := resource.ParseQuantity(x)
		q, err2 := resource.ParseQuantity(y)
		return err == nil && err2 == nil && p.Cmp(q) == 0
	case intOrString:
		return x == y
	case timeType, microTime:
		p, err := time.Parse(time.RFC3339, x)
		q, err2 := time.Parse(time.RFC3339, y)
		return err == nil && err2 == nil && p.Equal(q)
	case durationType:
		p, err := time.ParseDuration(x)
		q, err2 := time.ParseDuration(y)
		return err == nil && err2 == nil && p == q
	case bytesType:
		return sameBytes(x, y)
	}
	if s.typ.Kind() == reflect.String {
		return x == y
	}
	return false
}

// sameBytes compares two texts of base64, line breaks aside.
func sameBytes(a, b string) bool {
	clean := func(s string) string { return strings.Join(strings.Fields(s), "") }
	x, err := base64.StdEncoding.DecodeString(clean(a))
	y, err2 := base64.StdEncoding.DecodeString(clean(b))
	return err == nil && err2 == nil && string(x) == string(y)
}

// Same says whether two values of a field of a kind mean the same to the API server.
func Same(apiVersion, kind, field string, want, live any) bool {
	if want == any(rendering.Absent{}) {
		return live == nil || live == want
	}
	return len(compare(field, schemaOf(apiVersion, kind).at(field), want, live)) == 0
}
