package drift

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

// Writer is who wrote a field, as the live object's managedFields have it. All of it may be empty: they can be left
// out of a snapshot, and nobody owns a field that was taken away.
type Writer struct {
	Manager     string
	Operation   string // Apply or Update
	Subresource string
	Time        string // RFC 3339; kubectl scale leaves none
	Helm        bool   // the manager by which Helm wrote the object
}

// Writers lists who owns a field of a live object, the latest first. Those of the status are left out.
func Writers(live *unstructured.Unstructured, field string) []Writer {
	return WritersOf(live)(field)
}

// WritersOf reads who owns the fields of an object once, for many questions of which Writers answers one.
func WritersOf(live *unstructured.Unstructured) func(field string) []Writer {
	if live == nil {
		return func(string) []Writer { return nil }
	}
	var sets []ownedSet
	for _, m := range live.GetManagedFields() {
		if m.Subresource == "status" || m.FieldsV1 == nil {
			continue
		}
		if owned, err := fieldSet(m); err == nil {
			sets = append(sets, ownedSet{m, owned})
		}
	}
	return func(field string) []Writer {
		var out []Writer
		steps := parseField(field)
		for _, s := range sets {
			if !owns(s.fields, live.Object, steps) {
				continue
			}
			w := Writer{Manager: s.by.Manager, Operation: string(s.by.Operation), Subresource: s.by.Subresource, Helm: helms(s.by, s.fields)}
			if s.by.Time != nil {
				w.Time = s.by.Time.UTC().Format(time.RFC3339)
			}
			out = append(out, w)
		}
		slices.SortStableFunc(out, later)
		return out
	}
}

// ownedSet is what one manager owns.
type ownedSet struct {
	by     metav1.ManagedFieldsEntry
	fields map[string]any
}

// later puts the newer writer first. A subresource without a time is kubectl scale, which is not undone by an older
// owner: it counts as the newest.
func later(a, b Writer) int {
	when := func(w Writer) string {
		if w.Time == "" && w.Subresource != "" {
			return "~"
		}
		return w.Time
	}
	return strings.Compare(when(b), when(a))
}

// author is the writer to name: the latest who is not Helm, else Helm.
func author(live *unstructured.Unstructured, field string) Writer {
	all := Writers(live, field)
	for _, w := range all {
		if !w.Helm {
			return w
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return Writer{}
}

func fieldSet(m metav1.ManagedFieldsEntry) (map[string]any, error) {
	var out map[string]any
	err := json.Unmarshal(m.FieldsV1.GetRawBytes(), &out)
	return out, err
}

// helms says whether a manager is Helm: by its name, or because it owns what only Helm writes. A program that uses
// Helm's library goes by its own name.
func helms(m metav1.ManagedFieldsEntry, owned map[string]any) bool {
	name := strings.ToLower(m.Manager)
	if name == "helm" || strings.HasPrefix(name, "helm-") || strings.Contains(name, "-helm") {
		return true
	}
	if strings.HasPrefix(name, "kubectl") {
		return false
	}
	meta, _ := owned["f:metadata"].(map[string]any)
	annotations, _ := meta["f:annotations"].(map[string]any)
	_, found := annotations["f:meta.helm.sh/release-name"]
	return found
}

// owns walks a field set (FieldsV1) along a field. A list or table that is owned as a whole ends the walk.
func owns(set map[string]any, live any, steps []step) bool {
	for i, s := range steps {
		if i > 0 && whole(set) {
			return true
		}
		next, found := entry(set, live, s)
		if !found {
			return false
		}
		set, _ = next.(map[string]any)
		live = child(live, s)
	}
	return true
}

// whole says whether a set names nothing below the field that it is about.
func whole(set map[string]any) bool {
	if len(set) == 0 {
		return true
	}
	_, self := set["."]
	return self && len(set) == 1
}

// entry finds a step in a field set: f:KEY, or k:{…} with the merge keys of a list item, or v:… of a set's item.
func entry(set map[string]any, live any, s step) (any, bool) {
	if !s.item {
		v, found := set["f:"+s.key]
		return v, found
	}
	item := child(live, s)
	for k, v := range set {
		switch {
		case strings.HasPrefix(k, "k:"):
			var id map[string]any
			if json.Unmarshal([]byte(k[2:]), &id) == nil && identifies(id, item, s.key) {
				return v, true
			}
		case strings.HasPrefix(k, "v:"):
			var value any
			if json.Unmarshal([]byte(k[2:]), &value) == nil && rendering.Equal(value, item) {
				return v, true
			}
		}
	}
	return nil, false
}

// identifies says whether merge keys are those of an item.
func identifies(id map[string]any, item any, name string) bool {
	m, isTable := item.(map[string]any)
	if !isTable {
		return id["name"] == any(name)
	}
	for k, v := range id {
		if !rendering.Equal(m[k], v) {
			return false
		}
	}
	return true
}
