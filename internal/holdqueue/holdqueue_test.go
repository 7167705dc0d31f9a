package holdqueue

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// limit bounds what must not hang; it is far from what it takes.
func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// send has a message queued that will be on hold, and returns its id.
func send(t *testing.T, sender, message string, recipients ...string) string {
	t.Helper()
	c, err := harness.Dial(postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ok := func(r harness.Reply, err error) harness.Reply {
		t.Helper()
		if err != nil || !r.OK() {
			t.Fatalf("%v, %v", r, err)
		}
		return r
	}
	ok(c.Reply())
	ok(c.Cmd("EHLO mail.example.com"))
	ok(c.Cmd("MAIL FROM:<" + sender + "> BODY=8BITMIME SMTPUTF8"))
	for _, to := range recipients {
		ok(c.Cmd("RCPT TO:<" + to + ">"))
	}
	return ok(c.Data([]byte(message))).QueueID()
}

func list(t *testing.T) map[string]Message {
	t.Helper()
	all := map[string]Message{}
	err := New(postfix.Config).List(limit(t), func(m Message) error {
		all[m.QueueID] = m
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const held = "X-Hold: yes\r\n"

func TestList(t *testing.T) {
	before := time.Now().Truncate(time.Second)
	id := send(t, "a@example.com", held+"\r\ntext\r\n", "ivan@example.org", `"a \" b"@example.org`, "тест@example.org")
	null := send(t, "", held+"\r\n", "ivan@example.org")
	send(t, "", "\r\nqueue_name: \"hold\"\r\n", "ivan@example.org")
	all := list(t)
	m := all[id]
	if m.Sender != "a@example.com" || !slices.Equal(m.Recipients, []string{"ivan@example.org", `"a \" b"@example.org`, "тест@example.org"}) {
		t.Errorf("%+v", m)
	}
	if m.Arrived.Before(before) || m.Arrived.After(time.Now()) || m.Size < int64(len("X-Hold: yes\n\ntext\n")) {
		t.Errorf("%+v", m)
	}
	if m := all[null]; m.Sender != "" || len(m.Recipients) != 1 {
		t.Errorf("%+v", m)
	}
	if got := slices.Sorted(maps.Keys(all)); !slices.Equal(got, slices.Sorted(slices.Values([]string{id, null}))) {
		t.Errorf("%v are on hold", got)
	}

	stop := errors.New("stop")
	if err := New(postfix.Config).List(limit(t), func(Message) error { return stop }); !errors.Is(err, stop) || errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	clear(t)
}

// clear deletes what a test leaves.
func clear(t *testing.T) {
	t.Helper()
	ids := slices.Collect(maps.Keys(list(t)))
	if done, err := New(postfix.Config).Delete(limit(t), ids...); err != nil || len(done) != len(ids) {
		t.Errorf("%v of %v, %v", done, ids, err)
	}
}

func TestWrite(t *testing.T) {
	q := New(postfix.Config)
	header := "X-Hold: yes\r\nX-Folded: one\r\n\ttwo \xff\r\n"
	body := "\x00\x01\xff\r\n*** HEADER EXTRACTED\r\n\r\n" + strings.Repeat("long", 10_000) + "\r\n"
	id := send(t, "a@example.com", header+"\r\n"+body, "ivan@example.org")
	lf := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
	for part, want := range map[Part]string{Whole: lf(header + "\r\n" + body), Header: lf(header)} {
		var b bytes.Buffer
		if err := q.Write(limit(t), id, part, &b); err != nil {
			t.Fatal(err)
		}
		trace, rest, _ := strings.Cut(b.String(), "X-Hold")
		if !strings.HasPrefix(trace, "Received: ") || "X-Hold"+rest != want {
			t.Errorf("%d: %.1000q", part, b.String())
		}
	}
	full := errors.New("no room")
	if err := q.Write(limit(t), id, Whole, failing{full}); !errors.Is(err, full) {
		t.Error(err)
	}
	for _, id := range []string{"4XNoSuchId", "", "-d", "ALL", "/etc/passwd", "../../../etc/passwd", "a b c d e"} {
		var b bytes.Buffer
		if err := q.Write(limit(t), id, Whole, &b); !errors.Is(err, ErrNotHeld) || b.Len() > 0 {
			t.Errorf("%q: %v, %q", id, err, b.String())
		}
	}
	clear(t)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestReleaseAndDelete(t *testing.T) {
	q := New(postfix.Config)
	var ids []string
	for range 4 {
		ids = append(ids, send(t, "a@example.com", held+"\r\ntext\r\n", "ivan@example.org"))
	}
	for name, change := range map[string]func(context.Context, ...string) ([]string, error){"release": q.Release, "delete": q.Delete} {
		// postsuper understands "ALL", and reads ids from lines.
		done, err := change(limit(t), "ALL", "4XNoSuchId", "", "-", ids[0]+"\n"+ids[1], ids[0]+" ")
		if len(done) != 0 || err != nil {
			t.Errorf("%s: %v, %v", name, done, err)
		}
	}
	if n := len(list(t)); n != len(ids) {
		t.Fatalf("%d are on hold", n)
	}
	before := len(sink.Messages())
	done, err := q.Release(limit(t), ids[0], "4XNoSuchId", ids[1])
	if err != nil || !slices.Equal(done, ids[:2]) {
		t.Errorf("%v, %v", done, err)
	}
	for _, id := range done {
		if err := q.Hurry(limit(t), id); err != nil {
			t.Error(err)
		}
	}
	if err := sink.Wait(limit(t), before+2); err != nil {
		t.Error(err)
	}
	done, err = q.Delete(limit(t), ids...)
	if err != nil || !slices.Equal(done, ids[2:]) {
		t.Errorf("%v, %v", done, err)
	}
	if left := list(t); len(left) != 0 {
		t.Errorf("%v", left)
	}
}

// Another queue is another Postfix's.
func TestNoPostfix(t *testing.T) {
	t.Parallel()
	q := New(t.TempDir())
	const why = "main.cf"
	if err := q.List(limit(t), func(Message) error { return nil }); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), why) {
		t.Error(err)
	}
	if err := q.Write(limit(t), "4XNoSuchId", Whole, new(bytes.Buffer)); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), why) {
		t.Error(err)
	}
	if _, err := q.Delete(limit(t), "4XNoSuchId"); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), why) {
		t.Error(err)
	}
}
