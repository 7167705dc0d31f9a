package takeover

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/control"
)

// owner notes what is asked of it.
type owner struct {
	dir   string
	log   *[]string
	fails string // what of it does
	held  *control.Lock
}

func (o *owner) note(what string) error {
	*o.log = append(*o.log, what)
	if o.fails == what {
		return errors.New("it fails")
	}
	return nil
}

func (o *owner) Offer(context.Context) (Offer, *Files, error) {
	files := new(Files)
	if err := files.Add(NameLock, o.held.File()); err != nil {
		return Offer{}, nil, err
	}
	return Offer{PID: 1, Kept: json.RawMessage(`{}`)}, files, o.note("offer")
}

func (o *owner) Yield(context.Context) error { return o.note("yield") }
func (o *owner) Resume()                     { _ = o.note("resume") }
func (o *owner) Leave(Hello)                 { _ = o.note("leave") }

// stop ends one side of the conversation at a step, as its death would.
type stop struct {
	at   Step
	conn *net.UnixConn
}

func (s stop) Reached(at Step) {
	if at == s.at {
		_ = s.conn.Close()
		panic(s)
	}
}

// alive calls f and tells whether it came to its end.
func alive(t *testing.T, f func() error) (err error, lived bool) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case stop:
			lived = false
		default:
			t.Error(p)
		}
	}()
	return f(), true
}

func pair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if a, err = net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"}); err == nil {
		b, err = ln.AcceptUnix()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// Whichever side dies at whichever step: the gateway is one's in the end, or the one
// that had it is dead.
func TestSteps(t *testing.T) {
	t.Parallel()
	const nobody = Step(255)
	for _, c := range []struct {
		name     string
		old, new Step
		fails    string
		did      string // by the old side
		ours     string // what the new side ends with
	}{
		{"nobody dies", nobody, nobody, "", "offer yield leave", "ours"},
		{"old dies having offered", Offered, nobody, "", "offer", "orphan"},
		{"old dies having yielded", Yielded, nobody, "", "offer yield", "orphan"},
		{"old dies having heard", Committing, nobody, "", "offer yield", "orphan"},
		{"old dies having left", Left, nobody, "", "offer yield leave", "ours"},
		{"new dies having asked", nobody, Asked, "", "offer", "dead"},
		{"new dies having the stores", nobody, Taken, "", "offer yield resume", "dead"},
		{"new dies having opened", nobody, Opened, "", "offer yield resume", "dead"},
		{"new dies owning", nobody, Owned, "", "offer yield leave", "dead"},
		{"nothing to offer", nobody, nobody, "offer", "offer", "refused"},
		{"nothing is closed", nobody, nobody, "yield", "offer yield resume", "back"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			lock, err := control.Acquire(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Release()
			a, b := pair(t)
			var did []string
			g := Giver{Owner: &owner{dir: dir, log: &did, fails: c.fails, held: lock}, Steps: stop{c.old, a}, Log: slog.New(slog.DiscardHandler)}
			over := make(chan struct{})
			go func() {
				defer close(over)
				defer a.Close()
				_, _ = alive(t, func() error { return g.Give(context.Background(), a, Hello{}) })
			}()
			h := &Heir{line: &line{conn: b}, steps: stop{c.new, b}, late: func() {}}
			err, lived := alive(t, func() error {
				defer h.Close()
				if err := h.ask(t.Context()); err != nil {
					return err
				}
				h.steps.Reached(Asked)
				l, err := h.Lock(dir)
				if err != nil {
					return err
				}
				defer l.Release()
				if err := h.Take(t.Context()); err != nil {
					return err
				}
				return h.Serving(t.Context())
			})
			<-over
			got := "ours"
			switch {
			case !lived:
				got = "dead"
			case errors.Is(err, ErrRefused):
				got = "refused"
			case errors.Is(err, ErrBack):
				got = "back"
			case err != nil:
				got = err.Error()
			case h.Orphan():
				got = "orphan"
			}
			if got != c.ours || strings.Join(did, " ") != c.did {
				t.Errorf("old: %q, new: %s", did, got)
			}
		})
	}
}

// A hand-over at a time.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	var did []string
	g := Giver{Owner: &owner{log: &did}, Steps: Silent{}, Log: slog.New(slog.DiscardHandler)}
	g.one.Lock()
	err := g.Give(t.Context(), a, Hello{})
	h := &Heir{line: &line{conn: b}, steps: Silent{}}
	if asked := h.ask(t.Context()); !errors.Is(err, errBusy) || !errors.Is(asked, ErrRefused) || !strings.Contains(asked.Error(), errBusy.Error()) {
		t.Error(err, asked)
	}
}

// Descriptors come as what they are, and the mode of who gave them stays.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var files Files
	if err := errors.Join(files.Add("listener", ln.(*net.TCPListener)), files.Add("file", file)); err != nil {
		t.Fatal(err)
	}
	sender, receiver := &line{conn: a}, &line{conn: b}
	if err := sender.say(word{Say: sayOffer, Offer: &Offer{Names: files.Names()}}, files.fds...); err != nil {
		t.Fatal(err)
	}
	files.Close()
	w, err := receiver.hear(t.Context())
	if err != nil || !slices.Equal(w.Offer.Names, []string{"listener", "file"}) {
		t.Fatal(w, err)
	}
	got, err := receiver.take(w.Offer.Names)
	if err != nil {
		t.Fatal(err)
	}
	is, err := got["file"].Stat()
	at, err2 := file.Stat()
	if err != nil || err2 != nil || !os.SameFile(is, at) {
		t.Error("another file came", err, err2)
	}
	got["file"].Close()
	theirs, err := listener(got["listener"])
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	go func() {
		if c, err := net.Dial("tcp", theirs.Addr().String()); err == nil {
			c.Close()
		}
	}()
	c, err := theirs.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	theirs.Close()
}

// A word that does not end, no word, and descriptors without names are errors.
// A word that has come is heard by who had no time to look, and the next is waited for
// as ever.
func TestHearsWhatHasCome(t *testing.T) {
	a, b := pair(t)
	says, hears := &line{conn: a}, &line{conn: b}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		if err := says.say(word{Say: "done"}); err != nil {
			t.Fatal(err)
		}
		if w, err := hears.hear(over); err != nil || w.Say != "done" {
			t.Errorf("%+v, %v", w, err)
		}
	}
	if _, err := hears.hear(over); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := says.say(word{Say: "done"}); err != nil {
		t.Fatal(err)
	}
	if w, err := hears.hear(t.Context()); err != nil || w.Say != "done" {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestHearsNonsense(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{\n", strings.Repeat("x", mostWord+1<<15), `{"say":"offer","offer":{"names":["lock"]}}` + "\n"} {
		a, b := pair(t)
		go func() {
			_, _ = a.Write([]byte(text))
			_ = a.CloseWrite()
		}()
		h := &Heir{line: &line{conn: b}, steps: Silent{}}
		if err := h.ask(t.Context()); err == nil {
			t.Errorf("%.40q was taken", text)
		}
		a.Close()
	}
}
