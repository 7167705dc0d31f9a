package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/maillog"
	"github.com/tollgate-mail/tollgate/internal/outcome"
)

// Of a message that has just ended what the log says is believed at once; that it says
// nothing, or that the queue has something, is not.
func TestReconcileAtOnce(t *testing.T) {
	end := time.Date(2026, 11, 28, 12, 0, 0, 500e6, time.UTC)
	line := func(id, text string) string {
		return fmt.Sprintf("%s mx postfix/%s\n", end.Truncate(time.Second).Format("2006-01-02T15:04:05.000000-07:00"), strings.ReplaceAll(text, "ID", id))
	}
	log := maillog.Log{}
	p := maillog.Parser{Now: func() time.Time { return end }, Location: time.UTC}
	text := line("4ZREFUSED", "cleanup[2]: ID: milter-reject: END-OF-MESSAGE from x[192.0.2.7]: 5.7.1 Command rejected; from=<a@example.com> to=<a@example.org> proto=ESMTP helo=<x>") +
		line("4ZQUEUED", "qmgr[3]: ID: from=<a@example.com>, size=300, nrcpt=1 (queue active)") + line("4ZBEFORE", "smtpd[1]: ID: client=x[192.0.2.7]")
	if err := p.ScanAny(strings.NewReader(text), func(e maillog.Event) error { log.Add(e); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		id       string
		old, now string // later, and at once; "" where it is left alone
	}{
		{"4ZREFUSED", "void", "void"}, {"4ZQUEUED", "owed", "owed"}, {"4ZBEFORE", "unknown", ""}, {"4ZNOWHERE", "unknown", ""}, {"4ZTHERE", "owed", ""},
	} {
		row := fateOf(outcome.Message{QueueID: tt.id, Time: end}, &log, map[string]string{"4ZTHERE": "active"})
		for passed, want := range map[time.Duration]string{time.Second: tt.now, time.Minute: tt.old} {
			got := ""
			for _, r := range settled([]reconciled{row}, end.Add(passed)) {
				switch {
				case r.Void:
					got = "void"
				case r.Fate == maillog.Unknown.String():
					got = "unknown"
				default:
					got = "owed"
				}
			}
			if got != want {
				t.Errorf("%s after %s: %q, want %q (%+v)", tt.id, passed, got, want, row)
			}
		}
	}
}
