package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// Nothing is said twice in one line.
func TestSaidOnce(t *testing.T) {
	closed := deed{Entry: journal.Entry{Verdict: "closed", By: "root", Reason: "period 2026-10 closed, number 1, by root"}}
	if text := closed.text(time.UTC); strings.Count(text, "by root") != 1 || !strings.HasSuffix(text, ": period 2026-10 closed, number 1") {
		t.Error(text)
	}
	if text := lookLine(&journal.Entry{By: "root", Event: "trace", Detail: "trace is off"}); text != "root: trace is off" {
		t.Error(text)
	}
	if text := lookLine(&journal.Entry{By: "root", Event: "journal show", Detail: "r1"}); text != "root: journal show r1" {
		t.Error(text)
	}
}
