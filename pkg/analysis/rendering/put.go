package rendering

import "slices"

// Put gives a copy of an object with v in a field, as written by JoinField and ItemNames; Absent takes the field out.
// Tables on the way are made. An item that a list does not hold is made if items go by their name, else nothing changes.
func Put(content map[string]any, field string, v any) map[string]any {
	out, _ := put(content, field, v).(map[string]any)
	return out
}

func put(at any, field string, v any) any {
	if field == "" {
		return v
	}
	key, item, rest, ok := step(field)
	if !ok {
		return at
	}
	if item {
		list, _ := at.([]any)
		return putItem(list, key, rest, v)
	}
	table, isTable := at.(map[string]any)
	if !isTable && at != nil {
		return at
	}
	out := make(map[string]any, len(table)+1)
	for k, x := range table {
		out[k] = x
	}
	below := put(out[key], rest, v)
	if below == any(Absent{}) || below == nil && out[key] == nil {
		delete(out, key)
	} else {
		out[key] = below
	}
	return out
}

func putItem(list []any, name, rest string, v any) any {
	out := slices.Clone(list)
	i := slices.Index(ItemNames(out), name)
	if i < 0 {
		if v == any(Absent{}) || len(out) > 0 && !hasName(out[0]) {
			return list
		}
		i, out = len(out), append(out, map[string]any{"name": name})
	}
	below := put(out[i], rest, v)
	if below == any(Absent{}) {
		return slices.Delete(out, i, i+1)
	}
	out[i] = below
	return out
}

func hasName(item any) bool {
	m, _ := item.(map[string]any)
	_, named := m["name"].(string)
	return named
}
