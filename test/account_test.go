package test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
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
		s.compare("journal.jsonl "+kind, expected, s.journal(s.t, kind))
	}
}

// journal are all entries of one kind, as the command prints them.
func (g *gateway) journal(t *testing.T, kind string) []script.Object {
	t.Helper()
	out, err := g.gate.Command(t.Context(), "journal", kind, "--json")
	if err != nil {
		t.Fatal(err)
	}
	if out.Exit > 1 {
		t.Errorf("tollgate journal %s: exit %d: %s", kind, out.Exit, out.Stderr)
	}
	return objects(t, out.Stdout)
}

// objects are JSON lines.
func objects(t *testing.T, text string) []script.Object {
	t.Helper()
	var all []script.Object
	for _, line := range bytes.Split([]byte(text), []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var o script.Object
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		all = append(all, o)
	}
	return all
}

// stopDrained ends the daemon, if it runs, when all records are in the store;
// its exit code must be 0.
func (g *gateway) stopDrained(t *testing.T) {
	t.Helper()
	if !g.gate.Process().Ended() {
		if err := g.drained(t.Context(), harness.Patience); err != nil {
			t.Error(err)
		}
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
}
