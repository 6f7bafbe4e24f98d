package checks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/causality"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/drift"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// liveChecks are about the way from the manifest to the Pods. Without a cluster they have nothing to say.
func liveChecks() []*analysis.Check {
	return []*analysis.Check{NotApplied, Drifted, Missing, Irreproducible, Dropped, Rollout, Admitted, OldPods, PodsEdited, Digests, Overridden, Unsynced}
}

// installed says whether live objects can be held against the record: it was applied in full, and no later one has
// taken its place. Without a record the rendering stands for it, if all its values are known.
func installed(f *analysis.Facts) bool {
	if f.Mode != analysis.Installed || f.Live == nil {
		return false
	}
	if f.Record == nil {
		return f.Owner.Complete() && f.World != nil
	}
	return f.Record.Release != nil && f.Record.Status == "deployed"
}

// stored are the objects that Helm applied; those of today's rendering if there is no record of them.
func stored(f *analysis.Facts) []rendering.Object {
	if len(f.StoredObjects) > 0 {
		return slices.DeleteFunc(slices.Clone(f.StoredObjects), func(o rendering.Object) bool { return o.Hook })
	}
	if f.World == nil {
		return nil
	}
	return slices.DeleteFunc(f.World.Baseline().Objects(), func(o rendering.Object) bool { return o.Hook })
}

// differences compares the release's objects with the live ones. What a later revision, which failed, has already
// changed is left out: NotApplied tells of it. So is what only the record has otherwise: Irreproducible tells of that.
func differences(f *analysis.Facts) []drift.Difference {
	if !installed(f) {
		return nil
	}
	all := slices.DeleteFunc(drift.Compare(stored(f), f.Live, f.Release.Namespace), func(d drift.Difference) bool { return forged(f, d) || tracked(f, d) })
	if !later(f) {
		return all
	}
	objects, _ := rendering.ParseManifest("", f.Newest.Release.Manifest)
	next := drift.Compare(objects, f.Live, f.Release.Namespace)
	return slices.DeleteFunc(all, func(d drift.Difference) bool {
		at := whole(d)
		return renders(objects, d.Rendered, at) && !slices.ContainsFunc(next, func(n drift.Difference) bool {
			return n.Rendered == d.Rendered && (n.Field.Field == "" || overlap(n.Field.Field, at))
		})
	})
}

// forged says whether the live object is right, and the record was edited.
func forged(f *analysis.Facts, d drift.Difference) bool {
	return slices.ContainsFunc(f.Mismatches, func(c rendering.Change) bool {
		return c.Object == d.Rendered && overlap(c.Field.Field, d.Field.Field) && edited(f, c)
	})
}

// whole is the field to ask another revision about: the list, where an item of it is gone, since the item may only
// have got another key.
func whole(d drift.Difference) string {
	field := d.Field.Field
	if i := strings.LastIndexByte(field, '['); i > 0 && strings.HasSuffix(field, "]") {
		return field[:i]
	}
	return field
}

// renders says whether one of the objects has the field.
func renders(objects []rendering.Object, name finding.Object, field string) bool {
	return slices.ContainsFunc(objects, func(o rendering.Object) bool {
		_, found := rendering.Lookup(o.Content, field)
		return o.Object == name && found
	})
}

// later says whether there is a newer revision than the deployed one, which can be read.
func later(f *analysis.Facts) bool {
	return f.Newest != nil && f.Newest.Release != nil && f.Record != nil && f.Newest.Revision > f.Record.Revision
}

// deciders lists the supplied values that decide a field of a rendered object.
func deciders(f *analysis.Facts, field finding.Field) []string {
	names := []string{field.Field}
	if rest, ok := strings.CutPrefix(field.Field, "data"); ok && field.Kind == "Secret" {
		names = append(names, "stringData"+rest) // the API server moves it
	}
	reached := func(c rendering.Change) bool {
		return c.Object == field.Object && slices.ContainsFunc(names, func(n string) bool { return overlap(c.Field.Field, n) })
	}
	var out []string
	for _, e := range f.Effects {
		if slices.ContainsFunc(e.Reaches, reached) {
			out = append(out, e.Path.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// overlap says whether one field is the other, or lies below it. The object itself (field "") is decided by whatever
// makes it, which is not what is asked here.
func overlap(a, b string) bool {
	below := func(a, b string) bool {
		rest, ok := strings.CutPrefix(a, b)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	}
	return a != "" && b != "" && (below(a, b) || below(b, a))
}

// decidedBy sets the value path of a finding about fields where exactly one value decides them, and names all of them.
func decidedBy(f *analysis.Facts, x *finding.Finding, fields ...finding.Field) bool {
	var paths []string
	for _, field := range fields {
		paths = append(paths, deciders(f, field)...)
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if len(paths) == 1 {
		x.ValuePath = paths[0]
	}
	for _, e := range f.Effects {
		if slices.Contains(paths, e.Path.String()) {
			x.Facts = append(x.Facts, finding.Fact{Label: "value", Text: masked(e) + " decides it, and is not what runs"})
		}
	}
	return len(paths) > 0
}

// masked writes path=value; what is secret-like in it is hidden.
func masked(e causality.Effect) string {
	return e.Path.String() + "=" + hidden(strings.Split(e.Path.String(), "."), e.Value)
}

// shown writes a field's value on one line; what is secret-like in it is hidden.
func shown(kind, field string, v any) string {
	return hidden(append([]string{kind}, strings.FieldsFunc(field, func(r rune) bool { return strings.ContainsRune(".[]", r) })...), v)
}

func hidden(path []string, v any) string {
	text := rendering.Show(hide(path, v))
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:197], "") + "…"
	}
	return text
}

// hide replaces what is secret-like in a tree that stands at a path. All data of a Secret is.
func hide(path []string, v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range t {
			out[k] = hide(append(path[:len(path):len(path)], k), x)
		}
		return out
	case []any:
		out := make([]any, len(t))
		names := rendering.ItemNames(t)
		for i, x := range t {
			out[i] = hide(append(path[:len(path):len(path)], names[i]), x)
		}
		return out
	case string:
		if inSecret(path) || snapshot.SecretLike(path, t) {
			return snapshot.Mask(t)
		}
	}
	return v
}

func inSecret(path []string) bool {
	return len(path) > 1 && path[0] == "Secret" && (path[1] == "data" || path[1] == "stringData")
}

// plainValue makes a field's value fit for a finding: nil where it is absent, masked where it is a Secret's or holds
// more than a scalar. The printer masks the rest.
func plainValue(kind, field string, v any) any {
	switch v.(type) {
	case rendering.Absent:
		return nil
	case map[string]any, []any:
		return hide([]string{kind}, v)
	}
	if path := append([]string{kind}, strings.SplitN(field, ".", 2)...); inSecret(path) {
		return hide(path, v)
	}
	return v
}

// writer says who wrote a field, and when.
func writer(d drift.Difference) string {
	if d.Manager == "" {
		if d.By != "" {
			return d.By
		}
		if d.Field.Field == "spec.replicas" && rendering.Equal(d.Live, 0) {
			return "not known: scaling to 0 (kubectl scale, or a program) leaves no field manager"
		}
		if _, gone := d.Live.(rendering.Absent); gone {
			return "not known: nobody owns a field that was taken away"
		}
		return "not known: the field has no manager, or the snapshot holds no managed fields"
	}
	text, how := d.By, d.Manager
	if d.Operation != "" {
		how += ", " + d.Operation
	}
	if d.Subresource != "" {
		how += ", subresource " + d.Subresource
	}
	if text == "" || text == "field manager "+d.Manager {
		text = "field manager " + how
	} else {
		text += " (field manager " + how + ")"
	}
	if d.Time != "" {
		text += ", " + d.Time
	}
	return text
}

// rollback is the command that applies a revision's manifest again. Helm compares the manifest with the live object,
// so that fields which somebody changed come back; it needs no chart.
func rollback(f *analysis.Facts, revision int) string {
	return fmt.Sprintf("helm rollback %s %d --namespace %s", quote(f.Release.Name), revision, quote(f.Release.Namespace))
}

// quote makes one word of a POSIX shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r))
	}
	if word != "" && !strings.ContainsFunc(word, plain) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// kubectl begins a command on an object: kubectl VERB KIND/NAME -n NAMESPACE.
func kubectl(verb string, o finding.Object) string {
	out := "kubectl " + verb + " " + quote(strings.ToLower(o.Kind)+"/"+o.Name)
	if o.Namespace != "" {
		out += " --namespace " + quote(o.Namespace)
	}
	return out
}

// namespaced is an object with the namespace in which it lives.
func namespaced(f *analysis.Facts, o finding.Object) finding.Object {
	for _, r := range stored(f) {
		if r.Object == o {
			if x := drift.Live(f.Live, r, f.Release.Namespace); x != nil {
				o.Namespace = x.GetNamespace()
				return o
			}
		}
	}
	if drift.IsWorkload(o.Kind) {
		o.Namespace = cmp.Or(o.Namespace, f.Release.Namespace)
	}
	return o
}
