package milter_test

import (
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	gomilter "github.com/d--j/go-milter"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/milter"
	"github.com/tollgate-mail/tollgate/rules"
)

// kept is what the gate writes.
type kept struct {
	mu      sync.Mutex
	records []accounting.Record
}

func (k *kept) Append(_ context.Context, r []accounting.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.records = append(k.records, r...)
	return nil
}
func (*kept) Write(...*journal.Entry) error  { return nil }
func (*kept) Traced(netip.Addr) (bool, bool) { return false, false }

// TestTheGateItself drives the real gate through the library's own client.
func TestTheGateItself(t *testing.T) {
	compiled, problems := rules.Compile(rules.Source{Rules: []rules.SourceRule{{
		Name: "tag", Stage: "headers", TagSubject: "[X]",
	}}})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	dir, clashes := directory.New(directory.Config{}, []*accounting.Client{{ID: "ivan", Addresses: []string{"ivan@example.org"}, Location: time.UTC}})
	if len(clashes) > 0 {
		t.Fatal(clashes)
	}
	reply := func(s string) *rules.Reply {
		r, err := rules.ParseReply(s, rules.Reject)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	no := reply("550 5.1.1 No such recipient: 100%")
	k := &kept{}
	g := gate.New(&gate.Policy{Settings: gate.Settings{
		Gateway: "mx.test", ReportHeader: "X-Tollgate", Directory: dir, Rules: compiled,
		Replies: gate.Replies{Unknown: no, Foreign: no, Disabled: no, Expired: no, NotYetValid: no, Schedule: no, Class: no, Accounting: no},
	}}, gate.Parts{Records: k, Journal: k, Log: slog.New(slog.DiscardHandler), Now: time.Now})

	path := filepath.Join(t.TempDir(), "m.sock")
	ln, err := milter.Listen("unix:"+path, milter.Socket{})
	if err != nil {
		t.Fatal(err)
	}
	s := milter.New(milter.Live(g), milter.Options{Log: slog.New(slog.DiscardHandler)})
	served := make(chan error, 1)
	go func() { served <- s.Serve(t.Context(), ln) }()

	c, err := gomilter.NewClient("unix", path).Session(nil)
	if err != nil {
		t.Fatal(err)
	}
	must := func(a *gomilter.Action, err error) *gomilter.Action {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	must(c.Conn("mail.example.com", gomilter.FamilyInet, 1234, "192.0.2.7"))
	must(c.Helo("mail.example.com"))
	must(c.Mail("a@example.com", "SIZE=100"))
	a := must(c.Rcpt("ghost@example.org", ""))
	if a.SMTPCode != 550 || !strings.Contains(a.SMTPReply, "100%% (ref ") {
		t.Errorf("an unknown recipient: %v", a)
	}
	if a := must(c.Rcpt("ivan@example.org", "")); a.Type != gomilter.ActionContinue {
		t.Errorf("a known recipient: %v", a)
	}
	must(c.DataStart())
	must(c.HeaderField("Subject", " hello", nil))
	must(c.HeaderField("X-Tollgate", " forged", nil))
	must(c.HeaderEnd())
	must(c.BodyChunk([]byte("body\r\n")))
	edits, a, err := c.End()
	must(a, err)
	if a.Type != gomilter.ActionAccept {
		t.Errorf("the verdict: %v", a)
	}
	var got []string
	for _, e := range edits {
		got = append(got, e.HeaderName+":"+e.HeaderValue)
	}
	if all := strings.Join(got, "|"); !strings.HasPrefix(all, "X-Tollgate:|Subject: [X] hello|X-Tollgate: mx.test; ") {
		t.Errorf("edits %s", all)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	s.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
	g.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	want := int64(len("Subject: hello\r\nX-Tollgate: forged\r\n\r\nbody\r\n"))
	if len(k.records) != 1 || k.records[0].Size != want {
		t.Errorf("records %+v, want one of %d octets", k.records, want)
	}
}
