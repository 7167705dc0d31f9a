package clamav

import (
	"errors"
	"net"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, virus, err string }{
		{"stream: OK", "", ""},
		{"stream: Win.Test.EICAR_HDB-1 FOUND", "Win.Test.EICAR_HDB-1", ""},
		{"stream: Eicar.UNOFFICIAL(44d88612fea8a8f36de82e1278abb02f:68) FOUND", "Eicar.UNOFFICIAL", ""},
		{"stream: Odd:Name FOUND", "Odd:Name", ""},
		{"stream: Name(of:kind)x FOUND", "Name(of:kind)x", ""},
		{"stream: (only:detail) FOUND", "(only:detail)", ""},
		{"stream: Tab\there\x00\xff FOUND", "Tab?here??", ""},
		{"stream: " + strings.Repeat("x", 300) + " FOUND", strings.Repeat("x", 200), ""},
		{"stream: OK FOUND", "OK", ""},

		{"", "", `unintelligible reply ""`},
		{"OK", "", `unintelligible reply "OK"`},
		{"stream: ok", "", "unintelligible"},
		{"stream:OK", "", "unintelligible"},
		{"stream: what OK", "", "unintelligible"},
		{"other: OK", "", "unintelligible"},
		{"stream: OK OK", "", "unintelligible"},
		{"stream: FOUND", "", "unintelligible"},
		{"stream:  FOUND", "", "unintelligible"},
		{"FOUND", "", "unintelligible"},
		{"PONG", "", "unintelligible"},
		{"\x00\x01\r<html>", "", `unintelligible reply "???<html>"`},
		{"stream: Can't allocate memory ERROR", "", `says "stream: Can't allocate memory"`},
		{"COMMAND READ TIMED OUT ERROR", "", `says "COMMAND READ TIMED OUT"`},
		{"INSTREAM size limit exceeded. ERROR", "", "StreamMaxLength"},
	} {
		virus, err := parse(c.line)
		if virus != c.virus || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("parse(%q) = %q, %v; want %q, %q", c.line, virus, err, c.virus, c.err)
		}
	}
	if _, err := parse("INSTREAM size limit exceeded. ERROR"); !errors.Is(err, ErrStreamLimit) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range []string{"stream: OK", "stream: X FOUND", "stream: X(a:1) FOUND", "stream: x ERROR", "stream: \xd0 FOUND", ": OK"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		virus, err := parse(line)
		if err == nil && virus == "" && line != "stream: OK" {
			t.Errorf("%q is taken as clean", line)
		}
		if err != nil && virus != "" {
			t.Errorf("both %q and %v", virus, err)
		}
		for _, r := range virus {
			if r < ' ' || r > '~' {
				t.Errorf("name %q", virus)
			}
		}
	})
}

// Whatever octets come back for a stream: the message is clean only where the
// first line says so and there is no second.
func FuzzReply(f *testing.F) {
	for _, reply := range []string{"stream: OK\n", "stream: OK", "stream: X FOUND\n", "stream: OK\nstream: X FOUND\n", "\n\n\n", "\x00", ""} {
		f.Add(reply)
	}
	reply := make(chan string, 1)
	s := serve(f, func(conn net.Conn) { answering(<-reply)(conn) })
	f.Fuzz(func(t *testing.T, text string) {
		reply <- text
		virus, err := s.scan(t.Context(), message("Subject: x\r\n\r\n"))
		first, rest, whole := strings.Cut(text, "\n")
		ok := whole && strings.TrimRight(first, " \t\r\n") == "stream: OK" && !strings.Contains(rest, "\n")
		if clean := err == nil && virus == ""; clean != ok {
			t.Errorf("reply %q gives %q, %v", text, virus, err)
		}
	})
}
