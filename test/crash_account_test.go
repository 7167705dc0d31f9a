package test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/test/script"
)

// judgeCrash compares what Postfix queued, all of which it has delivered, with
// the account. So many messages were accepted.
func (g *gateway) judgeCrash(t *testing.T, messages int, attempts []attempt, kills []time.Time) {
	t.Helper()
	queued := make(map[string]bool)
	for _, d := range g.sink.Messages() {
		id := strings.TrimSpace(script.ReadMessage(d.Data).All("Message-ID")[0])
		if queued[id] {
			t.Errorf("%s was delivered twice", id)
		}
		queued[id] = true
		if want := []string{"one@example.org", "two@example.org"}; !slices.Equal(slices.Sorted(slices.Values(d.To)), want) {
			t.Errorf("%s went to %q", id, d.To)
		}
	}
	records := g.records(t)
	byMessage := make(map[string][]accounting.Record)
	ids := make(map[string]bool)
	for _, r := range records {
		if ids[r.ID] {
			t.Errorf("the store has %s twice", r.ID)
		}
		ids[r.ID] = true
		if r.Kind == accounting.Usage {
			byMessage[r.MessageID] = append(byMessage[r.MessageID], r)
		}
	}
	for id := range queued {
		var to []string
		var charged, size int64
		for _, r := range byMessage[id] {
			to = append(to, r.Recipient)
			charged += r.Charged
			size = r.Size
		}
		slices.Sort(to)
		if !slices.Equal(to, []string{"one@example.org", "two@example.org"}) || charged != size || size == 0 {
			t.Errorf("queued %s has records for %q, charged %d of %d", id, to, charged, size)
		}
	}

	// What the account has beyond that: tollgate died between its sync and its
	// reply, so that Postfix heard nothing and its client was told to come
	// again. Each must be such a one.
	heard := make(map[string]attempt)
	for _, a := range attempts {
		heard[a.id] = a
	}
	extra := 0
	for id, rs := range byMessage {
		if queued[id] {
			continue
		}
		extra++
		a, known := heard[id]
		near := slices.ContainsFunc(kills, func(k time.Time) bool {
			return rs[0].Time.After(k.Add(-2*time.Second)) && rs[0].Time.Before(k.Add(time.Second))
		})
		if !known || strings.HasPrefix(a.reply, "250") || !near {
			t.Errorf("%s has %d records and was not queued: %+v", id, len(rs), a)
			continue
		}
		t.Logf("explained: %s has %d records from %v, was not queued: the reply was lost with the kill; the client heard %q and sent it again",
			id, len(rs), rs[0].Time.Format(time.TimeOnly), a.reply)
	}
	t.Logf("%d messages queued, %d records in the store, %d messages with records that were not queued", len(queued), len(records), extra)
	if len(queued) < messages {
		t.Errorf("%d messages were queued, %d accepted", len(queued), messages)
	}
	g.compareCounters(t, records)
}

// compareCounters adds the records up and compares the store's own sums.
func (g *gateway) compareCounters(t *testing.T, records []accounting.Record) {
	t.Helper()
	type key struct{ client, period string }
	sums := make(map[key]accounting.Counter)
	for _, r := range records {
		k := key{r.Client, r.Time.UTC().Format("2006-01")}
		c := sums[k]
		sign := int64(1)
		if r.Kind == accounting.Void {
			sign = -1
		}
		c.Deliveries += sign
		c.Size += sign * r.Size
		c.Charged += sign * r.Charged
		sums[k] = c
	}
	store := g.openStore(t)
	defer store.Close()
	for k, want := range sums {
		counters, err := store.Counters(t.Context(), k.period)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(counters, func(c accounting.Counter) bool { return c.Client == k.client })
		if i < 0 {
			t.Errorf("no counter for %v", k)
			continue
		}
		got := counters[i]
		if got.Deliveries != want.Deliveries || got.Size != want.Size || got.Charged != want.Charged {
			t.Errorf("%v: counter %d deliveries, %d bytes, %d charged; the records sum to %d, %d, %d", k,
				got.Deliveries, got.Size, got.Charged, want.Deliveries, want.Size, want.Charged)
		}
	}
}
