package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/replay"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

const redactHelp = "local parts of addresses, subjects, file names and texts as short hashes"

var hashLetters = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// hashed stands for a text: at one gateway the same text has the same. Without its key
// nobody finds out by guessing what it stands for.
func (k redactKey) hashed(text string) string {
	sum := hmac.New(sha256.New, k)
	sum.Write([]byte(text))
	return "~" + hashLetters.EncodeToString(sum.Sum(nil)[:5])
}

// address leaves the domain.
func (k redactKey) address(s string) string {
	local, domain := address.Split(address.Fold(s))
	switch {
	case s == "":
		return s
	case local == "" || domain == "":
		return k.hashed(strings.ToLower(s))
	}
	return k.hashed(local+"@"+domain) + "@" + domain
}

// text takes away the local parts of what looks like an address.
func (k redactKey) text(s string) string {
	return addressIn.ReplaceAllStringFunc(s, func(found string) string {
		// What a text puts around an address is no part of it.
		from := strings.TrimLeft(found, "'`=")
		return found[:len(found)-len(from)] + k.address(strings.TrimRight(from, ".'`")) + from[len(strings.TrimRight(from, ".'`")):]
	})
}

func (k redactKey) subject(s string) string {
	if s == "" {
		return s
	}
	return k.hashed(s)
}

// shown are attributes that name machines, domains and facts: their values stay.
var shownAttributes = []string{
	"client_ip", "client_host", "client_resolve", "dnsbl", "helo", "tls", "tls_version", "authenticated", "direction", "sender_domain", "declared_size",
	"sender_mx", "sender_dnsbl", "spf", "recipient_domain", "recipient_client", "recipient_count", "correspondent", "header_ip", "header_count", "dkim", "dmarc",
	"dmarc_policy", "size", "virus", "attachment_type", "attachment_count", "attachment_size", "dkim_domain", "author_domain", "reply_to_domain", "date_skew",
	"mime_defects", "rule",
}

// shownOfModules are attributes of modules that say nothing in a sender's words: texts
// and whole addresses of the web do.
var shownOfModules = []string{"score", "symbol", "action", "url_domain"}

// file leaves what kind of file it is, and that it is within others.
func (k redactKey) file(path string) string {
	parts := strings.Split(path, "/")
	for i, name := range parts {
		stem, ending := name, ""
		if at := strings.LastIndexByte(name, '.'); at >= 0 && len(name)-at <= 6 && !strings.ContainsAny(name[at:], " @") {
			stem, ending = name[:at], name[at:]
		}
		if stem != "" {
			stem = k.hashed(stem)
		}
		parts[i] = stem + ending
	}
	return strings.Join(parts, "/")
}

// named is an id, of which a sender may have made the Subject a part.
func (k redactKey) named(id, subject string) string {
	if len(subject) > 2 {
		id = strings.ReplaceAll(id, subject, k.subject(subject))
	}
	return k.text(id)
}

// shownFields are fields of a header that name machines, times and kinds.
var shownFields = []string{
	"received", "received-spf", "date", "message-id", "mime-version", "content-transfer-encoding", "authentication-results", "dkim-signature", "return-path",
	"precedence", "auto-submitted", "x-mailer", "user-agent", "list-id", "x-tollgate",
}

// field is the value of a field that comes or goes.
func (k redactKey) field(name, value string) string {
	if slices.Contains(shownFields, strings.ToLower(name)) {
		return k.text(value)
	}
	return k.subject(value)
}

// value is of an attribute, or a header field, whatever text it may be.
func (k redactKey) value(name, value string) string {
	base, _, _ := strings.Cut(name, ".")
	switch {
	case value == "", slices.Contains(shownAttributes, base):
		return value
	case strings.HasPrefix(name, "module.") && slices.Contains(shownOfModules, name[strings.LastIndexByte(name, '.')+1:]):
		return value
	case name == "sender" || name == "recipient":
		return k.text(value)
	}
	return k.hashed(value)
}

// entry is an entry without local parts and subjects.
func (k redactKey) entry(e journal.Entry) journal.Entry {
	subject := e.Subject
	e.Sender, e.Recipient, e.Subject = k.address(e.Sender), k.address(e.Recipient), k.subject(e.Subject)
	if e.AuthUser != "" {
		e.AuthUser = k.address(e.AuthUser)
	}
	e.Recipients = slices.Clone(e.Recipients)
	for i := range e.Recipients {
		e.Recipients[i] = k.address(e.Recipients[i])
	}
	e.Changes = slices.Clone(e.Changes)
	for i := range e.Changes {
		e.Changes[i].Recipient = k.address(e.Changes[i].Recipient)
	}
	e.Tags = slices.Clone(e.Tags)
	for i, mark := range e.Tags {
		name, value, _ := strings.Cut(mark, ": ") // what it is made of may be the sender's
		e.Tags[i] = name + ": " + k.hashed(value)
	}
	e.Rules = slices.Clone(e.Rules)
	for i := range e.Rules {
		e.Rules[i].Text = k.value(e.Rules[i].Attribute, e.Rules[i].Text)
	}
	e.Modules = slices.Clone(e.Modules)
	for i := range e.Modules {
		m := &e.Modules[i]
		m.Error = k.text(m.Error)
		about := make(map[string][]string, len(m.About))
		for symbol, texts := range m.About {
			for _, text := range texts {
				about[symbol] = append(about[symbol], k.file(text))
			}
		}
		m.About = about
	}
	by := []string{e.Rule, e.BesideRule}
	for _, r := range e.Rules {
		by = append(by, r.Name)
	}
	for _, text := range []*string{&e.Reply, &e.Reason, &e.BesideReply, &e.BesideReason} {
		*text = k.said(*text, subject, by...)
	}
	e.MessageID, e.Object = k.named(e.MessageID, subject), k.named(e.Object, subject)
	e.Detail = k.detail(&e)
	if line, err := e.MarshalJSON(); err == nil {
		e.Line = string(line)
	}
	return e
}

// detail takes the value out of a line of the trace of rules.
func (k redactKey) detail(e *journal.Entry) string {
	head, value, ok := strings.Cut(e.Detail, " = ")
	if e.Event != journal.EventRules || !ok {
		return k.text(e.Detail)
	}
	return head + " = " + k.value(head[strings.LastIndexByte(head, ' ')+1:], value)
}

// explanation is the same for what a trial tells.
func (k redactKey) explanation(x *trial.Explanation) {
	subject := x.Subject
	by := []string{x.Rule}
	for _, s := range x.Stages {
		for _, r := range s.Rules {
			by = append(by, r.Rule)
		}
	}
	said := func(text string) string { return k.said(text, subject, by...) }
	x.Reply, x.Reason, x.Subject = said(x.Reply), said(x.Reason), k.subject(x.Subject)
	for i := range x.Stages {
		s := &x.Stages[i]
		s.Recipient, s.Reply, s.Reason = k.address(s.Recipient), said(s.Reply), said(s.Reason)
		for _, at := range s.Attributes {
			for n, v := range at.Values {
				at.Values[n] = k.value(at.Name, v)
			}
		}
		for n := range s.Rules {
			s.Rules[n].Value = k.value(s.Rules[n].Attribute, s.Rules[n].Value)
		}
	}
	for i := range x.Recipients {
		x.Recipients[i].Recipient, x.Recipients[i].Reply = k.address(x.Recipients[i].Recipient), said(x.Recipients[i].Reply)
	}
	for i := range x.Header {
		x.Header[i].Value = k.field(x.Header[i].Name, x.Header[i].Value)
	}
	for i := range x.Records {
		r := &x.Records[i]
		r.Recipient, r.Sender, r.MessageID = k.address(r.Recipient), k.address(r.Sender), k.text(r.MessageID)
	}
}

// effects is the same for what a comparison tells.
func (k redactKey) effects(all *replay.Effects) {
	for i := range all.Effects {
		e := &all.Effects[i]
		e.Sender = k.address(e.Sender)
		for n := range e.Recipients {
			e.Recipients[n] = k.address(e.Recipients[n])
		}
	}
}

// replay is the same for what a replay tells: the paths are the reader's own.
func (k redactKey) replay(s *replay.Summary) {
	for i := range s.Changes {
		c := &s.Changes[i]
		c.Before.Subject, c.After.Subject = k.subject(c.Before.Subject), k.subject(c.After.Subject)
	}
}
