package deciders_test

import (
	"slices"
	"testing"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/deciders"
)

var pod = map[string]any{
	"metadata": map[string]any{"annotations": map[string]any{"a.b/c": "x"}, "managedFields": []any{map[string]any{"manager": "m"}}},
	"spec": map[string]any{
		"containers": []any{map[string]any{"name": "main", "image": "i", "args": []any{"-a", "-b"}}, map[string]any{"name": "side.car", "image": "j"}},
	},
}

func TestResolveTakesWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"spec.containers[main].image":              "spec.containers[main].image",
		".spec.containers[0].image":                "spec.containers[main].image",
		"$.spec.containers[1].image":               "spec.containers[side.car].image",
		"{.spec.containers[0].image}":              "spec.containers[main].image",
		"spec.containers[side.car].image":          "spec.containers[side.car].image",
		`spec.containers["main"].image`:            "spec.containers[main].image",
		`spec.containers[?(@.name=="main")].image`: "spec.containers[main].image",
		"spec.containers[main].args[1]":            "spec.containers[main].args[1]",
		`metadata.annotations["a.b/c"]`:            `metadata.annotations["a.b/c"]`,
		`metadata.annotations['a.b/c']`:            `metadata.annotations["a.b/c"]`,
		`metadata.annotations[a.b/c]`:              `metadata.annotations["a.b/c"]`,
		`metadata.annotations.a\.b/c`:              `metadata.annotations["a.b/c"]`,
		"spec":                                     "spec",
	} {
		steps, err := deciders.ParseField(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if field, _, found := deciders.Resolve(pod, steps); !found || field != want {
			t.Errorf("%s is %q, %v; want %q", text, field, found, want)
		}
	}
}

func TestParseFieldRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", ".", "a..b", "a[", "a[]", `a["x`, "a[?(@.name)]"} {
		if steps, err := deciders.ParseField(text); err == nil {
			t.Errorf("%q gives %v", text, steps)
		}
	}
}

func TestNearestAndWritten(t *testing.T) {
	t.Parallel()
	steps, err := deciders.ParseField("spec.containers[0].imge")
	if err != nil {
		t.Fatal(err)
	}
	if got := deciders.Written(pod, steps); got != "spec.containers[main].imge" {
		t.Error(got)
	}
	if got := deciders.Nearest(pod, steps); len(got) == 0 || got[0] != "spec.containers[main].image" {
		t.Error(got)
	}
	if got := deciders.Fields(pod); slices.Contains(got, "metadata.managedFields") || !slices.Contains(got, "spec.containers[main]") {
		t.Error(got)
	}
}

func FuzzParseField(f *testing.F) {
	for _, text := range []string{"a.b[c].d", `a["b.c"]`, "{.a[0]}", `a[?(@.name=="x")]`, `a\.b`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := deciders.ParseField(text)
		if err == nil && len(steps) == 0 {
			t.Errorf("%q is accepted, and empty", text)
		}
		if err == nil {
			deciders.Nearest(pod, steps)
		}
	})
}
