package main

import (
	"strings"
	"testing"
	"time"
)

// A flag takes the durations that the policy and the other flags take, and says so of
// others in our words.
func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "2d": 48 * time.Hour, "1h30m": 90 * time.Minute, "10 minutes": 10 * time.Minute, "0": 0, "1w": 7 * 24 * time.Hour, " 5M ": 5 * time.Minute,
	} {
		var d timeFlag
		if err := d.Set(text); err != nil || time.Duration(d) != want {
			t.Errorf("%q: %v, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "1", "-5m", "2 fortnights", "d"} {
		var d timeFlag
		if err := d.Set(text); err == nil || strings.Contains(err.Error(), "time:") {
			t.Errorf("%q: %v, %v", text, time.Duration(d), err)
		}
	}
	for text, want := range map[time.Duration]string{time.Hour: "1h", 90 * time.Minute: "1h30m", 30 * time.Second: "30s", 10 * time.Minute: "10m"} {
		d := timeFlag(text)
		if d.String() != want {
			t.Errorf("%v is shown as %q, want %q", text, d.String(), want)
		}
	}
}

// The help of no command has a default that nobody would write.
func TestHelpHasPlainDefaults(t *testing.T) {
	for _, args := range []string{"canary start", "explain", "send-test", "serve", "test"} {
		h := newHouse(t)
		out := h.mustRun(append(strings.Fields(args), "--help")...)
		for _, odd := range []string{"m0s)", "h0m", "default -1", "INFO", "default 0)"} {
			if strings.Contains(out, odd) {
				t.Errorf("%s: %q in\n%s", args, odd, out)
			}
		}
	}
}

// A file of the command line that is not there is a slip, whatever the command.
func TestFileThatIsNotThere(t *testing.T) {
	h := newHouse(t)
	for _, args := range []string{
		"explain --recipient ivan@example.org none.eml", "replay none", "replay --answers none.toml .", "restore none.tar.gz", "restore none.tar.gz --state-dir d", "test none.toml",
		"clients import none.toml", "reconcile --maillog none.log", "list build none.txt", "explain --answers none.toml --recipient ivan@example.org",
	} {
		o := h.run(strings.Fields(args)...)
		if o.code != exitUsage || !strings.Contains(o.err, "no such file") && !strings.Contains(o.err, "there is no") {
			t.Errorf("%s: %+v", args, o)
		}
	}
	if o := h.run("explain", ""); o.code != exitUsage || !strings.Contains(o.err, "is empty") {
		t.Errorf("%+v", o)
	}
}
