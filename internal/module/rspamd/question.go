package rspamd

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// rspamd hangs up without a word on a request whose header is longer than
// 80 KiB, and a sender must not be able to make it so. These bounds, in
// octets, together stay well below.
const (
	mostValue      = 1 << 10
	mostRecipients = 48 << 10
)

// question is the header of a request to scan: the envelope, in the fields in
// which rspamd looks for it.
func (i *Inspector) question(e *module.Envelope) http.Header {
	h := http.Header{}
	set := func(name, value string) {
		if value = safe(value); value != "" {
			h.Set(name, value)
		}
	}
	if e.ClientIP.IsValid() {
		set("IP", e.ClientIP.Unmap().WithZone("").String())
	}
	if e.ClientHost != "unknown" {
		set("Hostname", e.ClientHost)
	}
	set("Helo", e.Helo)
	set("User", e.AuthUser)
	set("Queue-Id", e.QueueID)
	set("TLS-Version", e.TLSVersion)
	set("MTA-Name", e.Gateway)
	// By this rspamd's own log tells which message of ours it is.
	set("Log-Tag", e.Ref)
	set("Password", i.password)
	// Folds in its answer are then LF, and it knows that Postfix's own
	// Received field is not there yet.
	set("Flags", "milter")
	h.Set("From", path(e.Sender))
	var room = mostRecipients
	for _, recipient := range e.Recipients {
		value := path(recipient)
		if room -= len("Rcpt: \r\n") + len(value); room < 0 {
			break // more than it reads by default, too: max_recipients
		}
		h.Add("Rcpt", value)
	}
	return h
}

// path is an address between angle brackets, for so "<>" is one as well.
func path(address string) string { return "<" + safe(address) + ">" }

// safe is a text as it may stand in a request field: on one line, without
// control characters, and not too long.
func safe(text string) string {
	if len(text) > mostValue {
		n := mostValue
		for n > mostValue-utf8.UTFMax && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	// By octets: what is not UTF-8 stays as it is.
	b := []byte(text)
	for i, c := range b {
		if control(rune(c)) {
			b[i] = '?'
		}
	}
	return strings.TrimSpace(string(b))
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
