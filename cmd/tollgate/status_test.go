package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// What was never asked is not called well, and what judges beside the policy in
// force is named.
func TestStatusLines(t *testing.T) {
	for _, tt := range []struct{ status, want string }{
		{`{"state": {"kind": "redis"}}`, "redis: not asked yet; 0 questions"},
		{`{"state": {"kind": "redis", "asked": 2}}`, "redis: ok; 2 questions"},
		{`{"state": {"kind": "redis", "asked": 2, "failed": 1, "error": "the state store is unreachable"}}`, "redis: the state store is unreachable; 2 questions, 1 failed"},
		{`{"dns": {"servers": [{"addr": "192.0.2.53:53", "state": "not asked yet"}]}}`, "192.0.2.53:53: not asked yet, 0 queries"},
		{`{"shadow": {"on": true, "file": "c.toml", "version": "v2", "judged": 3, "different": 1}}`, "c.toml, version v2: 3 judged, 1 different, 0 left out"},
		{`{"canary": {"file": "c.toml", "version": "v2", "started": "2026-11-28T05:00:00Z", "until": "2026-11-28T06:00:00Z", "judged": 3, "refused": 2}}`, "3 judged, 2 refused by it alone"},
		{`{"mail": {"day": "2026-11-28", "zone": "Europe/Moscow", "since": "2026-11-27T21:00:00Z", "verdicts": [{"verdict": "accept", "total": 7, "today": 3}, {"verdict": "reject", "total": 2}],
			"recipients": [{"answer": "accepted", "total": 9, "today": 4}]}}`, "3 today (2026-11-28 Europe/Moscow, since 21:00:00): 3 accept; recipients: 4 accepted"},
		{`{"mail": {"day": "2026-11-28", "verdicts": [{"verdict": "accept", "total": 7, "today": 3}, {"verdict": "reject", "total": 2}]}}`, "9 since the start: 7 accept, 2 reject\n"},
		{`{"mail": {"day": "2026-11-28", "rules": [{"rule": "a", "total": 7, "today": 3}, {"rule": "b"}, {"rule": "_other", "total": 1}]}}`, "a: 3 today, 7 since the start\n"},
		{`{"mail": {"day": "2026-11-28", "rules": [{"rule": "a", "total": 7, "today": 3}, {"rule": "b"}, {"rule": "_other", "total": 1}]}}`, "and 1 more that matched: see --json"},
		{`{"mail": {"day": "2026-11-28", "rules": [{"rule": "b"}, {"rule": "_other"}]}}`, "none has matched since the start"},
		{`{"self_check": {"judged": 4, "different": 1}}`, "4 judged twice, 1 otherwise"},
	} {
		var s daemon.Status
		if err := json.Unmarshal([]byte(tt.status), &s); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := printStatus(&out, &s, time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: %s", tt.status, out.String())
		}
	}
}
