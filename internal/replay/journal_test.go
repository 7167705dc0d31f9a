package replay_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/replay"
)

// Of each rule it is told what it decided alone.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	line := func(day int, verdict, rule, weight, rules string) string {
		return fmt.Sprintf(`{"time":"2026-11-%02dT10:00:00.000Z","kind":"messages","policy":"v1","ref":"R%d","client_ip":"192.0.2.7","recipients":["ivan@example.org"],"verdict":%q,"rule":%q,"rules":[%s],"weight":%q}`+"\n",
			day, day, verdict, rule, rules, weight)
	}
	hit := func(name, weight string) string {
		return fmt.Sprintf(`{"name":%q,"stage":"headers","weight":%q}`, name, weight)
	}
	var b strings.Builder
	b.WriteString(line(1, "accept", "", "3", hit("lottery", "3"))) // too old
	b.WriteString(line(20, "accept", "", "1", hit("lottery", "1")))
	b.WriteString(line(21, "reject", "", "9", hit("lottery", "1")+","+hit("big", "8")))
	b.WriteString(line(22, "reject", "", "20", hit("big", "8")+","+hit("bad-hop", "12")))
	b.WriteString(line(23, "reject", "gone", "0", hit("gone", "0")))
	put(t, dir, "messages.jsonl", b.String())
	put(t, dir, "blocks.jsonl", `{"time":"2026-11-23T10:00:00.000Z","kind":"blocks","ref":"R9","recipient":"x@example.org","stage":"rcptto","verdict":"reject","rule":"trap"}`+"\n")
	cfg := load(t, "[[rule]]\nname = \"big\"\nstage = \"headers\"\nmatch.subject = 'big'\nweight = 8\n[[rule]]\nname = \"trap\"\nstage = \"rcptto\"\nmatch.recipient = 'trap'\naction = \"reject\"\n[[threshold]]\nabove = 8\naction = \"reject\"\n")
	j, err := replay.Journal(t.Context(), cfg, func(string) *config.Config { return nil }, dir, time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range j.Rules {
		got[r.Rule] = fmt.Sprint(r.Hits, r.Alone, r.Recipients, r.Unknown)
	}
	for rule, want := range map[string]string{
		"lottery": "2 1 0 false", // without it 8 is not above 8
		"big":     "2 1 0 false", // the second would have passed without it as well
		"bad-hop": "1 1 0 false", // but not without this one
		"gone":    "1 1 0 true",
		"trap":    "0 0 1 false",
	} {
		if got[rule] != want {
			t.Errorf("%s: %q, want %q", rule, got[rule], want)
		}
	}
	if j.Messages != 4 || j.Versions["v1"] != 4 {
		t.Errorf("%+v", j)
	}
}

// What a rule refuses before there is a message it decided as well: at connect, HELO
// and MAIL each recipient is answered, and the entry of the message names no rule.
func TestJournalOfEarlyRefusals(t *testing.T) {
	dir := t.TempDir()
	var blocks, messages strings.Builder
	refused := func(second int, ref, verdict, accepted string, by ...string) {
		var hits []string
		for n, one := range by {
			stage, rule, _ := strings.Cut(one, " ")
			fmt.Fprintf(&blocks, `{"time":"2026-11-23T10:00:%02d.000Z","kind":"blocks","ref":%q,"recipient":"r%d@example.org","stage":%q,"verdict":%q,"rule":%q}`+"\n", second, ref, n, stage, verdict, rule)
			hits = append(hits, fmt.Sprintf(`{"name":%q,"stage":%q,"weight":"0","action":"reject"}`, rule, stage))
		}
		message := verdict
		if accepted != "" {
			message = "accept"
		}
		fmt.Fprintf(&messages, `{"time":"2026-11-23T10:00:%02d.000Z","kind":"messages","policy":"v1","ref":%q,"client_ip":"192.0.2.7","recipients":[%s],"verdict":%q,"rule":"","rules":[%s],"weight":"0"}`+"\n", second, ref, accepted, message, strings.Join(hits, ","))
	}
	refused(1, "R1", "reject", "", "connect networks", "connect networks")
	refused(2, "R2", "reject", "", "helo localhost")
	refused(3, "R3", "tempfail", "", "mailfrom bad-sender", "mailfrom bad-sender", "mailfrom bad-sender")
	refused(4, "R4", "reject", `"ivan@example.org"`, "rcptto trap") // another one was accepted
	refused(5, "R5", "reject", "", "rcptto trap", "rcptto ")        // and nobody of these
	refused(6, "R6", "hold", `"ivan@example.org"`, "complete later")
	put(t, dir, "messages.jsonl.1.gz", "not packed")
	put(t, dir, "blocks.jsonl", blocks.String())
	put(t, dir, "messages.jsonl", messages.String())
	j, err := replay.Journal(t.Context(), load(t, ""), func(string) *config.Config { return nil }, dir, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if len(j.Unread) != 1 || !strings.Contains(j.Unread[0], "messages.jsonl.1.gz") {
		t.Errorf("unread %q", j.Unread)
	}
	got := map[string]string{}
	for _, r := range j.Rules {
		got[r.Rule] = fmt.Sprint(r.Alone, r.Recipients)
	}
	for rule, want := range map[string]string{"networks": "1 2", "localhost": "1 1", "bad-sender": "1 3", "trap": "1 2", "later": "0 0"} {
		if got[rule] != want {
			t.Errorf("%s: %q, want %q", rule, got[rule], want)
		}
	}
}

// A weight is judged by the thresholds of the version that judged, where the history
// has it; which it does not have is told.
func TestJournalOfVersions(t *testing.T) {
	dir := t.TempDir()
	line := func(ref, version, verdict string) string {
		return fmt.Sprintf(`{"time":"2026-11-23T10:00:00.000Z","kind":"messages","policy":%q,"ref":%q,"client_ip":"192.0.2.7","recipients":["ivan@example.org"],"verdict":%q,"rule":"","rules":[{"name":"big","stage":"headers","weight":"8"}],"weight":"8"}`+"\n", version, ref, verdict)
	}
	put(t, dir, "messages.jsonl", line("R1", "old", "reject")+line("R2", "old", "reject")+line("R3", "lost", "accept"))
	policy := "[[rule]]\nname = \"big\"\nstage = \"headers\"\nmatch.subject = 'big'\nweight = 8\n[[threshold]]\nabove = %d\naction = \"reject\"\n"
	past := func(version string) *config.Config {
		if version == "old" {
			return load(t, fmt.Sprintf(policy, 5))
		}
		return nil
	}
	j, err := replay.Journal(t.Context(), load(t, fmt.Sprintf(policy, 50)), past, dir, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if len(j.Rules) == 0 || j.Rules[0].Rule != "big" || j.Rules[0].Alone != 2 || fmt.Sprint(j.Unknown) != "[lost]" {
		t.Errorf("%+v", j)
	}
}

// The envelope is the one that the journal has under the reference in the report
// header; what hung on values that nobody gave is counted.
func TestEnvelopes(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "journal/messages.jsonl", `{"time":"2026-11-23T10:00:00.000Z","kind":"messages","ref":"0abc","client_ip":"198.51.100.9","client_host":"mail.example.net","helo":"h","tls":"TLSv1.3","sender":"real@example.net","recipients":["ivan@example.org"],"verdict":"accept"}`+"\n")
	put(t, dir, "1.eml", fmt.Sprintf(delivered, 1))
	put(t, dir, "journal/messages.jsonl.1.gz", "not packed") // does not hide the rest
	sent, unread, err := replay.Envelopes(t.Context(), dir+"/journal")
	if err != nil || len(sent) != 1 || len(unread) != 1 {
		t.Fatal(sent, unread, err)
	}
	more := "[[rule]]\nname = \"real\"\nstage = \"mailfrom\"\nmatch = { sender = '^real@', client_ip = \"198.51.100.9\", client_host = 'example', tls = true }\nweight = 4\n"
	more += "[[rule]]\nname = \"asks\"\nstage = \"mailfrom\"\nmatch.spf = \"fail\"\nweight = 4\n"
	s, err := replay.Run(t.Context(), replay.Options{Policy: load(t, more), Sent: sent}, []string{dir + "/1.eml"})
	if err != nil {
		t.Fatal(err)
	}
	var hit []string
	for _, r := range s.Rules {
		hit = append(hit, r.Rule)
	}
	if s.FromJournal != 1 || !strings.Contains(fmt.Sprint(hit), "real") {
		t.Errorf("%v, %+v", hit, s)
	}
	// Postfix may call itself otherwise than the gateway: its Received is known by the
	// queue id.
	put(t, dir, "other.eml", strings.ReplaceAll(fmt.Sprintf(delivered, 2), "by mx1.example.org (Postfix)", "by inside.example.org (Postfix)"))
	put(t, dir, "journal/messages.jsonl", `{"time":"2026-11-23T10:00:00.000Z","kind":"messages","ref":"0abc","queue_id":"4AB","client_ip":"198.51.100.9","sender":"real@example.net","recipients":["ivan@example.org"],"verdict":"accept"}`+"\n")
	if sent, _, err = replay.Envelopes(t.Context(), dir+"/journal"); err != nil {
		t.Fatal(err)
	}
	hops := "[[rule]]\nname = \"inside\"\nstage = \"headers\"\nmatch.header.Received = 'by inside'\nweight = 1\n"
	if s, err := replay.Run(t.Context(), replay.Options{Policy: load(t, hops), Sent: sent}, []string{dir + "/other.eml"}); err != nil || strings.Contains(fmt.Sprint(s.Rules), "inside") {
		t.Errorf("%+v, %v", s, err)
	}
	// What the journal kept of look-ups and inspectors answers again.
	put(t, dir, "journal/messages.jsonl", `{"time":"2026-11-23T10:00:00.000Z","kind":"messages","ref":"0abc","client_ip":"198.51.100.9","sender":"real@example.net","recipients":["ivan@example.org"],"verdict":"accept","rules":[{"name":"x","stage":"mailfrom","weight":"1","attribute":"spf","text":"fail"}],"modules":[{"name":"r","result":"ok","score":"3","weight":"3","action":"","symbols":["BAYES"]}]}`+"\n")
	put(t, dir, "journal/antivirus.jsonl", `{"time":"2026-11-23T09:59:59.000Z","kind":"antivirus","ref":"0abc","result":"infected","signature":"Eicar"}`+"\n")
	if sent, _, err = replay.Envelopes(t.Context(), dir+"/journal"); err != nil {
		t.Fatal(err)
	}
	services := more + "[[module]]\nname = \"r\"\ntype = \"rspamd\"\nurl = \"http://127.0.0.1:1\"\non_error = \"tempfail\"\n[antivirus]\nclamd = \"tcp:127.0.0.1:1\"\naction = \"tag\"\ntag_subject = \"[V]\"\n" +
		"[[rule]]\nname = \"found\"\nstage = \"complete\"\nmatch = { virus = 'Eicar', module.r.symbol = 'BAYES', module.r.score = \"> 2\" }\nweight = 1\n"
	again, err := replay.Run(t.Context(), replay.Options{Policy: load(t, services), Sent: sent}, []string{dir + "/1.eml"})
	if err != nil {
		t.Fatal(err)
	}
	hit = nil
	for _, r := range again.Rules {
		hit = append(hit, r.Rule)
	}
	if len(again.Unknown) != 0 || !strings.Contains(fmt.Sprint(hit), "asks") || !strings.Contains(fmt.Sprint(hit), "found") || again.Verdicts["accept"] != 1 {
		t.Errorf("%v, %+v", hit, again)
	}
	// A service of which nothing is known was not asked: nobody is refused for it.
	if none, err := replay.Run(t.Context(), replay.Options{Policy: load(t, services), Sent: map[string]replay.Sent{}}, []string{dir + "/1.eml"}); err != nil || none.Verdicts["accept"] != 1 {
		t.Errorf("%+v, %v", none, err)
	}
	if fmt.Sprint(s.Unknown) != "[{spf 1}]" || len(s.Weights) != 1 || s.Weights[0].Messages != 1 {
		t.Errorf("%+v, %+v", s.Unknown, s.Weights)
	}
}
