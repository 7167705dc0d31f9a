package test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// Mail that came through Postfix is seen in the figures; an address that is
// taken refuses a reload, and what was shown goes on.
func TestMetrics(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	port, err := g.box.Port()
	if err != nil {
		t.Fatal(err)
	}
	policy := func(listen, rule string) {
		g.write(t, "policy/policy.toml", fmt.Sprintf(`[metrics]
listen = %q

[[client]]
id = "a"
addresses = ["a@example.org"]

[[rule]]
name = %q
stage = "headers"
match = { subject = "hello" }
weight = 1.5
`, listen, rule))
	}
	at := harness.Loopback(port)
	policy(at, "greets")
	g.start(t)
	for to, code := range map[string]int{"a@example.org": 250, "nobody@example.org": 550} {
		if err := expect(code)(g.transaction("192.0.2.7", "b@example.com", to)); err != nil {
			t.Fatal(err)
		}
	}
	seen(t, at, "/metrics",
		`tollgate_messages_total{stage="complete",verdict="accept"} 1`,
		`tollgate_messages_total{stage="rcptto",verdict="reject"} 1`,
		`tollgate_rule_hits_total{rule="greets"} 1`,
		`tollgate_message_weight_sum 1.5`,
		`tollgate_store_up{kind="embedded"} 1`,
		`tollgate_policy_clients 1`,
		`tollgate_policy_refused 0`)
	// The status has the same numbers.
	status, err := g.gate.Command(t.Context(), "status")
	if err != nil || status.Exit != 0 {
		t.Fatalf("status: %v %+v", err, status)
	}
	for _, line := range []string{": 1 accept, 1 reject; recipients: 1 accepted, 1 rejected\n", "2 since the start: 1 accept, 1 reject;", "greets: 1 today, 1 since the start\n"} {
		if !strings.Contains(status.Stdout, line) {
			t.Errorf("no %q in the status:\n%s", line, status.Stdout)
		}
	}
	seen(t, at, "/readyz", "ready")
	seen(t, at, "/healthz", "ok")

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	policy(taken.Addr().String(), "never")
	out, err := g.gate.Command(t.Context(), "reload")
	if err != nil || out.Exit != 78 || !strings.Contains(out.Stderr, "[metrics] listen") {
		t.Errorf("reload: %v %+v", err, out)
	}
	seen(t, at, "/metrics", `tollgate_policy_refused 1`, `tollgate_rule_hits_total{rule="greets"} 1`)
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
}

// seen waits until a page has these lines: a message that nobody received ends
// when Postfix says so, which is after the client has gone.
func seen(t *testing.T, addr, page string, lines ...string) {
	t.Helper()
	var text string
	for end := time.Now().Add(harness.Patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://" + addr + page)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		text = "\n" + string(body)
		if !slices.ContainsFunc(lines, func(l string) bool { return !strings.Contains(text, "\n"+l+"\n") }) {
			return
		}
	}
	t.Errorf("%s has not %q:\n%s", page, lines, text)
}
