package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/test/player"
)

// waiting starts a daemon whose spool has very many records, and sends it a message.
func (o options) waiting(ctx context.Context, dir string) (err error) {
	folder := filepath.Join(dir, "backlog")
	t, err := tariff()
	if err != nil {
		return err
	}
	s, err := spool.Open(filepath.Join(folder, "state", "spool"), spool.Options{})
	if err != nil {
		return err
	}
	const frame, writers = 500, 4
	var under sync.WaitGroup
	var next atomic.Int64
	var failed sync.Map
	for w := range writers {
		under.Go(func() {
			for k := next.Add(frame) - frame; k < int64(o.backlog); k = next.Add(frame) - frame {
				if err := s.Append(ctx, records(int(k), frame, t)); err != nil {
					failed.Store(w, err)
					return
				}
			}
		})
	}
	under.Wait()
	failed.Range(func(_, is any) bool { err = is.(error); return false })
	wait, octets := s.Status().Waiting, s.Status().Bytes
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	began := time.Now()
	d, err := startDaemon(folder, "[recipients]\nmode = \"known\"\n[[client]]\nid = \"c\"\naddresses = [\"@example.org\"]\n"+
		"tariff = \"office\"\n[[tariff]]\nname = \"office\"\ncurrency = \"RUB\"\nper_mib = \"1.50\"\n")
	if err != nil {
		return err
	}
	listens := time.Since(began)
	if _, err := player.Play(d.socket, 1, 1, player.Ordinary); err != nil {
		return err
	}
	fmt.Printf("%d records (%.1f GB) wait: a daemon listens after %d ms, its first message is taken after %d ms (goal 1000)\n", wait, float64(octets)/1e9,
		listens.Milliseconds(), time.Since(began).Milliseconds())
	// They are not drained here.
	return errors.Join(d.cmd.Process.Kill(), ignored(d.cmd.Wait()))
}

// ignored: it was killed.
func ignored(error) error { return nil }
