// Package spool is where usage records wait durably, between the reply to
// Postfix and the store they drain into.
package spool

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// ErrUncertain: the caller's deadline passed while the records were being
// written; they may or may not be durable.
var ErrUncertain = errors.New("spool: outcome unknown")

// Options of a spool. Zero values mean the defaults.
type Options struct {
	SegmentSize int64         // bytes; default 16 MiB
	Retain      time.Duration // drained segments stay so long; default 24 h
	Log         *slog.Logger
	Now         func() time.Time
}

// Spool is a folder of append-only segments.
type Spool struct{}

// Open recovers what is there: a torn tail of the last segment is cut, damage
// elsewhere is set aside and reported.
func Open(dir string, o Options) (*Spool, error) { return &Spool{}, nil }

// Append makes the records of one message durable, as one frame: after a
// crash all of them are there or none. Many callers share one sync. An error
// other than ErrUncertain means that nothing was kept.
func (s *Spool) Append(ctx context.Context, records []accounting.Record) error { return nil }

// Drain applies spooled records to sink, in order and in batches, until ctx
// ends; it waits while the sink is away and moves the cursor after each batch.
func (s *Spool) Drain(ctx context.Context, sink accounting.Sink) error { return nil }

// Status of a spool.
type Status struct {
	Waiting     int64     `json:"waiting"`      // records not yet applied
	Bytes       int64     `json:"bytes"`        // on disk
	Oldest      time.Time `json:"oldest"`       // of the waiting ones; zero when none
	LastApplied time.Time `json:"last_applied"` // when the sink last took a batch
	LastError   string    `json:"last_error"`   // of the sink, "" when it is well
	ErrorSince  time.Time `json:"error_since"`  // zero when it is well
	SetAside    int       `json:"set_aside"`    // damaged pieces kept for the operator
}

// Status now.
func (s *Spool) Status() Status { return Status{} }

// Flush waits until everything appended so far was applied, or ctx ends.
func (s *Spool) Flush(ctx context.Context) error { return nil }

// Close syncs and closes; Append fails afterwards.
func (s *Spool) Close() error { return nil }

var _ io.Closer = (*Spool)(nil)
