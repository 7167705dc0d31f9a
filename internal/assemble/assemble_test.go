package assemble_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/config/configtest"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// nowhere makes records durable nowhere.
type nowhere struct{}

func (nowhere) Append(context.Context, []accounting.Record) error { return nil }

var errPart = errors.New("this part fails")

// faulty is a part that fails while it is told to, after which nothing of those
// before it may be left.
type faulty struct{ fail bool }

func (f *faulty) Prepare(context.Context, *assemble.Draft) (assemble.Step, error) {
	if f.fail {
		return nil, errPart
	}
	return nothing{}, nil
}
func (f *faulty) Close() error { return nil }

type nothing struct{}

func (nothing) Commit()  {}
func (nothing) Discard() {}

// world is a running policy with a faulty part before, between and behind the
// real ones.
type world struct {
	t          *testing.T
	dir        string
	running    *assemble.Running
	faulty     []*faulty
	journals   *assemble.Journals
	resolvers  *assemble.Resolvers
	memories   *assemble.Memories
	inspectors *assemble.Inspectors
	lists      *assemble.Lists
	judge      *assemble.Judge
}

func newWorld(t *testing.T) *world {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	w := &world{
		t: t, dir: t.TempDir(),
		journals: &assemble.Journals{Log: log}, resolvers: &assemble.Resolvers{},
		memories: &assemble.Memories{Log: log}, inspectors: &assemble.Inspectors{Log: log}, lists: &assemble.Lists{Log: log},
	}
	accounts, err := assemble.NewAccounts(w.dir, log)
	if err != nil {
		t.Fatal(err)
	}
	w.judge = &assemble.Judge{Parts: gate.Parts{Records: nowhere{}, Log: log, Now: time.Now, Stasher: &module.Stasher{Dir: w.dir}}}
	var parts []assemble.Part
	for _, p := range []assemble.Part{w.lists, w.journals, assemble.Syslog{}, assemble.Trace{}, w.resolvers, w.memories, accounts, w.inspectors, w.judge} {
		f := &faulty{}
		w.faulty = append(w.faulty, f)
		parts = append(parts, f, p)
	}
	last := &faulty{}
	w.faulty = append(w.faulty, last)
	w.running = assemble.New(append(parts, last)...)
	t.Cleanup(func() {
		if err := w.running.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// policy is one of which every part tells which it is.
func (w *world) policy(name, more string) *config.Config {
	w.t.Helper()
	path := filepath.Join(w.dir, "policy.toml")
	text := fmt.Sprintf(`[gateway]
name = %q
state_dir = "."
resolver = ["127.0.0.%d"]
[journal]
dir = "journal-%[1]s"
trace = { rules = %[3]t }
[recipients]
mode = "domains"
domains = ["example.org"]
[[rule]]
name = %[1]q
stage = "rcptto"
match = { recipient = "nobody" }
action = "reject"
reply = "550 5.7.1 {gateway} {rule}"
[[module]]
name = %[1]q
type = "attachment"
`, name, len(name), name == "b") + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return configtest.Load(w.t, path)
}

// asks makes a policy need DNS and a memory.
const asks = `
[[rule]]
name = "mx"
stage = "mailfrom"
match = { sender_mx = "missing" }
weight = 1
[[rule]]
name = "grey"
stage = "rcptto"
match = { recipient = "grey" }
action = "greylist"
`

// is says which policy each part follows.
func (w *world) is() string {
	j := w.journals.Journal()
	p := w.judge.Gate().Policy()
	s := []string{
		"gate " + p.Gateway, "rule " + p.Rules.Rules()[0].Name, "journal " + filepath.Base(j.Status().Dir),
		fmt.Sprint("trace ", j.Tracing().Rules), fmt.Sprint("memory ", w.memories.Status() != nil && p.Memory != nil),
	}
	if stats := w.resolvers.Stats(); stats != nil {
		s = append(s, "dns "+stats.Servers[0].Addr)
	}
	for _, i := range w.inspectors.Status() {
		s = append(s, "inspector "+i.Name)
	}
	return strings.Join(s, ", ")
}

// files are what stands in the folder, but for the policy itself.
func (w *world) files() (all []string) {
	w.t.Helper()
	err := filepath.WalkDir(w.dir, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, strings.TrimPrefix(path, w.dir))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "/policy.toml" })
}

// load has sessions judged all the time, and tells of an answer that mixes two
// policies, until stop.
func (w *world) load() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var under sync.WaitGroup
	for range 4 {
		under.Go(func() {
			for ctx.Err() == nil {
				s := w.judge.Gate().Session(ctx, gate.Peer{Addr: netip.MustParseAddr("192.0.2.1")})
				s.Helo(ctx, "mx.example.com")
				m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com"})
				d := m.Rcpt(ctx, gate.Recipient{Address: "nobody@example.org"})
				if said := d.Reply.Text; !strings.HasPrefix(said, "a a") && !strings.HasPrefix(said, "b b") {
					w.t.Errorf("answer of two policies: %+v", d)
				}
				s.Close()
			}
		})
	}
	return func() {
		cancel()
		under.Wait()
	}
}

// In force is the old policy wholly or the new one wholly, whichever part
// fails, while mail is judged.
func TestPartsFailInTurn(t *testing.T) {
	w := newWorld(t)
	a := w.policy("a", "")
	for i, f := range w.faulty {
		before := w.files()
		f.fail = true
		if _, err := assemble.Prepare(t.Context(), a, w.running); !errors.Is(err, errPart) {
			t.Fatalf("start, part %d: %v", i, err)
		}
		if after := w.files(); !slices.Equal(after, before) {
			t.Errorf("start, part %d fails and leaves %v of %v", i, after, before)
		}
		f.fail = false
	}
	change, err := assemble.Prepare(t.Context(), a, w.running)
	if err != nil {
		t.Fatal(err)
	}
	change.Commit()
	stop := w.load()
	b := w.policy("b", asks)
	old, before := w.is(), w.files()
	for i, f := range w.faulty {
		f.fail = true
		if _, err := assemble.Prepare(t.Context(), b, w.running); !errors.Is(err, errPart) {
			t.Fatalf("part %d: %v", i, err)
		}
		f.fail = false
		if now, after := w.is(), w.files(); now != old || !slices.Equal(after, before) {
			t.Errorf("part %d fails: %s, was %s; files %v, were %v", i, now, old, after, before)
		}
	}
	change, err = assemble.Prepare(t.Context(), b, w.running)
	if err != nil {
		t.Fatal(err)
	}
	change.Discard()
	if now, after := w.is(), w.files(); now != old || !slices.Equal(after, before) {
		t.Errorf("discarded: %s, was %s; files %v, were %v", now, old, after, before)
	}
	for range 20 { // to and fro, under load
		for _, next := range []*config.Config{b, a} {
			change, err := assemble.Prepare(t.Context(), next, w.running)
			if err != nil {
				t.Fatal(err)
			}
			change.Commit()
			if w.running.Config() != next {
				t.Error("the config in force is another")
			}
		}
	}
	change, err = assemble.Prepare(t.Context(), b, w.running)
	if err != nil {
		t.Fatal(err)
	}
	change.Commit()
	stop()
	if now, want := w.is(), "gate b, rule b, journal journal-b, trace true, memory true, dns 127.0.0.1:53, inspector b"; now != want {
		t.Errorf("%s\nwant %s", now, want)
	}
}

// A policy that says the same of an inspector goes on with it, wherever in the
// file it says so; one with other settings gets another.
func TestInspectorsAreKept(t *testing.T) {
	w := newWorld(t)
	var guards []*module.Guard
	for _, more := range []string{"", "\n\n[[threshold]]\nabove = 1\ntag_subject = \"[X]\"\n", "archives = false\n"} {
		change, err := assemble.Prepare(t.Context(), w.policy("a", more), w.running)
		if err != nil {
			t.Fatal(err)
		}
		change.Commit()
		guards = append(guards, w.judge.Gate().Policy().Modules[0].Inspector)
	}
	if guards[0] != guards[1] || guards[1] == guards[2] {
		t.Errorf("%p %p %p", guards[0], guards[1], guards[2])
	}
}

// What is traced at run time stays, unless the file says otherwise than it did.
func TestTraceStays(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a", "a", "b"} {
		change, err := assemble.Prepare(t.Context(), w.policy(name, ""), w.running)
		if err != nil {
			t.Fatal(err)
		}
		change.Commit()
		if now := w.journals.Journal().Tracing(); now.Rules != (name == "b") {
			// Switched below, after the first.
			if !now.Protocol {
				t.Errorf("%s: %+v", name, now)
			}
		}
		w.journals.Journal().SetTrace(journal.TraceSwitch{Protocol: true})
	}
}
