package gate_test

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

func TestTrace(t *testing.T) {
	w := newWorld(t, source(rule("no-ivan", "rcptto", "reject", "recipient", "^ivan@"), rule("hello", "headers", "", "subject", "hello")))
	w.traced = true
	w.send(sending{to: []string{"ivan@example.org", "sales@example.org"}})
	var got []string
	for _, e := range w.entries[journal.Trace] {
		if e.Event != "rules" || e.Ref == "" {
			t.Errorf("entry %+v", e)
		}
		got = append(got, strings.Join([]string{e.Stage, e.Rule, e.Recipient, e.Detail}, "|"))
	}
	want := []string{
		"rcptto|no-ivan|ivan@example.org|match: match recipient, which is ivan@example.org",
		"rcptto|no-ivan|sales@example.org|no match: match recipient, which is sales@example.org",
		"headers|hello||match: match subject, which is hello",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("traced\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
