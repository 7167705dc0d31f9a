// Package simulate runs writer, drain and the store's session in an order made
// by one seed, against a disk that tears and loses, servers that are set back,
// fail over and lose replies, and clocks that jump; and then asks whether
// anything was lost or counted twice. The scripts are those that Redis runs.
//
// One seed gives one trace, to the last byte: whatever could depend on chance,
// a clock or a map's order is drawn from the seed or sorted.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/redis"
	"github.com/tollgate-mail/tollgate/accounting/spool"
)

// Options of a run. The last three plant a bug.
type Options struct {
	Seed   uint64
	Events int // default 250
	Faults bool
	// Backing has one gateway with a real store, instead of simulated servers.
	Backing Backing
	// Begin is when a run begins; default start.
	Begin time.Time

	Link   func(redis.Link) redis.Link
	Sink   func(accounting.Checkpointer) accounting.Checkpointer
	Script func(string) string
}

// World is one run.
type World struct {
	o        Options
	random   *rand.Rand
	clock    time.Time
	begin    time.Time
	in       *interpreter
	shards   []*shard
	gateways []*gateway
	local    *local // the embedded store; nil: none
	tariffs  []*price.Tariff
	model    model
	trace    hash.Hash64
	lines    int
}

// gateway is one tollgate, which may crash.
type gateway struct {
	name    string
	disk    *disk
	spool   *spool.Manual // nil: it could not be opened
	pending []sent
	next    int // of the messages
}

// sent is a message whose answer is awaited.
type sent struct {
	*spool.Pending
	records []accounting.Record
}

func start() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

// New makes the world of a seed.
func New(o Options) *World {
	if o.Events == 0 {
		o.Events = 250
	}
	w := &World{
		o: o, random: rand.New(rand.NewPCG(o.Seed, 0x746f6c6c)), clock: start(),
		trace: fnv.New64a(), model: newModel(), tariffs: tariffs(),
	}
	if !o.Begin.IsZero() {
		w.clock = o.Begin
	}
	w.begin = w.clock
	if o.Backing != nil {
		w.local = &local{w: w, is: o.Backing}
		w.gateways = []*gateway{{name: "gw0", disk: newDisk(w.random, w.now)}}
		return w
	}
	shapes := [][]redis.Slots{
		{nil}, {{{0, 16383}}}, {{{0, 8191}}, {{8192, 16383}}}, {{{0, 5460}}, {{5461, 10922}}, {{10923, 16383}}},
	}
	table := commands()
	for _, slots := range shapes[w.random.IntN(len(shapes))] {
		d := newData(table)
		w.shards = append(w.shards, &shard{slots: slots, master: d, replica: d.clone(), snapshot: d.clone(), scripts: map[string]string{}})
	}
	for i := range 1 + w.random.IntN(2) {
		w.gateways = append(w.gateways, &gateway{name: "gw" + strconv.Itoa(i), disk: newDisk(w.random, w.now)})
	}
	return w
}

func (w *World) now() time.Time { return w.clock }

// chance is true once in n times, where things go wrong at all.
func (w *World) chance(n int) bool { return w.o.Faults && w.random.IntN(n) == 0 }

// say writes to the trace.
func (w *World) say(format string, args ...any) {
	w.lines++
	fmt.Fprintf(w.trace, format+"\n", args...)
}

// Run runs the world to its end and tells what is wrong with it then; nil when
// nothing is.
func (w *World) Run() error {
	ctx := context.Background()
	if w.in == nil {
		w.in = newInterpreter()
	}
	for _, g := range w.gateways {
		w.open(g)
	}
	for range w.o.Events {
		w.event(ctx)
		w.clock = w.clock.Add(time.Duration(w.random.IntN(40)) * time.Millisecond)
	}
	w.o.Faults = false
	err := w.settle(ctx)
	if err == nil {
		err = w.model.check(w)
	}
	return errors.Join(err, w.local.close())
}

// Trace is a sum of all that happened.
func (w *World) Trace() string { return fmt.Sprintf("%d lines, %016x", w.lines, w.trace.Sum64()) }

// open starts a gateway, on the disk as it is.
func (w *World) open(g *gateway) {
	g.spool = nil
	sp, err := spool.OpenManual("spool", spool.ManualOptions{
		Options: spool.Options{SegmentSize: 3000, Now: w.now}, Files: g.disk,
		Name:   func() string { return fmt.Sprintf("N%016X", w.random.Uint64()) },
		Jitter: func(up time.Duration) time.Duration { return time.Duration(w.random.Int64N(int64(up) + 1)) },
	})
	if err != nil {
		w.say("%s cannot start: %v", g.name, err)
		g.disk.locked = false
		return
	}
	sink, err := w.store(g)
	if err != nil {
		panic(err)
	}
	if w.o.Sink != nil {
		sink = w.o.Sink(sink)
	}
	if err := sp.Attach(sink); err != nil {
		panic(err)
	}
	g.spool = sp
	w.say("%s starts: %d waiting", g.name, sp.Status().Waiting)
}

// store is what a gateway that starts drains into.
func (w *World) store(g *gateway) (accounting.Checkpointer, error) {
	book := price.NewBook(w.tariffs...)
	if w.local != nil {
		return w.local.open(book)
	}
	return redis.New(redis.Options{Gateway: g.name, Now: w.now, SeenDays: 40, Book: book}, servers{w})
}

// settle lets all end that was begun, without any further fault.
func (w *World) settle(ctx context.Context) error {
	for _, g := range w.gateways {
		g.disk.room, g.disk.fault = -1, nil
		if g.spool == nil {
			w.open(g)
		}
		if g.spool == nil {
			return fmt.Errorf("%s cannot start", g.name)
		}
		for g.spool.Write() {
		}
		w.answers(g)
	}
	// Each must see what the last of the others' faults has done.
	for range 2 {
		w.clock = w.clock.Add(time.Minute)
		for _, g := range w.gateways {
			g.spool.Drain(ctx)
			for steps := 0; !g.spool.Drained(); steps++ {
				if steps == 300 {
					return fmt.Errorf("%s does not drain: %+v", g.name, g.spool.Status())
				}
				w.clock = w.clock.Add(g.spool.Drain(ctx))
			}
		}
	}
	return nil
}

// answers takes note of what was written.
func (w *World) answers(g *gateway) {
	rest := g.pending[:0]
	for _, p := range g.pending {
		err, done := p.Done()
		if !done {
			rest = append(rest, p)
			continue
		}
		w.say("%s %s: %v", g.name, p.records[0].ID, err)
		w.model.answered(p.records, err)
	}
	g.pending = rest
}
