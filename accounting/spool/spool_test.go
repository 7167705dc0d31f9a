package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// message makes the records of one message to n recipients.
func message(i, n int) []accounting.Record {
	base := accounting.Record{
		ID: fmt.Sprintf("gw/4C%06d/%d", i, start.UnixMilli()+int64(i)), Time: start.Add(time.Duration(i) * time.Millisecond),
		Gateway: "gw", QueueID: fmt.Sprintf("4C%06d", i), Ref: "ref", Sender: "a@example.com", ClientIP: "192.0.2.7",
		Direction: "in", Verdict: "accept", Weight: "1.5", Rules: []string{"one", "two"}, MessageID: "<1@example.com>",
	}
	payers := make([]accounting.Payer, n)
	for k := range payers {
		payers[k] = accounting.Payer{Recipient: fmt.Sprintf("user%d@example.org", k), Client: "sales"}
	}
	return accounting.Charge(base, 1000, payers, accounting.Sharing{})
}

// account is a Sink that remembers.
type account struct {
	mu    sync.Mutex
	seen  map[string]int // times an ID came
	order []string       // first comings
	fail  func(batch []accounting.Record) error
}

func newAccount() *account { return &account{seen: map[string]int{}} }

func (a *account) Put(ctx context.Context, batch []accounting.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		if err := a.fail(batch); err != nil {
			return err
		}
	}
	for _, r := range batch {
		if a.seen[r.ID]++; a.seen[r.ID] == 1 {
			a.order = append(a.order, r.ID)
		}
	}
	return ctx.Err()
}

func (a *account) ids() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.order)
}

func quick() pace {
	return pace{linger: 0, save: 0, check: time.Hour, backoffMin: time.Millisecond, backoffMax: 2 * time.Millisecond}
}

func mustOpen(t testing.TB, dir string, o Options, fs FileSystem) *Spool {
	t.Helper()
	s, err := open(dir, o, fs, quick())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustAppend(t testing.TB, s *Spool, records []accounting.Record) {
	t.Helper()
	if err := s.Append(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

// drainAll runs a Drain until all is applied.
func drainAll(t testing.TB, s *Spool, sink accounting.Sink) {
	t.Helper()
	stop := startDrain(t, s, sink)
	flushAll(t, s)
	stop()
}

func flushAll(t testing.TB, s *Spool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err, s.Status())
	}
}

func startDrain(t testing.TB, s *Spool, sink accounting.Sink) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Drain(ctx, sink) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func ids(messages ...[]accounting.Record) []string {
	var list []string
	for _, m := range messages {
		for _, r := range m {
			list = append(list, r.ID)
		}
	}
	return list
}

func wantIDs(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got %d records %v\nwant %d %v", len(got), got, len(want), want)
	}
}

func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{}, osFiles{})
	var want [][]accounting.Record
	for i := range 20 {
		m := message(i, 1+i%3)
		want = append(want, m)
		mustAppend(t, s, m)
	}
	if st := s.Status(); st.Waiting != int64(len(ids(want...))) || !st.Oldest.Equal(start) || st.Bytes == 0 {
		t.Fatalf("%+v", st)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, Options{}, osFiles{})
	if st := s.Status(); st.Waiting != int64(len(ids(want...))) {
		t.Fatalf("after a restart: %+v", st)
	}
	a := newAccount()
	drainAll(t, s, a)
	wantIDs(t, a.ids(), ids(want...))
	if st := s.Status(); st.Waiting != 0 || !st.Oldest.IsZero() || st.LastError != "" || st.LastApplied.IsZero() {
		t.Fatalf("%+v", st)
	}

	// Nothing comes twice after another restart, and what is new follows.
	s.Close()
	s = mustOpen(t, dir, Options{}, osFiles{})
	more := message(100, 2)
	mustAppend(t, s, more)
	b := newAccount()
	drainAll(t, s, b)
	wantIDs(t, b.ids(), ids(more))
}

// Every field of a record arrives as it was.
func TestRecordSurvives(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{}, osFiles{})
	r := message(1, 1)[0]
	r.Recipient = "\x00\"|тест@пример.рф\xff"
	want, err := accounting.ParseRecord(r.AppendJSON(nil))
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, []accounting.Record{r})
	var got accounting.Record
	drainAll(t, s, sinkFunc(func(batch []accounting.Record) error { got = batch[0]; return nil }))
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

type sinkFunc func([]accounting.Record) error

func (f sinkFunc) Put(_ context.Context, batch []accounting.Record) error { return f(batch) }

func TestConcurrentAppends(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{SegmentSize: 4096}, osFiles{})
	a := newAccount()
	stop := startDrain(t, s, a)
	const writers, each = 16, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := s.Append(t.Context(), message(w*each+i, 2)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	flushAll(t, s)
	stop()
	if n := len(a.ids()); n != writers*each*2 {
		t.Fatalf("%d records", n)
	}
	if n := len(s.segments); n < 10 {
		t.Fatalf("%d segments: they do not roll", n)
	}
	for id, n := range a.seen {
		if n != 1 {
			t.Fatalf("%s came %d times", id, n)
		}
	}
}

// Whoever asks for the name does so while the cursor is saved: the race detector sees it.
func TestNameBesideADrain(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{}, osFiles{})
	stop := startDrain(t, s, newAccount())
	defer stop()
	name, over := s.Name(), make(chan struct{})
	go func() {
		defer close(over)
		for range 1000 {
			if s.Name() != name {
				t.Error("another name")
			}
		}
	}()
	for n := range 10 {
		mustAppend(t, s, message(n, 1))
		flushAll(t, s)
	}
	<-over
}

func TestAppendMisuse(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{}, osFiles{})
	if err := s.Append(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	big := message(1, 1)
	big[0].Sender = string(make([]byte, maxPayload/5)) // each octet becomes six
	if err := s.Append(t.Context(), big); !errors.Is(err, ErrTooLarge) {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	stop := startDrain(t, s, newAccount())
	mustAppend(t, s, message(1, 1))
	flushAll(t, s)
	if err := s.Drain(t.Context(), newAccount()); !errors.Is(err, ErrDraining) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := s.Append(t.Context(), message(1, 1)); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	if err := s.Drain(t.Context(), newAccount()); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	if err := s.Flush(t.Context()); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A sink that fails gets the same batch again, and Status tells of it.
func TestSinkAway(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{}, osFiles{})
	a := newAccount()
	away := errors.New("away")
	failures := make(chan Status, 100)
	n := 0
	a.fail = func([]accounting.Record) error {
		if n++; n <= 5 {
			if n > 1 {
				failures <- s.Status()
			}
			return away
		}
		return nil
	}
	var want []string
	for i := range 5 {
		mustAppend(t, s, message(i, 2))
		want = append(want, ids(message(i, 2))...)
	}
	drainAll(t, s, a)
	wantIDs(t, a.ids(), want)
	st := <-failures
	if st.LastError != "store: away" || st.ErrorSince.IsZero() || st.Waiting != 10 || !st.Oldest.Equal(start) {
		t.Fatalf("%+v", st)
	}
	if st := s.Status(); st.LastError != "" || !st.ErrorSince.IsZero() {
		t.Fatalf("%+v", st)
	}
}

// A batch ends with the frame that makes it full.
func TestBatches(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{}, osFiles{})
	for i := range 3 {
		mustAppend(t, s, message(i, 300))
	}
	mustAppend(t, s, message(9, 2000))
	var sizes []int
	drainAll(t, s, sinkFunc(func(batch []accounting.Record) error {
		sizes = append(sizes, len(batch))
		return nil
	}))
	if !slices.Equal(sizes, []int{600, 2300}) {
		t.Fatal(sizes)
	}
}

// Drained segments stay as long as they are to be retained, and from when they
// were drained.
func TestRetain(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	o := Options{SegmentSize: 1, Retain: time.Hour, Now: func() time.Time { return now }}
	s := mustOpen(t, dir, o, osFiles{})
	for i := range 5 {
		mustAppend(t, s, message(i, 1))
	}
	a := newAccount()
	now = now.Add(100 * time.Hour) // long in the backlog
	drainAll(t, s, a)
	if n := segmentCount(t, dir); n != 5 {
		t.Fatalf("%d segments right after the drain", n)
	}
	s.Close()
	now = now.Add(59 * time.Minute)
	s = mustOpen(t, dir, o, osFiles{})
	mustAppend(t, s, message(5, 1))
	drainAll(t, s, a)
	if n := segmentCount(t, dir); n != 6 {
		t.Fatalf("%d segments before their time", n)
	}
	now = now.Add(2 * time.Minute)
	mustAppend(t, s, message(6, 1))
	drainAll(t, s, a)
	if n := segmentCount(t, dir); n != 3 {
		t.Fatalf("%d segments after it", n) // the fifth was left behind only when the sixth was read
	}
	if len(a.ids()) != 7 {
		t.Fatal(a.ids())
	}
}

func segmentCount(t *testing.T, dir string) int {
	t.Helper()
	list, err := listSegments(osFiles{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// logged collects what was logged, by level.
type logged struct {
	mu   sync.Mutex
	text []string
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, string(b))
	return len(b), nil
}

func (l *logged) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.text)
}
