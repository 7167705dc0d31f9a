package test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/replay"
	"github.com/tollgate-mail/tollgate/internal/trial"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// samePolicy asks for every attribute that no server has to be asked for, and
// spreads the corpus over verdicts.
const samePolicy = `[[client]]
id = "all"
addresses = ["all@example.org"]
[[module]]
name = "files"
type = "attachment"
[lists]
words = { entries = ["free", "лотерея", "urgent"], type = "word" }
[[rule]]
name = "session"
stage = "connect"
match = { client_ip = "192.0.2.0/24", client_host = "example", client_resolve = "ok" }
weight = 0.1
[[rule]]
name = "helo"
stage = "helo"
match.helo = '^mail\.'
weight = 0.1
[[rule]]
name = "envelope"
stage = "mailfrom"
match = { tls = false, authenticated = false, direction = "inbound", sender = '@same', sender_domain = '^same\.test$' }
weight = 0.1
[[rule]]
name = "recipient"
stage = "rcptto"
match = { recipient = '^all@', recipient_domain = '^example\.org$', recipient_client = '^all$', recipient_count = "= 1" }
weight = 0.1
[[rule]]
name = "subject"
stage = "headers"
any.subject = ["list:words", 're:', '\d{3}']
any.header.Subject = '[!?]'
weight = 1.5
tag_header = "X-Gate-Note: subject"
[[rule]]
name = "raw"
stage = "headers"
match.raw_header.Subject = '=\?'
weight = 0.25
[[rule]]
name = "author"
stage = "headers"
any = { author = '@.*\.com$', author_domain = '\.ru$', author_name = '[a-z]', reply_to_domain = '.' }
weight = 0.5
[[rule]]
name = "fields"
stage = "headers"
any.header."*" = 'x-mailer: .*(bat|outlook)'
any.header_count.Received = "> 2"
any.date_skew = "< -30d"
weight = 0.75
[[rule]]
name = "hop"
stage = "headers"
match.header_ip = ["10.0.0.0/8", "192.168.0.0/16", "2000::/3"]
weight = -0.5
[[rule]]
name = "large"
stage = "complete"
match.size = "> 20 KiB"
weight = 1
[[rule]]
name = "files"
stage = "complete"
any = { attachment_name = '\.(zip|doc|pdf|exe)$', attachment_type = '^image/', attachment_count = "> 1", attachment_size = "> 10 KiB", mime_defects = true }
any.module.files.symbol = '.'
weight = 1.25
[[rule]]
name = "both"
stage = "complete"
match.rule = "subject"
all.rule = "author"
weight = 0.05
[[threshold]]
above = 2
tag_subject = "[SAME]"
[[threshold]]
above = 3.5
action = "reject"
`

// bareCR is what Postfix takes from the end of a field before it shows it: the
// file still has that defect.
var bareCR = regexp.MustCompile("\r[^\n]")

// sameFate is what became of a message.
type sameFate struct{ verdict, weight, rules, charged string }

func (f sameFate) String() string {
	return strings.Join([]string{f.verdict, f.weight, f.rules, f.charged}, " ")
}

// A message meets the same fate through Postfix, explained and replayed, all of
// the corpus: one judgement stands behind the three.
func TestSameFate(t *testing.T) {
	t.Parallel()
	corpus := readCorpus(t)
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", samePolicy)
	g.start(t, "disable_mime_output_conversion = yes")
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = errors.Join(expect(220)(c.Reply()), expect(220)(c.XClient("ADDR=192.0.2.7", "NAME=mail.example.com")), expect(250)(c.Cmd("EHLO mail.example.com")))
	for _, m := range corpus {
		err = errors.Join(err, expect(250)(c.Cmd("MAIL FROM:<"+m.ID+"@same.test> BODY=8BITMIME")), expect(250)(c.Cmd("RCPT TO:<all@example.org>")))
		if err != nil {
			t.Fatalf("%s: %v", m.ID, err)
		}
		if _, err := c.Data(m.wire); err != nil {
			t.Fatalf("%s: %v", m.ID, err)
		}
	}
	if err := g.postfix.Idle(harness.Patience); err != nil {
		t.Fatal(err)
	}
	live := map[string]sameFate{}
	when := map[string]time.Time{}
	for _, e := range g.journal(t, "messages") {
		var names []string
		hits, _ := e["rules"].([]any)
		for _, h := range hits {
			names = append(names, fmt.Sprint(h.(map[string]any)["name"]))
		}
		sender := fmt.Sprint(e["sender"])
		live[sender] = sameFate{verdict: fmt.Sprint(e["verdict"]), weight: fmt.Sprint(e["weight"]), rules: strings.Join(names, ",")}
		when[sender], _ = time.Parse(time.RFC3339, fmt.Sprint(e["time"]))
	}
	g.stopDrained(t)
	for _, r := range g.records(t) {
		f := live[r.Sender]
		f.charged += fmt.Sprint(r.Charged)
		live[r.Sender] = f
	}
	cfg, problems := config.Load(g.gate.Policy)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	var now time.Time
	b, err := trial.New(t.Context(), trial.Options{Config: cfg, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	verdicts := map[string]int{}
	for _, m := range corpus {
		sender := m.ID + "@same.test"
		now = when[sender]
		o, err := b.Judge(t.Context(), trial.Message{
			Client: trial.Peer(netip.MustParseAddr("192.0.2.7"), "mail.example.com", ""), Helo: "mail.example.com",
			Envelope: gate.Envelope{Sender: sender, Size: -1}, Recipients: []string{"all@example.org"}, Text: m.wire,
		})
		if err != nil {
			t.Fatal(err)
		}
		e := trial.Explain(o)
		is := sameFate{verdict: e.Verdict, weight: e.Weight}
		var names []string
		for _, h := range o.Result.Hits {
			names = append(names, h.Rule.Name)
		}
		is.rules = strings.Join(names, ",")
		for _, r := range e.Records {
			is.charged += fmt.Sprint(r.Charged)
		}
		verdicts[is.verdict]++
		was := live[sender]
		if was.charged == fmt.Sprint(shownSize(m.wire)) {
			is.charged = was.charged // Postfix takes fields away before it shows a message (docs/accounting.md)
		}
		if _, cut := cutByPostfix[m.ID]; !cut && !bareCR.Match(m.wire) && was != is {
			t.Errorf("%s: through Postfix %s, explained %s", m.ID, was, is)
		}
	}
	if verdicts["accept"] < 20 || verdicts["reject"] < 20 {
		t.Errorf("the policy tells too little apart: %v", verdicts)
	}
	g.replayed(t, cfg, live)
}

// replayed has what was delivered judged anew, as it lies in mailboxes: the
// reference in its report header leads to its envelope in the journal.
func (g *gateway) replayed(t *testing.T, cfg *config.Config, live map[string]sameFate) {
	t.Helper()
	dir := t.TempDir()
	want := map[string]int{}
	delivered := 0
	for _, d := range g.sink.Messages() {
		// What depends on the time of its judging is not the same another day, and
		// Postfix writes what is not fit for others anew.
		if strings.Contains(live[d.From].rules, "fields") || slices.Contains([]string{"0013@same.test", "0260@same.test"}, d.From) {
			continue
		}
		delivered++
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(d.From, "@", "_")+".eml"), d.Data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Split(live[d.From].rules, ",") {
			want[name]++
		}
	}
	sent, err := replay.Envelopes(t.Context(), g.box.Path("journal"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := replay.Run(t.Context(), replay.Options{Policy: cfg, Sent: sent}, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if s.Messages != delivered || s.FromJournal != delivered || s.Verdicts["accept"] != delivered || len(s.Unread) > 0 {
		t.Errorf("of %d messages %d were judged, %d with the journal's envelope: %v %v", delivered, s.Messages, s.FromJournal, s.Verdicts, s.Unread)
	}
	for _, r := range s.Rules {
		if r.Rule != "fields" && r.Hits != want[r.Rule] {
			t.Errorf("rule %s matched %d times, replayed %d times", r.Rule, want[r.Rule], r.Hits)
		}
	}
}
