package test

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

const hostilePolicy = `
[recipients]
mode    = "domains"
domains = ["example.net", "example.org"]

[[client]]
id        = "bob"
addresses = ["bob@example.net", "b@example.net"]

[[rule]]
name        = "word"
stage       = "headers"
match       = { subject = '(x+x+)+y|casino' }
tag_subject = "[T]"
weight      = 1

[[rule]]
name   = "any-header"
stage  = "headers"
match  = { "header.*" = 'a.*b.*c.*d' }
weight = 1

[[rule]]
name       = "hop"
stage      = "headers"
match      = { header_ip = "198.51.100.0/24", recipient = "@example" }
tag_header = "X-Hop: {subject}"
`

// The daemon lives through every hostile byte stream, answers others
// meanwhile, and keeps its memory.
func TestHostile(t *testing.T) {
	t.Parallel()
	run := filepath.Join(shared(t, "tools"), "hostile", "run.py")
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", hostilePolicy)
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	args := []string{run, g.gate.Milter, "--pid", strconv.Itoa(g.gate.Process().PID()), "--rss", "400", "--health", "10"}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "python3", args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	for _, line := range strings.Split(out.String(), "\n") {
		if err != nil || strings.HasPrefix(line, "FAIL") || strings.Contains(line, " passed, ") || testing.Verbose() {
			t.Log(line)
		}
	}
	if err != nil {
		t.Errorf("run.py: %v", err)
	}
	if g.gate.Process().Ended() {
		t.Fatal("the daemon has ended")
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
}
