package price

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Terms are what a tariff says: plain values that are kept as long as a record
// names them. Money is in millionths of the currency unit.
type Terms struct {
	Name               string `json:"name"`
	Currency           string `json:"currency"`
	PerMiB             int64  `json:"per_mib"`
	PerDelivery        int64  `json:"per_delivery"`
	Increment          int64  `json:"increment"` // bytes; at least 1
	Included           int64  `json:"included"`  // bytes a period
	IncludedDeliveries int64  `json:"included_deliveries"`
	Fee                int64  `json:"fee"`      // a period
	Period             string `json:"period"`   // accounting.ByMonth, ByWeek, ByDay
	Timezone           string `json:"timezone"` // periods and bands are cut in it
	Bands              []Band `json:"bands"`
}

// Band is a part of the week with another price.
type Band struct {
	When    string `json:"when"`    // a schedule
	Percent int64  `json:"percent"` // of per_mib and per_delivery
}

// Bounds of a tariff. MaxVolume keeps what a script counts in doubles exact.
const (
	MaxVolume  = 1<<53 - 1 // bytes
	MaxPercent = 1000
	maxName    = 64
	maxBands   = 100
)

// Canonical is the one form of the terms: JSON without spaces, its keys in the
// order of Terms.
func (t Terms) Canonical() []byte {
	if t.Bands == nil {
		t.Bands = []Band{}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(t) // strings and numbers always have a JSON form
	return bytes.TrimRight(b.Bytes(), "\n")
}

// Version names the terms by their content: 16 hexadecimal digits of the
// SHA-256 of the canonical form.
func (t Terms) Version() string {
	sum := sha256.Sum256(t.Canonical())
	return hex.EncodeToString(sum[:8])
}

// ParseTerms reads a canonical form from outside, and checks it.
func ParseTerms(b []byte) (*Tariff, error) {
	var t Terms
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return nil, fmt.Errorf("terms of a tariff: %w", err)
	}
	return New(t)
}

// Tariff are terms that have been checked, ready to price by.
type Tariff struct {
	Terms
	version string
	zone    *time.Location
	bands   []*accounting.Schedule
}

// New checks terms. The error joins all that is wrong with them.
func New(t Terms) (*Tariff, error) {
	tariff := &Tariff{Terms: t}
	var wrong []error
	note := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if err := CheckName(t.Name); err != nil {
		note("%w", err)
	}
	if len(t.Currency) != 3 || strings.Trim(t.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		note("currency %q: three capital letters are needed, such as EUR (ISO 4217)", t.Currency)
	}
	for _, m := range []struct {
		name string
		n    int64
	}{{"per_mib", t.PerMiB}, {"per_delivery", t.PerDelivery}, {"fee", t.Fee}} {
		if m.n < 0 || m.n > MaxMoney {
			note("%s: %s is below zero or %w", m.name, FormatMoney(m.n), ErrTooBig)
		}
	}
	if t.Increment < 1 || t.Increment > 1<<40 {
		note("increment: between 1 byte and 1 TiB")
	}
	if t.Included < 0 || t.Included > MaxVolume {
		note("included: between 0 and %d bytes", int64(MaxVolume))
	}
	if t.IncludedDeliveries < 0 || t.IncludedDeliveries > MaxVolume {
		note("included_deliveries: between 0 and %d", int64(MaxVolume))
	}
	if t.Period != accounting.ByMonth && t.Period != accounting.ByWeek && t.Period != accounting.ByDay {
		note("period %q: it is one of month, week, day", t.Period)
	}
	var err error
	// "Local" and "" mean something to Go, but not the same on each gateway.
	if tariff.zone, err = time.LoadLocation(t.Timezone); err != nil || t.Timezone == "" || t.Timezone == "Local" {
		note("timezone %q is not in the time zone database", t.Timezone)
	}
	if len(t.Bands) > maxBands {
		note("more than %d bands", maxBands)
	}
	var bad []error
	tariff.bands, bad = schedules(t.Bands)
	if err := errors.Join(append(wrong, bad...)...); err != nil {
		return nil, err
	}
	if overlap := overlapOf(t.Bands, tariff.bands); overlap != nil {
		return nil, overlap
	}
	tariff.version = t.Version()
	return tariff, nil
}

// schedules are when bands hold, and what is wrong with each of them that cannot be
// read.
func schedules(bands []Band) (list []*accounting.Schedule, bad []error) {
	for i, b := range bands {
		if b.Percent < 0 || b.Percent > MaxPercent {
			bad = append(bad, fmt.Errorf("band %d: percent %d: between 0 and %d", i+1, b.Percent, MaxPercent))
			continue
		}
		s, err := accounting.ParseSchedule(b.When)
		if err != nil {
			bad = append(bad, fmt.Errorf("band %d: when: %w", i+1, err))
			continue
		}
		list = append(list, s)
	}
	return list, bad
}

// CheckName tells what is wrong with the name of a tariff.
func CheckName(name string) error {
	if name == "" || len(name) > maxName || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" || name == "-" {
		return fmt.Errorf("tariff name %q: up to %d of A-Z a-z 0-9 . _ - are needed", name, maxName)
	}
	return nil
}

// OverlapError: two bands claim the same minute of the week.
type OverlapError struct {
	First, Second int // of Bands
	Bands         []Band
}

func (e *OverlapError) Error() string {
	return fmt.Sprintf("bands %d and %d overlap: %q and %q", e.First+1, e.Second+1, e.Bands[e.First].When, e.Bands[e.Second].When)
}

// Overlap are the first two bands that overlap; nil for none, and where a band or
// their number is wrong.
func (t *Terms) Overlap() *OverlapError {
	if len(t.Bands) > maxBands {
		return nil
	}
	list, bad := schedules(t.Bands)
	if len(bad) > 0 {
		return nil
	}
	return overlapOf(t.Bands, list)
}

// overlapOf finds two bands that claim the same minute of the week.
func overlapOf(bands []Band, list []*accounting.Schedule) *OverlapError {
	if len(list) < 2 {
		return nil
	}
	// A Monday of UTC, where no clock changes.
	start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for minute := range 7 * 24 * 60 {
		at, first := start.Add(time.Duration(minute)*time.Minute), -1
		for i, s := range list {
			if !s.Contains(at) {
				continue
			}
			if first >= 0 {
				return &OverlapError{First: first, Second: i, Bands: bands}
			}
			first = i
		}
	}
	return nil
}

// Version names the terms by their content.
func (t *Tariff) Version() string { return t.version }

// Zone is where periods and bands are cut.
func (t *Tariff) Zone() *time.Location { return t.zone }

// PeriodOf is the period that a time belongs to, in the tariff's zone.
func (t *Tariff) PeriodOf(at time.Time) string { return accounting.PeriodOf(t.Period, at, t.zone) }

// Span is a period of the tariff: from, and until before.
func (t *Tariff) Span(period string) (from, to time.Time, err error) {
	return accounting.Span(period, t.zone)
}

func (t *Tariff) percent(at time.Time) int64 {
	if len(t.bands) > 0 {
		at = at.In(t.zone)
		for i, s := range t.bands {
			if s.Contains(at) {
				return t.Bands[i].Percent
			}
		}
	}
	return 100
}

// Band is the number of the band that holds at a time, from 1 on; 0 for none.
func (t *Tariff) Band(at time.Time) int {
	for i, s := range t.bands {
		if s.Contains(at.In(t.zone)) {
			return i + 1
		}
	}
	return 0
}
