package test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/test/script"
)

// checkJournal compares the message and block journals with journal.jsonl:
// each kind by itself, entry by entry.
func (s *session) checkJournal() {
	s.t.Helper()
	want, err := script.ReadObjects(filepath.Join(s.dir, "journal.jsonl"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, kind := range []string{"messages", "blocks"} {
		var expected []script.Object
		for _, o := range want {
			if o["kind"] == kind {
				expected = append(expected, o)
			}
		}
		s.compare("journal.jsonl "+kind, expected, s.journal(kind))
	}
}

// journal are all entries of one kind, as the command prints them.
func (s *session) journal(kind string) []script.Object {
	s.t.Helper()
	out, err := s.gate.Command(s.t.Context(), "journal", kind, "--json")
	if err != nil {
		s.t.Fatal(err)
	}
	if out.Exit > 1 {
		s.t.Errorf("tollgate journal %s: exit %d: %s", kind, out.Exit, out.Stderr)
	}
	return s.lines(out.Stdout)
}

func (s *session) lines(text string) []script.Object {
	s.t.Helper()
	var all []script.Object
	for _, line := range bytes.Split([]byte(text), []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var o script.Object
		if err := json.Unmarshal(line, &o); err != nil {
			s.t.Fatalf("%v in %q", err, line)
		}
		all = append(all, o)
	}
	return all
}

// stopDrained ends the daemon, if it runs, when all records are in the store;
// its exit code must be 0.
func (s *session) stopDrained() {
	s.t.Helper()
	if !s.gate.Process().Ended() {
		if err := s.drained(s.t.Context(), 20*time.Second); err != nil {
			s.t.Error(err)
		}
	}
	if err := s.gate.Stop(20 * time.Second); err != nil {
		s.t.Error(err)
	}
}
