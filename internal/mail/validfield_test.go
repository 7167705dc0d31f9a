package mail_test

import (
	"testing"

	"github.com/tollgate-mail/tollgate/internal/mail"
)

func TestValidField(t *testing.T) {
	for value, want := range map[string]bool{
		" yes":        true,
		" a\n b\n\tc": true,
		" Да":         true,
		" ":           true,
		"yes":         false,
		"":            false,
		" a\nEvil: b": false,
		" a\n":        false,
		" a\n\n b":    false,
		" a\n \n b":   false, // a line of white space ends the header for some readers
		" a\r\n b":    false,
		" a\x00":      false,
	} {
		if got := mail.ValidField(mail.Field{Name: "X-A", Value: value}); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
	for _, name := range []string{"", "a b", "a:", "ä", "a\n"} {
		if mail.ValidField(mail.Field{Name: name, Value: " v"}) {
			t.Errorf("name %q", name)
		}
	}
}
