package main

import (
	"testing"
	"time"
)

func TestParseWhen(t *testing.T) {
	moscow, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 15, 4, 5, 0, moscow)
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, moscow) }
	tests := []struct {
		text        string
		from, until time.Time
	}{
		{"now", now, now},
		{"2h", now.Add(-2 * time.Hour), now.Add(-2 * time.Hour)},
		{"90m ago", now.Add(-90 * time.Minute), now.Add(-90 * time.Minute)},
		{"3d", now.AddDate(0, 0, -3), now.AddDate(0, 0, -3)},
		{"1.5d", now.Add(-36 * time.Hour), now.Add(-36 * time.Hour)},
		{"2w", now.AddDate(0, 0, -14), now.AddDate(0, 0, -14)},
		{"today", day(23), day(24)},
		{"10 minutes", now.Add(-10 * time.Minute), now.Add(-10 * time.Minute)},
		{"2 days ago", now.AddDate(0, 0, -2), now.AddDate(0, 0, -2)},
		{"monday", day(23), day(24)}, // today is one
		{"Tuesday", day(17), day(18)},
		{"sun", day(22), day(23)},
		{"23.11.2026", day(23), day(24)},
		{"3.11.2026 9:05", day(3).Add(9*time.Hour + 5*time.Minute), day(3).Add(9*time.Hour + 5*time.Minute)},
		{"10:00", day(23).Add(10 * time.Hour), day(23).Add(10 * time.Hour)},
		{"21:40", day(22).Add(21*time.Hour + 40*time.Minute), day(22).Add(21*time.Hour + 40*time.Minute)}, // not yet today
		{"Yesterday", day(22), day(23)},
		{"yesterday 12:00", day(22).Add(12 * time.Hour), day(22).Add(12 * time.Hour)},
		{"Tuesday 9:05:07", day(17).Add(9*time.Hour + 5*time.Minute + 7*time.Second), day(17).Add(9*time.Hour + 5*time.Minute + 7*time.Second)},
		{"today  16:00", day(23).Add(16 * time.Hour), day(23).Add(16 * time.Hour)},
		{" 2026-11-20 ", day(20), day(21)},
		{"this month", day(1), day(31)},
		{"november", day(1), day(31)},
		{"2026-11", day(1), day(31)},
		{"2026-W47", day(16), day(23)},
		{"last week", day(16), day(23)},
		{"2026-11-20 10:30", day(20).Add(10*time.Hour + 30*time.Minute), day(20).Add(10*time.Hour + 30*time.Minute)},
		{"2026-11-20T10:30:01", day(20).Add(10*time.Hour + 30*time.Minute + time.Second), day(20).Add(10*time.Hour + 30*time.Minute + time.Second)},
		{"2026-11-20T10:30:00Z", time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC), time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC)},
		{"2026-11-20T10:30:00.25+01:00", time.Date(2026, 11, 20, 9, 30, 0, 250e6, time.UTC), time.Date(2026, 11, 20, 9, 30, 0, 250e6, time.UTC)},
	}
	for _, tt := range tests {
		m, err := parseWhen(tt.text, now)
		if err != nil || !m.at.Equal(tt.from) || !m.until().Equal(tt.until) {
			t.Errorf("%q: %v until %v, %v", tt.text, m.at, m.until(), err)
		}
	}
	for _, text := range []string{"", "soon", "-2h", "november 12:00", "yesterday 25:00", "yesterday noon", "2026-13-01", "2026-11-23 25:00", "d", "h", "9999999999999999999d"} {
		if m, err := parseWhen(text, now); err == nil {
			t.Errorf("%q is read as %v", text, m.at)
		}
	}
}

func FuzzParseWhen(f *testing.F) {
	for _, s := range []string{"2h", "yesterday", "2026-11-23", "2026-11-23 10:00", "2026-11-23T10:00:00Z", "1e9d", "Infd"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		m, err := parseWhen(s, now)
		if err == nil && m.until().Before(m.at) {
			t.Errorf("%q ends before it begins", s)
		}
	})
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain":           "plain",
		"Отчёт за день":   "Отчёт за день",
		"\x1b[31mred":     "�[31mred",
		"a\r\nb\tc":       "a��b�c",
		"\u202etxt.exe":   "�txt.exe",
		"\u009b31m":       "�31m",
		"\xff\xfe":        "�",
		"日本語 \u2028 line": "日本語 � line",
	} {
		if got := visible(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := shorten("Привет, мир", 6); got != "Привет..." {
		t.Errorf("shortened to %q", got)
	}
	if got := shorten("short", 5); got != "short" {
		t.Errorf("shortened to %q", got)
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 12345: "12.1 KiB", 5 << 30: "5.0 GiB", 1 << 60: "1048576.0 TiB"} {
		if got := bytesize(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
