package policyschema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/tollgate-mail/tollgate/internal/policyschema"
)

var update = flag.Bool("update", false, "write the schema anew")

const file = "../../docs/policy.schema.json"

// The schema in the documents is the one of the code's tables.
func TestSchemaFile(t *testing.T) {
	made, err := policyschema.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, made) {
		t.Error("docs/policy.schema.json is not what the code says: go generate ./internal/policyschema")
	}
}

// valid tells where a value is not what a schema allows, in the part of JSON
// Schema that ours uses.
func valid(root, s map[string]any, v any, at string) (all []string) {
	if ref, ok := s["$ref"].(string); ok {
		defs := root["$defs"].(map[string]any)
		return valid(root, defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any), v, at)
	}
	if anyOf, ok := s["anyOf"].([]any); ok {
		for _, one := range anyOf {
			if len(valid(root, one.(map[string]any), v, at)) == 0 {
				return nil
			}
		}
		return []string{fmt.Sprintf("%s: %v", at, v)}
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, v) {
		return []string{fmt.Sprintf("%s: %v is none of %v", at, v, enum)}
	}
	kinds := map[string]func(any) bool{
		"object": func(v any) bool { _, ok := v.(map[string]any); return ok }, "array": func(v any) bool { _, ok := v.([]any); return ok },
		"string": func(v any) bool { _, ok := v.(string); return ok }, "boolean": func(v any) bool { _, ok := v.(bool); return ok },
		"number": func(v any) bool { _, ok := v.(float64); return ok },
	}
	if kind, ok := s["type"].(string); ok && !kinds[kind](v) {
		return []string{fmt.Sprintf("%s: %v is no %s", at, v, kind)}
	}
	if list, ok := v.([]any); ok {
		items, _ := s["items"].(map[string]any)
		for i, one := range list {
			all = append(all, valid(root, items, one, fmt.Sprintf("%s[%d]", at, i))...)
		}
	}
	table, ok := v.(map[string]any)
	if !ok {
		return all
	}
	keys, _ := s["properties"].(map[string]any)
	for k, one := range table {
		sub, known := keys[k].(map[string]any)
		more, open := s["additionalProperties"].(map[string]any)
		switch {
		case known:
			all = append(all, valid(root, sub, one, at+"."+k)...)
		case open:
			all = append(all, valid(root, more, one, at+"."+k)...)
		case s["additionalProperties"] == false:
			all = append(all, fmt.Sprintf("%s: unknown key %s", at, k))
		}
	}
	for _, k := range required(s) {
		if _, there := table[k]; !there {
			all = append(all, fmt.Sprintf("%s: %s is missing", at, k))
		}
	}
	return all
}

func required(s map[string]any) (all []string) {
	keys, _ := s["required"].([]any)
	for _, k := range keys {
		all = append(all, k.(string))
	}
	return all
}

// What the example policies have is allowed; mistakes are not.
func TestValid(t *testing.T) {
	made, err := policyschema.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(made, &root); err != nil {
		t.Fatal(err)
	}
	check := func(text string) []string {
		var v map[string]any
		if _, err := toml.Decode(text, &v); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var plain any
		if err := json.Unmarshal(b, &plain); err != nil {
			t.Fatal(err)
		}
		return valid(root, root, plain, "policy")
	}
	for _, path := range []string{"contrib/policy.toml", "contrib/starter.toml", "contrib/clients.toml"} {
		text, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		if bad := check(string(text)); len(bad) > 0 {
			t.Errorf("%s: %q", path, bad)
		}
	}
	const rule = "[[rule]]\nname = \"a\"\nstage = \"headers\"\n"
	for text, fine := range map[string]bool{
		rule + "match.subject = { any = ['a', 'b'], hits = 2 }\n":        true,
		rule + "match.header.X = [false, 'a']\n":                         true,
		rule + "match.module.rspamd.score = \"> 3\"\n":                   true,
		rule + "[[rule.any]]\nspf = \"fail\"\n[[rule.any]]\ntls = false": true,
		"[[rule]]\nname = \"a\"\n":                                       false,
		rule + "match.sujbect = 'a'\n":                                   false,
		rule + "match.spf = 'failed'\n":                                  false,
		rule + "match.tls = 'yes'\n":                                     false,
		rule + "wieght = 1\n":                                            false,
		rule + "action = \"refuse\"\n":                                   false,
		"[gateway]\nnam = 1\n":                                           false,
		"[gatewya]\nname = \"x\"\n":                                      false,
		"[[threshold]]\nabove = 1\naction = \"accept\"\n":                false,
	} {
		if bad := check(text); (len(bad) == 0) != fine {
			t.Errorf("%q: %q", text, bad)
		}
	}
}

// What pages say of the code's tables is written by the code: types, stages and values of
// attributes, placeholders. What each is in words is written by hand beside it.
func TestPages(t *testing.T) {
	for _, page := range []struct {
		file string
		make []func(string) (string, error)
	}{
		{"../../docs/man/policy.toml.5", []func(string) (string, error){policyschema.ManualAttributes, policyschema.ManualPlaceholders}},
		{"../../docs/policy.md", []func(string) (string, error){func(s string) (string, error) {
			return policyschema.TableAttributes(s, policyschema.TypesAndStage)
		}}},
		{"../../docs/ru/policy.md", []func(string) (string, error){func(s string) (string, error) {
			return policyschema.TableAttributes(s, policyschema.Stages)
		}}},
	} {
		text, err := os.ReadFile(page.file)
		if err != nil {
			t.Fatal(err)
		}
		made := string(text)
		for _, f := range page.make {
			if made, err = f(made); err != nil {
				t.Fatalf("%s: %v", page.file, err)
			}
		}
		if made == string(text) {
			continue
		}
		if !*update {
			t.Errorf("%s is not what the code says: go generate ./internal/policyschema", page.file)
			continue
		}
		if err := os.WriteFile(page.file, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A page that says something else, too little or too much is found out.
func TestPagesDiffer(t *testing.T) {
	text, err := os.ReadFile("../../docs/man/policy.toml.5")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for was, is := range map[string]string{".It Ic spf Pq enum, mailfrom": ".It Ic spf Pq text, helo", ".Ql {weight} ,\n": ""} {
		made, err := policyschema.ManualAttributes(strings.Replace(page, was, is, 1))
		if err == nil {
			made, err = policyschema.ManualPlaceholders(made)
		}
		if err != nil || made != page {
			t.Errorf("%q in place of %q is not mended: %v", is, was, err)
		}
	}
	for was, is := range map[string]string{
		".It Ic spf Pq enum, mailfrom": ".It Ic sfp Pq enum, mailfrom", ".It Ic helo Pq text, helo": ".It Ic spf Pq text, helo", "softfail , temperror": "temperror", ".Sh ATTRIBUTES": ".Sh OTHERS",
	} {
		if _, err := policyschema.ManualAttributes(strings.Replace(page, was, is, 1)); err == nil {
			t.Errorf("%q in place of %q is no error", is, was)
		}
	}
	if _, err := policyschema.TableAttributes("| attribute | type | from | |\n| `spf`, `helo` | enum | mailfrom | x |\n", policyschema.TypesAndStage); err == nil {
		t.Error("attributes of several stages in a row are no error")
	}
}
