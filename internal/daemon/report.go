package daemon

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/report"
)

// ReportRequest asks for a report.
type ReportRequest struct {
	By     string `json:"by"`
	From   string `json:"from"` // as report.ParseDays reads it; "": the first day of the current month
	To     string `json:"to"`   // likewise; "": today
	Client string `json:"client"`
	Top    int    `json:"top"`
}

// Query reads a request. Days are those of loc.
func (r ReportRequest) Query(loc *time.Location, now time.Time) (report.Query, error) {
	q := report.Query{Location: loc, Client: r.Client, Top: r.Top}
	if slices.Contains(strings.Split(r.By, ","), "tariff") {
		return q, fmt.Errorf("--by tariff: tariffs are not part of this version")
	}
	var err error
	if q.By, err = report.ParseBy(r.By); err != nil {
		return q, fmt.Errorf("--by: %w", err)
	}
	now = now.In(loc)
	q.From, q.To = now.AddDate(0, 0, 1-now.Day()), now
	if r.To != "" {
		if _, q.To, err = report.ParseDays(r.To, now); err != nil {
			return q, fmt.Errorf("--to: %w", err)
		}
		if r.From == "" {
			q.From = q.To.AddDate(0, 0, 1-q.To.Day())
		}
	}
	if r.From != "" {
		var last time.Time
		if q.From, last, err = report.ParseDays(r.From, now); err != nil {
			return q, fmt.Errorf("--from: %w", err)
		}
		// "--from 2026-10" alone means that month; "--from 2026-10-01" up to today.
		if r.To == "" && !last.Equal(q.From) {
			q.To = last
		}
	}
	if q.From.Format(time.DateOnly) > q.To.Format(time.DateOnly) {
		return q, fmt.Errorf("--from %s is after --to %s (days of the time zone %s)", q.From.Format(time.DateOnly), q.To.Format(time.DateOnly), loc)
	}
	if r.Top < 0 {
		return q, fmt.Errorf("--top %d: want how many", r.Top)
	}
	return q, nil
}

// ParseClient reads an address or a network; "" is none.
func ParseClient(s string) (netip.Prefix, error) {
	if s == "" {
		return netip.Prefix{}, nil
	}
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("--client-ip %q: want an address or a network such as 192.0.2.0/24", s)
	}
	return p.Masked(), nil
}
