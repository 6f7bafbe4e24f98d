package rendering

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// Absent stands for a field, or a whole object, that is not there.
type Absent struct{}

// Change is one field that differs between two renderings. Field "" is the object itself, there or not.
type Change struct {
	finding.Field
	From, To any    // Absent{} where there is none
	File     string // the template that makes the object
}

// ID names the field, for maps.
func (c Change) ID() string { return FieldID(c.Field) }

// FieldID names a field of an object in one string.
func FieldID(f finding.Field) string {
	return f.Kind + "\x00" + f.Namespace + "\x00" + f.Name + "\x00" + f.Field
}

// Diff lists the fields that differ from a to b, sorted. Both must come from the same World. Files that are the same
// text are not looked into. Random functions give both the same for the same calls, so chance makes no difference;
// other arguments of one do.
func Diff(a, b *Outcome) []Change {
	if a == b || a.Err != nil || b.Err != nil {
		return nil
	}
	w := a.world
	var left, right []Object
	for _, f := range differing(a, b) {
		from, _ := a.Text(f)
		to, _ := b.Text(f)
		left = append(left, w.objects(f, from)...)
		right = append(right, w.objects(f, to)...)
	}
	return DiffObjects(left, right)
}

// Same says whether two outcomes of one World are the same text throughout, NOTES.txt aside.
func Same(a, b *Outcome) bool {
	return len(differing(a, b)) == 0
}

// NotesDiffer says whether the two print other notes to the user.
func NotesDiffer(a, b *Outcome) bool {
	for _, o := range []*Outcome{a, b} {
		for f := range o.changed {
			x, _ := a.Text(f)
			y, _ := b.Text(f)
			if Notes(f) && x != y {
				return true
			}
		}
	}
	return false
}

func differing(a, b *Outcome) []string {
	if a == b {
		return nil
	}
	var out []string
	look := func(f string) {
		x, had := a.Text(f)
		y, has := b.Text(f)
		if !Notes(f) && (x != y || had != has) && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	for _, o := range []*Outcome{a, b} {
		if o != o.world.base {
			for f := range o.changed {
				look(f)
			}
			for f := range o.gone {
				look(f)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Noise lists the fields (by FieldID) that differ between two renderings of the same values: random functions and
// certificates.
func (w *World) Noise() map[string]bool {
	w.mu.Lock()
	noise := w.noise
	w.mu.Unlock()
	if noise != nil {
		return noise
	}
	noise = map[string]bool{}
	var left, right []Object
	if anyDrawn(w.base.drawn) {
		again, _ := w.inOrder(w.program, w.computed, newDraws("other"))
		if again.Err == nil {
			for f, t := range again.changed {
				if was := w.base.changed[f]; was != t {
					left = append(left, w.objects(f, was)...)
					right = append(right, w.objects(f, t)...)
				}
			}
		}
		for _, c := range DiffObjects(left, right) {
			noise[c.ID()] = true
		}
	}
	w.mu.Lock()
	w.noise = noise
	w.mu.Unlock()
	return noise
}

// DrawsKeys says whether the chart makes keys or certificates: Helm's own engine takes seconds for them.
func (w *World) DrawsKeys() bool {
	for _, d := range w.base.drawn {
		if strings.Contains(d, "\x00gen") {
			return true
		}
	}
	return false
}

func anyDrawn(drawn map[string]string) bool {
	for _, d := range drawn {
		if d != "" {
			return true
		}
	}
	return false
}

// DiffObjects compares two sets of objects field by field. List items are matched by their merge key where all have
// one, else by position.
func DiffObjects(left, right []Object) []Change {
	a, b := byKey(left), byKey(right)
	moved := sameElsewhere(a, b)
	var out []Change
	for k, x := range a {
		to, found := k, false
		if _, found = b[k]; !found {
			to, found = moved[k]
		}
		d := differ{object: name(x.Object, k), file: x.File}
		if !found {
			out = append(out, Change{finding.Field{Object: d.object}, x.Content, Absent{}, x.File})
			continue
		}
		y := b[to]
		delete(b, to)
		if y.File != "" {
			d.file = y.File
		}
		if reflect.ValueOf(x.Content).Pointer() != reflect.ValueOf(y.Content).Pointer() {
			d.compare("", x.Content, y.Content)
		}
		out = append(out, d.out...)
	}
	for k, y := range b {
		out = append(out, Change{finding.Field{Object: name(y.Object, k)}, Absent{}, y.Content, y.File})
	}
	slices.SortFunc(out, func(x, y Change) int {
		return cmp.Or(strings.Compare(x.Kind, y.Kind), strings.Compare(x.Namespace, y.Namespace),
			strings.Compare(x.Name, y.Name), strings.Compare(x.Field.Field, y.Field.Field))
	})
	return out
}

// sameElsewhere pairs objects that only moved to another namespace: what changed is metadata.namespace.
func sameElsewhere(a, b map[key]Object) map[key]key {
	free := map[key][]key{}
	for k := range b {
		if _, both := a[k]; !both {
			nowhere := key{kind: k.kind, name: k.name, nth: k.nth}
			free[nowhere] = append(free[nowhere], k)
		}
	}
	gone := map[key][]key{}
	for k := range a {
		if _, both := b[k]; !both {
			nowhere := key{kind: k.kind, name: k.name, nth: k.nth}
			gone[nowhere] = append(gone[nowhere], k)
		}
	}
	out := map[key]key{}
	for nowhere, from := range gone {
		if to := free[nowhere]; len(from) == 1 && len(to) == 1 {
			out[from[0]] = to[0]
		}
	}
	return out
}

func name(o finding.Object, k key) finding.Object {
	if k.nth > 1 {
		o.Name += "#" + strconv.Itoa(k.nth)
	}
	return o
}

func byKey(objects []Object) map[key]Object {
	out := make(map[key]Object, len(objects))
	for _, o := range objects {
		k := key{o.Kind, o.Namespace, o.Name, 1}
		for {
			if _, taken := out[k]; !taken {
				break
			}
			k.nth++
		}
		out[k] = o
	}
	return out
}

type differ struct {
	object finding.Object
	file   string
	out    []Change
}

func (d *differ) add(path string, from, to any) {
	d.out = append(d.out, Change{finding.Field{Object: d.object, Field: path}, from, to, d.file})
}

func (d *differ) compare(path string, a, b any) {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			d.tables(path, x, y)
			return
		}
	case []any:
		if y, ok := b.([]any); ok {
			d.lists(path, x, y)
			return
		}
	}
	switch {
	case Equal(a, b):
	case a == nil && holdsFields(b):
		d.vanish(path, b, false)
	case b == nil && holdsFields(a):
		d.vanish(path, a, true)
	default:
		d.add(path, a, b)
	}
}

// holdsFields says of a table or list that it is not empty. A key without a value, or with null, is as good as absent.
func holdsFields(v any) bool {
	switch t := v.(type) {
	case map[string]any:
		return len(t) > 0
	case []any:
		return len(t) > 0
	}
	return false
}

func (d *differ) tables(path string, a, b map[string]any) {
	for k, x := range a {
		at := JoinField(path, k)
		if y, found := b[k]; found {
			d.compare(at, x, y)
		} else {
			d.vanish(at, x, true)
		}
	}
	for k, y := range b {
		if _, found := a[k]; !found {
			d.vanish(JoinField(path, k), y, false)
		}
	}
}

// vanish reports a field that only one side has: leaf by leaf, so that what a fix changes is listed in full.
func (d *differ) vanish(path string, v any, gone bool) {
	Leaves(path, v, func(at string, v any) {
		if gone {
			d.add(at, v, Absent{})
		} else {
			d.add(at, Absent{}, v)
		}
	})
}

func (d *differ) lists(path string, a, b []any) {
	if Equal(a, b) {
		return
	}
	x, y := itemNames(a), itemNames(b)
	if x == nil && len(a) > 0 || y == nil && len(b) > 0 {
		x, y = positions(len(a)), positions(len(b))
	}
	at := map[string]any{}
	for i, n := range y {
		at[n] = b[i]
	}
	had := map[string]bool{}
	for i, n := range x {
		had[n] = true
		p := path + "[" + n + "]"
		if v, found := at[n]; found {
			d.compare(p, a[i], v)
		} else {
			d.vanish(p, a[i], true)
		}
	}
	for i, n := range y {
		if !had[n] {
			d.vanish(path+"["+n+"]", b[i], false)
		}
	}
}

func positions(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strconv.Itoa(i)
	}
	return out
}

// mergeKeys are tried in this order. Source: the patchMergeKey and listMapKey markers of k8s.io/api; "name" serves
// containers, env, volumes, imagePullSecrets and most others.
var mergeKeys = []string{"name", "mountPath", "devicePath", "containerPort", "port", "ip", "type", "topologyKey", "key"}

// itemNames gives the merge keys' values of a list's items, unique; nil if some item has none. A name that comes
// twice gets #2: both entries are there, and the last one wins in a Pod's environment.
func itemNames(list []any) []string {
	if len(list) == 0 {
		return nil
	}
	for _, k := range mergeKeys {
		names := make([]string, 0, len(list))
		seen := map[string]int{}
		for _, it := range list {
			m, ok := it.(map[string]any)
			if !ok || m[k] == nil {
				break
			}
			switch m[k].(type) {
			case map[string]any, []any:
				return nil
			}
			n := text(m[k])
			if seen[n]++; seen[n] > 1 {
				n += "#" + strconv.Itoa(seen[n])
			}
			names = append(names, n)
		}
		if len(names) == len(list) && (k == "name" || len(seen) == len(list)) {
			return names
		}
	}
	return nil
}

// ItemNames names the items of a list as fields do: by merge key, else by position.
func ItemNames(list []any) []string {
	if n := itemNames(list); n != nil {
		return n
	}
	return positions(len(list))
}

// JoinField writes a field below path: .key, or ["key"] where the key is not a plain name.
func JoinField(path, key string) string {
	if strings.ContainsAny(key, ".[]\"/ ") || key == "" {
		return path + "[" + strconv.Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// Leaves visits the scalars, nulls and empty tables and lists below v, with their fields.
func Leaves(path string, v any, visit func(field string, v any)) {
	switch t := v.(type) {
	case map[string]any:
		for k, x := range t {
			Leaves(JoinField(path, k), x, visit)
		}
		if len(t) > 0 {
			return
		}
	case []any:
		for i, n := range ItemNames(t) {
			Leaves(path+"["+n+"]", t[i], visit)
		}
		if len(t) > 0 {
			return
		}
	}
	visit(path, v)
}

// Equal compares two trees of values. Numbers are equal if their values are, whatever their Go types.
func Equal(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		if reflect.ValueOf(x).Pointer() == reflect.ValueOf(y).Pointer() {
			return true
		}
		for k, v := range x {
			w, found := y[k]
			if !found || !Equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !Equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case string:
		y, ok := b.(string)
		return ok && x == y
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case nil:
		return b == nil
	}
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && (x == y || math.IsNaN(x) && math.IsNaN(y))
	}
	return reflect.DeepEqual(a, b)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	case int32:
		return float64(n), true
	case uint64:
		return float64(n), true
	}
	return 0, false
}

// Lookup finds a field of an object, as written by JoinField and ItemNames.
func Lookup(content map[string]any, field string) (any, bool) {
	if field == "" {
		return content, true
	}
	var at any = content
	for field != "" {
		key, item, rest, ok := step(field)
		if !ok {
			return nil, false
		}
		field = rest
		switch t := at.(type) {
		case map[string]any:
			v, found := t[key]
			if !found || item {
				return nil, false
			}
			at = v
		case []any:
			i := slices.Index(ItemNames(t), key)
			if i < 0 {
				return nil, false
			}
			at = t[i]
		default:
			return nil, false
		}
	}
	return at, true
}

// step takes the first step off a field: a key of a table, or the name of a list item. A name may itself hold brackets
// or dots; it ends at the ] before . or [ or the end.
func step(field string) (key string, item bool, rest string, ok bool) {
	switch {
	case strings.HasPrefix(field, `["`):
		q, err := strconv.QuotedPrefix(field[1:])
		if err != nil {
			return "", false, "", false
		}
		key, _ = strconv.Unquote(q) // QuotedPrefix has accepted it
		return key, false, strings.TrimPrefix(field[1+len(q):], "]"), true
	case field[0] == '[':
		end := closing(field)
		if end < 0 {
			return "", false, "", false
		}
		return field[1:end], true, field[end+1:], true
	}
	field = strings.TrimPrefix(field, ".")
	end := strings.IndexAny(field, ".[")
	if end < 0 {
		end = len(field)
	}
	return field[:end], false, field[end:], true
}

func closing(field string) int {
	for i := 1; i < len(field); i++ {
		if field[i] == ']' && (i+1 == len(field) || field[i+1] == '.' || field[i+1] == '[') {
			return i
		}
	}
	return -1
}

// Show writes a value on one line, as YAML flow would.
func Show(v any) string {
	switch t := v.(type) {
	case Absent:
		return "absent"
	case nil:
		return "null"
	case string:
		if t == "" {
			return `""`
		}
		return t
	case map[string]any, []any:
		return fmt.Sprintf("%v", toJSONText(t))
	}
	return fmt.Sprint(v)
}
