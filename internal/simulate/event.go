package simulate

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// event is one thing that happens.
func (w *World) event(ctx context.Context) {
	g := w.gateways[w.random.IntN(len(w.gateways))]
	var sh *shard
	if w.local == nil {
		sh = w.shards[w.random.IntN(len(w.shards))]
	}
	if g.spool == nil {
		w.open(g)
		return
	}
	switch n := w.random.IntN(100); {
	case n < 25:
		w.message(g)
	case n < 29:
		w.void(g)
	case n < 45:
		g.spool.Write()
		w.answers(g)
	case n < 82:
		// A step that waits is ended by what comes, or by time.
		if wait := g.spool.Drain(ctx); w.random.IntN(2) == 0 {
			w.clock = w.clock.Add(min(wait, 11*time.Second))
		}
		st := g.spool.Status()
		w.say("%s drains: %d waiting, %s", g.name, st.Waiting, st.LastError)
	case !w.o.Faults:
	case n < 92 && w.local != nil:
		if n < 89 {
			w.local.copy()
			return
		}
		w.say("the file is set back")
		w.down(g)
		w.local.setBack()
		w.open(g)
	case n < 85:
		sh.snapshot = sh.master.clone()
	case n < 87:
		sh.replica = sh.master.clone()
	case n < 89:
		w.say("restart from a snapshot")
		sh.restart()
	case n < 91:
		w.say("fail-over")
		sh.failOver()
	case n < 92:
		if to := w.shards[w.random.IntN(len(w.shards))]; to != sh && sh.slots != nil {
			w.say("slots move")
			w.move(sh, to)
		}
	case n < 95:
		w.crash(g)
	case n < 97:
		g.disk.fault = syscall.EIO
	case n < 98:
		g.disk.room = []int{-1, w.random.IntN(2000)}[w.random.IntN(2)]
	case n < 99:
		// Not so far that a segment that may be needed is removed, nor that a
		// record becomes too old.
		w.clock = w.clock.Add(time.Duration(w.random.IntN(7200)-3600) * time.Second)
	default:
		if w.random.IntN(4) == 0 && g.disk.flip() {
			w.say("%s: a bit turns over", g.name)
		}
	}
}

// crash ends a gateway, with its machine.
func (w *World) crash(g *gateway) {
	w.say("%s crashes", g.name)
	w.down(g)
	w.open(g)
}

// down ends a gateway: nobody hears of what was under way.
func (w *World) down(g *gateway) {
	for _, p := range g.pending {
		w.model.unknown(p.records)
	}
	g.pending = nil
	g.disk.crash()
}

// tariffOf is what a client is under; nil for nothing. Its version changes once.
func (w *World) tariffOf(client string) *price.Tariff {
	switch client {
	case "c1":
		return w.tariffs[0]
	case "c2":
		return w.tariffs[1]
	case "c3":
		if w.clock.Sub(w.begin) > time.Minute {
			return w.tariffs[2]
		}
		return w.tariffs[1]
	}
	return nil
}

// message has a message come in, for one to three recipients.
func (w *World) message(g *gateway) {
	g.next++
	at := w.clock.Truncate(time.Millisecond)
	odd := w.random.IntN(30)
	switch odd {
	case 0:
		at = at.AddDate(0, 0, -60) // of a spool that lay in a drawer
	case 1:
		at = at.AddDate(0, 0, 10) // of a clock that is wrong
	}
	base := accounting.Record{
		ID: fmt.Sprintf("%s/%X/%d", g.name, g.next, at.UnixMilli()), Time: at, Gateway: g.name, QueueID: fmt.Sprintf("%X", g.next),
		Direction: "inbound", Verdict: "accept", Weight: "0",
	}
	var payers []accounting.Payer
	for i := range 1 + w.random.IntN(3) {
		payers = append(payers, accounting.Payer{Recipient: fmt.Sprintf("u%d@example.org", i), Client: fmt.Sprintf("c%d", w.random.IntN(4))})
	}
	records := accounting.Charge(base, 1+w.random.Int64N(5000), payers, accounting.Sharing{Split: w.random.IntN(2) == 0})
	for i := range records {
		if t := w.tariffOf(records[i].Client); t != nil {
			records[i].Tariff, records[i].TariffVersion = t.Name, t.Version()
		}
	}
	w.append(g, records)
}

// void takes a message back that was accepted.
func (w *World) void(g *gateway) {
	records := w.model.some(w, g)
	if len(records) == 0 {
		return
	}
	voids := make([]accounting.Record, len(records))
	for i, r := range records {
		voids[i] = accounting.VoidOf(r, w.clock)
	}
	w.append(g, voids)
}

func (w *World) append(g *gateway, records []accounting.Record) {
	p, err := g.spool.Append(records)
	if err != nil {
		panic(err)
	}
	g.pending = append(g.pending, sent{p, records})
}
