package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/redis"
	"github.com/tollgate-mail/tollgate/test/harness"
)

const batch = 512

// redis drains into one server, with and without prices in turn, each into keys of
// its own. CPU is the gateway's; the server's is in what the clock says.
func (o options) redis(ctx context.Context, _ string) (err error) {
	box, err := harness.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	server, err := box.Redis("--appendonly", "no")
	if err != nil {
		return err
	}
	db := server.Client()
	defer db.Close()
	used := func() (time.Duration, error) {
		text, err := db.Info(ctx, "cpu").Result()
		if err != nil {
			return 0, err
		}
		var sum float64
		for _, field := range []string{"used_cpu_sys:", "used_cpu_user:"} {
			_, rest, _ := strings.Cut(text, field)
			value, _, _ := strings.Cut(rest, "\r\n")
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return 0, fmt.Errorf("INFO cpu: %w", err)
			}
			sum += seconds
		}
		return time.Duration(sum * float64(time.Second)), nil
	}
	return o.compared(ctx, "drain into Redis", used, func(name string, book *price.Book) (store, error) {
		return redis.Open(ctx, redis.Options{Addr: server.Addr, Prefix: name + ":", Gateway: "mx1", Book: book})
	})
}

// embedded is the same with the embedded store.
func (o options) embedded(ctx context.Context, dir string) error {
	none := func() (time.Duration, error) { return 0, nil }
	return o.compared(ctx, "drain into the embedded store", none, func(name string, book *price.Book) (store, error) {
		if err := os.Mkdir(filepath.Join(dir, name), 0o750); err != nil {
			return nil, err
		}
		return embedded.Open(filepath.Join(dir, name, "account.db"), embedded.Options{Book: book})
	})
}

// store is one that the spool drains into.
type store interface {
	accounting.Checkpointer
	Close() error
}

// side is one of two that are compared.
type side struct {
	tariff  *price.Tariff // nil: without prices
	session accounting.Session
	mark    int
	rounds  []cost
}

func (o options) compared(ctx context.Context, what string, server func() (time.Duration, error), open func(string, *price.Book) (store, error)) (err error) {
	t, err := tariff()
	if err != nil {
		return err
	}
	sides := [2]side{{}, {tariff: t}}
	for i, name := range []string{"plain", "priced"} {
		store, err := open(name, price.NewBook(t))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		if sides[i].session, err = store.Session(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, sides[i].session.Close()) }()
	}
	for round := range o.rounds + 1 {
		for k := range sides {
			s := &sides[(k+round)%2] // who begins takes turns, too
			list := records(s.mark*batch, o.batches*batch, s.tariff)
			before, err := server()
			if err != nil {
				return err
			}
			c, err := measured(len(list), func() error { return s.drain(ctx, list) })
			if err != nil {
				return err
			}
			after, err := server()
			if err != nil {
				return err
			}
			c.served = after - before
			if round > 0 { // before, all clients are new
				s.rounds = append(s.rounds, c)
			}
		}
	}
	plain, priced := sides[0].rounds, sides[1].rounds
	fmt.Printf("%s: %.0f records/s without prices, %.0f with: ratio %.2f; CPU of a record %.1f and %.1f µs: ratio %.2f", what,
		1e6/each(plain, byClock), 1e6/each(priced, byClock), each(plain, byClock)/each(priced, byClock),
		each(plain, byCPU), each(priced, byCPU), each(priced, byCPU)/each(plain, byCPU))
	if at := each(plain, byServer); at > 0 {
		with := each(priced, byServer)
		fmt.Printf("; of the server %.1f and %.1f: ratio %.2f; of both, as a speed: %.2f (goal 0.80)", at, with, with/at,
			(each(plain, byCPU)+at)/(each(priced, byCPU)+with))
	}
	fmt.Println()
	return nil
}

// drain takes records as the spool gives them, which moves the mark with each batch.
func (s *side) drain(ctx context.Context, list []accounting.Record) error {
	for len(list) > 0 {
		s.mark++
		if err := s.session.Put(ctx, list[:batch], fmt.Sprintf("%020d", s.mark)); err != nil {
			return err
		}
		list = list[batch:]
	}
	return nil
}
