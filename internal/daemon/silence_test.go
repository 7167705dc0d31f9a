package daemon

import (
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/milter"
)

func TestSilence(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	ms := time.Duration.Milliseconds
	for _, tt := range []struct {
		name string
		up   time.Duration
		is   milter.Status
		want string // part of what is said; "" for nothing
	}{
		{"just started", 30 * time.Second, milter.Status{}, ""},
		{"only tried whether it opens", time.Hour, milter.Status{Total: 5}, "since the start, 1h0m0s ago"},
		{"busy", time.Hour, milter.Status{Negotiated: 100, Last: ago(time.Second), Lull: ms(time.Minute)}, ""},
		{"a lull as usual", 48 * time.Hour, milter.Status{Negotiated: 100, Last: ago(7 * time.Hour), Lull: ms(8 * time.Hour)}, ""},
		{"stopped", 48 * time.Hour, milter.Status{Negotiated: 100, Last: ago(2 * time.Hour), Lull: ms(time.Minute)}, "for 2h0m0s, and before never for longer than 1m0s"},
		{"one session that lasts", 48 * time.Hour, milter.Status{Connections: 1, Negotiated: 100, Last: ago(2 * time.Hour), Lull: ms(time.Minute)}, ""},
		{"too few to know", 48 * time.Hour, milter.Status{Negotiated: 3, Last: ago(24 * time.Hour), Lull: ms(time.Minute)}, ""},
	} {
		s := Status{Started: now.Add(-tt.up), Milter: tt.is}
		if got := s.Silence(now); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}
