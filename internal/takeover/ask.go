package takeover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/state"
)

// What an old process asks the one that has the gateway now.
const (
	cmdRecords    = "takeover-records"
	cmdTry        = "takeover-try"
	cmdRemember   = "takeover-remember"
	cmdRemembered = "takeover-remembered"
	cmdStandings  = "takeover-standings"
	cmdLines      = "takeover-lines"
)

type recordsRequest struct {
	Records []json.RawMessage `json:"records"` // as in the spool
}

type rememberRequest struct {
	IDs  []state.ID    `json:"ids"`
	Now  time.Time     `json:"now"`
	Life time.Duration `json:"life_ns"`
}

type rememberedRequest struct {
	ID   state.ID      `json:"id"`
	Now  time.Time     `json:"now"`
	Life time.Duration `json:"life_ns"`
}

type standingsRequest struct {
	Since uint64 `json:"since"` // Change of the answer before, 0 for all
}

type linesRequest struct {
	Kind  string `json:"kind"`
	Lines []byte `json:"lines"` // whole ones
}

// Standings are how accounts stand that have changed.
type Standings struct {
	PID    int        `json:"pid"` // of who answers: Change is its own
	Change uint64     `json:"change"`
	List   []Standing `json:"list"`
	InForce
}

// InForce are the versions of what a process judges by.
type InForce struct {
	Policy  string `json:"policy"`
	Clients string `json:"clients"` // of those that are followed; "": none, or not read yet
}

// outdates tells whether what is in force elsewhere is another than what is here.
func (there InForce) outdates(here InForce) bool {
	return there.Policy != here.Policy || there.Clients != here.Clients && there.Clients != ""
}

// Standing is one with its number.
type Standing struct {
	accounting.Standing
	Change [2]uint64 `json:"change"`
}

// Remote is the process that has the gateway now, whichever that is.
type Remote struct{ client *control.Client }

// NewRemote is that of a state folder.
func NewRemote(stateDir string) *Remote { return &Remote{control.NewClient(stateDir)} }

const (
	appendLimit = 20 * time.Second // well under what Postfix waits for the end of a message
	appendPause = 20 * time.Millisecond
	askLimit    = 5 * time.Second
)

// Append has records made durable by the other process, as spool.Append does. It is
// tried until that answers, for some time: a record that comes twice counts once.
func (r *Remote) Append(ctx context.Context, records []accounting.Record) error {
	if len(records) == 0 {
		return nil
	}
	var q recordsRequest
	for i := range records {
		q.Records = append(q.Records, records[i].AppendJSON(nil))
	}
	limited, cancel := context.WithTimeout(ctx, appendLimit)
	defer cancel()
	sent := false // one try may have been read by the other side
	for {
		err := limited.Err()
		if err == nil {
			err = r.client.Call(limited, cmdRecords, q, nil)
			sent = sent || err != nil && !errors.Is(err, control.ErrNoDaemon) && !isRefusal(err)
		}
		var refusal *control.Refusal
		switch {
		case err == nil:
			return nil
		case errors.As(err, &refusal) && !sent && notKept(refusal):
			return fmt.Errorf("takeover: %w", refusal)
		case errors.As(err, &refusal):
			return fmt.Errorf("%w: %s", spool.ErrUncertain, refusal.Message)
		}
		if !rest(limited, appendPause) {
			err = fmt.Errorf("%w: %w", ErrAway, err)
			if sent {
				err = fmt.Errorf("%w: %w", spool.ErrUncertain, err)
			}
			return err
		}
	}
}

// notKept tells of records that were refused before anything was written. A fault may
// have come afterwards.
func notKept(r *control.Refusal) bool { return r.Code != codeUncertain && r.Code != control.CodeFault }

func isRefusal(err error) bool {
	var refusal *control.Refusal
	return errors.As(err, &refusal)
}

// rest waits, and tells whether there is time for another try.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Standings are those that have changed since an answer.
func (r *Remote) Standings(ctx context.Context, since uint64) (Standings, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	var s Standings
	err := r.client.Call(ctx, cmdStandings, standingsRequest{since}, &s)
	return s, err
}

// followEvery is how often accounts are asked for.
const followEvery = 500 * time.Millisecond

// Follow tells how accounts stand in the other process until ctx ends, and hurries
// when other clients or another policy are in force there than here, be it from the
// begin: nobody is judged for long by what a reload would have replaced at once.
func (r *Remote) Follow(ctx context.Context, here InForce, tell func([]accounting.Standing), hurry func()) {
	var last Standings
	for rest(ctx, followEvery) {
		s, err := r.Standings(ctx, last.Change)
		if err != nil {
			continue // that it is away is noticed by records, too
		}
		if s.PID != last.PID && last.Change != 0 {
			last.Change = 0 // of a third process all are asked for
			continue
		}
		if s.outdates(here) {
			hurry()
		}
		list := make([]accounting.Standing, len(s.List))
		for i, one := range s.List {
			list[i] = one.Standing
			list[i].Change = one.Change
		}
		tell(list)
		last = s
	}
}

// Lines has lines of a journal written there. Rest are those that were not taken, on an
// error.
func (r *Remote) Lines(ctx context.Context, kind string, lines []byte) (rest []byte, err error) {
	const most = 512 << 10 // a request has more room, but for lines that nobody writes
	for len(lines) > 0 {
		n := len(lines)
		if n > most {
			if n = bytes.LastIndexByte(lines[:most], '\n') + 1; n == 0 {
				n = max(bytes.IndexByte(lines, '\n')+1, 1)
			}
		}
		if err := r.client.Call(ctx, cmdLines, linesRequest{kind, lines[:n]}, nil); err != nil {
			return lines, fmt.Errorf("takeover: %w", err)
		}
		lines = lines[n:]
	}
	return nil, nil
}

// State is the other process's state store.
func (r *Remote) State() state.Store { return &remoteState{client: r.client} }

type remoteState struct {
	client *control.Client
	closed atomic.Bool
}

func (s *remoteState) Try(ctx context.Context, t state.Try) (a state.Answer, err error) {
	err = s.call(ctx, cmdTry, t, &a)
	return a, err
}

func (s *remoteState) Remember(ctx context.Context, ids []state.ID, now time.Time, life time.Duration) error {
	return s.call(ctx, cmdRemember, rememberRequest{ids, now, life}, nil)
}

func (s *remoteState) Remembered(ctx context.Context, id state.ID, now time.Time, life time.Duration) (known bool, err error) {
	err = s.call(ctx, cmdRemembered, rememberedRequest{id, now, life}, &known)
	return known, err
}

// call asks until ctx, which is short, ends: another process may be taking over.
func (s *remoteState) call(ctx context.Context, command string, request, answer any) error {
	if s.closed.Load() {
		return fmt.Errorf("%w: closed", state.ErrAway)
	}
	for {
		err := s.client.Call(ctx, command, request, answer)
		var refusal *control.Refusal
		switch {
		case err == nil:
			return nil
		case errors.As(err, &refusal):
			return stateError(refusal)
		case !errors.Is(err, control.ErrNoDaemon) || !rest(ctx, appendPause):
			return fmt.Errorf("%w: %w", state.ErrAway, err)
		}
	}
}

// Kind is what the store of the state folder is.
func (*remoteState) Kind() string { return "embedded" }

// Close ends the questions from here.
func (s *remoteState) Close() error {
	s.closed.Store(true)
	return nil
}
