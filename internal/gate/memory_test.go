package gate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/rules"
)

// memory remembers as it is told to.
type memory struct {
	wait time.Duration
	err  error
	has  map[string]bool // "local remote"

	mu    sync.Mutex
	tries []gate.Try
	asked int
	kept  []string // "local remote"
}

func (m *memory) Greylist(_ context.Context, t gate.Try) (time.Duration, string, error) {
	m.tries = append(m.tries, t)
	return m.wait, "new", m.err
}

func (m *memory) Wrote(_ context.Context, local, remote string, _ time.Time) (bool, error) {
	m.asked++
	return m.has[local+" "+remote], m.err
}

func (m *memory) Remember(_ context.Context, local string, remote []string, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range remote {
		m.kept = append(m.kept, local+" "+r)
	}
	return m.err
}

func withMemory(m *memory) func(*gate.Policy) { return func(p *gate.Policy) { p.Memory = m } }

func TestGreylist(t *testing.T) {
	grey := rule("grey", "rcptto", "greylist", "recipient", "^(ivan|raw)")
	replied := grey
	replied.Reply = "450 4.2.0 Come back {recipient}"
	tests := []struct {
		name    string
		memory  *memory
		src     rules.Source
		send    sending
		to      string
		reply   string // "": passed
		verdict string // in the blocks journal
		tried   int
	}{
		{name: "early", memory: &memory{wait: 5 * time.Minute}, src: source(grey), reply: "451 4.7.1 Greylisted", verdict: "greylist", tried: 1},
		{name: "with a reply", memory: &memory{wait: time.Second}, src: source(replied), reply: "450 4.2.0 Come back ivan@example.org", verdict: "greylist", tried: 1},
		{name: "in time", memory: &memory{}, src: source(grey), tried: 1},
		{name: "memory away", memory: &memory{wait: time.Hour, err: errors.New("away")}, src: source(grey), tried: 1},
		{name: "others", memory: &memory{wait: time.Hour}, src: source(grey), to: "sales@example.org"},
		{name: "unfiltered", memory: &memory{wait: time.Hour}, src: source(grey), to: "raw@example.org"},
		{name: "a refusal after it stands", memory: &memory{wait: time.Hour}, src: source(grey, rule("no", "rcptto", "reject", "recipient", "ivan")), reply: "550 5.7.1", verdict: "reject"},
		{name: "an accept before it", memory: &memory{wait: time.Hour}, src: source(rule("yes", "rcptto", "accept", "recipient", "ivan"), grey)},
		{name: "an accept of the session", memory: &memory{wait: time.Hour}, src: source(rule("yes", "connect", "accept", "client_ip", "192.0.2.7"), grey)},
		{
			name: "outbound", memory: &memory{wait: time.Hour}, src: source(grey),
			send: sending{env: gate.Envelope{Sender: "a@example.org", Size: -1, AuthType: "PLAIN", AuthUser: "a"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.src, withMemory(tt.memory), func(p *gate.Policy) { p.OutboundAuthenticated = true })
			if tt.to == "" {
				tt.to = "ivan@example.org"
			}
			tt.send.to = []string{tt.to}
			o := w.send(tt.send)
			wantReply(t, o.rcpt[0], tt.reply)
			if len(tt.memory.tries) != tt.tried {
				t.Errorf("%d tries noted, want %d", len(tt.memory.tries), tt.tried)
			}
			if tt.tried > 0 {
				if try := tt.memory.tries[0]; try.Client != stranger.Addr || try.Recipient != tt.to || try.Sender != "a@example.com" || !try.Now.Equal(w.clock) {
					t.Errorf("noted %+v", try)
				}
			}
			if tt.verdict == "" {
				return
			}
			b := w.blocks()
			if len(b) != 1 || b[0].Verdict != tt.verdict || tt.verdict == "greylist" && (b[0].Rule != "grey" || !strings.HasPrefix(b[0].Reason, "greylisted: new")) {
				t.Errorf("%+v", b[0])
			}
			if v := w.last().Verdict; tt.verdict == "greylist" && v != "tempfail" {
				t.Errorf("the message is %q", v)
			}
		})
	}
}

func TestCorrespondents(t *testing.T) {
	known := weighing("known", "rcptto", -1000)
	known.Match = []rules.Condition{{Attr: "correspondent", Values: []rules.Operand{{V: true}}}}
	later := boolRule("later", "correspondent", false)
	m := &memory{has: map[string]bool{"ivan@example.org a@example.com": true}}
	w := newWorld(t, source(known, later), withMemory(m), func(p *gate.Policy) { p.OutboundAuthenticated = true })

	if o := w.send(sending{to: []string{"sales@example.org", "ivan@example.org"}}); o.result.Verdict != gate.Accepted || w.last().Weight != "-1" || m.asked != 2 {
		t.Errorf("%+v, weight %s, asked %d times", o.result, w.last().Weight, m.asked)
	}
	if o := w.send(sending{to: []string{"sales@example.org"}}); o.result.Verdict != gate.Rejected {
		t.Errorf("an unknown sender: %+v", o.result)
	}
	if o := w.send(sending{env: gate.Envelope{Size: -1}, to: []string{"ivan@example.org"}}); o.result.Verdict != gate.Rejected {
		t.Errorf("the null sender: %+v", o.result)
	}
	m.err = errors.New("away")
	if o := w.send(sending{to: []string{"ivan@example.org"}}); o.result.Verdict != gate.Accepted || w.last().Weight != "0" {
		t.Errorf("while the memory is away: %+v, weight %s", o.result, w.last().Weight)
	}
	if w.Wait(); len(m.kept) > 0 {
		t.Errorf("inbound mail was remembered: %q", m.kept)
	}

	m = &memory{}
	w = newWorld(t, source(known), withMemory(m), func(p *gate.Policy) { p.OutboundAuthenticated = true })
	out := sending{env: gate.Envelope{Sender: "Ivan@Example.org", Size: -1, AuthType: "PLAIN", AuthUser: "ivan"}}
	out.to = []string{"b@example.net", "sales@example.org", "c@example.net"}
	w.send(out)
	if w.Wait(); !slices.Equal(m.kept, []string{"ivan@example.org b@example.net", "ivan@example.org c@example.net"}) {
		t.Errorf("remembered %q", m.kept)
	}
}

// Whom a program answers is nobody's correspondent, also where only a part of the
// message says that a program has written it.
func TestCorrespondentsOfPrograms(t *testing.T) {
	known := weighing("known", "rcptto", -1)
	known.Match = []rules.Condition{{Attr: "correspondent", Values: []rules.Operand{{V: true}}}}
	for body, kept := range map[string]int{
		"--b\r\nContent-Type: text/calendar; method=REPLY\r\n\r\nx\r\n--b--\r\n":   0,
		"--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nx\r\n--b--\r\n": 1,
	} {
		m := &memory{}
		w := newWorld(t, source(known), withMemory(m), func(p *gate.Policy) { p.OutboundAuthenticated = true })
		w.send(sending{
			env: gate.Envelope{Sender: "ivan@example.org", Size: -1, AuthType: "PLAIN", AuthUser: "ivan"}, to: []string{"b@example.net"},
			header: [][2]string{{"Content-Type", " multipart/alternative; boundary=b"}}, body: body,
		})
		if w.Wait(); len(m.kept) != kept {
			t.Errorf("%q: %q", body, m.kept)
		}
	}
}

// Where no rule asks for correspondents none are remembered.
func TestCorrespondentsUnused(t *testing.T) {
	m := &memory{}
	w := newWorld(t, rules.Source{}, withMemory(m), func(p *gate.Policy) { p.OutboundAuthenticated = true })
	w.send(sending{env: gate.Envelope{Sender: "ivan@example.org", Size: -1, AuthType: "PLAIN", AuthUser: "ivan"}, to: []string{"b@example.net"}})
	if w.Wait(); len(m.kept) > 0 || len(w.entries[journal.Messages]) != 1 {
		t.Errorf("remembered %q", m.kept)
	}
}
