package gate_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

var update = flag.Bool("update", false, "write the tables in the documents anew")

// passing sends a message that just keeps within a bound, or with one more
// that passes it.
var passing = map[gate.BoundID]func(w *world, more int64) outcome{
	gate.HeaderFields: func(w *world, more int64) outcome {
		return w.send(sending{to: []string{"ivan@example.org", "sales@example.org"}, header: repeated("X", " y", w.bound(gate.HeaderFields)+more)})
	},
	gate.HeaderOctets: func(w *world, more int64) outcome {
		field := int64(len("X: \r\n"))
		return w.send(sending{to: []string{"ivan@example.org", "sales@example.org"}, header: [][2]string{
			{"X", " " + strings.Repeat("y", int(w.bound(gate.HeaderOctets)+more-field))},
		}})
	},
	gate.HeaderEdits: func(w *world, more int64) outcome {
		// The report is one edit itself.
		return w.send(sending{to: []string{"ivan@example.org", "sales@example.org"}, header: repeated("X-Tollgate", " forged", w.bound(gate.HeaderEdits)+more-1)})
	},
	gate.HeadersHeld: func(w *world, more int64) outcome {
		large := [][2]string{{"X", " " + strings.Repeat("y", 2<<20)}}
		for range more * w.bound(gate.HeadersHeld) / (4 << 20) {
			ctx := context.Background()
			m, _ := w.Session(ctx, stranger).Mail(ctx, gate.Envelope{Sender: "slow@example.com", Size: -1})
			m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
			m.Header(large[0][0], large[0][1])
		}
		return w.send(sending{to: []string{"ivan@example.org", "sales@example.org"}, header: large})
	},
	gate.Recipients: func(w *world, more int64) outcome {
		var to []string
		for i := range w.bound(gate.Recipients) + more {
			to = append(to, fmt.Sprintf("ivan+%d@example.org", i))
		}
		return w.send(sending{to: to})
	},
	// Digits are what the expression gives up on at once, but nobody knows that
	// before: it is charged by its size.
	gate.RuleWork: func(w *world, more int64) outcome {
		return w.send(sending{to: []string{"ivan@example.org", "sales@example.org"}, header: repeated("X-Work", strings.Repeat("1", 60<<10), 1+more*20)})
	},
}

// dear is a rule that a sender can make use up what a message may cost.
func dear() rules.Source {
	return rules.Source{Rules: []rules.SourceRule{{
		Name: "dear", Stage: "headers", Weight: 1,
		Match: []rules.Condition{{Attr: "header.X-Work", Values: []rules.Operand{{V: `(\pL{1,100}\s?){1,10}$`}}}},
	}}}
}

func (w *world) bound(id gate.BoundID) int64 {
	return max(w.policy.Limits[id], gate.Bounds()[id].Value)
}

func repeated(name, value string, n int64) [][2]string {
	header := make([][2]string, n)
	for i := range header {
		header[i] = [2]string{name, value}
	}
	return header
}

// What passes a bound is refused before anybody pays, with a block for each
// recipient and a count; a bound that a policy raises lets it through.
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, b := range gate.Bounds() {
		if b.Reply == "" {
			continue
		}
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			pass := passing[b.ID]
			if pass == nil {
				t.Fatal("no test sends what passes this bound")
			}
			w := newWorld(t, dear())
			pass(w, 0)
			if n := len(w.blocks()); n != 0 || hits(w, b.Name) != 0 {
				t.Fatalf("%d blocks, %d counted within the bound", n, hits(w, b.Name))
			}
			charged := len(w.records)
			o := pass(w, 1)
			if hits(w, b.Name) != 1 {
				t.Errorf("counted %d times", hits(w, b.Name))
			}
			if b.ID == gate.Recipients {
				wantReply(t, o.rcpt[len(o.rcpt)-1], b.Reply)
				return
			}
			if got := o.result.Reply.String(); !strings.HasPrefix(got, b.Reply) {
				t.Errorf("answered %q", got)
			}
			if len(w.blocks()) != 2 || w.blocks()[1].Recipient != "sales@example.org" || !strings.Contains(w.blocks()[0].Reason, b.Name) {
				t.Errorf("%d blocks", len(w.blocks()))
			}
			if len(w.records) != charged {
				t.Error("it was charged")
			}

			raised := newWorld(t, dear(), func(p *gate.Policy) { p.Limits[b.ID] = b.Value + 1 })
			if o := pass(raised, 0); o.result.Verdict != gate.Accepted {
				t.Errorf("with the bound raised: %v", o.result.Reply)
			}
		})
	}
}

// No bound can be lowered or raised out of reach.
func TestBoundsStay(t *testing.T) {
	t.Parallel()
	for _, value := range []int64{-1, 1, 1 << 60} {
		w := newWorld(t, rules.Source{}, func(p *gate.Policy) {
			for i := range p.Limits {
				p.Limits[i] = value
			}
		})
		for i, s := range w.Gate.Limits() {
			if b := gate.Bounds()[i]; s.Value != b.Value && s.Value != b.Most {
				t.Errorf("%s is %d with %d", s.Name, s.Value, value)
			}
		}
	}
}

func hits(w *world, name string) int64 {
	for _, s := range w.Gate.Limits() {
		if s.Name == name {
			return s.Hits
		}
	}
	return -1
}

// Nobody is let off: not who is not filtered, on the white list, outbound,
// local, nor after an internal fault that lets mail pass.
func TestBoundsForAll(t *testing.T) {
	t.Parallel()
	forged := repeated("X-Tollgate", " forged", 1001)
	for name, test := range map[string]struct {
		src    rules.Source
		change func(*gate.Policy)
		m      sending
	}{
		"no filter":        {m: sending{to: []string{"raw@example.org"}}},
		"white list":       {src: source(rule("w", "connect", "accept", "client_ip", "192.0.2.7")), m: sending{to: []string{"ivan@example.org"}}},
		"white at the end": {src: source(rule("w", "complete", "accept", "size", "> 0")), m: sending{to: []string{"ivan@example.org"}}},
		"outbound":         {m: sending{to: []string{"b@far.example"}}, change: func(p *gate.Policy) { p.OutboundAuthenticated = true }},
		"local":            {m: sending{to: []string{"b@far.example"}, peer: gate.Peer{Local: true}}},
		"held":             {src: source(rule("h", "connect", "hold", "client_ip", "192.0.2.7")), m: sending{to: []string{"ivan@example.org"}}},
		"discarded": {src: source(rule("d", "connect", "discard", "client_ip", "192.0.2.7")), m: sending{
			to: []string{"ivan@example.org"}, header: repeated("X", " y", 50_001),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change := test.change
			if change == nil {
				change = func(*gate.Policy) {}
			}
			w := newWorld(t, test.src, change)
			if test.m.header == nil {
				test.m.header = forged
			}
			if name == "outbound" {
				test.m.env = gate.Envelope{Sender: "ivan@example.org", Size: -1, AuthType: "PLAIN", AuthUser: "ivan"}
			}
			o := w.send(test.m)
			if o.result == nil || o.result.Verdict != gate.Rejected || !strings.HasPrefix(o.result.Reply.String(), "552 5.3.4") || len(o.result.Edits) != 0 {
				t.Errorf("%+v", o)
			}
			if len(w.blocks()) != 1 || len(w.records) != 0 {
				t.Errorf("%d blocks, %d records", len(w.blocks()), len(w.records))
			}
		})
	}
}

// What rules could not see is not judged by them: a white list at headers
// must not take a message of which half is missing.
func TestBoundsBeforeRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, source(weighing("late", "headers", 1000, "subject", "casino"), weighing("early", "headers", 500, "header.X", "y")))
	header := append(repeated("X", " y", 50_000), [2]string{"Subject", " casino"})
	o := w.send(sending{to: []string{"ivan@example.org"}, header: header})
	if o.result.Verdict != gate.Rejected || w.last().Weight != "0" {
		t.Errorf("%v, weight %s", o.result.Verdict, w.last().Weight)
	}
}

// What modules want removed counts, too.
func TestBoundsModules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rules.Source{}, withModule("m", &engine{finding: module.Finding{Remove: []module.Removal{{Name: "X-Spam"}}}}))
	o := w.send(sending{to: []string{"ivan@example.org"}, header: repeated("x-spam", " y", 1001)})
	if o.result.Verdict != gate.Rejected || len(w.records) != 0 {
		t.Errorf("%+v", o.result)
	}
}

// A text that a sender makes long stands cut in every block and record, and
// says how long it was.
func TestJournalText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("я", 93_000)
	w := newWorld(t, source(rule("r", "headers", "reject", "subject", "spam")))
	to := make([]string, 300)
	for i := range to {
		to[i] = fmt.Sprintf("ivan+%d@example.org", i)
	}
	w.send(sending{to: to, header: [][2]string{{"Subject", " spam " + long}, {"Message-ID", " <" + long + "@x>"}}})
	if len(w.blocks()) != len(to) {
		t.Fatalf("%d blocks", len(w.blocks()))
	}
	for i, e := range w.blocks() {
		if e.Recipient != to[i] {
			t.Fatalf("block %d is of %s", i, e.Recipient)
		}
		if len(e.Subject) > 700 || !strings.HasSuffix(e.Subject, "… (186005 octets)") || len(e.MessageID) > 700 {
			t.Fatalf("%d %q", len(e.Subject), e.Subject)
		}
		if i > 0 && len(e.Rules) > 0 && &e.Rules[0] != &w.blocks()[0].Rules[0] {
			t.Fatal("what the blocks of one message share is not shared")
		}
	}
	w.send(sending{to: []string{"ivan@example.org"}, env: gate.Envelope{Sender: long, Size: -1}, header: [][2]string{{"Message-ID", " <" + long + "@x>"}}})
	if r := w.records[0]; len(r.MessageID) > 700 || len(r.Sender) > 700 || !strings.HasSuffix(r.MessageID, "… (186004 octets)") {
		t.Errorf("%d %q", len(r.MessageID), r.MessageID)
	}
}

// The documents say what the code does.
func TestBoundsDocumented(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	table.WriteString("| limit | what | value | can be raised to | answer |\n|---|---|---|---|---|\n")
	size := func(b gate.Bound, n int64) string {
		switch {
		case b.Octets && n%(1<<20) == 0:
			return fmt.Sprintf("%d MiB", n>>20)
		case b.Octets && n%(1<<10) == 0:
			return fmt.Sprintf("%d KiB", n>>10)
		}
		return fmt.Sprint(n)
	}
	for _, b := range gate.Bounds() {
		reply := "`" + b.Reply + "`"
		if b.Reply == "" {
			reply = "cut; its length is told"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", b.Name, b.What, size(b, b.Value), size(b, b.Most), reply)
	}
	const file, begin, end = "../../docs/policy.md", "<!-- limits: made by internal/gate, go test -update -->\n", "<!-- end of limits -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	inside, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table of limits", file)
	}
	if inside != table.String() {
		if !*update {
			t.Fatalf("%s differs from the table in the code: go test ./internal/gate -run Documented -update", file)
		}
		if err := os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile("../../docs/man/policy.toml.5")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range gate.Bounds() {
		if !strings.Contains(string(page), ".It Cm "+b.Name+"\n") {
			t.Errorf("policy.toml(5) does not have the limit %s", b.Name)
		}
	}
}
