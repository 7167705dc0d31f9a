package test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// A message of 20 MB passes, is charged to the octet, and costs no memory: the
// body is counted, never kept.
func TestBigMessage(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", "[[client]]\nid = \"a\"\naddresses = [\"a@example.org\"]\n")
	g.start(t)
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	send := func(message []byte) {
		t.Helper()
		err := errors.Join(
			expect(250)(c.Cmd("MAIL FROM:<b@example.com>")),
			expect(250)(c.Cmd("RCPT TO:<a@example.org>")),
			expect(250)(c.Data(message)))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(expect(220)(c.Reply()), expect(250)(c.Cmd("EHLO b"))); err != nil {
		t.Fatal(err)
	}
	send([]byte("Subject: small\r\n\r\ntext\r\n"))
	before, err := g.gate.Resident()
	if err != nil {
		t.Fatal(err)
	}
	line := append(bytes.Repeat([]byte("0123456789"), 7), "....\r\n"...)
	big := append([]byte("Subject: big\r\n\r\n"), bytes.Repeat(line, 20<<20/len(line))...)
	const rounds = 5
	for range rounds {
		send(big)
	}
	after, err := g.gate.Resident()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("resident memory %d KiB before, %d KiB after %d messages of %d bytes", before>>10, after>>10, rounds, len(big))
	if after > before+int64(len(big))/2 {
		t.Errorf("memory grew from %d to %d bytes", before, after)
	}
	if err := g.postfix.Idle(time.Minute); err != nil {
		t.Error(err)
	}
	if err := g.drained(t.Context(), harness.Patience); err != nil {
		t.Error(err)
	}
	// A drain waits for sessions under way.
	if _, err := c.Cmd("QUIT"); err != nil {
		t.Error(err)
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
	var charged []int64
	for _, r := range g.records(t) {
		charged = append(charged, r.Charged)
	}
	if len(charged) != 1+rounds || charged[1] != int64(len(big)) {
		t.Errorf("charged %v, want %d each but the first", charged, len(big))
	}
}
