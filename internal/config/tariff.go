package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
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
	before := len(d.Problems)
	d.Read(n, "[[tariff]]", d.tariffFields(t))
	t.broken = d.Problems[before:].Err() != nil
	if t.Name == "" {
		return
	}
	if other, ok := d.tariffByName[t.Name]; ok {
		d.Errorf(n, "tariff %s stands there twice: here and at %s", t.Name, other.at.Pos())
		return
	}
	d.tariffByName[t.Name] = t
	d.tariffList = append(d.tariffList, t)
}

func (d *decoder) tariffFields(t *tariffEntry) []field {
	const most = price.MaxVolume
	return []field{
		{Key: "name", Read: d.tariffName(&t.Name), Required: true},
		{Key: "currency", Read: d.Text(&t.Currency), Required: true},
		{Key: "per_mib", Read: d.money(&t.PerMiB, 0)},
		{Key: "per_delivery", Read: d.money(&t.PerDelivery, 0)},
		{Key: "increment", Read: d.Size(&t.Increment, 1, 1<<40)},
		{Key: "included", Read: d.mailSize(&t.Included, 0, most)},
		{Key: "included_deliveries", Read: d.WholeNumber(&t.IncludedDeliveries, 0, most)},
		{Key: "fee", Read: d.money(&t.Fee, 0)},
		{Key: "period", Read: d.period(&t.Period)},
		{Key: "timezone", Read: d.tariffZone(&t.Timezone)},
		{Key: "band", Read: func(n *node) { d.bands(n, t) }},
	}
}

func (d *decoder) tariffName(into *string) func(*node) {
	return func(n *node) {
		s, ok := d.ReadString(n)
		if !ok {
			return
		}
		if err := price.CheckName(s); err != nil {
			d.Errorf(n, "%v", err)
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
			d.Errorf(n, `%s must be a sum in a string, such as "1.50", not %s`, n.Key, values.Shown(n))
			return
		}
		v, err := price.ParseMoney(s)
		switch {
		case err != nil:
			d.Errorf(n, "%s: %v", n.Key, err)
		case v < least:
			d.Errorf(n, "%s: %s is below %s", n.Key, s, price.FormatMoney(least))
		default:
			*into = v
		}
	}
}

func (d *decoder) period(into *string) func(*node) {
	return func(n *node) {
		s, ok := d.ReadString(n)
		if ok && d.Among(n, s, []string{accounting.ByDay, accounting.ByWeek, accounting.ByMonth}) {
			*into = s
		}
	}
}

func (d *decoder) tariffZone(into *string) func(*node) {
	return func(n *node) {
		if s, ok := d.ZoneName(n); ok {
			*into = s
		}
	}
}

// bands are [[tariff.band]].
func (d *decoder) bands(n *node, t *tariffEntry) {
	if !n.Tables() {
		d.Errorf(n, "band must be written [[tariff.band]], not %s", n.What())
		return
	}
	for _, c := range n.Children {
		b := price.Band{Percent: 100}
		var percent int
		d.Read(c, "[[tariff.band]]", d.bandFields(&b, &percent))
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
		{Key: "when", Read: when, Required: true},
		{Key: "percent", Read: d.Whole(percent, 0, price.MaxPercent), Required: true},
	}
}

// finishTariffs compiles all of them, and gives each client its own.
func (d *decoder) finishTariffs() {
	compiled := map[string]*price.Tariff{}
	for _, t := range d.tariffList {
		if t.Timezone == "" {
			t.Timezone = d.zone.String()
		}
		overlap := t.Overlap()
		if overlap != nil {
			d.Errorf(t.at.Child("band").Children[overlap.Second], "tariff %s: %v", t.Name, overlap)
		}
		if t.broken {
			continue
		}
		tariff, err := price.New(t.Terms)
		if again := (*price.OverlapError)(nil); errors.As(err, &again) {
			continue // told of at the band
		}
		if err != nil {
			d.Errorf(t.at, "tariff %s: %v", t.Name, err)
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
			d.Warnf(n, "client %s has no tariff: nothing lowers its balance", c.ID)
		}
		if n := c.at.Child("mode"); n != nil && c.Mode == accounting.Prepaid {
			d.Warnf(n, "client %s is prepaid and has no tariff: nothing lowers its balance, and until somebody pays it receives nothing", c.ID)
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
			meant = values.Hint(name, names)
		}
		d.Errorf(c.tariffAt, "client %s: there is no tariff %q%s", c.ID, name, meant)
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
		{Key: "tariff", Read: func(n *node) {
			if _, ok := d.ReadString(n); ok {
				c.tariffAt = n
			}
		}},
		{Key: "quota", Read: d.mailSize(&c.Quota, 1, most)},
		{Key: "quota_day", Read: d.mailSize(&c.QuotaDay, 1, most)},
		{Key: "mode", Read: func(n *node) {
			if s, ok := d.ReadString(n); ok && d.Among(n, s, accounting.Modes()) {
				c.Mode = accounting.Mode(slices.Index(accounting.Modes(), s))
			}
		}},
		{Key: "credit_limit", Read: func(n *node) {
			d.money(&c.CreditLimit, 0)(n)
			c.HasCredit = true
		}},
	}
}

// mailSize reads a size of mail, and warns of one that hardly a message fits in, or
// few do where its unit was left out: mebibytes were meant.
func (d *decoder) mailSize(into *int64, least, most int64) func(*node) {
	read := d.Size(into, least, most)
	return func(n *node) {
		before := *into
		read(n)
		if *into == before || *into == 0 {
			return
		}
		text, written := n.Value.(string)
		if *into < 1000 || *into < 1<<20 && (!written || strings.Trim(text, "0123456789 ") == "") {
			d.Warnf(n, "%s is %d octets: hardly a message fits in; a size is written with its unit, \"%d MiB\"", n.Key, *into, max(1, *into))
		}
	}
}
