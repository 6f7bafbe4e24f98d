package kgateway

import (
	"maps"
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// settings gives one want for each field that parameters speak of.
func (c chain) settings() []Want {
	var out []Want
	for _, s := range settingsOf[c.proxy.Controller] {
		all := c.said(s.path)
		if len(all) == 0 || !c.there(s.kind) {
			continue
		}
		switch s.form {
		case scalar:
			out = append(out, c.scalar(s, all)...)
		case joined:
			out = append(out, list(c.at(s.kind, s.field), all))
		case table:
			out = append(out, c.table(s, all)...)
		case named:
			out = append(out, c.named(s, all)...)
		}
	}
	return out
}

func (c chain) scalar(s setting, all []Said) []Want {
	all = slices.DeleteFunc(all, func(x Said) bool { return s.zero && zero(x.Value) })
	if len(all) == 0 {
		return nil
	}
	return []Want{{Field: c.at(s.kind, s.field), Value: all[0].Value, Said: all}}
}

func zero(v any) bool { return v == "" || rendering.Equal(v, 0) }

// list joins lists, the first speaker's items in front. An empty one takes away what came before it.
func list(f finding.Field, all []Said) Want {
	w := Want{Field: f, Joined: true, Value: []any{}}
	for _, s := range all {
		items, _ := s.Value.([]any)
		value, _ := w.Value.([]any)
		w.Value = slices.Concat(items, value)
		w.Said = append(w.Said, s)
		if len(items) == 0 {
			break
		}
	}
	if value, _ := w.Value.([]any); len(value) == 0 {
		w.Value = rendering.Absent{}
	}
	return w
}

// table gives one want for each key, at any depth, that a source speaks of. An empty table takes away what came before
// it, as does an empty list.
func (c chain) table(s setting, all []Said) []Want {
	spoken := map[string][]Said{}
	var emptied []string
	for _, said := range all {
		var more []string
		keys(s.field, said.Value, func(key string, v any) {
			switch {
			case slices.ContainsFunc(emptied, func(e string) bool { return under(key, e) }) || s.zero && zero(v):
			case isEmptyTable(v):
				more = append(more, key)
			default:
				x := Said{Source: said.Source, Value: v}
				x.Path += strings.TrimPrefix(key, s.field)
				spoken[key] = append(spoken[key], x)
			}
		})
		emptied = append(emptied, more...)
	}
	var out []Want
	for _, key := range slices.Sorted(maps.Keys(spoken)) {
		f := c.at(s.kind, key)
		if _, isList := spoken[key][0].Value.([]any); isList {
			out = append(out, list(f, spoken[key]))
			continue
		}
		out = append(out, Want{Field: f, Value: spoken[key][0].Value, Said: spoken[key]})
	}
	return out
}

func isEmptyTable(v any) bool {
	m, ok := v.(map[string]any)
	return ok && len(m) == 0
}

func isEmpty(v any) bool {
	list, isList := v.([]any)
	return v == any(rendering.Absent{}) || isEmptyTable(v) || isList && len(list) == 0
}

func under(field, parent string) bool {
	rest, ok := strings.CutPrefix(field, parent)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// keys visits the scalars, lists and empty tables below a table.
func keys(field string, v any, visit func(field string, v any)) {
	m, isTable := v.(map[string]any)
	if !isTable || len(m) == 0 {
		if v != nil {
			visit(field, v)
		}
		return
	}
	for k, x := range m {
		keys(rendering.JoinField(field, k), x, visit)
	}
}

// named gives one want for each field of the items of a list, which go by their names.
func (c chain) named(s setting, all []Said) []Want {
	var out []Want
	seen := map[string]bool{}
	for _, said := range all {
		mine := map[string]bool{}
		items, _ := said.Value.([]any)
		for _, x := range items {
			item, _ := x.(map[string]any)
			name, _ := item["name"].(string)
			if name == "" || seen[name] || name == "OTEL_RESOURCE_ATTRIBUTES" { // which the controller makes a part of its own
				continue
			}
			mine[name] = true
			at := s.field + "[" + name + "]"
			keys(at, item, func(key string, v any) {
				if key == at+".name" && len(item) > 1 {
					return
				}
				x := Said{Source: said.Source, Value: v}
				x.Path += "[" + name + "]" + strings.TrimPrefix(key, at)
				out = append(out, Want{Field: c.at(s.kind, key), Value: v, Said: []Said{x}})
			})
		}
		maps.Copy(seen, mine)
		if len(items) == 0 {
			break
		}
	}
	return out
}

// strangers adds what stands in settings that only the sources write, and that none of them speaks of.
func (c chain) strangers(wants map[finding.Field]Want) {
	for _, s := range settingsOf[c.proxy.Controller] {
		at := c.at(s.kind, s.field)
		live := c.live(at)
		if !s.whole || isEmpty(live) {
			continue
		}
		if !spokenBelow(wants, at) {
			wants[at] = Want{Field: at, Value: rendering.Absent{}}
			continue
		}
		visit := func(field string, v any) {
			f := c.at(s.kind, field)
			if _, spoken := wants[f]; !spoken && !isEmptyTable(v) {
				wants[f] = Want{Field: f, Value: rendering.Absent{}}
			}
		}
		if s.form == named {
			rendering.Leaves(s.field, live, visit)
		} else {
			keys(s.field, live, visit)
		}
	}
}

func spokenBelow(wants map[finding.Field]Want, at finding.Field) bool {
	for f := range wants {
		if f.Kind == at.Kind && under(f.Field, at.Field) {
			return true
		}
	}
	return false
}
