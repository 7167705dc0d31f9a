package test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/test/harness"
)

var (
	randomSessions = flag.Int("sessions", 40, "how many SMTP sessions TestRandomSessions makes up")
	sessionSeed    = flag.Uint64("session.seed", 1, "what TestRandomSessions makes them of")
)

const forSessions = `
[recipients]
mode    = "domains"
domains = ["example.org"]

[[client]]
id        = "sales"
addresses = ["ivan@example.org", "olga@example.org", "иван@тест.рф"]

[[client]]
id        = "bare"
addresses = ["bare@example.org"]
filter    = false

[[client]]
id        = "gone"
addresses = ["gone@example.org"]
disabled  = true

[[rule]]
name   = "closed"
stage  = "rcptto"
match  = { recipient = '^closed@' }
action = "tempfail"
reply  = "451 4.7.1 closed"

[[rule]]
name   = "bad-helo"
stage  = "helo"
match  = { helo = '^bad\.' }
action = "reject"

[[rule]]
name   = "bad-sender"
stage  = "mailfrom"
match  = { sender = '^bad-' }
action = "reject"

[[rule]]
name   = "bad-subject"
stage  = "headers"
match  = { subject = 'bad' }
action = "reject"

[[rule]]
name   = "late"
stage  = "headers"
match  = { subject = 'late' }
action = "tempfail"

[[rule]]
name   = "drop"
stage  = "headers"
match  = { subject = 'drop' }
action = "discard"
`

// transaction is one transaction as its client saw it.
type transaction struct {
	sender   string // unique
	taken    []string
	refused  map[string]int // by the one form of the recipient: how many times
	verdict  string         // "" while nothing ended it
	id       string         // of what was queued
	commands strings.Builder
}

// player sends random sessions.
type player struct {
	rnd    *rand.Rand
	c      *harness.Client
	t      *testing.T
	all    []*transaction
	now    *transaction // under way
	helo   string
	closed bool
	last   string // the line before
	serial *int
}

func (p *player) pick(all ...string) string { return all[p.rnd.IntN(len(all))] }

// say sends lines, at once where pipelined, and gives their replies.
func (p *player) say(lines ...string) []harness.Reply {
	p.t.Helper()
	var replies []harness.Reply
	pipelined := p.rnd.IntN(2) == 0
	if pipelined {
		if err := p.c.Raw([]byte(strings.Join(lines, "\r\n") + "\r\n")); err != nil {
			p.t.Fatal(err)
		}
	}
	for _, line := range lines {
		if !pipelined {
			if err := p.c.Send(line); err != nil {
				p.t.Fatal(err)
			}
		}
		r, err := p.c.Reply()
		if err != nil {
			p.t.Fatalf("%v, to %q after %q", err, line, p.last)
		}
		if p.now != nil {
			fmt.Fprintf(&p.now.commands, "C: %.90q\nS: %s\n", line, r)
		}
		p.last = line
		replies = append(replies, r)
	}
	return replies
}

// over ends the transaction under way, if any.
func (p *player) over(verdict string) {
	if p.now != nil && p.now.verdict == "" {
		p.now.verdict = verdict
		if verdict == "aborted" && len(p.now.taken) == 0 {
			p.now.verdict = "none taken"
		}
	}
	p.now = nil
}

func (p *player) greet() {
	p.helo = p.pick("mail.example.com", "mail.example.com", "bad.example.com")
	p.say(p.pick("EHLO ", "EHLO ", "HELO ") + p.helo)
	p.over("aborted")
}

// noise is what may stand between the commands of a transaction.
func (p *player) noise() []string {
	switch p.rnd.IntN(8) {
	case 0:
		return []string{"NOOP"}
	case 1:
		return []string{"VRFY ivan@example.org"}
	case 2:
		return []string{"MAIL FROM:<nested@example.com>"}
	case 3:
		return []string{"NONSENSE"}
	case 4:
		return []string{"RCPT TO:<ivan@example.org> NONSENSE=1"}
	}
	return nil
}

func (p *player) transaction() {
	*p.serial++
	tx := &transaction{sender: fmt.Sprintf("%ss%d@example.com", p.pick("", "", "", "", "bad-"), *p.serial), refused: map[string]int{}}
	from := "MAIL FROM:<" + tx.sender + ">"
	if p.rnd.IntN(10) == 0 {
		tx.sender, from = "", "MAIL FROM:<>"
	}
	from += p.pick("", "", " SIZE=100", " BODY=8BITMIME", " SMTPUTF8")
	p.now = tx
	lines := []string{from}
	rcpts := p.rnd.IntN(7)
	for range rcpts {
		lines = append(lines, p.noise()...)
		to := p.pick("ivan@example.org", "olga@example.org", "ivan+x@example.org", `"ivan"@example.org`, "IVAN@Example.ORG", "nobody@example.org", "other@example.net", "a@foreign.example",
			"gone@example.org", "closed@example.org", "bare@example.org", "postmaster", "postmaster@example.org", "free@example.org", "иван@тест.рф", "иван@xn--e1aybc.xn--p1ai", "broken@")
		lines = append(lines, "RCPT TO:<"+to+">")
	}
	end := p.rnd.IntN(12)
	data := end >= 4
	if data && p.rnd.IntN(2) == 0 {
		lines = append(lines, p.noise()...)
	}
	bdat := data && p.rnd.IntN(5) == 0
	if data && !bdat {
		lines = append(lines, "DATA")
	}
	begun := false
	var reply harness.Reply
	for i, r := range p.say(lines...) {
		switch {
		case i == 0:
			if !r.OK() {
				p.now = nil // Postfix itself: tollgate has not heard of it
				return
			}
			begun = true
			p.all = append(p.all, tx)
		case strings.HasPrefix(lines[i], "RCPT") && !strings.HasSuffix(lines[i], "NONSENSE=1"):
			to := strings.TrimSuffix(strings.TrimPrefix(lines[i], "RCPT TO:<"), ">")
			if r.OK() {
				tx.taken = append(tx.taken, address.Fold(to))
			} else if r.Code != 501 && !strings.HasPrefix(r.String(), "553 5.6.7") {
				tx.refused[address.Fold(to)]++
			}
		case lines[i] == "DATA":
			reply = r
		}
	}
	if !begun {
		return
	}
	switch {
	case bdat:
		p.chunks(tx)
	case data && reply.Code == 354:
		p.content(tx)
	case end == 0:
		p.greet()
	case end == 1: // QUIT or a drop
		if p.rnd.IntN(2) == 0 {
			p.say("QUIT")
		}
		_ = p.c.Close()
		p.closed = true
		p.over("aborted")
	default:
		p.say("RSET")
		p.over("aborted")
	}
}

// message is one, and how rules judge it.
func (p *player) message(tx *transaction) (text []byte, verdict string) {
	subject, verdict := "good", "accept"
	switch p.rnd.IntN(8) {
	case 0:
		subject, verdict = "bad", "reject"
	case 1:
		subject, verdict = "late", "tempfail"
	case 2:
		subject, verdict = "drop", "discard"
	}
	body := p.pick("text\r\n", "", ".\r\n..\r\n", strings.Repeat("x", 5000)+"\r\n", "a\x00b\r\n", "\xff\xfe\r\n", "\r\n\r\n\r\n", "кириллица\r\n", "no end")
	return []byte("From: a@b.example\r\nMessage-ID: <" + fmt.Sprint(*p.serial) + "@x.example>\r\nSubject: " + subject + "\r\n\r\n" + body), verdict
}

func (p *player) content(tx *transaction) {
	message, verdict := p.message(tx)
	if p.rnd.IntN(8) == 0 { // gone in the middle
		_ = p.c.Raw(message[:p.rnd.IntN(len(message))])
		_ = p.c.Close()
		p.closed = true
		p.over("aborted")
		return
	}
	raw := append(bytes.ReplaceAll(message, []byte("\r\n."), []byte("\r\n..")), p.pick("", "\r\n")...)
	if !bytes.HasSuffix(raw, []byte("\r\n")) {
		raw = append(raw, "\r\n"...)
	}
	raw = append(raw, ".\r\n"...)
	after := p.pick("", "", "NOOP\r\n") // waits in the pipe already
	if err := p.c.Raw(append(raw, after...)); err != nil {
		p.t.Fatal(err)
	}
	p.ended(tx, verdict)
	if after != "" {
		if _, err := p.c.Reply(); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *player) chunks(tx *transaction) {
	message, verdict := p.message(tx)
	for len(message) > 0 {
		n := min(1+p.rnd.IntN(len(message)), len(message))
		last := n == len(message) && p.rnd.IntN(2) == 0
		r, err := p.c.Bdat(message[:n], last)
		if err != nil {
			p.t.Fatal(err)
		}
		fmt.Fprintf(&tx.commands, "BDAT %d %v: %s\n", n, last, r)
		if !r.OK() {
			if len(tx.taken) == 0 {
				break
			}
		}
		if message = message[n:]; last {
			p.judged(tx, verdict, r)
			return
		}
		if p.rnd.IntN(10) == 0 {
			p.say("RSET")
			p.over("aborted")
			return
		}
	}
	r, err := p.c.Bdat(nil, true)
	if err != nil {
		p.t.Fatal(err)
	}
	if len(tx.taken) == 0 {
		p.say("RSET")
		p.over("aborted")
		return
	}
	p.judged(tx, verdict, r)
}

func (p *player) ended(tx *transaction, verdict string) {
	r, err := p.c.Reply()
	if err != nil {
		p.t.Fatal(err)
	}
	p.judged(tx, verdict, r)
}

// judged ends the transaction with the reply to its content.
func (p *player) judged(tx *transaction, verdict string, r harness.Reply) {
	fmt.Fprintf(&tx.commands, "content: %s\n", r)
	tx.id = r.QueueID()
	if bare := slices.Equal(slices.Compact(slices.Sorted(slices.Values(tx.taken))), []string{"bare@example.org"}) || len(tx.taken) > 0 && tx.taken[0] == "bare@example.org"; bare && verdict != "accept" {
		verdict = "accept" // filter = false
	}
	if ok := verdict == "accept" || verdict == "discard"; ok != r.OK() {
		p.t.Errorf("a message to be judged %s was answered %s\n%s", verdict, r, tx.commands.String())
	}
	p.over(verdict)
}

// Whatever order of commands clients come up with, each message has its entry in
// the journal, each refused recipient its block, and each recipient that was
// accepted its record and its mail.
func TestRandomSessions(t *testing.T) {
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", forSessions)
	g.start(t, "smtpd_hard_error_limit = 10000", "smtpd_soft_error_limit = 10000", "smtpd_junk_command_limit = 10000", "smtpd_authorized_xforward_hosts = 127.0.0.1",
		"smtpd_forbid_unauth_pipelining = no")
	rnd := rand.New(rand.NewPCG(*sessionSeed, 1))
	var all []*transaction
	serial := 0
	for i := range *randomSessions {
		c, err := harness.Dial(g.postfix.Addr)
		if err != nil {
			t.Fatal(err)
		}
		p := &player{rnd: rnd, c: c, t: t, serial: &serial}
		if _, err := c.Reply(); err != nil {
			t.Fatal(err)
		}
		p.say(fmt.Sprintf("XCLIENT ADDR=192.0.2.%d NAME=mail.example.com", 1+i%200))
		p.greet()
		for range 6 {
			if p.closed {
				break
			}
			switch p.rnd.IntN(8) {
			case 0:
				p.greet()
			case 1:
				p.say("RSET", "RSET")
			case 2:
				p.say("XFORWARD ADDR=203.0.113.9 NAME=other.example", "XFORWARD HELO=forwarded.example")
			case 3:
				p.say(fmt.Sprintf("XCLIENT ADDR=198.51.100.%d NAME=[UNAVAILABLE]", 1+i%200))
				p.greet()
			}
			p.transaction()
			if p.now != nil && !p.closed {
				p.say("RSET")
				p.over("aborted")
			}
		}
		_ = c.Close()
		all = append(all, p.all...)
	}
	t.Logf("seed %d: %d transactions", *sessionSeed, len(all))
	g.judgeSessions(t, all)
}

// added is what a message has that was let through: the Received of Postfix,
// and our report.
var added = regexp.MustCompile(`(?im)^(?:X-Tollgate|Received):[^\n]*\n(?:[ \t][^\n]*\n)*`)

// judgeSessions compares what clients saw with the journal, the account and what
// was delivered.
func (g *gateway) judgeSessions(t *testing.T, all []*transaction) {
	t.Helper()
	queued := 0
	for _, tx := range all {
		if tx.verdict == "accept" {
			queued++
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	if err := g.sink.Wait(ctx, queued); err != nil {
		t.Error(err)
	}
	g.stopDrained(t)
	delivered := map[string][]string{}
	for _, d := range g.sink.Messages() {
		for _, to := range d.To {
			delivered[d.QueueID()] = append(delivered[d.QueueID()], address.Fold(to))
		}
	}
	records, sizes, raw := map[string][]string{}, map[string]int64{}, map[string][]byte{}
	for _, d := range g.sink.Messages() {
		raw[d.QueueID()] = d.Data
		sizes[d.QueueID()] = int64(len(added.ReplaceAll(d.Data, nil)))
	}
	for _, r := range g.records(t) {
		if want := sizes[r.QueueID]; r.Size != want {
			t.Errorf("%s: %d octets were charged, %d delivered: %.300q", r.QueueID, r.Size, want, raw[r.QueueID])
		}
		records[r.QueueID] = append(records[r.QueueID], r.Recipient)
	}
	type seen struct {
		messages []string
		blocks   map[string]int
	}
	bySender := map[string]*seen{}
	of := func(sender any) *seen {
		s, _ := sender.(string)
		if bySender[s] == nil {
			bySender[s] = &seen{blocks: map[string]int{}}
		}
		return bySender[s]
	}
	for _, o := range g.journal(t, "messages") {
		s := of(o["sender"])
		s.messages = append(s.messages, fmt.Sprint(o["verdict"], " ", o["recipients"]))
	}
	for _, o := range g.journal(t, "blocks") {
		to, _ := o["recipient"].(string)
		of(o["sender"]).blocks[address.Fold(to)]++
	}
	null := 0
	for _, tx := range all {
		ours := slices.DeleteFunc(slices.Clone(tx.taken), func(to string) bool {
			return !slices.Contains([]string{"ivan@example.org", "ivan+x@example.org", "olga@example.org", "bare@example.org", "иван@xn--e1aybc.xn--p1ai"}, to)
		})
		unique := func(s []string) []string { return slices.Compact(slices.Sorted(slices.Values(s))) }
		if tx.id != "" && tx.verdict == "accept" {
			want := unique(tx.taken)
			for i := range want {
				if want[i] == "postmaster" {
					want[i] = "postmaster@mx.test"
				}
			}
			if got := unique(delivered[tx.id]); !slices.Equal(got, unique(want)) {
				t.Errorf("delivered %q, taken %q\n%s", got, unique(want), tx.commands.String())
			}
			for i := range ours {
				ours[i] = strings.Replace(ours[i], "+x@", "@", 1)
			}
			if got := slices.Sorted(slices.Values(records[tx.id])); !slices.Equal(got, unique(ours)) {
				t.Errorf("charged %q, taken %q\n%s", got, unique(ours), tx.commands.String())
			}
			delete(delivered, tx.id)
			delete(records, tx.id)
		}
		if tx.sender == "" {
			null++
			continue
		}
		s := of(tx.sender)
		if len(s.messages) != 1 {
			t.Errorf("%d entries in the journal of messages: %q\n%s", len(s.messages), s.messages, tx.commands.String())
			continue
		}
		want := tx.verdict
		if want == "none taken" {
			want = ""
		}
		if !strings.HasPrefix(s.messages[0], want) {
			t.Errorf("journal %q, want %q\n%s", s.messages[0], tx.verdict, tx.commands.String())
		}
		blocks := maps.Clone(tx.refused)
		if tx.verdict == "reject" || tx.verdict == "tempfail" || tx.verdict == "discard" {
			for _, to := range unique(tx.taken) {
				blocks[to]++
			}
		}
		if !maps.Equal(blocks, s.blocks) {
			t.Errorf("blocks %v, want %v (%s)\n%s", s.blocks, blocks, s.messages[0], tx.commands.String())
		}
		delete(bySender, tx.sender)
	}
	if n := len(of("").messages); n != null {
		t.Errorf("%d entries of the null sender, %d transactions", n, null)
	}
	delete(bySender, "")
	for sender, s := range bySender {
		t.Errorf("nobody sent this: %q: %+v", sender, *s)
	}
	for id, to := range records {
		t.Errorf("charged and not queued: %s %q", id, to)
	}
	for id, to := range delivered {
		t.Errorf("delivered and not known: %s %q", id, to)
	}
}
