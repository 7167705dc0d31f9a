package config

import "strings"

// otherNames are what other programs call the keys of a rule.
var otherNames = map[string]string{
	"score": "weight", "points": "weight", "describe": "comment", "description": "comment", "note": "comment",
	"when": "match", "if": "match", "conditions": "match", "condition": "match", "where": "match", "filter": "match",
	"or": "any", "except": "unless", "not": "unless", "exceptions": "unless", "unless_any": "unless",
	"disabled": "enabled = false", "disable": "enabled = false", "dry_run": "shadow", "test": "shadow", "warn_if_reject": "shadow",
	"message": "reply", "response": "reply", "text": "reply", "code": "reply", "smtp_message": "reply", "reject": "action = \"reject\"",
	"accept": "action = \"accept\"", "verdict": "action", "then": "action", "policy": "action", "do": "action",
	"event": "stage", "phase": "stage", "on": "stage", "id": "name", "title": "name", "symbol": "name", "group": "comment",
	"subject_tag": "tag_subject", "rewrite_subject": "tag_subject", "prefix_subject": "tag_subject", "add_header": "tag_header", "header": "tag_header", "prepend": "tag_header",
	"stop": "last", "final": "last", "quit": "last", "priority": "the order in the file",
}

// otherName says what a key of a rule is called here.
func otherName(table, key string) string {
	if table != "[[rule]]" && table != "[[threshold]]" {
		return ""
	}
	return otherNames[strings.ToLower(strings.ReplaceAll(key, "-", "_"))]
}
