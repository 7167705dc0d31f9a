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

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	answers "github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/replay"
	"github.com/tollgate-mail/tollgate/internal/shadow"
	"github.com/tollgate-mail/tollgate/internal/trial"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// samePolicy asks for every attribute, and spreads the corpus over verdicts. It
// wants a nameserver, a scanner and a service.
const samePolicy = `[gateway]
resolver = [%q]
self_check = "1/1"
[antivirus]
clamd = "tcp:%s"
action = "tag"
tag_header = "X-Gate-Virus: found"
max_size = "2 MiB"
[[module]]
name = "svc"
type = "http"
url = %q
[[module]]
name = "words"
type = "text"
[[rule]]
name = "dns-client"
stage = "connect"
match.dnsbl = "bl.test"
weight = 0.05
[[rule]]
name = "mx"
stage = "mailfrom"
match.sender_mx = ["missing", "null"]
weight = 0.3
[[rule]]
name = "sender-listed"
stage = "mailfrom"
match.sender_dnsbl = "dbl.test"
weight = 0.35
[[rule]]
name = "spf"
stage = "mailfrom"
match.spf = "fail"
weight = 0.2
[[rule]]
name = "declared"
stage = "mailfrom"
match.declared_size = "> 8 KiB"
unless = { tls_version = '.', auth_user = '.' }
weight = 0.15
[[rule]]
name = "stranger"
stage = "rcptto"
match.correspondent = false
weight = 0.05
[[rule]]
name = "signed"
stage = "complete"
match.dkim = ["permerror", "fail", "neutral"]
unless.dkim_domain = true
weight = 0.4
[[rule]]
name = "dmarc"
stage = "complete"
match = { dmarc = "fail", dmarc_policy = "reject" }
weight = 0.45
[[rule]]
name = "virus"
stage = "complete"
match.virus = '^Base64'
weight = 0.15
[[rule]]
name = "service"
stage = "complete"
match = { module.svc.symbol = "MULTI", module.svc.score = "> 0", module.svc.action = "look" }
weight = 0.6
[[rule]]
name = "text"
stage = "complete"
any = { module.words.hidden_text = '.', module.words.url = 'http:', module.words.url_domain = '\.ru$' }
any.module.words.text = 'unsubscribe|скидк'
weight = 0.25
[[client]]
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
match = { tls = false, authenticated = false, direction = "inbound", sender = '@d\d\.same', sender_domain = '^d\d\.same\.test$' }
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
type sameFate struct{ verdict, weight, rules, charged, tags string }

func (f sameFate) String() string {
	return strings.Join([]string{f.verdict, f.weight, f.rules, f.charged, f.tags}, " ")
}

// sender is whom a message of the corpus comes from: each fourth of another domain.
func sameSender(m *specimen, domain string) string {
	return fmt.Sprintf("%s@d%d.%s", m.ID, m.ID[len(m.ID)-1]%4, domain)
}

// sameTags are the marks on a message as it goes on.
func sameTags(h mail.Header) string {
	var all []string
	for _, f := range h {
		if strings.HasPrefix(f.Name, "X-Gate-") {
			all = append(all, f.Name+":"+collapse(f.Value))
		}
	}
	slices.Sort(all)
	if subject, _ := h.Get("Subject"); strings.HasPrefix(strings.TrimSpace(subject), "[SAME]") {
		all = append(all, "[SAME]")
	}
	return strings.Join(all, ",")
}

// A message meets the same fate through Postfix, explained, replayed and in shadow,
// all of the corpus, by a policy that uses every attribute, look-ups answered from
// one record: one judgement stands behind the four.
func TestSameFate(t *testing.T) {
	t.Parallel()
	corpus := readCorpus(t)
	g := prepare(t, false)
	answered := record(t, corpus)
	policy := fmt.Sprintf(samePolicy, answered.nameserver, answered.clamd, answered.service)
	g.write(t, "policy/policy.toml", policy)
	g.start(t, "disable_mime_output_conversion = yes")
	var shadowed answers.ShadowState
	g.command(t, &shadowed, "shadow", g.candidate(t, policy+"[[rule]]\nname = \"idle\"\nstage = \"connect\"\nenabled = false\nweight = 1\n"))
	g.sameSent(t, corpus, "same.test")
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
	sameAgain(t, len(corpus), func() shadow.Counts {
		var s answers.ShadowState
		g.command(t, &s, "shadow", "report")
		return s.Counts
	})
	// The same charges, too: the policy itself, judging everything twice.
	g.command(t, nil, "shadow", "off")
	g.sameSent(t, corpus, "again.test")
	sameAgain(t, len(corpus), func() shadow.Counts {
		var s answers.Status
		g.command(t, &s, "status")
		return s.SelfCheck
	})
	for _, d := range g.sink.Messages() {
		h, _ := mail.SplitMessage(d.Data)
		f := live[d.From]
		f.tags = sameTags(h)
		live[d.From] = f
	}
	g.stopDrained(t)
	for _, r := range g.records(t) {
		if strings.HasSuffix(r.Sender, "again.test") {
			continue
		}
		f := live[r.Sender]
		f.charged += fmt.Sprint(r.Charged)
		live[r.Sender] = f
	}
	cfg, problems := config.Load(g.gate.Policy)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	for _, row := range rules.Catalogue() {
		if !cfg.Gate.Rules.Uses(row.Attr) {
			t.Errorf("the policy does not use %s %s", row.Name, row.Member)
		}
	}
	var now time.Time
	b, err := trial.New(t.Context(), trial.Options{
		Config: cfg, Now: func() time.Time { return now }, Lookups: &trial.Answers{Records: answered.dns}, Inspectors: &assemble.Inspectors{Folder: t.TempDir()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	verdicts := map[string]int{}
	for _, m := range corpus {
		sender := sameSender(m, "same.test")
		now = when[sender]
		o, err := b.Judge(t.Context(), trial.Message{
			Client: trial.Peer(netip.MustParseAddr("192.0.2.7"), "mail.example.com", ""), Helo: "mail.example.com",
			Envelope: gate.Envelope{Sender: sender, Size: int64(len(m.wire))}, Recipients: []string{"all@example.org"}, Text: m.wire,
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
		if is.verdict == "accept" {
			is.tags = sameTags(o.Left)
		}
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
	g.replayed(t, cfg, answered, live)
}

// sameSent sends the corpus in one session, from domains below this one.
func (g *gateway) sameSent(t *testing.T, corpus []*specimen, domain string) {
	t.Helper()
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = errors.Join(expect(220)(c.Reply()), expect(220)(c.XClient("ADDR=192.0.2.7", "NAME=mail.example.com")), expect(250)(c.Cmd("EHLO mail.example.com")))
	for _, m := range corpus {
		from := fmt.Sprintf("MAIL FROM:<%s> BODY=8BITMIME SIZE=%d", sameSender(m, domain), len(m.wire))
		if err = errors.Join(err, expect(250)(c.Cmd(from)), expect(250)(c.Cmd("RCPT TO:<all@example.org>"))); err != nil {
			t.Fatalf("%s: %v", m.ID, err)
		}
		if _, err := c.Data(m.wire); err != nil {
			t.Fatalf("%s: %v", m.ID, err)
		}
	}
	if err := expect(221)(c.Cmd("QUIT")); err != nil {
		t.Fatal(err)
	}
}

// sameAgain has so many messages judged once more by who tells of it, and nothing
// else found.
func sameAgain(t *testing.T, all int, counts func() shadow.Counts) {
	t.Helper()
	var c shadow.Counts
	err := eventually(harness.Patience, func() error {
		if c = counts(); c.Judged+c.LeftOut < int64(all) {
			return fmt.Errorf("%+v", c)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Same != int64(all) || c.Unknown > 0 {
		t.Errorf("of %d messages not the same: %+v", all, c)
	}
}

// replayed has what was delivered judged anew, as it lies in mailboxes: the
// reference in its report header leads to its envelope in the journal.
func (g *gateway) replayed(t *testing.T, cfg *config.Config, answered *recorded, live map[string]sameFate) {
	t.Helper()
	dir := t.TempDir()
	want := map[string]int{}
	delivered := 0
	for _, d := range g.sink.Messages() {
		if strings.HasSuffix(d.From, "again.test") {
			continue
		}
		// Postfix writes what is not fit for others anew.
		if slices.Contains([]string{"0013", "0260"}, d.From[:4]) {
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
	sent, _, err := replay.Envelopes(t.Context(), g.box.Path("journal"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := replay.Run(t.Context(), replay.Options{Policy: cfg, Sent: sent, Answers: &trial.Answers{Records: answered.dns}}, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if s.Messages != delivered || s.FromJournal != delivered || s.Verdicts["accept"] != delivered || len(s.Unread) > 0 {
		t.Errorf("of %d messages %d were judged, %d with the journal's envelope: %v %v", delivered, s.Messages, s.FromJournal, s.Verdicts, s.Unread)
	}
	if files, _ := filepath.Glob(dir + "/*"); s.Verdicts["accept"] != delivered {
		for _, f := range files {
			if one, err := replay.Run(t.Context(), replay.Options{Policy: cfg, Sent: sent, Answers: &trial.Answers{Records: answered.dns}}, []string{f}); err != nil || one.Verdicts["accept"] != 1 {
				t.Errorf("%s: %+v, %v", filepath.Base(f), one, err)
			}
		}
	}
	for _, r := range s.Rules {
		if r.Hits != want[r.Rule] {
			t.Errorf("rule %s matched %d times, replayed %d times", r.Rule, want[r.Rule], r.Hits)
		}
	}
}
