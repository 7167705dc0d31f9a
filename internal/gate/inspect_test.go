package gate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// engine is an inspector that says what it is told to say, after it has read
// the message.
type engine struct {
	finding module.Finding
	err     error

	mu   sync.Mutex
	seen []string
	told []module.Envelope
}

func (e *engine) Inspect(ctx context.Context, m *module.Message) (module.Finding, error) {
	text, err := io.ReadAll(m.Stash.Open(ctx))
	if err != nil {
		return module.Finding{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, string(text))
	e.told = append(e.told, m.Envelope)
	return e.finding, e.err
}

func (*engine) Ping(context.Context) error { return nil }
func (*engine) Close() error               { return nil }

func guard(name string, e *engine, limits ...module.Limits) *module.Guard {
	l := module.Limits{Timeout: time.Minute, Parallel: 4, MaxSize: 1 << 20}
	if len(limits) > 0 {
		l = limits[0]
	}
	return module.NewGuard(name, e, l, time.Now)
}

// withAntivirus is a policy with an antivirus that says what e says.
func withAntivirus(e *engine, change ...func(*gate.Antivirus)) func(*gate.Policy) {
	return func(p *gate.Policy) {
		p.Antivirus = &gate.Antivirus{
			Scanner: guard("antivirus", e), Engine: "clamav",
			Action: rules.Reject, OnError: rules.Tempfail, Oversize: rules.Accept,
		}
		for _, c := range change {
			c(p.Antivirus)
		}
	}
}

func withModule(name string, e *engine, change ...func(*gate.Module)) func(*gate.Policy) {
	return func(p *gate.Policy) {
		m := gate.Module{Inspector: guard(name, e), Factor: 1000, OnError: rules.Continue}
		for _, c := range change {
			c(&m)
		}
		p.Modules = append(p.Modules, m)
	}
}

func virus(name string) *engine { return &engine{finding: module.Finding{Virus: name}} }

// Inspectors get the message as it goes over the wire, and the envelope.
func TestInspectorsSeeTheMessage(t *testing.T) {
	e := &engine{}
	w := newWorld(t, rules.Source{}, withModule("m", e))
	o := w.send(sending{
		helo: "there", env: gate.Envelope{Sender: "a@example.com", Size: -1, TLSVersion: "TLSv1.3", AuthType: "PLAIN", AuthUser: "anna"},
		to:     []string{"ivan@example.org", "ghost@example.org"},
		header: [][2]string{{"Subject", " =?utf-8?b?0J/RgNC40LLQtdGC?="}, {"X-Folded", " a\n\tb\r\n c"}, {"X-Empty", ""}},
		body:   "line\r\n.\r\n",
	})
	if o.result.Verdict != gate.Accepted {
		t.Fatalf("%+v", o.result)
	}
	want := "Subject: =?utf-8?b?0J/RgNC40LLQtdGC?=\r\nX-Folded: a\r\n\tb\r\n c\r\nX-Empty:\r\n\r\nline\r\n.\r\n"
	if len(e.seen) != 1 || e.seen[0] != want {
		t.Errorf("seen %q, want %q", e.seen, want)
	}
	if int64(len(want)) != w.last().Size {
		t.Errorf("the account has %d octets, the inspector %d", w.last().Size, len(want))
	}
	env := e.told[0]
	if env.Sender != "a@example.com" || !slices.Equal(env.Recipients, []string{"ivan@example.org"}) || env.QueueID != "4ABC" ||
		env.Helo != "there" || env.ClientIP != stranger.Addr || env.AuthUser != "anna" || env.TLSVersion != "TLSv1.3" ||
		env.Subject != "Привет" || env.Ref != o.result.Ref || env.Gateway != "mx.test" || env.Direction != "inbound" {
		t.Errorf("told %+v", env)
	}
}

// A message without a field is kept, too.
func TestInspectWithoutHeader(t *testing.T) {
	e := virus("X")
	w := newWorld(t, rules.Source{}, withAntivirus(e))
	o := w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{}, body: "x\r\n"})
	if o.result.Verdict != gate.Rejected || len(e.seen) != 1 || e.seen[0] != "\r\nx\r\n" {
		t.Errorf("%+v, seen %q", o.result, e.seen)
	}
}

func TestAntivirus(t *testing.T) {
	fault := &engine{err: errors.New("clamd said something")}
	tagged := func(av *gate.Antivirus) {
		av.Action = rules.Continue
		av.Tags = tags(t, "[VIRUS]", "X-Virus: {virus}")
	}
	tests := []struct {
		name    string
		engine  *engine
		change  func(*gate.Antivirus)
		src     rules.Source
		to      string
		body    string
		want    gate.Verdict
		reply   string
		result  string // in the journal
		action  string
		charged bool
	}{
		{name: "clean", engine: &engine{}, want: gate.Accepted, result: "clean", action: "accept", charged: true},
		{name: "infected", engine: virus("Eicar"), want: gate.Rejected, reply: "550 5.7.1 Infected: Eicar", result: "infected", action: "reject"},
		{
			name: "with a reply", engine: virus("Eicar"), want: gate.Rejected, reply: "554 5.7.9 (Eicar) in 4ABC", result: "infected", action: "reject",
			change: func(av *gate.Antivirus) { av.Reply = mustReply(t, "554 5.7.9 ({virus}) in {queue_id}", rules.Reject) },
		},
		{name: "discard", engine: virus("Eicar"), change: func(av *gate.Antivirus) { av.Action = rules.Discard }, want: gate.Discarded, result: "infected", action: "discard"},
		{name: "hold", engine: virus("Eicar"), change: func(av *gate.Antivirus) { av.Action = rules.Hold }, want: gate.Held, result: "infected", action: "hold", charged: true},
		{name: "tag", engine: virus("Eicar"), change: tagged, want: gate.Accepted, result: "infected", action: "tag", charged: true},
		{name: "away", engine: fault, want: gate.Deferred, reply: "451 4.7.1", result: "error", action: "tempfail"},
		{name: "away, accepted", engine: fault, change: func(av *gate.Antivirus) { av.OnError = rules.Accept }, want: gate.Accepted, result: "error", action: "accept", charged: true},
		{name: "large", engine: virus("Eicar"), body: strings.Repeat("x", 2<<20), want: gate.Accepted, result: "unscanned", action: "accept", charged: true},
		{
			name: "large, deferred", engine: virus("Eicar"), body: strings.Repeat("x", 2<<20), want: gate.Deferred, reply: "451 4.7.1", result: "unscanned", action: "tempfail",
			change: func(av *gate.Antivirus) { av.Oversize = rules.Tempfail },
		},
		{
			name: "large, refused", engine: virus("Eicar"), body: strings.Repeat("x", 2<<20), want: gate.Rejected, reply: "552 5.3.4", result: "unscanned", action: "reject",
			change: func(av *gate.Antivirus) { av.Oversize = rules.Reject },
		},
		{
			name: "no accept stops it", engine: virus("Eicar"), want: gate.Rejected, reply: "550", result: "infected", action: "reject",
			src: source(rule("a", "connect", "accept", "client_ip", "192.0.2.7")),
		},
		{
			name: "no hold stops it", engine: virus("Eicar"), want: gate.Rejected, reply: "550", result: "infected", action: "reject",
			src: source(rule("h", "headers", "hold", "subject", ".")),
		},
		{name: "unfiltered clients have it, too", engine: virus("Eicar"), to: "raw@example.org", want: gate.Rejected, reply: "550", result: "infected", action: "reject"},
		{name: "unfiltered clients have its faults, too", engine: fault, to: "raw@example.org", want: gate.Deferred, reply: "451", result: "error", action: "tempfail"},
		{
			name: "what a rule refuses is not scanned", engine: virus("Eicar"), want: gate.Rejected, reply: "550 5.7.1 Refused",
			src: source(rule("r", "complete", "reject", "size", "> 0")),
		},
		{
			name: "a rule on it", engine: virus("Worm.Sobig"), want: gate.Rejected, reply: "550", result: "infected", action: "tag",
			change: tagged, src: source(rule("r", "complete", "reject", "virus", "^worm")),
		},
		{
			name: "a rule on nothing found", engine: &engine{}, want: gate.Rejected, reply: "550", result: "clean", action: "accept",
			src: source(boolRule("r", "virus", false)),
		},
		{
			name: "a rule on what is not known", engine: fault, want: gate.Accepted, result: "error", action: "accept", charged: true,
			change: func(av *gate.Antivirus) { av.OnError = rules.Accept },
			src:    source(boolRule("r", "virus", false), boolRule("s", "virus", true)),
		},
		{
			name: "stricter than a threshold's hold", engine: virus("Eicar"), want: gate.Discarded, result: "infected", action: "discard",
			change: func(av *gate.Antivirus) { av.Action = rules.Discard },
			src:    rules.Source{Rules: []rules.SourceRule{weighing("w", "complete", 6000, "size", "> 0")}, Thresholds: []rules.SourceThreshold{{Above: 5000, Action: "hold"}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.src.Antivirus = true
			change := tt.change
			if change == nil {
				change = func(*gate.Antivirus) {}
			}
			w := newWorld(t, tt.src, withAntivirus(&engine{finding: tt.engine.finding, err: tt.engine.err}, change))
			if tt.to == "" {
				tt.to = "ivan@example.org"
			}
			if tt.body == "" {
				tt.body = "x\r\n"
			}
			o := w.send(sending{to: []string{tt.to}, body: tt.body})
			if o.result.Verdict != tt.want || !strings.HasPrefix(o.result.Reply.String(), tt.reply) {
				t.Errorf("%s %q, want %s %q", o.result.Verdict, o.result.Reply, tt.want, tt.reply)
			}
			if charged := len(w.records) > 0; charged != tt.charged {
				t.Errorf("charged: %v", charged)
			}
			scans := w.entries[journal.Antivirus]
			if tt.result == "" {
				if len(scans) > 0 {
					t.Errorf("scanned: %+v", scans[0])
				}
				return
			}
			if len(scans) != 1 {
				t.Fatalf("%d entries of the antivirus", len(scans))
			}
			e := scans[0]
			if e.Result != tt.result || e.Action != tt.action || e.Service != "smtp" || e.Engine != "clamav" || e.Signature != tt.engine.finding.Virus && tt.result == "infected" ||
				e.Object == "" || e.Ref != o.result.Ref || !slices.Equal(e.Recipients, []string{tt.to}) {
				t.Errorf("journalled %+v", e)
			}
			if tt.want == gate.Accepted && tt.result != "clean" && tt.action == "accept" && !strings.Contains(w.last().Detail, "not scanned") {
				t.Errorf("the message's entry does not say that it was not scanned: %+v", w.last())
			}
		})
	}
}

// tags are those of a threshold that has them.
func tags(t *testing.T, subject string, header ...string) rules.Tags {
	t.Helper()
	p, problems := rules.Compile(rules.Source{Thresholds: []rules.SourceThreshold{{TagSubject: subject, TagHeader: header}}})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return p.Thresholds(1)[0].Tags
}

func boolRule(name, attr string, is bool) rules.SourceRule {
	r := rule(name, "complete", "reject")
	r.Match = []rules.Condition{{Attr: attr, Values: []rules.Operand{{V: is}}}}
	return r
}

// Tagged mail has the marks, and the sender's own of that name are gone.
func TestAntivirusMarks(t *testing.T) {
	w := newWorld(t, rules.Source{Antivirus: true}, withAntivirus(virus("Eicar"), func(av *gate.Antivirus) {
		av.Action, av.Tags = rules.Continue, tags(t, "[VIRUS]", "X-Virus: {virus}")
	}))
	o := w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{{"Subject", " hi"}, {"x-virus", " none"}}})
	want := []gate.Edit{
		{Kind: gate.DeleteField, Name: "X-Virus", Index: 1},
		{Kind: gate.AppendField, Name: "X-Virus", Value: " Eicar"},
		{Kind: gate.ChangeField, Name: "Subject", Index: 1, Value: " [VIRUS] hi"},
		{Kind: gate.AppendField, Name: "X-Tollgate", Value: " mx.test; ref=" + o.result.Ref + "; weight=0; antivirus=infected (Eicar)"},
	}
	if !slices.Equal(o.result.Edits, want) {
		t.Errorf("%+v, want %+v", o.result.Edits, want)
	}
}

func TestModules(t *testing.T) {
	spam := &engine{finding: module.Finding{Score: 7500, Symbols: []string{"BAYES_99", "FORGED"}, Action: "add header"}}
	fault := &engine{err: errors.New("no answer")}
	factor := func(f rules.Weight) func(*gate.Module) { return func(m *gate.Module) { m.Factor = f } }
	needed := func(m *gate.Module) { m.OnError = rules.Tempfail }
	tests := []struct {
		name   string
		change func(*gate.Policy)
		src    rules.Source
		to     string
		want   gate.Verdict
		weight string
		hit    journal.ModuleHit
	}{
		{
			name: "its score counts", change: withModule("m", spam), want: gate.Accepted, weight: "7.5",
			hit: journal.ModuleHit{Name: "m", Result: "ok", Score: "7.5", Weight: "7.5", Action: "add header"},
		},
		{
			name: "changes that nobody understands", change: withModule("m", &engine{finding: module.Finding{
				Score: 7500, Action: "reject", LeftOut: []string{"X: is no text", "Y: is no\tnumber"},
			}}), want: gate.Accepted, weight: "7.5",
			hit: journal.ModuleHit{Name: "m", Result: "ok", Score: "7.5", Weight: "7.5", Action: "reject", Error: "left out: X: is no text; Y: is no number"},
		},
		{
			name: "with its factor", change: withModule("m", spam, factor(-333)), want: gate.Accepted, weight: "-2.498",
			hit: journal.ModuleHit{Name: "m", Result: "ok", Score: "7.5", Weight: "-2.498", Action: "add header"},
		},
		{
			name: "attributes only", change: withModule("m", spam, factor(0)), want: gate.Accepted, weight: "0",
			hit: journal.ModuleHit{Name: "m", Result: "ok", Score: "7.5", Weight: "0", Action: "add header"},
		},
		{
			name: "a threshold on it", change: withModule("m", spam), want: gate.Rejected, weight: "7.5",
			src: rules.Source{Thresholds: []rules.SourceThreshold{{Above: 5000, Action: "reject"}}},
			hit: journal.ModuleHit{Name: "m", Result: "ok", Score: "7.5", Weight: "7.5", Action: "add header"},
		},
		{
			name: "rules on it", change: withModule("m", spam, factor(0)), want: gate.Deferred, weight: "3",
			src: source(
				weighing("symbol", "complete", 1000, "module.m.symbol", "^bayes_99$"), weighing("action", "complete", 1000, "module.m.action", "^add header$"),
				weighing("score", "complete", 1000, "module.m.score", "> 7.4"), rule("verdict", "complete", "tempfail", "module.m.symbol", "forged"),
				weighing("too high", "complete", 50000, "module.m.score", "> 7.5"),
			),
			hit: journal.ModuleHit{Name: "m", Result: "ok", Score: "7.5", Weight: "0", Action: "add header"},
		},
		{
			name: "ignored faults", change: withModule("m", fault), want: gate.Accepted, weight: "0",
			src: source(rule("r", "complete", "reject", "module.m.score", ">= 0"), boolRule("s", "module.m.symbol", false)),
			hit: journal.ModuleHit{Name: "m", Result: "error", Score: "0", Weight: "0", Error: "no answer"},
		},
		{
			name: "faults that defer", change: withModule("m", fault, needed), want: gate.Deferred, weight: "0",
			hit: journal.ModuleHit{Name: "m", Result: "error", Score: "0", Weight: "0", Error: "no answer"},
		},
		{
			name: "unfiltered clients are not refused", change: withModule("m", fault, needed), to: "raw@example.org", want: gate.Accepted, weight: "0",
			hit: journal.ModuleHit{Name: "m", Result: "error", Score: "0", Weight: "0", Error: "no answer"},
		},
		{name: "not after an accept", change: withModule("m", spam), want: gate.Accepted, weight: "0", src: source(rule("a", "headers", "accept", "subject", "."))},
		{
			name: "last in the first run ends the second", change: withModule("m", spam, factor(0)), want: gate.Accepted, weight: "0",
			src: source(last(rule("l", "complete", "", "size", "> 0")), rule("r", "complete", "reject", "module.m.symbol", ".")),
			hit: journal.ModuleHit{Name: "m", Result: "ok", Score: "7.5", Weight: "0", Action: "add header"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := range tt.src.Rules {
				tt.src.Rules[i].Name = strings.ReplaceAll(tt.src.Rules[i].Name, " ", "-")
			}
			tt.src.Modules = []string{"m"}
			w := newWorld(t, tt.src, tt.change)
			if tt.to == "" {
				tt.to = "ivan@example.org"
			}
			o := w.send(sending{to: []string{tt.to}})
			e := w.last()
			if o.result.Verdict != tt.want || e.Weight != tt.weight {
				t.Errorf("%s, weight %s, want %s, %s: %+v", o.result.Verdict, e.Weight, tt.want, tt.weight, e)
			}
			switch {
			case tt.hit.Name == "" && len(e.Modules) > 0:
				t.Errorf("asked: %+v", e.Modules)
			case tt.hit.Name != "" && (len(e.Modules) != 1 || !reflect.DeepEqual(withoutSymbols(e.Modules[0]), tt.hit)):
				t.Errorf("journalled %+v, want %+v", e.Modules, tt.hit)
			}
		})
	}
}

func last(r rules.SourceRule) rules.SourceRule {
	r.Last = true
	return r
}

// A module's header fields are carried out, but for those that are ours or no
// fields.
func TestModuleFields(t *testing.T) {
	e := &engine{finding: module.Finding{
		Add: []module.Addition{
			{Field: mail.Field{Name: "X-Spamd-Result", Value: " default: False\n\tSYMBOL"}}, {Field: mail.Field{Name: "X-Tollgate", Value: " forged"}},
			{Field: mail.Field{Name: "X-Bad", Value: " a\nEvil: yes"}}, {Field: mail.Field{Name: "Bad name", Value: " x"}},
			{Field: mail.Field{Name: "ARC-Seal", Value: " i=1"}, Place: module.OnTop},
		},
		Remove: []module.Removal{{Name: "x-spam"}, {Name: "X-Absent"}},
	}}
	w := newWorld(t, rules.Source{Modules: []string{"m"}}, withModule("m", e))
	o := w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{{"X-Spam", " 1"}, {"Subject", " s"}, {"X-SPAM", " 2"}}})
	want := []gate.Edit{
		{Kind: gate.DeleteField, Name: "x-spam", Index: 2}, {Kind: gate.DeleteField, Name: "x-spam", Index: 1},
		{Kind: gate.AppendField, Name: "X-Spamd-Result", Value: " default: False\n\tSYMBOL"},
		{Kind: gate.InsertField, Index: 0, Name: "ARC-Seal", Value: " i=1"},
		{Kind: gate.AppendField, Name: "X-Tollgate", Value: " mx.test; ref=" + o.result.Ref + "; weight=0; m=0"},
	}
	if !slices.Equal(o.result.Edits, want) {
		t.Errorf("%+v, want %+v", o.result.Edits, want)
	}
}

// A module says which fields of a name go. What it does not mean stays.
func TestModuleRemoves(t *testing.T) {
	for name, tt := range map[string]struct {
		remove []module.Removal
		want   []int
	}{
		"all":                       {[]module.Removal{{Name: "x-spam"}}, []int{3, 2, 1}},
		"the second":                {[]module.Removal{{Name: "X-Spam", Index: 2}}, []int{2}},
		"the last":                  {[]module.Removal{{Name: "X-Spam", Index: -1}}, []int{3}},
		"the first and the last":    {[]module.Removal{{Name: "X-Spam", Index: 1}, {Name: "x-SPAM", Index: -1}}, []int{3, 1}},
		"one twice":                 {[]module.Removal{{Name: "X-Spam", Index: 3}, {Name: "X-Spam", Index: -1}}, []int{3}},
		"one that is not there":     {[]module.Removal{{Name: "X-Spam", Index: 9}, {Name: "X-Spam", Index: -4}}, nil},
		"one besides all":           {[]module.Removal{{Name: "X-Spam", Index: 2}, {Name: "X-Spam"}}, []int{3, 2, 1}},
		"of a name that is not one": {[]module.Removal{{Name: "X-Other", Index: -1}}, nil},
	} {
		w := newWorld(t, rules.Source{Modules: []string{"m"}}, withModule("m", &engine{finding: module.Finding{Remove: tt.remove}}))
		o := w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{{"X-Spam", " 1"}, {"Subject", " s"}, {"X-SPAM", " 2"}, {"x-spam", " 3"}}})
		var got []int
		for _, e := range o.result.Edits {
			if e.Kind == gate.DeleteField {
				got = append(got, e.Index)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// blocked is an engine that waits until it is given up.
type blocked struct {
	begun chan struct{}
	ended chan error
}

func (b *blocked) Inspect(ctx context.Context, m *module.Message) (module.Finding, error) {
	close(b.begun)
	_, err := io.Copy(io.Discard, m.Stash.Open(ctx))
	if err == nil {
		<-ctx.Done()
		err = ctx.Err()
	}
	b.ended <- err
	return module.Finding{}, err
}

func (*blocked) Ping(context.Context) error { return nil }
func (*blocked) Close() error               { return nil }

// A long message is with its inspectors before it has come as a whole; when it
// is given up, so are they.
func TestInspectEarly(t *testing.T) {
	b := &blocked{begun: make(chan struct{}), ended: make(chan error, 1)}
	w := newWorld(t, rules.Source{Modules: []string{"m"}}, func(p *gate.Policy) {
		g := module.NewGuard("m", b, module.Limits{Timeout: time.Minute, Parallel: 1, MaxSize: 1 << 30}, time.Now)
		p.Modules = []gate.Module{{Inspector: g, OnError: rules.Continue}}
	})
	ctx := context.Background()
	s := w.Session(ctx, stranger)
	m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com", Size: -1})
	m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
	m.Header("Subject", " x")
	m.EndOfHeader(ctx)
	for range 8 {
		m.Body(ctx, make([]byte, 65535))
	}
	<-b.begun
	s.Abort()
	if err := <-b.ended; err == nil {
		t.Error("the inspector saw an end of a message that was given up")
	}
	if v := w.last().Verdict; v != "aborted" {
		t.Errorf("verdict %q", v)
	}
}

// When the verdict has to be made, inspectors that were begun early are given
// up, too: what on_error says is told in time.
func TestVerdictEndsInspections(t *testing.T) {
	b := &blocked{begun: make(chan struct{}), ended: make(chan error, 1)}
	w := newWorld(t, rules.Source{Antivirus: true}, func(p *gate.Policy) {
		g := module.NewGuard("antivirus", b, module.Limits{Timeout: time.Hour, Parallel: 1, MaxSize: 1 << 30}, time.Now)
		p.Antivirus = &gate.Antivirus{Scanner: g, Engine: "clamav", Action: rules.Reject, OnError: rules.Tempfail, Oversize: rules.Accept}
	})
	ctx := context.Background()
	s := w.Session(ctx, stranger)
	m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com", Size: -1})
	m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
	m.EndOfHeader(ctx)
	for range 8 {
		m.Body(ctx, make([]byte, 65535))
	}
	judging, late := context.WithCancel(ctx)
	go func() {
		<-b.begun
		late()
	}()
	if r := m.Complete(judging); r.Verdict != gate.Deferred {
		t.Errorf("%+v", r)
	}
	<-b.ended
}

// Rules see the names and types of all parts, and what a module found inside
// archives, whether there is a module or none.
func TestAttachments(t *testing.T) {
	mixed := [][2]string{{"Subject", " s"}, {"MIME-Version", " 1.0"}, {"Content-Type", " multipart/mixed; boundary=b"}}
	body := "--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/zip; name*=koi8-r''%C1.zip\r\n\r\nPK\r\n--b--\r\n"
	inside := &engine{finding: module.Finding{Names: []string{"а.zip", "а.zip/run.exe"}, Types: []string{"application/zip"}}}
	type matches map[string]bool
	for name, tt := range map[string]struct {
		change func(*gate.Policy)
		header [][2]string
		body   string
		want   matches
	}{
		"without a module": {change: func(*gate.Policy) {}, header: mixed, body: body, want: matches{"zip": true, "any": true, "type": true}},
		"with one":         {change: withModule("files", inside), header: mixed, body: body, want: matches{"zip": true, "exe": true, "any": true, "type": true}},
		"none":             {change: func(*gate.Policy) {}, body: "text\r\n", want: matches{"no": true}},
	} {
		t.Run(name, func(t *testing.T) {
			src := source(
				weighing("zip", "complete", 1, "attachment_name", "^а\\.zip$"), weighing("exe", "complete", 1, "attachment_name", "\\.exe$"),
				weighing("type", "complete", 1, "attachment_type", "^application/zip$"), boolRule("any", "attachment_name", true), boolRule("no", "attachment_name", false),
			)
			for i := range src.Rules {
				src.Rules[i].Action, src.Rules[i].Weight = "", 1
			}
			w := newWorld(t, src, tt.change)
			w.send(sending{to: []string{"ivan@example.org"}, header: tt.header, body: tt.body})
			got := matches{}
			for _, h := range w.last().Rules {
				got[h.Name] = true
			}
			if !maps.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// What is known of symbols is journalled: the largest of too many, in the order of the
// finding, and nothing that moves a terminal.
func TestSymbolsJournalled(t *testing.T) {
	f := module.Finding{Details: map[string]module.Detail{}}
	for i := range 40 {
		name := fmt.Sprintf("S%02d", i)
		f.Symbols = append(f.Symbols, name)
		f.Details[name] = module.Detail{Score: rules.Weight(i-20) * 1000}
	}
	f.Details["S39"] = module.Detail{Score: 19000, About: []string{"a.zip/b\u202e\x1b[2J.exe"}}
	w := newWorld(t, rules.Source{}, withModule("m", &engine{finding: f}))
	w.send(sending{to: []string{"ivan@example.org"}, body: "text\r\n"})
	hit := w.last().Modules[0]
	if len(hit.Symbols) != 32 || !slices.IsSorted(hit.Symbols) || slices.Contains(hit.Symbols, "S20") || !slices.Contains(hit.Symbols, "S00") {
		t.Errorf("%q", hit.Symbols)
	}
	if len(hit.Scores) != 32 || hit.Scores["S00"] != "-20" || hit.Scores["S39"] != "19" {
		t.Errorf("%v", hit.Scores)
	}
	if want := map[string][]string{"S39": {"a.zip/b  [2J.exe"}}; !reflect.DeepEqual(hit.About, want) {
		t.Errorf("%q", hit.About)
	}
}

func withoutSymbols(h journal.ModuleHit) journal.ModuleHit {
	h.DurationMS = 0
	h.Symbols = nil
	return h
}
