package policydiff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// flat has the values of a table by their paths.
func flat(t tables) tables {
	out := tables{}
	for key, v := range t {
		inner, ok := v.(tables)
		if !ok {
			out[key] = v
			continue
		}
		for path, v := range flat(inner) {
			out[key+"."+path] = v
		}
	}
	return out
}

func values(v any) []string {
	all, ok := v.([]any)
	if !ok {
		return []string{text(v)}
	}
	out := make([]string, len(all))
	for i, one := range all {
		out[i] = text(one)
	}
	return out
}

// without has those of a that are not in b.
func without(a, b []string) []string {
	have := make(map[string]bool, len(b))
	for _, s := range b {
		have[s] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return have[s] })
}

// text is a value as JSON.
func text(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// plain is a value as a name.
func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return text(v)
}
