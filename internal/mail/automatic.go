package mail

import (
	"slices"
	"strings"
)

// Automatic tells whether no human hand wrote a message, as far as its header
// says so: an answer of a program (RFC 3834), a notification that it was read or
// delivered (RFC 8098, RFC 3464), an answer to an invitation (RFC 6047).
func (h Header) Automatic() bool {
	for _, f := range h {
		switch name := strings.ToLower(f.Name); name {
		case "auto-submitted":
			// RFC 3834 §5: any word but "no".
			word := wordOf(f.Value)
			if word != "" && word != "no" {
				return true
			}
		case "precedence":
			if slices.Contains([]string{"auto_reply", "auto-reply", "autoreply", "bulk", "junk"}, wordOf(f.Value)) {
				return true
			}
		case "x-autoreply", "x-autorespond", "x-auto-reply", "x-mail-autoreply", "x-autoreply-from", "x-auto-reply-from":
			if wordOf(f.Value) != "no" {
				return true
			}
		case "content-type":
			value, _, _ := parameters(nil, f.Value)
			switch typeWord(value) {
			case "multipart/report", "message/disposition-notification", "message/delivery-status", "message/global-disposition-notification", "message/global-delivery-status":
				return true
			case "text/calendar":
				if method := strings.ToLower(f.Value); strings.Contains(method, "method") && !strings.Contains(method, "request") && !strings.Contains(method, "publish") {
					return true
				}
			}
		}
	}
	return false
}

// wordOf is the first word of a value, lower case, without what is about it.
func wordOf(raw string) string {
	s := strings.TrimLeft(uncomment(unfold(raw)), " \t")
	if i := strings.IndexAny(s, " \t;"); i >= 0 {
		s = s[:i]
	}
	return strings.ToLower(s)
}
