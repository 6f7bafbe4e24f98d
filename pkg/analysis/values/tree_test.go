package values_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/values"
)

func TestLeavesAreSortedAndListItemsAreLeavesOfTheirOwn(t *testing.T) {
	t.Parallel()
	tree := map[string]any{"b": []any{1, map[string]any{"x": 2}}, "a": map[string]any{"c": nil, "d": map[string]any{}}, "e": []any{}}
	var got []string
	for _, l := range values.Leaves(tree) {
		got = append(got, l.Path.String())
	}
	if diff := cmp.Diff([]string{"a.c", "a.d", "b[0]", "b[1].x", "e"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	tree := map[string]any{"a": map[string]any{"b": 1, "c": 2}, "l": []any{"x", "y"}, "s": "text"}
	before := values.Copy(tree)
	for _, c := range []struct {
		about string
		edits []values.Edit
		want  map[string]any
	}{
		{"nothing", nil, tree},
		{"set", []values.Edit{values.Set(values.Keys("a", "b"), 3)}, map[string]any{"a": map[string]any{"b": 3, "c": 2}, "l": []any{"x", "y"}, "s": "text"}},
		{"remove", []values.Edit{values.Remove(values.Keys("a"))}, map[string]any{"l": []any{"x", "y"}, "s": "text"}},
		{"remove what is not there", []values.Edit{values.Remove(values.Keys("s", "t", "u"))}, tree},
		{"a list item that is taken away closes the gap", []values.Edit{values.Remove(values.Keys("l").Item(0))},
			map[string]any{"a": map[string]any{"b": 1, "c": 2}, "l": []any{"y"}, "s": "text"}},
		{"an index behind the end appends", []values.Edit{values.Set(values.Keys("l").Item(9), "z")},
			map[string]any{"a": map[string]any{"b": 1, "c": 2}, "l": []any{"x", "y", "z"}, "s": "text"}},
		{"a table takes a scalar's place", []values.Edit{values.Set(values.Keys("s", "t"), 1)},
			map[string]any{"a": map[string]any{"b": 1, "c": 2}, "l": []any{"x", "y"}, "s": map[string]any{"t": 1}}},
		{"in their order", []values.Edit{values.Set(values.Keys("n"), 1), values.Remove(values.Keys("n"))}, tree},
	} {
		if diff := cmp.Diff(c.want, values.Apply(tree, c.edits...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.about, diff)
		}
		if diff := cmp.Diff(before, tree); diff != "" {
			t.Fatalf("%s changed the tree it was given:\n%s", c.about, diff)
		}
	}
}
