package main

import (
	"strings"
	"testing"
	"time"
)

func TestParsePeriod(t *testing.T) {
	now := time.Date(2026, 3, 31, 23, 30, 0, 0, time.FixedZone("", 3*3600))
	for text, want := range map[string]string{"november": "2025-11", "nov": "2025-11"} {
		var told strings.Builder
		a := &app{streams: streams{err: &told}}
		if got, err := a.parsePeriod(text, now); got != want || err != nil || !strings.Contains(told.String(), "last year, "+want) {
			t.Errorf("%q: %q, %v, %q", text, got, err, told.String())
		}
	}
	for _, text := range []string{"march", "November 2025", "2025-11", "last month", "tuesday"} {
		var told strings.Builder
		a := &app{streams: streams{err: &told}}
		if got, err := a.parsePeriod(text, now); got == "" || err != nil || told.Len() > 0 {
			t.Errorf("%q: %q, %v, %q", text, got, err, told.String())
		}
	}
	a := &app{}
	if _, err := a.parsePeriod("novembre", now); err == nil || err.(*failure).code != exitUsage {
		t.Error(err)
	}
}
