package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// plainWord is a word of a policy without what others write otherwise.
func plainWord(s string) string {
	return strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(strings.TrimSpace(s)))
}

// unknownAction tells of an action that there is none: of the words that Postfix,
// rspamd and amavis have, what does that here.
func unknownAction(s string) error {
	hint := ""
	switch plainWord(s) {
	case "quarantine":
		hint = `here it is "hold"`
	case "defer", "defer_if_permit", "defer_if_reject", "soft_reject", "softfail", "tempfailure", "temporary", "retry":
		hint = `here it is "tempfail"`
	case "drop", "delete", "blackhole", "silent_discard":
		hint = `here it is "discard"`
	case "deny", "block", "refuse", "bounce", "error", "ban", "blacklist":
		hint = `here it is "reject"`
	case "pass", "permit", "allow", "ok", "whitelist", "relay", "no_action", "permit_mynetworks":
		hint = `here it is "accept"`
	case "dunno", "none", "noop", "nothing", "score":
		hint = `here it is "continue", which is also what stands where nothing does`
	case "warn", "log", "monitor", "test", "info":
		hint = "shadow = true has a rule journalled without effect"
	case "tag", "mark", "spam", "junk", "add_header", "prepend", "addheader", "d_pass":
		hint = `leave action away; tag_subject and tag_header mark the message`
	case "rewrite_subject", "subject":
		hint = `leave action away; tag_subject marks the Subject`
	case "redirect", "bcc", "copy", "forward", "filter", "transport":
		hint = "there is none: Postfix itself does that (access(5), always_bcc, recipient_bcc_maps)"
	default:
		return unknown("action", s, actionNames[:])
	}
	return fmt.Errorf("unknown action %q; %s", s, hint)
}

// unknownStage tells of a stage that there is none: what SMTP, milters and Postfix
// call ours.
func unknownStage(s string) error {
	meant := ""
	switch plainWord(s) {
	case "client", "connection", "conn", "ip":
		meant = "connect"
	case "ehlo", "hello":
		meant = "helo"
	case "mail", "sender", "from", "envfrom", "mail_from", "envelope":
		meant = "mailfrom"
	case "rcpt", "recipient", "recipients", "to", "envrcpt", "rcpt_to":
		meant = "rcptto"
	case "eoh", "end_of_headers", "subject":
		meant = "headers"
	case "data", "eod", "eom", "end_of_message", "end_of_data", "body", "end", "message", "dot", "attachments", "mime":
		meant = "complete"
	default:
		return unknown("stage", s, stageNames[:])
	}
	return fmt.Errorf("unknown stage %q; here it is %q", s, meant)
}

// elsewhere says of an expression that does not compile what was meant, where the
// attribute tells; "" where it does not.
func elsewhere(k Key, source string) string {
	rest, star := strings.CutPrefix(source, "*.")
	switch {
	case k.Attr != AttachmentName || !star || plainName(rest) == "":
		return ""
	}
	return fmt.Sprintf("%q is no expression: the ending is written '\\.%s$', or \".%s\" in a list", source, rest, rest)
}

// closed are the values of a text that can have no others; nil where any may be.
func (c *compiler) closed(k Key) []string { return c.source.Words[k] }

// warnWords warns of an expression that is found in none of the values that there
// are.
func (c *compiler) warnWords(m *condition, source string, at Pos) {
	words := c.closed(m.key)
	parsed, err := c.cache.Parse(source)
	if words == nil || err != nil {
		return
	}
	for _, w := range words {
		if parsed.Pattern.Match(w, Work()) {
			return
		}
	}
	c.noWord(m, fmt.Sprintf("%q", source), bareWord(source), words, at)
}

// warnListWords warns of a list in which none of the values stands.
func (c *compiler) warnListWords(m *condition, name string, l *list.List, at Pos) {
	words := c.closed(m.key)
	if words == nil || l.Len() == 0 {
		return
	}
	for _, w := range words {
		if l.HasText(w, Work()) {
			return
		}
	}
	first := ""
	for _, entry := range l.Entries() {
		first = entry
		break
	}
	c.noWord(m, fmt.Sprintf("list %q", name), first, words, at)
}

func (c *compiler) noWord(m *condition, what, like string, words []string, at Pos) {
	if near := diag.Nearest(like, words); near != "" {
		c.warnf(at, "%s: %s is none of the values that there are; did you mean %q?", m.key, what, near)
		return
	}
	c.warnf(at, "%s: %s is none of the values that there are: %s", m.key, what, strings.Join(words, ", "))
}

// bareWord is an expression without what holds it to a whole value or word.
func bareWord(source string) string {
	for _, edge := range []string{"^", `\A`, `\b`} {
		source = strings.TrimPrefix(source, edge)
	}
	for _, edge := range []string{"$", `\z`, `\b`} {
		source = strings.TrimSuffix(source, edge)
	}
	return source
}

// warnEndings warns of entries without a point: those are whole names of files.
func (c *compiler) warnEndings(m *condition, name string, l *list.List, at Pos) {
	if m.key.Attr != AttachmentName || l.Kind() != list.Names {
		return
	}
	for class, entry := range l.Entries() {
		if class == list.Domains && len(entry) <= longestEnding && !strings.Contains(entry, ".") {
			c.warnf(at, "%s: %q of list %q is the whole name of a file; the ending is written \".%s\"", m.key, entry, name, entry)
			return
		}
	}
}

// longestEnding is that of "settingcontent-ms".
const longestEnding = 17

// bareEnding tells an expression that is the ending of a program or document and
// nothing else.
func bareEnding(source string) bool {
	switch strings.ToLower(source) {
	case "exe", "scr", "com", "bat", "cmd", "pif", "js", "jse", "vbs", "vbe", "wsf", "wsh", "hta", "lnk", "msi", "dll", "cpl", "jar", "ps1", "reg", "chm", "iso", "img",
		"zip", "rar", "7z", "arj", "ace", "cab", "gz", "tgz", "doc", "docm", "docx", "xls", "xlsm", "xlsx", "pptm", "pdf", "rtf", "htm", "html", "eml", "svg", "one":
		return true
	}
	return false
}

// badExpression is what is wrong with an expression, in the attribute's terms.
func badExpression(k Key, source string, err error) error {
	if s := elsewhere(k, source); err != nil && s != "" {
		return errors.New(s)
	}
	return err
}
