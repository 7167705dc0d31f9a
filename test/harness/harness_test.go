package harness

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestStuff(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\n":            "a\r\n",
		"a":                "a\r\n",
		".a\r\n.\r\nb\r\n": "..a\r\n..\r\nb\r\n",
		"":                 "\r\n",
		"a\n.b\r\n":        "a\n.b\r\n", // a dot after a bare LF begins no line
	} {
		if got := string(stuff([]byte(in))); got != want {
			t.Errorf("stuff(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCRLF(t *testing.T) {
	if got := string(CRLF([]byte("a\nb\r\nc\rd"))); got != "a\r\nb\r\nc\r\nd" {
		t.Errorf("CRLF made %q", got)
	}
}

// What the other tests conclude from the sink holds only if Postfix alone
// delivers what it was given, octet for octet, under its own Received field.
func TestPostfixAloneDeliversExactly(t *testing.T) {
	t.Parallel()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.Logs())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	sink, err := s.Sink()
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Postfix(PostfixConfig{NextHop: sink.Addr(), Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Dial(p.Plain)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var dialogue strings.Builder
	c.Dialogue = func(who byte, line string) { dialogue.WriteString(string(who) + ": " + line + "\n") }

	message := []byte("From: a@example.com\r\nSubject: =?KOI8-R?B?8NLJ18XU?=\r\n\tfolded \xc1\r\n\r\n.\r\n..two\r\n\xff\r\n" +
		strings.Repeat("long ", 5000) + "\r\nend\r\n")
	step := func(r Reply, err error) Reply {
		t.Helper()
		if err != nil || !r.OK() {
			t.Fatalf("%v %v\n%s", r, err, dialogue.String())
		}
		return r
	}
	step(c.Reply())
	step(c.XClient("ADDR=192.0.2.7", "NAME=mail.example.com"))
	step(c.Cmd("EHLO mail.example.com"))
	step(c.Cmd("MAIL FROM:<a@example.com> BODY=8BITMIME"))
	step(c.Cmd("RCPT TO:<ivan@example.org>"))
	id := step(c.Data(message)).QueueID()

	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if err := sink.Wait(ctx, 1); err != nil {
		t.Fatal(err)
	}
	got := sink.Messages()[0]
	if id == "" || got.QueueID() != id {
		t.Errorf("queue id %q in the reply, %q in the message", id, got.QueueID())
	}
	if got.From != "a@example.com" || len(got.To) != 1 || got.To[0] != "ivan@example.org" {
		t.Errorf("envelope %q %q", got.From, got.To)
	}
	_, rest, _ := bytes.Cut(got.Data, []byte("\r\nFrom:"))
	if want := message[len("From:"):]; !bytes.Equal(rest, want) {
		t.Errorf("delivered %q\nwant %q", rest, want)
	}
	if !bytes.Contains(got.Data, []byte("mail.example.com [192.0.2.7]")) {
		t.Errorf("XCLIENT was not heard: %q", got.Data[:200])
	}
	if err := p.Idle(Patience); err != nil {
		t.Error(err)
	}
}
