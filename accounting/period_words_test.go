package accounting

import (
	"errors"
	"testing"
	"time"
)

func TestNamePeriod(t *testing.T) {
	now := time.Date(2026, 3, 31, 23, 30, 0, 0, time.FixedZone("", 3*3600)) // a Tuesday
	for text, want := range map[string]string{
		"2026-11": "2026-11", "2026-W48": "2026-W48", "2026-w48": "2026-W48", "2026-11-23": "2026-11-23", "23.11.2026": "2026-11-23", "1.2.2026": "2026-02-01",
		"last month": "2026-02", "This  Month": "2026-03", "march": "2026-03", "november": "2025-11", "nov": "2025-11", "November 2024": "2024-11",
		"last week": "2026-W13", "this week": "2026-W14", "yesterday": "2026-03-30", "today": "2026-03-31", " Tuesday ": "2026-03-31", "wed": "2026-03-25",
		"": "", "last year": "", "2026-13": "", "2026-02-30": "", "30.2.2026": "", "novembre": "", "november 24": "", "november 2x24": "", "2026": "", "2026-W54": "", "tuesday 2026": "",
	} {
		got, err := NamePeriod(text, now)
		if got != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, ErrPeriod) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}
