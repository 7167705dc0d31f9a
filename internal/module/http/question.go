package http

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// Many servers refuse a request whose header is longer than 32 KiB, and a
// sender must not be able to make it so. These bounds, in octets as encoded,
// together stay below.
const (
	mostValue      = 1 << 10
	mostSubject    = 4 << 10
	mostRecipients = 16 << 10
)

// prefix is of the request fields that tell the envelope.
const prefix = "X-Tollgate-"

// question is the header of a request: the envelope, and what the body is.
func question(e *module.Envelope) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "message/rfc822")
	h.Set("Accept", "application/json")
	ip := ""
	if e.ClientIP.IsValid() {
		ip = e.ClientIP.Unmap().WithZone("").String()
	}
	for name, value := range map[string]string{
		"Ref":         e.Ref,
		"Gateway":     e.Gateway,
		"Queue-Id":    e.QueueID,
		"Client-Ip":   ip,
		"Client-Host": e.ClientHost,
		"Helo":        e.Helo,
		"Tls-Version": e.TLSVersion,
		"Auth-User":   e.AuthUser,
		"Direction":   e.Direction,
	} {
		if value != "" {
			h.Set(prefix+name, escape(value, mostValue))
		}
	}
	h.Set(prefix+"Subject", escape(e.Subject, mostSubject))
	// Empty is the null sender.
	h.Set(prefix+"Sender", escape(e.Sender, mostValue))
	h.Set(prefix+"Recipients", strconv.Itoa(len(e.Recipients)))
	room := mostRecipients
	for _, recipient := range e.Recipients {
		value := escape(recipient, mostValue)
		if room -= len(prefix+"Recipient: \r\n") + len(value); room < 0 {
			break
		}
		h.Add(prefix+"Recipient", value)
	}
	return h
}

// escape is a text as printable ASCII: every other octet, the space, the
// percent sign and the comma, at which some servers join fields of one name,
// stand as %XX. What goes beyond most octets is cut, between characters.
func escape(text string, most int) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for text != "" {
		n := 1
		for n < len(text) && text[n]&0xc0 == 0x80 {
			n++ // the rest of a character in UTF-8
		}
		var one strings.Builder
		for _, c := range []byte(text[:n]) {
			if c > ' ' && c < 0x7f && c != '%' && c != ',' {
				one.WriteByte(c)
				continue
			}
			one.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
		if b.Len()+one.Len() > most {
			break
		}
		b.WriteString(one.String())
		text = text[n:]
	}
	return b.String()
}
