package main

import (
	"strings"
	"testing"
	"time"
)

// What would be a sheet of zeros for want of a client or a period is an error that
// says which there are.
func TestStatementOfNothing(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", strings.Replace(sales, `tariff    = "office"`, `tariff    = "daily"`, 1)+daily)
	now := time.Now().UTC()
	h.account(now.Truncate(time.Millisecond), "other")
	month := now.Format("2006-01")
	for _, tt := range []struct{ client, period, want string }{
		{"nobody", month, `there is no client "nobody"`},
		{"Sales", month, `did you mean "sales"?`},
		{"sale", month, `did you mean "sales"?`},
		{"sales", month, "such as 20"},
		{"sales", "2020-W01", "are days of UTC"},
		{"sales", now.AddDate(0, 0, 3).Format(time.DateOnly), "yet to come"},
		{"sales", "2199-01", "yet to come"},
	} {
		o := h.run("statement", tt.client, tt.period)
		if o.code != exitNegative || o.out != "" || !strings.Contains(o.err, tt.want) {
			t.Errorf("%s %s: %d %q %q, want %q", tt.client, tt.period, o.code, o.out, o.err, tt.want)
		}
	}
	if out := h.mustRun("statement", "sales", now.Format(time.DateOnly)); !strings.Contains(out, "closing balance") {
		t.Errorf("%q", out)
	}
}

// An id that was meant to be one and is empty books nothing.
func TestEmptyID(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", sales)
	h.account(time.Now().UTC().Truncate(time.Millisecond), "sales")
	for _, args := range [][]string{
		{"clients", "pay", "sales", "1.00", "--id", ""}, {"clients", "pay", "sales", "1.00", "--id", " "},
		{"clients", "adjust", "sales", "1.00", "--reason", "x", "--id="}, {"clients", "adjust", "sales", "--reverses", ""},
	} {
		if o := h.run(args...); o.code != exitUsage || !strings.Contains(o.err, "is empty") {
			t.Errorf("%q: %d %q", args, o.code, o.err)
		}
	}
	if out := h.mustRun("clients", "show", "sales"); !strings.Contains(out, "0.00") {
		t.Errorf("%q", out)
	}
}
