package spool

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// gatherer is a Checkpointer that keeps what it takes only when its mark is moved or
// seen, as the embedded store does. On a full disk it forgets it then.
type gatherer struct {
	*server
	full bool
}

func (g *gatherer) Session(ctx context.Context) (accounting.Session, error) {
	s, err := g.server.Session(ctx)
	if err != nil {
		return nil, err
	}
	return &gathering{connection: s.(*connection), g: g, before: g.snapshot()}, nil
}

type gathering struct {
	*connection
	g      *gatherer
	before snapshot
}

func (s *gathering) Move(ctx context.Context, text string) error {
	if s.g.full {
		s.g.restore(s.before)
		return fmt.Errorf("%w: %w", accounting.ErrNotKept, syscall.ENOSPC)
	}
	err := s.connection.Move(ctx, text)
	s.before = s.g.snapshot()
	return err
}

func (s *gathering) Check(ctx context.Context) error { return s.Move(ctx, s.known) }

// A store that cannot keep what it takes is one that fails: it is said once a minute,
// each try waits longer than the one before, and nothing is called lost. With room again
// it has all of it.
func TestStoreCannotKeep(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	s, err := open(t.TempDir(), Options{Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))}, osFiles{}, defaultPace())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	sink := &gatherer{server: newServer(), full: true}
	d, err := s.begin(sink)
	if err != nil {
		t.Fatal(err)
	}
	defer s.drains.Done()
	var all [][]accounting.Record
	for range 3 {
		m := message(len(all), 2)
		all = append(all, m)
		mustAppend(t, s, m)
	}
	failed := 0
	for start := now; now.Sub(start) < 90*time.Second; {
		p := d.step(t.Context())
		if s.Status().LastError != "" {
			failed++
		}
		now = now.Add(max(p.long, time.Millisecond))
	}
	text := log.String()
	if n := strings.Count(text, "level=ERROR"); n != 2 || !strings.Contains(text, "no space left on device") {
		t.Errorf("%d lines of errors in a minute and a half:\n%s", n, text)
	}
	if strings.Contains(text, "lost") || strings.Contains(text, "again\"") {
		t.Errorf("what was never kept is called lost, or what fails well:\n%s", text)
	}
	if failed == 0 || s.Status().LastError == "" {
		t.Error("the status does not tell")
	}
	sink.full = false
	waiting := make(chan error, 1)
	go func() { waiting <- s.Settled(t.Context()) }()
	for settled := false; !settled || s.Status().Waiting > 0; {
		p := d.step(t.Context())
		now = now.Add(max(p.long, time.Millisecond))
		select {
		case err := <-waiting:
			if settled = true; err != nil {
				t.Fatal(err)
			}
		default:
		}
	}
	sink.has(t, all...)
	if st := s.Status(); st.LastError != "" || !strings.Contains(log.String(), "the store takes usage records again") {
		t.Errorf("%+v\n%s", st, log.String())
	}
}
