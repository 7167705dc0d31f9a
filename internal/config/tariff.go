package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/diag"
)

// tariffEntry is a [[tariff]] with where it stands.
type tariffEntry struct {
	price.Terms
	at     *node
	broken bool // it has errors of its own
}

// tariff is [[tariff]].
func (d *decoder) tariff(n *node) {
	t := &tariffEntry{Terms: price.Terms{Increment: 1, Period: accounting.ByMonth}, at: n}
	before := len(d.problems)
	d.read(n, "[[tariff]]", d.tariffFields(t))
	t.broken = d.problems[before:].Err() != nil
	if t.Name == "" {
		return
	}
	if other, ok := d.tariffByName[t.Name]; ok {
		d.errorf(n, "tariff %s stands there twice: here and at %s", t.Name, other.at.Pos())
		return
	}
	d.tariffByName[t.Name] = t
	d.tariffList = append(d.tariffList, t)
}

func (d *decoder) tariffFields(t *tariffEntry) []field {
	const most = price.MaxVolume
	return []field{
		{key: "name", read: d.tariffName(&t.Name), required: true},
		{key: "currency", read: d.text(&t.Currency), required: true},
		{key: "per_mib", read: d.money(&t.PerMiB, 0)},
		{key: "per_delivery", read: d.money(&t.PerDelivery, 0)},
		{key: "increment", read: d.size(&t.Increment, 1, 1<<40)},
		{key: "included", read: d.size(&t.Included, 0, most)},
		{key: "included_deliveries", read: d.wholeNumber(&t.IncludedDeliveries, most)},
		{key: "fee", read: d.money(&t.Fee, 0)},
		{key: "period", read: d.period(&t.Period)},
		{key: "timezone", read: d.tariffZone(&t.Timezone)},
		{key: "band", read: func(n *node) { d.bands(n, t) }},
	}
}

func (d *decoder) tariffName(into *string) func(*node) {
	return func(n *node) {
		s, ok := d.readString(n)
		if !ok {
			return
		}
		if err := price.CheckName(s); err != nil {
			d.errorf(n, "%v", err)
			return
		}
		*into = s
	}
}

// money reads a sum in units of a currency, from least on, as a string: a TOML
// number would be a float.
func (d *decoder) money(into *int64, least int64) func(*node) {
	return func(n *node) {
		s, ok := n.Value.(string)
		if !ok {
			d.errorf(n, `%s must be a sum in a string, such as "1.50", not %s`, n.Key, shown(n))
			return
		}
		v, err := price.ParseMoney(s)
		switch {
		case err != nil:
			d.errorf(n, "%s: %v", n.Key, err)
		case v < least:
			d.errorf(n, "%s: %s is below %s", n.Key, s, price.FormatMoney(least))
		default:
			*into = v
		}
	}
}

// wholeNumber reads a whole number up to most.
func (d *decoder) wholeNumber(into *int64, most int64) func(*node) {
	return func(n *node) {
		v, ok := n.Value.(int64)
		if !ok || v < 0 || v > most {
			d.errorf(n, "%s must be a whole number between 0 and %d, not %s", n.Key, most, shown(n))
			return
		}
		*into = v
	}
}

func (d *decoder) period(into *string) func(*node) {
	return func(n *node) {
		s, ok := d.readString(n)
		if ok && d.among(n, s, []string{accounting.ByDay, accounting.ByWeek, accounting.ByMonth}) {
			*into = s
		}
	}
}

func (d *decoder) tariffZone(into *string) func(*node) {
	return func(n *node) {
		if s, ok := d.zoneName(n); ok {
			*into = s
		}
	}
}

// zoneName reads a name of the time zone database.
func (d *decoder) zoneName(n *node) (string, bool) {
	s, ok := d.readString(n)
	if !ok {
		return "", false
	}
	// "Local" and "" mean something to Go, but not the same on each gateway.
	if _, err := time.LoadLocation(s); err == nil && s != "" && s != "Local" {
		return s, true
	}
	near := ""
	if s == "MSK" || s == "MSD" {
		near = "; Moscow's is Europe/Moscow"
	} else if z := diag.Nearest(s, zoneNames()); z != "" {
		near = fmt.Sprintf("; did you mean %s?", z)
	}
	d.errorf(n, "timezone: %q is not in the time zone database%s", s, near)
	return "", false
}

// bands are [[tariff.band]].
func (d *decoder) bands(n *node, t *tariffEntry) {
	if !n.Tables() {
		d.errorf(n, "band must be written [[tariff.band]], not %s", n.What())
		return
	}
	for _, c := range n.Children {
		b := price.Band{Percent: 100}
		var percent int
		d.read(c, "[[tariff.band]]", d.bandFields(&b, &percent))
		b.Percent = int64(percent)
		t.Bands = append(t.Bands, b)
	}
}

func (d *decoder) bandFields(b *price.Band, percent *int) []field {
	when := func(n *node) {
		var s *accounting.Schedule
		if d.schedule(&s)(n); s != nil {
			b.When, _ = n.Value.(string)
		}
	}
	return []field{
		{key: "when", read: when, required: true},
		{key: "percent", read: d.whole(percent, 0, price.MaxPercent), required: true},
	}
}

// finishTariffs compiles all of them, and gives each client its own.
func (d *decoder) finishTariffs() {
	compiled := map[string]*price.Tariff{}
	for _, t := range d.tariffList {
		if t.Timezone == "" {
			t.Timezone = d.zone.String()
		}
		if t.broken {
			continue
		}
		tariff, err := price.New(t.Terms)
		if err != nil {
			d.errorf(t.at, "tariff %s: %v", t.Name, err)
			continue
		}
		compiled[t.Name] = tariff
		d.config.Tariffs = append(d.config.Tariffs, tariff)
	}
	for _, c := range d.clientList {
		d.finishTariff(c, compiled)
	}
}

func (d *decoder) finishTariff(c listed, compiled map[string]*price.Tariff) {
	if c.tariffAt == nil {
		if n := c.at.Child("credit_limit"); n != nil {
			d.warnf(n, "client %s has no tariff: nothing lowers its balance", c.ID)
		}
		return
	}
	name, _ := c.tariffAt.Value.(string)
	if d.tariffByName[name] == nil {
		var names []string
		for _, t := range d.tariffList {
			names = append(names, t.Name)
		}
		meant := ""
		if len(names) > 0 {
			meant = hint(name, names)
		}
		d.errorf(c.tariffAt, "client %s: there is no tariff %q%s", c.ID, name, meant)
		return
	}
	if t := compiled[name]; t != nil {
		c.Tariff, c.TariffVersion, c.Period, c.Zone = t.Name, t.Version(), t.Period, t.Zone()
	}
}

// accountFields are the keys of a [[client]] that are about its account.
func (d *decoder) accountFields(c *listed) []field {
	const most = accounting.CounterLimit
	return []field{
		{key: "tariff", read: func(n *node) {
			if _, ok := d.readString(n); ok {
				c.tariffAt = n
			}
		}},
		{key: "quota", read: d.size(&c.Quota, 1, most)},
		{key: "quota_day", read: d.size(&c.QuotaDay, 1, most)},
		{key: "mode", read: func(n *node) {
			if s, ok := d.readString(n); ok && d.among(n, s, accounting.Modes()) {
				c.Mode = accounting.Mode(slices.Index(accounting.Modes(), s))
			}
		}},
		{key: "credit_limit", read: func(n *node) {
			d.money(&c.CreditLimit, 0)(n)
			c.HasCredit = true
		}},
	}
}
