package spamassassin

import (
	"regexp"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// hop are the fields that a message would have on top if it had been delivered:
// its Return-Path, and the Received field of our Postfix, which a milter is not
// shown. Without them SpamAssassin takes the last hop but one for the last:
// lists of addresses, SPF and all that knows whom it can trust would look at
// what the sender may have made up.
//
// Both are in the form that Postfix writes and SpamAssassin reads. Nothing that
// an outsider says can end a part of them and begin another.
func (i *Inspector) hop(e *module.Envelope) string {
	var b strings.Builder
	b.WriteString("Return-Path: <" + path(e.Sender) + ">\r\nReceived: ")
	if e.ClientIP.IsValid() {
		ip := e.ClientIP.Unmap().WithZone("")
		addr := ip.String()
		if ip.Is6() {
			addr = "IPv6:" + addr
		}
		b.WriteString("from " + helo(e.Helo) + " (" + word(e.ClientHost) + " [" + addr + "])\r\n\t")
	}
	b.WriteString("by " + word(e.Gateway) + " (Postfix) with " + protocol(e) + " id " + word(e.QueueID) + "\r\n\t")
	if ordinary.MatchString(e.Sender) && len(e.Sender) <= longestWord {
		// A Return-Path of the client's, further down, would have SpamAssassin
		// believe neither.
		b.WriteString("(envelope-from <" + e.Sender + ">)")
	}
	b.WriteString(";\r\n\t" + i.now().Format(time.RFC1123Z) + "\r\n")
	return b.String()
}

// ordinary are addresses that can stand in a comment: no parentheses, no
// spaces (atext, RFC 5322 §3.2.3).
var ordinary = regexp.MustCompile("^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$")

// protocol is the registered name of how the message came (RFC 3848). By the
// A in it SpamAssassin knows that the client was authenticated.
func protocol(e *module.Envelope) string {
	p := "ESMTP"
	if e.TLSVersion != "" {
		p += "S"
	}
	if e.AuthUser != "" {
		p += "A"
	}
	return p
}

// bounds in octets: a domain name has at most 255, a path 256 (RFC 5321
// §4.5.3.1); an extended address has more.
const (
	longestWord = 255
	longestPath = 998 - len("Return-Path: <>")
)

// word is a name as it may stand in a Received field.
func word(s string) string {
	s = replaced(s, longestWord, func(c byte) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
	})
	if s == "" {
		return "unknown"
	}
	return s
}

// literal is an address literal (RFC 5321 §4.1.3).
var literal = regexp.MustCompile(`^\[(?:IPv6:)?[0-9A-Fa-f.:]{2,45}\]$`)

// helo is what the client called itself: a name or an address literal.
func helo(s string) string {
	if literal.MatchString(s) {
		return s
	}
	return word(s)
}

// path is an address as it may stand between angle brackets.
func path(s string) string {
	return replaced(s, longestPath, func(c byte) bool { return c >= ' ' && c != 0x7f && c != '<' && c != '>' })
}

// replaced has "?" for all octets that are not allowed, and is cut to a length.
func replaced(s string, length int, allowed func(byte) bool) string {
	b := []byte(s[:min(len(s), length)])
	for i, c := range b {
		if !allowed(c) {
			b[i] = '?'
		}
	}
	return string(b)
}
