package test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

// A case is a folder; cases/README.md says what is in it.
func TestCases(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("cases/*/session.txt")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			runCase(t, dir)
		})
	}
}

func runCase(t *testing.T, dir string) {
	steps, err := script.Read(filepath.Join(dir, "session.txt"))
	if err != nil {
		t.Fatal(err)
	}
	s := carryOut(t, dir, steps)
	s.checkDeliveries()
	s.stopDrained(t)
	s.checkJournal()
	s.checkRecords()
	if t.Failed() {
		t.Log("--- dialogue\n" + s.dialogue.String())
	}
}

// carryOut starts what the folder needs, goes through the steps and waits until
// Postfix has nothing queued.
func carryOut(t *testing.T, dir string, steps []script.Step) *session {
	// What must be known before the daemons start stands first.
	withRedis, inet := false, false
	var settings, needs []string
beginning:
	for len(steps) > 0 {
		switch steps[0].Verb + " " + steps[0].Arg {
		case "store redis":
			withRedis = true
		case "milter inet":
			inet = true
		default:
			switch steps[0].Verb {
			case "postfix":
				settings = append(settings, steps[0].Arg)
			case "with":
				needs = append(needs, steps[0].Arg)
			default:
				break beginning
			}
		}
		steps = steps[1:]
	}

	g := prepare(t, withRedis)
	for _, need := range needs {
		g.with(t, dir, need)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := installFile(filepath.Join(dir, f.Name()), g.box.Path("policy", f.Name()), g); err != nil {
			t.Fatal(err)
		}
	}
	for i, line := range settings {
		if strings.Contains(line, "{{tls}}") {
			file, err := g.box.Certificate()
			if err != nil {
				t.Fatal(err)
			}
			line = strings.ReplaceAll(line, "{{tls}}", file)
		}
		settings[i] = replacer(g).Replace(line)
	}
	if inet {
		g.startAt(t, g.gate.Inet, settings...)
	} else {
		g.start(t, settings...)
	}

	s := &session{gateway: g, t: t, dir: dir, conns: make(map[string]*connection)}
	s.run(steps)
	if err := g.postfix.Idle(harness.Patience); err != nil {
		t.Error(err)
	}
	return s
}

// installFile copies a file of a case with its {{words}} replaced.
func installFile(from, to string, g *gateway) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, []byte(replacer(g).Replace(string(text))), 0o644)
}

// replacer puts in what a case cannot know: paths and what day it is.
func replacer(g *gateway) *strings.Replacer {
	days := [...]string{"Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"}
	today := int(time.Now().UTC().Weekday())
	day := func(n int) string { return days[(today+n+7)%7] + " 00:00-24:00" }
	words := append([]string{
		"{{dir}}", g.box.Dir,
		// Neighbouring days too, so that midnight changes nothing.
		"{{open today}}", strings.Join([]string{day(-1), day(0), day(1)}, "; "),
		"{{closed today}}", day(3),
	}, g.words...)
	return strings.NewReplacer(words...)
}

// checkDeliveries compares what arrived with delivered.txt, in the order in
// which the session had its messages accepted.
func (s *session) checkDeliveries() {
	want, err := script.ReadDeliveries(filepath.Join(s.dir, "delivered.txt"))
	if err != nil {
		s.t.Fatal(err)
	}
	got := s.sink.Messages()
	slices.SortStableFunc(got, func(a, b *harness.Delivered) int { return s.order(a) - s.order(b) })
	for i, d := range got {
		if i >= len(want) {
			s.t.Errorf("delivered without being expected, to %q:\n%.2000s", d.To, d.Data)
			continue
		}
		for _, err := range want[i].Check(d.From, d.To, d.Data) {
			s.t.Errorf("delivered.txt, message %d: %v", i+1, err)
		}
	}
	if len(got) < len(want) {
		s.t.Errorf("%d messages were delivered, %d expected", len(got), len(want))
	}
}

// order is the place of a message; those that did not come by SMTP are last.
func (s *session) order(d *harness.Delivered) int {
	if i := slices.Index(s.accepted, d.QueueID()); i >= 0 {
		return i
	}
	return len(s.accepted)
}

// compare compares lines one by one with those that a case expects.
func (s *session) compare(file string, want, got []script.Object) {
	// A line with "?" may be missing.
	want = slices.Clone(want)
	for i := 0; i < len(want); i++ {
		if want[i]["?"] == true && (i >= len(got) || len(want[i].Match(got[i])) > 0) {
			want = slices.Delete(want, i, i+1)
			i--
		}
	}
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want):
			s.t.Errorf("%s: not expected: %v", file, got[i])
		case i >= len(got):
			s.t.Errorf("%s: missing: %v", file, want[i])
		default:
			for _, err := range want[i].Match(got[i]) {
				s.t.Errorf("%s, line %d: %v\nin %v", file, i+1, err, got[i])
			}
		}
	}
}

func contextFor(t *testing.T, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), limit)
}
