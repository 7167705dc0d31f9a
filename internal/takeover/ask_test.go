package takeover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/embedded"
	"github.com/tollgate-mail/tollgate/internal/state/statetest"
)

// heirless is who has the gateway, for tests.
type heirless struct {
	store state.Store

	mu        sync.Mutex
	kept      []accounting.Record
	fails     error
	faults    bool // panics when it has kept them
	standings Standings
	lines     []string
}

func (h *heirless) Append(_ context.Context, records []accounting.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fails == nil {
		h.kept = append(h.kept, records...)
	}
	if h.faults {
		panic("for a test")
	}
	return h.fails
}

func (h *heirless) State() state.Store { return h.store }

func (h *heirless) Standings(since uint64) Standings {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.standings
	if since >= s.Change {
		s.List = nil
	}
	return s
}

func (h *heirless) Inherit(kind string, lines []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fails == nil {
		h.lines = append(h.lines, kind+": "+string(lines))
	}
	return h.fails
}

// Lines of a journal come in pieces of whole lines; what was not taken comes back.
func TestLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := &heirless{}
	serve(t, dir, h)
	r := NewRemote(dir)
	var sent strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&sent, "{\"line\":%d,\"text\":%q}\n", i, strings.Repeat("x", i%100))
	}
	if rest, err := r.Lines(t.Context(), "messages", []byte(sent.String())); err != nil || len(rest) > 0 {
		t.Fatalf("%d left, %v", len(rest), err)
	}
	var got strings.Builder
	for _, piece := range h.lines {
		kind, lines, _ := strings.Cut(piece, ": ")
		if kind != "messages" || !strings.HasSuffix(lines, "}\n") || !strings.HasPrefix(lines, "{") {
			t.Errorf("a piece of %s that is not whole lines", kind)
		}
		got.WriteString(lines)
	}
	if got.String() != sent.String() || len(h.lines) < 2 {
		t.Errorf("%d octets in %d pieces of %d", got.Len(), len(h.lines), sent.Len())
	}
	h.fails = errors.New("for a test")
	if rest, err := r.Lines(t.Context(), "messages", []byte("{}\n")); err == nil || string(rest) != "{}\n" {
		t.Errorf("%q, %v", rest, err)
	}
}

func serve(t *testing.T, dir string, s Successor) *control.Server {
	t.Helper()
	server, err := control.Serve(dir, Answers(s, map[string]control.Handler{}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close(context.Background()) })
	return server
}

// What is remembered through another process is remembered as by the store itself.
func TestStateConformance(t *testing.T) {
	t.Parallel()
	statetest.Run(t, func(t *testing.T) statetest.Open {
		dir := t.TempDir()
		store, err := embedded.Open(filepath.Join(dir, "state.db"), embedded.Options{Now: func() time.Time { return statetest.Now }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		serve(t, dir, &heirless{store: store})
		return func(*testing.T) state.Store { return NewRemote(dir).State() }
	})
}

func record(id string) accounting.Record {
	return accounting.Record{
		ID: id, Kind: accounting.Usage, Time: time.UnixMilli(1_790_000_000_123).UTC(), Gateway: "gw", QueueID: "Q1", Client: "sales",
		Recipient: "ä@example.org", Size: 10, Charged: 5, Share: accounting.ShareSplit, ShareIndex: 1, ShareCount: 2, Verdict: "accept",
	}
}

// Records arrive as they were; what is refused or left open is told as the spool does.
func TestRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := new(heirless)
	serve(t, dir, h)
	r := NewRemote(dir)
	want := []accounting.Record{record("one"), record("two")}
	if err := r.Append(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if len(h.kept) != 2 || string(h.kept[0].AppendJSON(nil)) != string(want[0].AppendJSON(nil)) || h.kept[1].ID != "two" {
		t.Errorf("%+v", h.kept)
	}
	h.fails = errors.New("no room")
	if err := r.Append(t.Context(), want); err == nil || errors.Is(err, spool.ErrUncertain) {
		t.Error(err)
	}
	h.fails = spool.ErrUncertain
	if err := r.Append(t.Context(), want); !errors.Is(err, spool.ErrUncertain) {
		t.Error(err)
	}
	// A fault may come before it has them, or afterwards.
	h.fails, h.faults = nil, true
	if err := r.Append(t.Context(), want); !errors.Is(err, spool.ErrUncertain) {
		t.Errorf("after a fault: %v", err)
	}
}

// Records wait for a process that is not there yet; one that never comes has not kept
// them.
func TestRecordsWait(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := NewRemote(dir)
	over, cancel := context.WithTimeout(t.Context(), 3*appendPause)
	defer cancel()
	// Where time is over in the midst of a try, nobody can tell whether it was read.
	if err := r.Append(over, []accounting.Record{record("one")}); !errors.Is(err, ErrAway) {
		t.Error(err)
	}
	<-over.Done()
	if err := r.Append(over, []accounting.Record{record("one")}); !errors.Is(err, ErrAway) || errors.Is(err, spool.ErrUncertain) {
		t.Error(err)
	}
	if _, err := r.State().Remembered(over, state.ID{}, time.Now(), time.Hour); !errors.Is(err, state.ErrAway) {
		t.Error(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.Append(t.Context(), []accounting.Record{record("two")}) }()
	h := new(heirless)
	serve(t, dir, h)
	if err := <-done; err != nil || len(h.kept) != 1 || h.kept[0].ID != "two" {
		t.Errorf("%v %+v", err, h.kept)
	}
}

// How accounts stand is followed; another policy there hurries those here.
func TestFollow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := accounting.Standing{Client: "sales", Balance: 7, Change: [2]uint64{1, 2}}
	h := &heirless{standings: Standings{PID: 5, Change: 3, List: []Standing{{one, one.Change}}, InForce: InForce{Policy: "a"}}}
	serve(t, dir, h)
	ctx, cancel := context.WithCancel(t.Context())
	told, hurried := make(chan []accounting.Standing, 100), make(chan struct{}, 100)
	over := make(chan struct{})
	go func() {
		defer close(over)
		NewRemote(dir).Follow(ctx, InForce{Policy: "a", Clients: "7"}, func(list []accounting.Standing) { told <- list }, func() { hurried <- struct{}{} })
	}()
	if list := <-told; !slices.Equal(list, []accounting.Standing{one}) {
		t.Errorf("%+v", list)
	}
	if list := <-told; len(list) != 0 || len(hurried) != 0 {
		t.Errorf("%+v told again, hurried %d times", list, len(hurried))
	}
	h.mu.Lock()
	h.standings.Policy = "b"
	h.mu.Unlock()
	<-hurried
	cancel()
	<-over
}

// Sessions are hurried from the first answer on, where what they are judged by is not in
// force any more.
func TestOutdates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		here, there InForce
		hurry       bool
	}{
		{InForce{"a", ""}, InForce{"a", ""}, false},
		{InForce{"a", "7"}, InForce{"a", "7"}, false},
		{InForce{"a", "7"}, InForce{"b", "7"}, true},
		{InForce{"a", "7"}, InForce{"a", "8"}, true},
		{InForce{"a", ""}, InForce{"a", "8"}, true},
		{InForce{"a", "7"}, InForce{"a", ""}, false}, // not read there yet
	} {
		dir := t.TempDir()
		serve(t, dir, &heirless{standings: Standings{PID: 5, InForce: c.there}})
		ctx, cancel := context.WithCancel(t.Context())
		hurried := false
		NewRemote(dir).Follow(ctx, c.here, func([]accounting.Standing) { cancel() }, func() { hurried = true })
		if hurried != c.hurry {
			t.Errorf("%+v there, %+v here: hurried %v", c.there, c.here, hurried)
		}
	}
}

// A process that hangs is not waited for: neither longer than it may take, nor by who is
// asked to end.
func TestAskSilent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: control.SocketPath(dir), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close() // and nobody accepts
	if _, err := ask(t.Context(), 20*time.Millisecond, dir, Hello{}, Silent{}, nil); !errors.Is(err, ErrSilent) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("asked to end")
	over := make(chan error, 1)
	go func() {
		_, err := ask(ctx, time.Hour, dir, Hello{}, Silent{}, nil)
		over <- err
	}()
	cancel(cause)
	if err := <-over; !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
}

// Who was asked to end does not say that it serves: the other one would leave.
func TestGivesUpBeforeServing(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	h := &Heir{line: &line{conn: a}, steps: Silent{}, open: time.AfterFunc(time.Hour, func() {})}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Serving(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	h.Close()
	if w, err := (&line{conn: b}).hear(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("it said %+v, %v", w, err)
	}
}

// Who is nobody here is not answered.
func TestAnswersArePrivileged(t *testing.T) {
	t.Parallel()
	for name, h := range Answers(new(heirless), map[string]control.Handler{}) {
		var refusal *control.Refusal
		if _, err := h(t.Context(), []byte(`{}`)); !errors.As(err, &refusal) || refusal.Code != control.CodeDenied {
			t.Errorf("%s answers anybody: %v", name, err)
		}
	}
}
