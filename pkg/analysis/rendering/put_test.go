package rendering

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPut(t *testing.T) {
	t.Parallel()
	object := func() map[string]any {
		return map[string]any{"spec": map[string]any{
			"env":   []any{map[string]any{"name": "A", "value": "1"}, map[string]any{"name": "B", "value": "2"}},
			"plain": []any{"x"},
		}}
	}
	for _, c := range []struct {
		field string
		v     any
		want  any // of spec
	}{
		{"spec.env[B].value", "3", map[string]any{"env": []any{map[string]any{"name": "A", "value": "1"}, map[string]any{"name": "B", "value": "3"}}, "plain": []any{"x"}}},
		{"spec.env[C].value", "3", map[string]any{"env": []any{map[string]any{"name": "A", "value": "1"}, map[string]any{"name": "B", "value": "2"}, map[string]any{"name": "C", "value": "3"}}, "plain": []any{"x"}}},
		{"spec.env[A]", Absent{}, map[string]any{"env": []any{map[string]any{"name": "B", "value": "2"}}, "plain": []any{"x"}}},
		{"spec.env[D].value", Absent{}, object()["spec"]},
		{"spec.plain", Absent{}, map[string]any{"env": object()["spec"].(map[string]any)["env"]}},
		{"spec.plain[y]", "y", object()["spec"]},
		{`spec.labels["a.b/c"]`, "d", map[string]any{"labels": map[string]any{"a.b/c": "d"}, "env": object()["spec"].(map[string]any)["env"], "plain": []any{"x"}}},
	} {
		before := object()
		if diff := cmp.Diff(c.want, Put(before, c.field, c.v)["spec"]); diff != "" {
			t.Errorf("%s: %s", c.field, diff)
		}
		if diff := cmp.Diff(object(), before); diff != "" {
			t.Errorf("%s changed what it was given: %s", c.field, diff)
		}
	}
}
