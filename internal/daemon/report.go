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
	From   string `json:"from"` // first day, "2026-11-23"; "": of the current month
	To     string `json:"to"`   // last day; "": today
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
		if q.To, err = report.ParseDay(r.To); err != nil {
			return q, fmt.Errorf("--to: %w", err)
		}
		if r.From == "" {
			q.From = q.To.AddDate(0, 0, 1-q.To.Day())
		}
	}
	if r.From != "" {
		if q.From, err = report.ParseDay(r.From); err != nil {
			return q, fmt.Errorf("--from: %w", err)
		}
	}
	if q.From.Format(time.DateOnly) > q.To.Format(time.DateOnly) {
		return q, fmt.Errorf("--from %s is after --to %s", q.From.Format(time.DateOnly), q.To.Format(time.DateOnly))
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
