package mail

import (
	"strings"
	"testing"
)

func TestAutomatic(t *testing.T) {
	for field, want := range map[string]bool{
		"Auto-Submitted: auto-replied":            true,
		"Auto-Submitted: auto-generated (ticket)": true,
		"AUTO-SUBMITTED: (c) Auto-Notified; x=y":  true,
		"Auto-Submitted: no":                      false,
		"Auto-Submitted: No (really)":             false,
		"Auto-Submitted:":                         false,
		"Precedence: auto_reply":                  true,
		"Precedence: bulk":                        true,
		"Precedence: list":                        false,
		"Precedence: first-class":                 false,
		"X-Autoreply: yes":                        true,
		"X-Autoreply: no":                         false,
		"X-Precedence: auto_reply":                true,
		"Preference: auto_reply":                  true,
		"X-Autoresponder: yes":                    true,
		"Delivered-To: Autoresponder":             true,
		"Delivered-To: ivan@example.org":          false,
		"Delivered-To:\r\n autoresponder (x) ":    true,
		"Delivered-To: autoresponder@example.org": false,
		"Delivered-To: no-autoresponder":          false,
		"Delivered-To: Autoresponder list":        false,
		"Content-Type: multipart/report; report-type=disposition-notification; boundary=b": true,
		"Content-Type: Multipart/Report (c); boundary=b":                                   true,
		"Content-Type: text/calendar; method=REPLY":                                        true,
		"Content-Type: text/calendar; charset=utf-8;\n METHOD=\"counter\"":                 true,
		"Content-Type: text/calendar; method=REQUEST":                                      false,
		"Content-Type: text/calendar; name=request.ics; method=REPLY":                      true,
		"Content-Type: text/calendar; x-method=reply; method = (an answer) \"Request\"":    false,
		"Content-Type: text/calendar; method=CANCEL":                                       false,
		"X-Auto-Response-Suppress: All":                                                    true,
		"X-Auto-Response-Suppress: DR, OOF":                                                false,
		"X-POST-MessageClass: 9; Autoresponder":                                            true,
		"Content-Type: text/plain; format=flowed":                                          false,
		"Content-Type: text/calendar; a=\u023a\u023a\u023a\u023a; method=reply":            true, // letters that are longer in lower case
		"Content-Type: text/calendar; a=\u023a\u023a\u023a\u023a\u023a\u023a\u023a;method": false,
		"X-Mailer: hand": false,
	} {
		name, value, _ := strings.Cut(field, ":")
		if got := (Header{{"From", " a@example.com"}, {name, value}}).Automatic(); got != want {
			t.Errorf("%s: %v", field, got)
		}
	}
}

// The answer to an invitation as programs send it: one part of several, wherever
// it stands and however its header is written, in pieces of any length.
func TestFindAnswers(t *testing.T) {
	alternative := func(calendar, text string) string {
		return "--b\r\nContent-Type: text/plain\r\n\r\nAccepted\r\n--b\r\n" + calendar + "\r\n\r\n" + text + "\r\n--b--\r\n"
	}
	for name, tt := range map[string]struct {
		header, body string
		want         bool
	}{
		"alternative":     {"multipart/alternative; boundary=b", alternative("Content-Type: text/calendar; method=REPLY", "x"), true},
		"quoted, folded":  {"multipart/alternative;\n boundary=\"b\"", alternative("content-type : Text/Calendar;\r\n charset=utf-8;\r\n\tMethod=\"reply\"", "x"), true},
		"a proposal":      {"multipart/alternative; boundary=b", alternative("Content-Type: text/calendar; method=COUNTER", "x"), true},
		"an invitation":   {"multipart/alternative; boundary=b", alternative("Content-Type: text/calendar; method=REQUEST", "METHOD:REPLY"), false},
		"a cancellation":  {"multipart/alternative; boundary=b", alternative("Content-Type: text/calendar; method=CANCEL", "x"), false},
		"mixed":           {"multipart/mixed; boundary=o", "--o\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" + alternative("Content-Type: text/calendar; method=REPLY", "x") + "--o--\r\n", true},
		"other lines":     {"multipart/mixed; boundary=b", strings.ReplaceAll(alternative("Content-Type: text/calendar; method=REPLY", "x"), "\r\n", "\n"), true},
		"in the calendar": {"multipart/mixed; boundary=b", alternative("Content-Type: text/calendar", "BEGIN:VCALENDAR\r\nMETHOD:REPLY"), true},
		"field behind it": {"multipart/mixed; boundary=b", alternative("Content-Type: text/calendar\r\nContent-Transfer-Encoding: 7bit", "BEGIN:VCALENDAR\r\nmethod:reply"), true},
		"a calendar":      {"multipart/mixed; boundary=b", alternative("Content-Type: text/calendar", "BEGIN:VCALENDAR\r\nMETHOD:PUBLISH"), false},
		"alone":           {"text/calendar", "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\n", true},
		"a notification":  {"multipart/mixed; boundary=b", alternative("Content-Type: message/disposition-notification", "x"), true},
		"forwarded":       {"multipart/mixed; boundary=b", alternative("Content-Type: message/rfc822", "Content-Type: text/calendar; method=REPLY"), false},
		"in a forwarded one": {"multipart/mixed; boundary=b", alternative("Content-Type: message/rfc822",
			"Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/calendar; method=REPLY\r\n\r\nx\r\n--c--"), false},
		"told in a text": {"multipart/mixed; boundary=b", alternative("Content-Type: text/plain", "Content-Type: text/calendar; method=REPLY"), false},
		"a text":         {"text/plain", "Content-Type: text/calendar; method=REPLY\r\n", false},
		"long lines":     {"multipart/mixed; boundary=b", alternative("Content-Type: text/plain", strings.Repeat("x", 5000)+"\r\n--b\r\nContent-Type: text/calendar; method=REPLY"), true},
	} {
		for _, piece := range []int{1, 7, 1 << 16} {
			h := Header{{"From", " a@example.com"}, {"Content-Type", tt.header}}
			if h.Automatic() {
				t.Errorf("%s: by its header", name)
			}
			w := h.FindAnswers()
			for rest := tt.body; rest != "" && w != nil; {
				n := min(piece, len(rest))
				_, _ = w.Write([]byte(rest[:n]))
				rest = rest[n:]
			}
			if w.Found() != tt.want {
				t.Errorf("%s in pieces of %d: %v", name, piece, w.Found())
			}
			if w != nil && (len(w.line) > 1000 || len(w.field) > 8<<10) {
				t.Errorf("%s: %d and %d octets are kept", name, len(w.line), len(w.field))
			}
		}
	}
}
