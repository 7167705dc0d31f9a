package test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/script"
)

// shownOnly are the lines of a case that only show what happens.
var shownOnly = map[string]bool{`\d`: true, "zzz": true, `2|5`: true}

// The cases beside the repository. Those that only show a reply or an output get
// what is right from sharedAnswers; a file of the folder is compared where it stands.
func TestSharedCases(t *testing.T) {
	t.Parallel()
	root := shared(t, "cases")
	dirs, err := filepath.Glob(filepath.Join(root, "*", "*", "session.txt"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		name := filepath.Base(filepath.Dir(dir)) + "/" + filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps, err := script.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			runShared(t, dir, answered(t, steps, sharedAnswers[name]), sharedWeights[name])
		})
	}
}

// answered puts the answers, in their order, in the place of the lines that only
// show; where there is nothing to be read the answer is empty.
func answered(t *testing.T, steps []script.Step, answers []string) []script.Step {
	t.Helper()
	var out []script.Step
	for _, step := range steps {
		if step.Verb != "S:" && step.Verb != ">" || !shownOnly[step.Arg] {
			out = append(out, step)
			continue
		}
		if len(answers) == 0 {
			t.Errorf("%s: no answer is written for %s %s", step.Where(), step.Verb, step.Arg)
			continue
		}
		step.Arg, answers = answers[0], answers[1:]
		if step.Arg != "" {
			out = append(out, step)
		}
	}
	if len(answers) > 0 {
		t.Errorf("answers without a line: %q", answers)
	}
	return out
}

// runShared compares the weights in the journal of messages where some are given.
func runShared(t *testing.T, dir string, steps []script.Step, weights []string) {
	s := carryOut(t, dir, steps)
	s.stopDrained(t)
	for name, check := range map[string]func(){
		"delivered.txt": s.checkDeliveries,
		"journal.jsonl": s.checkJournal,
		"records.jsonl": s.checkRecords,
	} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			check()
		}
	}
	if weights != nil {
		if got := s.messageWeights(); !slices.Equal(got, weights) {
			t.Errorf("weights of the messages: %q, want %q", got, weights)
		}
	}
	if t.Failed() {
		t.Log("--- dialogue\n" + s.dialogue.String())
	}
}

// messageWeights are those of the journal of messages, in its order.
func (s *session) messageWeights() []string {
	var out []string
	for _, o := range s.journal(s.t, "messages") {
		weight, _ := o["weight"].(string)
		out = append(out, weight)
	}
	return out
}

// repeated is words, each "N×WORD" in it N times.
func repeated(words ...string) []string {
	var out []string
	for _, w := range words {
		times, word, ok := strings.Cut(w, "×")
		n, err := strconv.Atoi(times)
		if !ok || err != nil {
			n, word = 1, w
		}
		out = append(out, slices.Repeat([]string{word}, n)...)
	}
	return out
}

// Relay tests: what is no mailbox of ours is not taken in any spelling.
const (
	foreign = `550 5\.7\.1 Relaying denied`
	nobody  = `550 5\.1\.1 No such recipient`
	syntax  = `501 5\.1\.3`
)

// sharedAnswers has the replies that the lines which only show have no word on.
var sharedAnswers = map[string][]string{
	// A list that refuses, or lists what no list may, lists nobody, and status says which.
	"services/s01-list-refusals": {`(?s)list dbl\.example: refusing.*list dead\.example: distrusted.*list piholed\.example: refusing.*` +
		`list urilist\.example: refusing.*list wl\.example: refusing`},
	"services/s04-autoreply": repeated("8×250", "250", "250", "550", `"kind":"messages"`),
	"services/s07-more-mx":   {`"kind":"messages"`},
	"session/b02-spellings": repeated(`8×550 5\.7\.1 root`, `4×550 5\.7\.1 secret`,
		"18×250", `501 5\.1\.7`, `503 5\.5\.1`),
	"session/b02d-null-sender": repeated("24×250"),
	"session/b06-relay-tests": repeated("250", "2×"+foreign, "2×"+nobody, nobody, "2×"+foreign, "3×"+nobody, "3×"+foreign, "2×"+nobody,
		"3×"+foreign, "2×"+nobody, foreign, nobody, "2×"+foreign, "2×"+syntax, "3×"+foreign,
		// Postfix takes the inner angle brackets alone: the mailbox is ivan's.
		"250", "2×"+syntax,
		"250", foreign, "250", foreign, "250", foreign, "250", foreign, "250", foreign),
	// One message: what stands behind the bare LF is text of it.
	"session/b15-smuggling":       {"250 2", "", "", "", "", "221"},
	"session/b19-recipient-limit": {`452 4\.5\.3`, `552 5\.3\.4`},
}

// sharedWeights are those of the journal of messages: which rules knew the message.
var sharedWeights = map[string][]string{
	"policies/from": {"6", "6"},
	// No list had a say.
	"services/s01-list-refusals": {"0"},
	// Who was written to by hand, and nobody else.
	"services/s04-autoreply": repeated("18×0", "2×-7", "4×0"),
	// 4 is "missing": never said where one of the MX was not asked or stands.
	"services/s07-more-mx":     repeated("101", "5×301", "304"),
	"session/b02-spellings":    repeated("0", "6×11", "3×101"),
	"session/b02d-null-sender": repeated("6×1"),
}
