package causality

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/chart"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

func TestOthersAreOfTheSameTypeAndNeverTheValueItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value    any
		literals []any
		first    any
		has      []any
	}{
		{true, nil, false, nil},
		{"ClusterIP", []any{"NodePort"}, probe, []any{"NodePort", ""}},
		{"8080", nil, "8081", []any{probe}},
		{float64(3), []any{int64(5)}, float64(10), []any{int64(5), int64(6), float64(0)}},
		{int64(3), nil, int64(10), nil},
		{map[string]any{}, nil, map[string]any{probe: probe}, nil},
		{[]any{"a"}, nil, []any{map[string]any{"name": probe}}, nil},
		{nil, []any{"daemonset"}, "daemonset", []any{true, probe}},
	} {
		got := others(c.value, c.literals)
		if len(got) == 0 || !rendering.Equal(got[0], c.first) {
			t.Errorf("others(%v) begins with %v, want %v", c.value, got, c.first)
			continue
		}
		for _, x := range got {
			if rendering.Equal(x, c.value) {
				t.Errorf("others(%v) holds the value itself", c.value)
			}
		}
		for _, want := range c.has {
			found := false
			for _, x := range got {
				found = found || rendering.Equal(x, want)
			}
			if !found {
				t.Errorf("others(%v) has no %v: %v", c.value, want, got)
			}
		}
	}
}

func at(text string) values.Path {
	p, err := values.Parse(text)
	if err != nil {
		panic(err)
	}
	return p
}

var (
	on      = &chart.Cond{Op: chart.Truthy, Path: at("on")}
	name    = &chart.Cond{Op: chart.Truthy, Path: at("name")}
	isB     = &chart.Cond{Op: chart.Eq, Path: at("type"), Literal: "B"}
	hasKey  = &chart.Cond{Op: chart.Has, Path: at("table"), Literal: "k"}
	api     = &chart.Cond{Op: chart.Capability, Literal: "v1"}
	closed  = &chart.Cond{Op: chart.Opaque}
	trees   = map[string]any{"on": false, "name": "x", "type": "A", "table": map[string]any{"a": "1"}}
	notName = &chart.Cond{Op: chart.Not, Args: []*chart.Cond{name}}
)

func both(a, b *chart.Cond) *chart.Cond { return &chart.Cond{Op: chart.And, Args: []*chart.Cond{a, b}} }
func either(a, b *chart.Cond) *chart.Cond {
	return &chart.Cond{Op: chart.Or, Args: []*chart.Cond{a, b}}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	for about, c := range map[string]struct {
		cond         *chart.Cond
		truth, known bool
	}{
		"false is not truthy":        {on, false, true},
		"a text is":                  {name, true, true},
		"not":                        {notName, false, true},
		"equal to another text":      {isB, false, true},
		"a key that is not there":    {hasKey, false, true},
		"an API that is not there":   {api, false, true},
		"what was not followed":      {closed, false, false},
		"and, one false":             {both(api, on), false, true},
		"and, one unknown":           {both(closed, name), true, false},
		"or, one true":               {either(api, name), true, true},
		"or, one unknown, one false": {either(closed, on), false, false},
		"a path that is not there":   {&chart.Cond{Op: chart.Truthy, Path: at("no.where")}, false, true},
	} {
		truth, known := holds(c.cond, trees)
		if known != c.known || known && truth != c.truth {
			t.Errorf("%s: %t, known %t", about, truth, known)
		}
	}
}

func TestWays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about string
		cond  *chart.Cond
		want  bool
		ways  []string
	}{
		{"what holds needs nothing", name, true, []string{""}},
		{"a switch", on, true, []string{"on=true"}},
		{"a text is emptied or taken away", name, false, []string{`name=""`, "name=null"}},
		{"a literal is the only key", isB, true, []string{"type=B"}},
		{"and needs both", both(on, isB), true, []string{"on=true type=B"}},
		{"or needs one", either(on, isB), true, []string{"on=true", "type=B"}},
		{"not", notName, true, []string{`name=""`, "name=null"}},
		{"a key is added to a table", hasKey, true, []string{"table.k=" + probe}},
		{"no value gives an API", api, true, nil},
	} {
		var got []string
		for _, w := range ways(c.cond, c.want, trees) {
			var words []string
			for _, e := range w {
				words = append(words, e.Path.String()+"="+rendering.Show(e.Value))
			}
			got = append(got, strings.Join(words, " "))
		}
		if diff := cmp.Diff(c.ways, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.about, diff)
		}
	}
}

func TestWaysAreBounded(t *testing.T) {
	t.Parallel()
	many := &chart.Cond{Op: chart.And}
	for i := range 12 {
		many.Args = append(many.Args, either(
			&chart.Cond{Op: chart.Truthy, Path: at(fmt.Sprintf("a%d", i))}, &chart.Cond{Op: chart.Truthy, Path: at(fmt.Sprintf("b%d", i))}))
	}
	if n := len(ways(many, true, map[string]any{})); n == 0 || n > maxWays {
		t.Errorf("%d ways", n)
	}
}

func TestSensitiveMakesTheConditionDependOnTheValueAlone(t *testing.T) {
	t.Parallel()
	for about, c := range map[string]struct {
		cond *chart.Cond
		path string
		want string
	}{
		"beside it in an and: true":  {both(on, name), "name", "on=true"},
		"beside it in an or: false":  {either(on, name), "on", `name="" or name=null`},
		"alone":                      {on, "on", ""},
		"it is not in the condition": {on, "name", "none"},
	} {
		got := "none"
		for i, w := range sensitive(c.cond, at(c.path), trees) {
			if i == 0 {
				got = ""
			} else {
				got += " or "
			}
			for _, e := range w {
				got += e.Path.String() + "=" + rendering.Show(e.Value)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", about, got, c.want)
		}
	}
}

func TestRemovalTakesTablesThatHoldNothingElse(t *testing.T) {
	t.Parallel()
	supplied := map[string]any{"a": map[string]any{"b": map[string]any{"c": 1}, "d": 2}, "l": []any{map[string]any{"x": 1}}}
	for path, want := range map[string]string{"a.b.c": "a.b", "a.d": "a.d", "l[0].x": "l"} {
		if got := removal(supplied, at(path)); got.Path.String() != want || !got.Remove {
			t.Errorf("%s is removed by %v, want %s", path, got, want)
		}
	}
}
