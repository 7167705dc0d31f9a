package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/embedded"
)

const daily = `[[tariff]]
name         = "daily"
currency     = "EUR"
period       = "day"
per_delivery = "0.01"
`

// A balance that is not settled does not become one of another currency unless
// somebody says so; until it does, who looks at the client is told.
func TestSwitchOfCurrency(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", sales+daily)
	h.account(time.Now().UTC().Truncate(time.Millisecond), "sales")
	h.mustRun("clients", "switch", "sales")
	h.mustRun("clients", "pay", "sales", "100.00", "--id", "a")
	h.write("policy.toml", strings.Replace(sales, `tariff    = "office"`, `tariff    = "daily"`, 1)+daily)
	if out := h.mustRun("clients", "show", "sales"); !strings.Contains(out, "office, from the next period on daily") || !strings.Contains(out, "100.00 RUB; settle it") || !strings.Contains(out, "EUR") {
		t.Errorf("%q", out)
	}
	o := h.run("clients", "switch", "sales")
	if o.code != exitNegative || !strings.Contains(o.err, "100.00 RUB") || !strings.Contains(o.err, "EUR") || !strings.Contains(o.err, "--keep-number") {
		t.Errorf("%d %q %q", o.code, o.out, o.err)
	}
	if out := h.mustRun("clients", "show", "sales"); !strings.Contains(out, "100.00 RUB") {
		t.Errorf("%q", out)
	}
	h.mustRun("clients", "adjust", "sales", "-100.00", "--reason", "settled")
	// Another gateway has records that wait.
	h.heartbeat("mx2", time.Now(), 3)
	o = h.run("clients", "switch", "sales")
	if o.code != exitNegative || !strings.Contains(o.err, "gateway mx2 has 3 records that wait") || !strings.Contains(o.err, "--force") || !strings.Contains(o.err, "RUB") {
		t.Errorf("%d %q %q", o.code, o.out, o.err)
	}
	h.heartbeat("mx2", time.Now(), 0)
	if out := h.mustRun("clients", "switch", "sales"); !strings.Contains(out, "daily holds from now on") {
		t.Errorf("%q", out)
	}
	// Of the day under way there is a statement, though nothing is in it yet.
	if out := h.mustRun("clients", "show", "sales"); !strings.Contains(out, time.Now().UTC().Format(time.DateOnly)+":") {
		t.Errorf("%q", out)
	}
	if out := h.mustRun("statement", "sales", time.Now().UTC().Format(time.DateOnly)); !strings.Contains(out, "EUR") {
		t.Errorf("%q", out)
	}
	if o := h.run("clients", "adjust", "sales", "--reverses", "a"); o.code != exitNegative || !strings.Contains(o.err, "RUB") || !strings.Contains(o.err, "EUR") {
		t.Errorf("%d %q %q", o.code, o.out, o.err)
	}
	if out := h.mustRun("clients", "show", "sales"); !strings.Contains(out, "0.00 EUR") {
		t.Errorf("%q", out)
	}
	h.mustRun("clients", "pay", "sales", "5.00", "--id", "b")
	h.write("policy.toml", sales+daily)
	if o := h.run("clients", "switch", "sales"); o.code != exitNegative {
		t.Errorf("%d %q", o.code, o.err)
	}
	if out := h.mustRun("clients", "switch", "sales", "--keep-number"); !strings.Contains(out, "office holds from now on") {
		t.Errorf("%q", out)
	}
	// Taken away: it says so.
	h.write("policy.toml", strings.Replace(sales, `tariff    = "office"`, "", 1)+daily)
	if out := h.mustRun("clients", "show", "sales"); !strings.Contains(out, "office, from the next period on none") {
		t.Errorf("%q", out)
	}
}

// heartbeat has another gateway say what waits in its spool.
func (h *house) heartbeat(gateway string, at time.Time, waiting int64) {
	h.t.Helper()
	s, err := embedded.Open(h.path("state/account.db"), embedded.Options{Now: func() time.Time { return at }})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := errors.Join(s.Heartbeat(h.t.Context(), gateway, waiting), s.Close()); err != nil {
		h.t.Fatal(err)
	}
}

// What a store has lost is told until somebody says that it was booked again.
func TestRebooked(t *testing.T) {
	h := newHouse(t)
	h.account(time.Now().UTC().Truncate(time.Millisecond), "sales")
	if out := h.mustRun("clients", "rebooked"); !strings.Contains(out, "nothing is known to be lost") {
		t.Errorf("%q", out)
	}
	if err := os.WriteFile(h.path("state/money-lost"), []byte("the store was set back\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := h.mustRun("clients", "rebooked"); !strings.Contains(out, "settled: the store was set back") {
		t.Errorf("%q", out)
	}
	if out := h.mustRun("clients", "rebooked"); !strings.Contains(out, "nothing is known to be lost") {
		t.Errorf("%q", out)
	}
}
