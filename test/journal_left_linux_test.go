package test

import (
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// Lines that the disk of the journals does not take are in them after the next start, and
// after a hand-over: nothing that was accepted lacks its line.
func TestLinesOfAFullDisk(t *testing.T) {
	t.Parallel()
	for _, takeover := range []bool{false, true} {
		name := "start"
		if takeover {
			name = "takeover"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := prepare(t, false)
			g.write(t, "policy/policy.toml", "[[client]]\nid = \"a\"\naddresses = [\"a@example.org\"]\n")
			dir := mounted(t, g.box.Path("journal"))
			g.start(t)
			if err := g.sendMany(5); err != nil {
				t.Fatal(err)
			}
			empty, err := full(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := g.sendMany(7); err != nil {
				t.Fatal(err)
			}
			if takeover {
				before, err := g.gate.TakeOver("")
				if err != nil {
					t.Fatal(err)
				}
				if err := before.Wait(harness.Patience); err != nil || before.ExitCode() != 0 {
					t.Errorf("the process before: %v, exit code %d", err, before.ExitCode())
				}
			} else if err := g.gate.Stop(harness.Patience); err != nil {
				t.Errorf("an end on a full disk: %v", err)
			}
			if err := empty(); err != nil {
				t.Fatal(err)
			}
			if !takeover {
				if err := g.gate.Start(); err != nil {
					t.Fatal(err)
				}
			}
			accepted := 0
			for deadline := time.Now().Add(harness.Patience); accepted != 12 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
				out, err := g.gate.Command(t.Context(), "journal", "messages", "--verdict", "accept", "--json")
				if err != nil {
					t.Fatal(err)
				}
				accepted = strings.Count(out.Stdout, `"verdict":"accept"`)
			}
			if accepted != 12 {
				t.Errorf("%d of 12 lines", accepted)
			}
		})
	}
}
