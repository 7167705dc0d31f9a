package policydiff

import (
	"maps"
	"regexp"
	"strings"
)

// Shared is what two policies have in common, for those who know what the first has
// found and want to know what the second would.
type Shared struct {
	// Same are the rules that ask the same of a message: what the first found of them
	// holds for the second. Weight is what each of the first weighs, "" for nothing:
	// the second may weigh it otherwise.
	Same   map[string]bool
	Weight map[string]string
	// Whole are those of Same of which all that is to be done is the same, too; Rest is
	// that all that is no rule is the same, and that no rule asks which others matched.
	Whole map[string]bool
	Rest  bool
	// At is where each rule of the first stands, Last are those that end their
	// stage.
	At   map[string]int
	Last map[string]bool
}

var listNamed = regexp.MustCompile(`"(?:not )?list:([^"]+)"`)

// Common compares the rules of two policies.
func Common(first, second Policy) (*Shared, error) {
	a, err := first.read()
	if err != nil {
		return nil, err
	}
	b, err := second.read()
	if err != nil {
		return nil, err
	}
	clients := text(a["client"]) == text(b["client"]) && text(a["recipients"]) == text(b["recipients"])
	was, is := named("name", list(a["rule"])), named("name", list(b["rule"]))
	s := &Shared{Same: map[string]bool{}, Weight: map[string]string{}, Whole: map[string]bool{}, At: map[string]int{}, Last: map[string]bool{}}
	s.Rest = rest(a) == rest(b) && !strings.Contains(text(a["rule"]), `"rule":`) && !strings.Contains(text(b["rule"]), `"rule":`)
	for n, name := range was.names {
		rule := was.by[name]
		s.At[name], s.Last[name] = n, rule["last"] == true
		if w, ok := rule["weight"]; ok {
			s.Weight[name] = plain(w)
		}
		words := question(rule)
		other, there := is.by[name]
		if !there || words != question(other) || !clients && strings.Contains(words, `"recipient_client`) || strings.Contains(words, `"rule":`) {
			continue
		}
		same := true
		for _, m := range listNamed.FindAllStringSubmatch(words, -1) {
			same = same && sameList(first, second, m[1], table(a["lists"])[m[1]], table(b["lists"])[m[1]])
		}
		s.Same[name], s.Whole[name] = same, same && text(rule) == text(other)
	}
	return s, nil
}

// rest is all of a policy that is no rule.
func rest(policy tables) string {
	all := maps.Clone(policy)
	delete(all, "rule")
	return text(all)
}

// said are the keys by which a rule says what is to be done; the others ask.
var said = []string{"weight", "tag_subject", "tag_header", "action", "reply", "last", "shadow", "comment"}

// question is what a rule asks of a message. One that asks which others matched
// may be answered otherwise though it asks the same. Which recipient was refused
// by which rule is known of refusals alone: there the action belongs to it.
func question(rule tables) string {
	asks := maps.Clone(rule)
	for _, key := range said {
		if key != "action" || rule["stage"] != "rcptto" {
			delete(asks, key)
		}
	}
	return text(asks)
}

func sameList(first, second Policy, name string, a, b any) bool {
	if a == nil || text(a) != text(b) {
		return false
	}
	return first.Hashes[name] == second.Hashes[name]
}
