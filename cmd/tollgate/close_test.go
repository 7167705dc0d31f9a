package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// A month is closed and archived; what is said of it stays, and a store that is
// set back does not forget it.
func TestClose(t *testing.T) {
	now := time.Now().UTC()
	month := now.AddDate(0, -1, 1-now.Day()).Format("2006-01")
	at, err := time.Parse("2006-01", month)
	if err != nil {
		t.Fatal(err)
	}
	if at = at.AddDate(0, 0, 14); now.Sub(at) > 40*24*time.Hour {
		at = now.AddDate(0, 0, -39)
		month = at.Format("2006-01")
	}
	h := newHouse(t)
	h.account(at, "sales", "sales", "it")
	old, err := os.ReadFile(h.path("state/account.db"))
	if err != nil {
		t.Fatal(err)
	}
	d := h.serve()
	look := func() string {
		return h.mustRun("report", "--from", month, "--by", "client,day", "--json") + h.mustRun("report", "--from", month, "--verify") +
			strings.ReplaceAll(h.mustRun("statement", "sales", month), "closed", "open")
	}
	if o := h.run("close", now.Format("2006-01")); o.code != 1 || !strings.Contains(o.err, "not over") {
		t.Errorf("%+v", o)
	}
	before := look()
	if err := os.Mkdir(h.path("archive"), 0o755); err != nil {
		t.Fatal(err)
	}
	var seal accounting.Close
	if err := json.Unmarshal([]byte(h.mustRun("close", month, "--archive", h.path("archive"), "--json")), &seal); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(h.path("archive/" + month + ".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != seal.Hash || seal.Records != 3 || seal.Number != 1 || seal.Archive == "" {
		t.Errorf("%+v", seal)
	}
	if after := look(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if out := h.mustRun("close", month); !strings.Contains(out, seal.Hash) || !strings.Contains(out, "was closed before and is verified") {
		t.Error(out)
	}
	// A day of it is not closed without being asked for.
	day := at.Format(time.DateOnly)
	if o := h.run("close", day); o.code != exitNegative || !strings.Contains(o.err, month+", which is closed") || !strings.Contains(o.err, "nothing was closed") {
		t.Errorf("%+v", o)
	}
	if o := h.run("close", day, "--json"); o.code != exitUsage || o.out != "" {
		t.Errorf("%+v", o)
	}
	if out := h.mustRun("journal", "--stage", "close", "--json"); strings.Count(out, "\n") != 1 || !strings.Contains(out, seal.Hash) {
		t.Errorf("journal: %s", out)
	}
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	d.await("STOPPING=1")
	if out := h.mustRun("report", "--from", month, "--verify"); !strings.Contains(out, "all agrees") {
		t.Error(out)
	}
	if err := os.WriteFile(h.path("state/account.db"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := h.run("report", "--from", month); !strings.Contains(o.out, "does not know that "+month+" was closed") {
		t.Errorf("%+v", o)
	}
	d = h.serve()
	if o := h.run("report", "--from", month, "--verify"); o.code != 1 || !strings.Contains(o.out, "set back") {
		t.Errorf("%+v", o)
	}
	if s := h.status(); !strings.Contains(strings.Join(s.Degraded, "\n"), "set back") {
		t.Errorf("%q", s.Degraded)
	}
	if out := h.mustRun("close", month); !strings.Contains(out, seal.Hash) {
		t.Error(out)
	}
	if s := h.status(); strings.Contains(strings.Join(s.Degraded, "\n"), "set back") {
		t.Errorf("%q", s.Degraded)
	}
	if after := look(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
