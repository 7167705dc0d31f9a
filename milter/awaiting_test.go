package milter

import (
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// sending is a connection on which a client is sending content.
func (r *running) sending() *mta {
	r.t.Helper()
	m := r.dial()
	m.open()
	m.say('M', "<a@example.com>\x00")
	m.say('R', "<b@example.org>\x00")
	m.expect("c")
	m.say('T', "")
	return m
}

func (r *running) until(what string, holds func(Status) bool) {
	r.t.Helper()
	limit := time.After(20 * time.Second)
	for !holds(r.Status()) {
		select {
		case <-limit:
			r.t.Fatalf("never %s: %+v", what, r.Status())
		case <-time.After(time.Millisecond):
		}
	}
}

// However slowly a client sends, its message is heard; of too many that do, the
// one that has waited the longest is let go.
func TestSlowContent(t *testing.T) {
	g := newFake()
	const idle = 50 * time.Millisecond
	r := start(t, g, Options{MaxAwaiting: 2, Limits: Limits{Idle: idle}})
	first := r.sending()
	r.until("one waits", func(s Status) bool { return s.Awaiting == 1 })
	// One between messages is closed for saying nothing, and so much later.
	other := r.dial()
	other.open()
	other.expectEnd()
	second := r.sending()
	r.until("two wait", func(s Status) bool { return s.Awaiting == 2 })
	first.say('L', "Subject\x00 hello\x00")
	first.say('N', "")
	r.until("one has gone on", func(s Status) bool { return s.Awaiting == 1 })
	first.say('B', "body\r\n")
	first.say('E', "")
	for {
		if p := first.hear(); p[0] == 'c' || p[0] == 'a' {
			break
		}
	}
	third, fourth := r.sending(), r.sending()
	second.expectEnd()
	r.until("the oldest is gone", func(s Status) bool { return s.Awaiting == 2 && s.AwaitingDropped == 1 })
	if !strings.Contains(r.log.String(), "too many wait for content") {
		t.Errorf("the log does not say so: %s", r.log)
	}
	for _, m := range []*mta{third, fourth} {
		m.say('L', "Subject\x00 hello\x00")
		m.say('N', "")
		m.say('B', "body\r\n")
		m.say('E', "")
		for {
			if p := m.hear(); p[0] == 'c' || p[0] == 'a' {
				break
			}
		}
	}
	// A frame that has begun must come to its end all the same.
	half := r.sending()
	half.write([]byte{0, 0, 0, 20, 'L', 'S'})
	r2 := start(t, g, Options{Limits: Limits{Frame: idle}})
	stuck := r2.sending()
	stuck.write([]byte{0, 0, 0, 20, 'L', 'S'})
	stuck.expectEnd()
	_ = half
}

// A connection on which a client is sending holds little.
func TestAwaitingHoldsLittle(t *testing.T) {
	const n, most = 400, awaitingMost
	r := start(t, newFake(), Options{})
	dialog := appendFrame(nil, 'C', connectFrame)
	dialog = appendFrame(dialog, 'H', "mail.example.com\x00")
	dialog = appendFrame(dialog, 'M', "<a@example.com>\x00")
	dialog = appendFrame(dialog, 'R', "<b@example.org>\x00")
	dialog = appendFrame(dialog, 'T', "")
	used := func() uint64 {
		runtime.GC()
		runtime.GC() // what a pool has kept goes at the second one
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	before := used()
	for range n {
		c, err := net.Dial("unix", r.path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		m := &mta{t: t, c: c}
		m.say('O', postfixOffer)
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		m.write(dialog)
	}
	r.until("all wait", func(s Status) bool { return s.Awaiting == n })
	each := (int64(used()) - int64(before)) / n
	t.Logf("%d octets each", each)
	if each > most {
		t.Errorf("each holds %d octets, more than %d", each, most)
	}
}
