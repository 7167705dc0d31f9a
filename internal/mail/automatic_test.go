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
		"Content-Type: multipart/report; report-type=disposition-notification; boundary=b": true,
		"Content-Type: Multipart/Report (c); boundary=b":                                   true,
		"Content-Type: text/calendar; method=REPLY":                                        true,
		"Content-Type: text/calendar; charset=utf-8;\n METHOD=\"counter\"":                 true,
		"Content-Type: text/calendar; method=REQUEST":                                      false,
		"Content-Type: text/plain; format=flowed":                                          false,
		"X-Mailer: hand": false,
	} {
		name, value, _ := strings.Cut(field, ":")
		if got := (Header{{"From", " a@example.com"}, {name, value}}).Automatic(); got != want {
			t.Errorf("%s: %v", field, got)
		}
	}
}
