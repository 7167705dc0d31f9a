// Package policyschema says in JSON Schema what a policy may have in it, for
// editors: its tables and keys, and what rules can test and do, from the tables
// that the policy is read by.
package policyschema

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/list"
)

//go:generate go test . -update

// object is a schema, or a part of one.
type object map[string]any

// JSON is the schema (draft 2020-12), indented.
func JSON() ([]byte, error) {
	tables := map[string]object{}
	for _, t := range config.Tables() {
		tables[t.Name] = table(t)
	}
	ref := func(name string) object { return object{"$ref": "#/$defs/" + name} }
	conditions := ref("conditions")
	either := func(o object) object { return object{"anyOf": []any{o, object{"type": "array", "items": o}}} }
	set(tables, "[[rule]]", "stage", object{"enum": names(rules.ParseStage, rules.Stage.String)})
	set(tables, "[[rule]]", "action", object{"enum": actions(rules.Greylist)})
	set(tables, "[[threshold]]", "action", object{"enum": slices.DeleteFunc(actions(rules.Hold), func(a string) bool { return a == "accept" })})
	for _, key := range []string{"match", "all", "any", "unless"} {
		set(tables, "[[rule]]", key, either(conditions))
	}
	tables["[[rule]]"]["required"] = []string{"name", "stage"}
	tables["[[threshold]]"]["required"] = []string{"above"}
	set(tables, "a list", "type", object{"enum": list.KindNames()})
	set(tables, "[journal]", "trace", tables["trace"])
	set(tables, "[[tariff]]", "band", object{"type": "array", "items": tables["[[tariff.band]]"]})
	top := object{"include": object{"type": "array", "items": object{"type": "string"}}}
	for name, t := range tables {
		key := strings.Trim(name, "[]")
		switch {
		case !strings.HasPrefix(name, "[") || strings.Contains(key, "."):
		case strings.HasPrefix(name, "[["):
			top[key] = object{"type": "array", "items": t}
		default:
			top[key] = t
		}
	}
	top["lists"] = object{"type": "object", "additionalProperties": object{"anyOf": []any{object{"type": "array", "items": object{"type": "string"}}, tables["a list"]}}}
	b, err := json.MarshalIndent(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "the policy of tollgate",
		"type": "object", "additionalProperties": false, "properties": top, "$defs": object{"conditions": attributes()},
	}, "", "  ")
	return append(b, '\n'), err
}

// table has the keys of one.
func table(t config.Table) object {
	keys := object{}
	for _, k := range t.Keys {
		keys[k] = object{}
	}
	o := object{"type": "object", "properties": keys, "additionalProperties": false}
	if t.Name == "[[module]]" {
		delete(o, "additionalProperties") // each type has keys of its own
	}
	return o
}

func set(tables map[string]object, table, key string, to object) {
	tables[table]["properties"].(object)[key] = to
}

// names are those of a numbered kind, from 0 up to the first that has none.
func names[T ~uint8](parse func(string) (T, bool), name func(T) string) (all []string) {
	for i := T(0); ; i++ {
		if _, ok := parse(name(i)); !ok || slices.Contains(all, name(i)) {
			return all
		}
		all = append(all, name(i))
	}
}

// actions are those up to one.
func actions(last rules.Action) (all []string) {
	for a := rules.Continue; a <= last; a++ {
		all = append(all, a.String())
	}
	return all
}

// attributes are what rules can test.
func attributes() object {
	all, families := object{}, map[string]object{}
	for _, row := range rules.Catalogue() {
		v := values(row)
		switch {
		case row.Member != "":
			if families[row.Name] == nil {
				families[row.Name] = object{}
			}
			families[row.Name][row.Member] = v
		case row.Family:
			all[row.Name] = object{"type": "object", "additionalProperties": v}
		default:
			all[row.Name] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(families)) {
		all[name] = object{"type": "object", "additionalProperties": object{
			"type": "object", "additionalProperties": false, "properties": families[name],
		}}
	}
	return object{"type": "object", "additionalProperties": false, "properties": all}
}

// values are what a condition may say of an attribute.
func values(row rules.Attribute) object {
	var one []any
	switch row.Kind {
	case rules.KindNumber:
		one = append(one, object{"type": "number"}, object{"type": "string"})
	case rules.KindEnum:
		one = append(one, object{"enum": row.Names})
	case rules.KindBool:
		one = append(one, object{"type": "boolean"})
	default:
		one = append(one, object{"type": "string"})
	}
	if row.Presence {
		one = append(one, object{"type": "boolean"})
	}
	single := object{"anyOf": one}
	array := object{"type": "array", "items": single}
	return object{"anyOf": []any{single, array, object{
		"type": "object", "additionalProperties": false, "properties": object{"all": array, "any": array, "hits": object{"type": []string{"string", "integer"}}},
	}}}
}
