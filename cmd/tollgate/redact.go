package main

import (
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

// hashed stands for a text: the same text has the same, here and elsewhere. Who can
// guess the text can tell; it is for reports that are passed on, not for secrets.
func hashed(text string) string {
	sum := sha256.Sum256([]byte("tollgate redact\x00" + text))
	return "~" + hashLetters.EncodeToString(sum[:5])
}

// redactAddress leaves the domain.
func redactAddress(s string) string {
	local, domain := address.Split(address.Fold(s))
	switch {
	case s == "":
		return s
	case local == "" || domain == "":
		return hashed(strings.ToLower(s))
	}
	return hashed(local+"@"+domain) + "@" + domain
}

// redactText takes away the local parts of what looks like an address.
func redactText(s string) string {
	return addressIn.ReplaceAllStringFunc(s, func(found string) string {
		// What a text puts around an address is no part of it.
		from := strings.TrimLeft(found, "'`=")
		return found[:len(found)-len(from)] + redactAddress(strings.TrimRight(from, ".'`")) + from[len(strings.TrimRight(from, ".'`")):]
	})
}

func redactSubject(s string) string {
	if s == "" {
		return s
	}
	return hashed(s)
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

// redactFile leaves what kind of file it is, and that it is within others.
func redactFile(path string) string {
	parts := strings.Split(path, "/")
	for i, name := range parts {
		stem, ending := name, ""
		if at := strings.LastIndexByte(name, '.'); at >= 0 && len(name)-at <= 6 && !strings.ContainsAny(name[at:], " @") {
			stem, ending = name[:at], name[at:]
		}
		if stem != "" {
			stem = hashed(stem)
		}
		parts[i] = stem + ending
	}
	return strings.Join(parts, "/")
}

// redactSaid is a reply or a reason: the policy's words, into which placeholders may
// have put the Subject.
func redactSaid(text, subject string) string {
	if len(subject) > 2 {
		text = strings.ReplaceAll(text, subject, redactSubject(subject))
	}
	return redactText(text)
}

// shownFields are fields of a header that name machines, times and kinds.
var shownFields = []string{
	"received", "received-spf", "date", "message-id", "mime-version", "content-transfer-encoding", "authentication-results", "dkim-signature", "return-path",
	"precedence", "auto-submitted", "x-mailer", "user-agent", "list-id", "x-tollgate",
}

// redactField is the value of a field that comes or goes.
func redactField(name, value string) string {
	if slices.Contains(shownFields, strings.ToLower(name)) {
		return redactText(value)
	}
	return redactSubject(value)
}

// redactValue is of an attribute, or a header field, whatever text it may be.
func redactValue(name, value string) string {
	base, _, _ := strings.Cut(name, ".")
	switch {
	case value == "", slices.Contains(shownAttributes, base):
		return value
	case strings.HasPrefix(name, "module.") && slices.Contains(shownOfModules, name[strings.LastIndexByte(name, '.')+1:]):
		return value
	case name == "sender" || name == "recipient":
		return redactText(value)
	}
	return hashed(value)
}

// redacted is an entry without local parts and subjects.
func redacted(e journal.Entry) journal.Entry {
	subject := e.Subject
	e.Sender, e.Recipient, e.Subject = redactAddress(e.Sender), redactAddress(e.Recipient), redactSubject(e.Subject)
	if e.AuthUser != "" {
		e.AuthUser = redactAddress(e.AuthUser)
	}
	e.Recipients = slices.Clone(e.Recipients)
	for i := range e.Recipients {
		e.Recipients[i] = redactAddress(e.Recipients[i])
	}
	e.Changes = slices.Clone(e.Changes)
	for i := range e.Changes {
		e.Changes[i].Recipient = redactAddress(e.Changes[i].Recipient)
	}
	e.Tags = slices.Clone(e.Tags)
	for i, mark := range e.Tags {
		name, value, _ := strings.Cut(mark, ": ") // what it is made of may be the sender's
		e.Tags[i] = name + ": " + hashed(value)
	}
	e.Rules = slices.Clone(e.Rules)
	for i := range e.Rules {
		e.Rules[i].Text = redactValue(e.Rules[i].Attribute, e.Rules[i].Text)
	}
	e.Modules = slices.Clone(e.Modules)
	for i := range e.Modules {
		m := &e.Modules[i]
		m.Error = redactText(m.Error)
		about := make(map[string][]string, len(m.About))
		for symbol, texts := range m.About {
			for _, text := range texts {
				about[symbol] = append(about[symbol], redactFile(text))
			}
		}
		m.About = about
	}
	for _, text := range []*string{&e.MessageID, &e.Object, &e.Reply, &e.Reason, &e.BesideReply, &e.BesideReason} {
		*text = redactSaid(*text, subject)
	}
	e.Detail = redactDetail(&e)
	if line, err := e.MarshalJSON(); err == nil {
		e.Line = string(line)
	}
	return e
}

// redactDetail takes the value out of a line of the trace of rules.
func redactDetail(e *journal.Entry) string {
	head, value, ok := strings.Cut(e.Detail, " = ")
	if e.Event != journal.EventRules || !ok {
		return redactText(e.Detail)
	}
	return head + " = " + redactValue(head[strings.LastIndexByte(head, ' ')+1:], value)
}

// redactExplanation is the same for what a trial tells.
func redactExplanation(x *trial.Explanation) {
	subject := x.Subject
	said := func(text string) string { return redactSaid(text, subject) }
	x.Reply, x.Reason, x.Subject = said(x.Reply), said(x.Reason), redactSubject(x.Subject)
	for i := range x.Stages {
		s := &x.Stages[i]
		s.Recipient, s.Reply, s.Reason = redactAddress(s.Recipient), said(s.Reply), said(s.Reason)
		for k := range s.Attributes {
			for n, v := range s.Attributes[k].Values {
				s.Attributes[k].Values[n] = redactValue(s.Attributes[k].Name, v)
			}
		}
		for k := range s.Rules {
			s.Rules[k].Value = redactValue(s.Rules[k].Attribute, s.Rules[k].Value)
		}
	}
	for i := range x.Recipients {
		x.Recipients[i].Recipient, x.Recipients[i].Reply = redactAddress(x.Recipients[i].Recipient), said(x.Recipients[i].Reply)
	}
	for i := range x.Header {
		x.Header[i].Value = redactField(x.Header[i].Name, x.Header[i].Value)
	}
	for i := range x.Records {
		r := &x.Records[i]
		r.Recipient, r.Sender, r.MessageID = redactAddress(r.Recipient), redactAddress(r.Sender), redactText(r.MessageID)
	}
}

// redactEffects is the same for what a comparison tells.
func redactEffects(all *replay.Effects) {
	for i := range all.Effects {
		e := &all.Effects[i]
		e.Sender = redactAddress(e.Sender)
		for n := range e.Recipients {
			e.Recipients[n] = redactAddress(e.Recipients[n])
		}
	}
}

// redactReplay is the same for what a replay tells: the paths are the reader's own.
func redactReplay(s *replay.Summary) {
	for i := range s.Changes {
		c := &s.Changes[i]
		c.Before.Subject, c.After.Subject = redactSubject(c.Before.Subject), redactSubject(c.After.Subject)
	}
}
