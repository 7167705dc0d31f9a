package test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// Header fields without end, through a real Postfix: the message is refused
// whole before anybody is charged, and Postfix's cleanup lives.
func TestHeaderBounds(t *testing.T) {
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", `
[[client]]
id = "a"
addresses = ["a@example.org"]

[[client]]
id = "raw"
addresses = ["raw@example.org"]
filter = false

[outbound]
networks = ["10.0.0.0/8"]

[[rule]]
name   = "friends"
stage  = "connect"
match  = { client_ip = "192.0.2.99" }
action = "accept"

[[rule]]
name   = "casino"
stage  = "headers"
match  = { subject = "casino" }
action = "reject"
`)
	g.start(t)
	repeat := func(line string, n int) string { return strings.Repeat(line+"\r\n", n) }
	tests := []struct {
		name    string
		header  string
		code    int
		clients []string
		to      string
	}{
		{"forged fields that just pass", repeat("X-Tollgate: forged", 990), 250, nil, "a@example.org"},
		{"forged fields behind many others", repeat("X: y", 49_000) + repeat("X-Tollgate: forged", 990), 250, nil, "a@example.org"},
		{"forged fields", repeat("X-Tollgate: forged", 16_000), 552, nil, "a@example.org"},
		{"forged fields to one without filter", repeat("X-Tollgate: forged", 16_000), 552, nil, "raw@example.org"},
		{"forged fields of a friend", repeat("X-Tollgate: forged", 16_000), 552, []string{"ADDR=192.0.2.99"}, "a@example.org"},
		{"forged fields from inside", repeat("X-Tollgate: forged", 16_000), 552, []string{"ADDR=10.1.2.3"}, "b@far.example"},
		{"forged results", repeat("Authentication-Results: gw1.test; spf=pass", 12_000), 552, nil, "a@example.org"},
		{"many fields hide the Subject", repeat("X: y", 50_001) + "Subject: casino\r\n", 552, nil, "a@example.org"},
		{"large fields hide the Subject", repeat("X: "+strings.Repeat("y", 900), 4800) + "Subject: casino\r\n", 552, nil, "a@example.org"},
	}
	for _, test := range tests {
		began := time.Now()
		if err := g.sendAs(test.clients, test.to, test.header, test.code); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		t.Logf("%s: %.1f s", test.name, time.Since(began).Seconds())
	}
	log, err := os.ReadFile(g.box.Path("postfix.log"))
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.Index(log, []byte("panic:")); i >= 0 {
		t.Errorf("Postfix: %.200s", log[i:])
	}
	out, err := g.gate.Command(t.Context(), "journal", "blocks", "--json")
	if n := strings.Count(out.Stdout, `"reply":"552 5.3.4`); err != nil || n != len(tests)-2 {
		t.Errorf("%d blocks: %v %.500s %s", n, err, out.Stdout, out.Stderr)
	}
	if err := g.drained(t.Context(), 20*time.Second); err != nil {
		t.Error(err)
	}
	out, err = g.gate.Command(t.Context(), "report", "--json")
	if err != nil || strings.Count(out.Stdout, `"deliveries":2`) != 1 {
		t.Errorf("not two deliveries are charged: %v %s %s", err, out.Stdout, out.Stderr)
	}
}

// sendAs sends a message as the client that XCLIENT makes it.
func (g *gateway) sendAs(client []string, to, header string, code int) error {
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.Patience = 2 * time.Minute
	if len(client) == 0 {
		client = []string{"ADDR=192.0.2.7"}
	}
	err = errors.Join(expect(220)(c.Reply()), expect(220)(c.XClient(append(client, "NAME=mail.example.com")...)), expect(250)(c.Cmd("EHLO mail.example.com")),
		expect(250)(c.Cmd("MAIL FROM:<b@example.com>")), expect(250)(c.Cmd(fmt.Sprintf("RCPT TO:<%s>", to))))
	if err != nil {
		return err
	}
	return expect(code)(c.Data([]byte("From: b@example.com\r\n" + header + "\r\ntext\r\n")))
}
