package simulate

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
)

// model is what must hold at the end, worked out without any of the code that
// is run.
type model struct {
	kept    [][]accounting.Record // whose senders were told so
	maybe   [][]accounting.Record // of which nobody knows
	refused [][]accounting.Record // whose senders were told to come again
	voided  map[string]bool       // first records of those that were taken back
}

func newModel() model { return model{voided: map[string]bool{}} }

func (m *model) answered(records []accounting.Record, err error) {
	switch {
	case err == nil:
		m.kept = append(m.kept, records)
	case errors.Is(err, spool.ErrUncertain):
		m.maybe = append(m.maybe, records)
	default:
		m.refused = append(m.refused, records)
	}
}

func (m *model) unknown(records []accounting.Record) { m.maybe = append(m.maybe, records) }

// some is a message of a gateway that was kept and is to be taken back, once;
// or nothing.
func (m *model) some(w *World, g *gateway) []accounting.Record {
	if len(m.kept) == 0 {
		return nil
	}
	records := m.kept[w.random.IntN(len(m.kept))]
	if r := &records[0]; r.Kind != accounting.Usage || r.Gateway != g.name || !w.fits(r) || m.voided[r.ID] {
		return nil
	} else {
		m.voided[r.ID] = true
	}
	return records
}

// fits: nothing in a run lasts long enough to make a record odd that was not.
func (w *World) fits(r *accounting.Record) bool {
	age := r.Origin().Sub(w.begin)
	return age > -20*24*time.Hour && age < 5*24*time.Hour
}

// account is what the stores hold.
type account struct {
	times   map[string]int // how often a record was applied
	parked  map[string]int
	charged map[string]int64 // by client, of the records
	counted map[string]int64 // by client, of the counters
	balance map[string]int64
	money   map[string]*money
}

func newAccount() account {
	return account{map[string]int{}, map[string]int{}, map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]*money{}}
}

// record takes note of a stored record.
func (a *account) record(w *World, f map[string]string) error {
	n, ok := number(f["charged"])
	if f["id"] == "" || !ok {
		return fmt.Errorf("record %v", f)
	}
	a.times[f["id"]]++
	if f["effect"] == accounting.NoEffect {
		return nil // a void that came first, and its record
	}
	sign := int64(1)
	if f["kind"] == accounting.Void {
		sign = -1
	}
	a.charged[f["client"]] += sign * n
	return a.price(w, f, sign)
}

func (w *World) account() (account, error) {
	if w.local != nil {
		return w.local.account()
	}
	a := newAccount()
	for _, sh := range w.shards {
		for _, key := range sorted(sh.master.streams) {
			for _, e := range sh.master.streams[key] {
				f := map[string]string{}
				for i := 0; i+1 < len(e.fields); i += 2 {
					f[e.fields[i]] = e.fields[i+1]
				}
				if err := a.record(w, f); err != nil {
					return a, fmt.Errorf("%s: %w", key, err)
				}
			}
		}
		for _, key := range sorted(sh.master.hashes) {
			_, rest, _ := strings.Cut(key, "{c:")
			client, kind, _ := strings.Cut(rest, "}:")
			h := sh.master.hashes[key]
			field := func(name string) int64 {
				n, _ := number(h[name]) // none is 0
				return n
			}
			switch {
			case kind == "parked":
				for id := range h {
					a.parked[id]++
				}
			case kind == "acct":
				a.balance[client] += field("balance")
			case strings.HasPrefix(kind, "use:"):
				n, ok := number(h["charged"])
				if !ok {
					return a, fmt.Errorf("%s: charged %q", key, h["charged"])
				}
				a.counted[client] += n
				a.count(client, field("included"), field("cost"), field("frac"))
			}
		}
	}
	return a, nil
}

// check compares.
func (m *model) check(w *World) error {
	a, err := w.account()
	if err != nil {
		return err
	}
	var flipped string
	for _, g := range w.gateways {
		flipped += string(g.disk.flipped)
	}
	for _, message := range m.kept {
		for i := range message {
			r := &message[i]
			times, parked := a.times[r.ID], a.parked[r.ID]
			want := [2]int{1, 0}
			if !w.fits(r) {
				want = [2]int{0, 1}
			}
			if got := [2]int{times, parked}; got == want || got == [2]int{} && (strings.Contains(flipped, r.ID) || r.Voids != "" && strings.Contains(flipped, r.Voids)) {
				continue
			}
			return fmt.Errorf("%s was kept: applied %d times, parked %d", r.ID, times, parked)
		}
	}
	for _, message := range m.maybe {
		first := a.times[message[0].ID] + a.parked[message[0].ID]
		for i := range message {
			if n := a.times[message[i].ID] + a.parked[message[i].ID]; n > 1 || n != first && !strings.Contains(flipped, message[i].ID) {
				return fmt.Errorf("%s may have been kept: %d times, its first record %d", message[i].ID, n, first)
			}
		}
	}
	for _, message := range m.refused {
		if n := a.times[message[0].ID]; n > 0 {
			return fmt.Errorf("%s was refused, and is applied %d times", message[0].ID, n)
		}
	}
	for _, client := range sorted(a.charged, a.counted) {
		if a.charged[client] != a.counted[client] {
			return fmt.Errorf("client %s: the records say %d bytes, the counter %d", client, a.charged[client], a.counted[client])
		}
	}
	return a.checkMoney(w)
}
