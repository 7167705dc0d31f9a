package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// What was never asked is not called well.
func TestStatusOfWhatWasNotAsked(t *testing.T) {
	for _, tt := range []struct{ status, want string }{
		{`{"state": {"kind": "redis"}}`, "redis: not asked yet; 0 questions"},
		{`{"state": {"kind": "redis", "asked": 2}}`, "redis: ok; 2 questions"},
		{`{"state": {"kind": "redis", "asked": 2, "failed": 1, "error": "the state store is away"}}`, "redis: the state store is away; 2 questions, 1 failed"},
		{`{"dns": {"servers": [{"addr": "192.0.2.53:53", "state": "not asked yet"}]}}`, "192.0.2.53:53: not asked yet, 0 queries"},
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
