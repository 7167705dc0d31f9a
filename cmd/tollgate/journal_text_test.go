package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// day has a daily's mail in all journals: what was tagged, what a shadow rule would
// have done, a virus, mail on hold and what became of it, another judgement.
func (h *house) day() {
	h.t.Helper()
	message := func(second int, ref, verdict, more string) string {
		return fmt.Sprintf(`{"time":"2026-11-28T10:00:%02d.000Z","kind":"messages","ref":%q,"queue_id":"Q%s","sender":"anna@far.example","recipients":["ivan@example.org"],"verdict":%q,"weight":"0"%s}`+"\n", second, ref, ref, verdict, more)
	}
	block := func(second int, ref, verdict, stage, more string) string {
		return fmt.Sprintf(`{"time":"2026-11-28T10:00:%02d.000Z","kind":"blocks","ref":%q,"queue_id":"Q%s","client_ip":"192.0.2.7","client_host":"unknown","sender":"anna@far.example","recipient":"ivan@example.org","verdict":%q,"stage":%q%s}`+"\n", second, ref, ref, verdict, stage, more)
	}
	h.write("journal/messages.jsonl",
		message(1, "tag1", "accept", `,"tags":["Subject: [SPAM?]","X-Spam-Flag: YES"],"thresholds":["threshold above 3"],"subject":"Lottery","weight":"5"`)+
			message(2, "shd1", "accept", `,"rules":[{"name":"programs","stage":"headers","weight":"0","shadow":true,"action":"reject"},{"name":"big","stage":"headers","weight":"1"}]`)+
			message(3, "vir1", "reject", `,"stage":"complete","reason":"virus Eicar","reply":"550 5.7.1 Infected (ref vir1)"`)+
			message(4, "hld1", "hold", `,"stage":"headers","rule":"contract","reason":"rule contract"`)+
			message(5, "hld2", "hold", `,"stage":"headers","rule":"contract","reason":"rule contract"`)+
			message(6, "thr1", "reject", `,"stage":"complete","reason":"weight 6.5 above 6","weight":"6.5","rules":[{"name":"lottery","stage":"headers","weight":"3.5"},{"name":"big","stage":"headers","weight":"3"}]`))
	h.write("journal/blocks.jsonl",
		block(0, "mta1", "reject", "rcptto", `,"reason":"refused by the MTA"`)+block(0, "quo1", "tempfail", "rcptto", `,"reason":"quota"`)+
			block(3, "vir1", "reject", "complete", `,"reason":"virus Eicar","reply":"550 5.7.1 Infected (ref vir1)"`)+
			block(4, "hld1", "hold", "headers", `,"rule":"contract","reason":"rule contract"`)+
			block(5, "hld2", "hold", "headers", `,"rule":"contract","reason":"rule contract"`)+
			block(6, "thr1", "reject", "complete", `,"reason":"weight 6.5 above 6","rules":[{"name":"lottery","weight":"3.5"},{"name":"big","weight":"3"}]`)+
			block(20, "hld1", "released", "hold", `,"rule":"contract","by":"root"`)+block(21, "hld2", "deleted", "hold", `,"rule":"contract","by":"olga"`)+
			block(21, "hld2", "voided", "hold", ``))
	h.write("journal/antivirus.jsonl", `{"time":"2026-11-28T10:00:03.000Z","kind":"antivirus","ref":"vir1","sender":"anna@far.example","recipients":["ivan@example.org"],"service":"smtp","engine":"clamav","object":"<1@far.example>","result":"infected","signature":"Eicar","action":"reject","reason":"virus Eicar"}`+"\n")
	h.write("journal/shadow.jsonl", `{"time":"2026-11-28T10:00:06.500Z","kind":"shadow","policy":"v1","ref":"thr1","queue_id":"Qthr1","sender":"anna@far.example","recipients":["ivan@example.org","olga@example.org"],"subject":"Lottery","event":"shadow","verdict":"reject","weight":"6.5","beside":"v2","beside_verdict":"accept","beside_weight":"5.5","changes":[{"recipient":"ivan@example.org","verdict":"reject","beside":"accept"},{"recipient":"olga@example.org","verdict":"reject","beside":"accept"}],"unknown":0}`+"\n"+
		`{"time":"2026-11-28T10:00:07.000Z","kind":"shadow","policy":"v1","ref":"can1","sender":"anna@far.example","recipients":["ivan@example.org","olga@example.org"],"event":"canary","verdict":"accept","weight":"0","beside":"v2","beside_verdict":"reject","beside_stage":"headers","beside_rule":"idea","beside_reason":"rule idea","beside_reply":"550 5.7.1 No","changes":[{"recipient":"olga@example.org","verdict":"accept","beside":"reject"}],"unknown":2}`+"\n")
	h.write("journal/looks.jsonl", `{"time":"2026-11-28T10:01:00.000Z","kind":"looks","ref":"","by":"root","event":"journal show","detail":"thr1"}`+"\n")
}

// What is printed of a day in lines and on pages.
func TestJournalTexts(t *testing.T) {
	for _, tt := range []struct{ name, args string }{
		{"day", "journal --utc"}, {"shadow", "journal shadow --utc"}, {"looks", "journal looks --utc"},
		{"show-held", "journal show hld2 --utc"}, {"show-shadow", "journal show can1 --utc"}, {"show-tagged", "journal show tag1 --utc"},
		{"released", "journal blocks --verdict released --utc"}, {"newest", "journal -n 3 --utc"}, {"first", "journal --limit 3 --utc"},
		{"rules-of-blocks", "journal blocks --verdict reject --count-by rule"}, {"rules", "journal --count-by rule"}, {"threshold", "journal messages --rule threshold_above_6 --utc"}, {"marked", "journal --rule threshold_above_3 --utc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			h.day()
			args := strings.Fields(tt.args)
			for n := range args {
				args[n] = strings.ReplaceAll(args[n], "_", " ")
			}
			o := h.run(args...)
			if o.code != 0 || o.err != "" {
				t.Errorf("%d %s", o.code, o.err)
			}
			golden(t, "journal-text-"+tt.name+".golden", o.out)
		})
	}
}

// Each number is of messages: with JSON, of entries.
func TestJournalNumbers(t *testing.T) {
	h := newHouse(t)
	h.day()
	for args, want := range map[string]int{"-n 1": 1, "-n 4": 4, "--limit 1": 1, "--limit 5": 5, "-n 100": 9, "messages -n 2": 2} {
		out := h.mustRun(append([]string{"journal"}, strings.Fields(args)...)...)
		if got := strings.Count(out, "\n") - 1; got != want {
			t.Errorf("%s: %d messages:\n%s", args, got, out)
		}
		var e map[string]any
		for line := range strings.Lines(h.mustRun(append([]string{"journal", "--json"}, strings.Fields(args)...)...)) {
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if out := h.mustRun("journal", "--json", "--last", "2"); strings.Count(out, "\n") != 2 {
		t.Errorf("%s", out)
	}
}

// An entry of each kind has its place in the story of a message.
func TestStoryOfEachKind(t *testing.T) {
	for _, kind := range journal.Kinds() {
		var is story
		is.add(&journal.Entry{Kind: kind})
		if n := len(is.traces); (n > 0) != (kind == journal.Trace) {
			t.Errorf("a line of %s is one of the trace: give it a place in story.add", kind)
		}
	}
}
