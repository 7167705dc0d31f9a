package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules/foreign"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// anyField is the member of a header family that stands for every field.
const anyField = "*"

// parseKey reads an attribute as policies write it: "subject",
// "header.X-Mailer", "header.*", "module.rspamd.score".
func parseKey(name string) (Key, error) {
	base, field, dotted := strings.Cut(name, ".")
	for i := range catalogue {
		row := &catalogue[i]
		if row.Name != base {
			continue
		}
		switch {
		case row.Member != "":
			return parseMember(name, base, field)
		case !row.Family && dotted:
			return Key{}, fmt.Errorf("attribute %q takes no name after a dot", base)
		case !row.Family:
			return Key{Attr: Attr(i)}, nil
		case field == "":
			return Key{}, fmt.Errorf("attribute %q needs the name of a header field: %s.NAME", base, base)
		case !isFieldName(field):
			return Key{}, fmt.Errorf("%q is not the name of a header field", field)
		}
		return Key{Attr: Attr(i), Name: canonicalField(field)}, nil
	}
	return Key{}, unknownAttribute(name)
}

// parseMember reads "rspamd.score" of a family whose members have several
// attributes.
func parseMember(name, base, rest string) (Key, error) {
	member, of, _ := strings.Cut(rest, ".")
	var valid []string
	for i := range catalogue {
		row := &catalogue[i]
		if row.Name != base {
			continue
		}
		if member != "" && row.Member == of {
			return Key{Attr: Attr(i), Name: member}, nil
		}
		valid = append(valid, row.of("NAME"))
	}
	if near := diag.Nearest(of, []string{"score", "symbol", "action"}); member != "" && near != "" {
		return Key{}, fmt.Errorf("unknown attribute %q; did you mean %q?", name, base+"."+member+"."+near)
	}
	return Key{}, fmt.Errorf("unknown attribute %q; there are %s", name, strings.Join(valid, ", "))
}

// unknownAttribute names the nearest attribute: of header.NAME the nearest
// family with that name, of others any.
func unknownAttribute(name string) error {
	if hint := foreign.Attribute(name); hint != "" {
		return fmt.Errorf("unknown attribute %q; %s", name, hint)
	}
	base, field, dotted := strings.Cut(name, ".")
	var all, families []string
	for _, row := range catalogue {
		all = append(all, row.Name)
		if row.Family && row.Member == "" {
			families = append(families, row.Name)
		}
	}
	if near := diag.Nearest(base, families); dotted && near != "" {
		return fmt.Errorf("unknown attribute %q; did you mean %q?", name, near+"."+field)
	}
	if near := diag.Nearest(name, all); near != "" {
		return fmt.Errorf("unknown attribute %q; did you mean %q?", name, near)
	}
	return fmt.Errorf("unknown attribute %q", name)
}

// String is the attribute as policies write it.
func (k Key) String() string {
	if k.Name == "" || int(k.Attr) >= len(catalogue) {
		return k.Attr.String()
	}
	row := &catalogue[k.Attr]
	if row.Kind == KindDNSBL {
		return row.Name + " " + k.Name
	}
	return row.of(k.Name)
}

// isFieldName tells whether s is one or more ftext (RFC 5322 §2.2, §3.6.8):
// printable ASCII but the colon.
func isFieldName(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ':' {
			return false
		}
	}
	return s != ""
}

// canonicalField is the one spelling of a field name, which is case-blind
// (RFC 5322 §1.2.2): upper case after the start and each hyphen, else lower.
func canonicalField(s string) string {
	b := []byte(s)
	start := true
	for i, c := range b {
		switch {
		case start && 'a' <= c && c <= 'z':
			b[i] = c - 'a' + 'A'
		case !start && 'A' <= c && c <= 'Z':
			b[i] = c - 'A' + 'a'
		}
		start = c == '-'
	}
	return string(b)
}

// unknown says that a name is none of the valid ones, and which is most like
// it, or all where they are few.
func unknown(what, name string, valid []string) error {
	text := fmt.Sprintf("unknown %s %q", what, name)
	switch near := diag.Nearest(name, valid); {
	case near != "":
		text += fmt.Sprintf("; did you mean %q?", near)
	case len(valid) > 0 && len(valid) <= 8:
		text += "; it is one of " + strings.Join(valid, ", ")
	}
	return errors.New(text)
}

// unknownAction tells of an action that there is none.
func unknownAction(s string) error {
	if hint := foreign.Action(s); hint != "" {
		return fmt.Errorf("unknown action %q; %s", s, hint)
	}
	return unknown("action", s, actionNames[:])
}

// unknownStage tells of a stage that there is none.
func unknownStage(s string) error {
	if meant := foreign.Stage(s); meant != "" {
		return fmt.Errorf("unknown stage %q; here it is %q", s, meant)
	}
	return unknown("stage", s, stageNames[:])
}

// findable are the classes of entries that values of an attribute can be, and their
// names; 0 where any may.
func findable(k Key) (can list.Class, takes string) {
	const names = list.Domains | list.Subdomains | list.Patterns | list.Phrases
	switch k.Attr {
	case ClientIP, HeaderIP:
		return list.IPs | list.Networks | list.Patterns, "IP addresses, networks and /expressions/"
	case ClientHost:
		return names, "names of hosts and domains, and /expressions/"
	case SenderDomain, RecipientDomain, AuthorDomain, ReplyToDomain, DKIMDomain:
		return names | list.IPs | list.Networks, "domains and /expressions/" // [192.0.2.1] is one (RFC 5321 §4.1.3)
	case Sender, Recipient, Author:
		return names | list.Addresses | list.LocalParts, "addresses, domains and /expressions/"
	}
	return 0, ""
}

// nameWarning has a warning name its rule.
func (c *compiler) nameWarning(msg string) string {
	if c.current == "" || strings.Contains(msg, fmt.Sprintf("%q", c.current)) {
		return msg
	}
	return fmt.Sprintf("rule %q: %s", c.current, msg)
}
