package trial_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config/configtest"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// A quota and a balance refuse as in live mail where it is known how accounts
// stand, and nobody where it is not.
func TestStandings(t *testing.T) {
	const limits = `[gateway]
name = "mx1.example.org"
[[client]]
id = "full"
addresses = ["full@example.org"]
quota = "100 KiB"
[[client]]
id = "day"
addresses = ["day@example.org"]
quota_day = "100 KiB"
[[client]]
id = "poor"
addresses = ["poor@example.org"]
mode = "prepaid"
[[client]]
id = "free"
addresses = ["free@example.org"]
[recipients]
mode = "known"
`
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	used := []accounting.Standing{
		{Client: "full", Period: "2026-11", Used: 100 << 10, Day: "2026-11-28"}, {Client: "day", Period: "2026-11", Day: "2026-11-28", UsedDay: 100 << 10},
		{Client: "poor"}, {Client: "free", Balance: -1},
	}
	fresh := []accounting.Standing{{Client: "full", Period: "2026-10", Used: 100 << 10}, {Client: "day", Day: "2026-11-27", UsedDay: 100 << 10}, {Client: "poor", Balance: 1}}
	for _, tt := range []struct {
		name      string
		standings []accounting.Standing
		refused   string
	}{{"used up", used, "full day poor"}, {"another period", fresh, ""}, {"not known", nil, ""}} {
		b, err := trial.New(t.Context(), trial.Options{Config: configtest.Text(t, limits), Standings: tt.standings, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		for _, client := range []string{"full", "day", "poor", "free"} {
			m := trial.Message{Recipients: []string{client + "@example.org"}}
			m.Envelope.Sender = "a@example.com"
			o, err := b.Judge(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			if refused := o.Result.Verdict != gate.Accepted; refused != strings.Contains(tt.refused, client) {
				t.Errorf("%s: %s is %s %s", tt.name, client, o.Result.Verdict, o.Recipients[0].Reply)
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
