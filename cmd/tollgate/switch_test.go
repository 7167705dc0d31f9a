package main

import (
	"strings"
	"testing"
	"time"
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
	if out := h.mustRun("clients", "switch", "sales"); !strings.Contains(out, "daily holds from now on") {
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
