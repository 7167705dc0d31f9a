package spamassassin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// server answers each connection with script, until the test ends.
func server(t *testing.T, script func(net.Conn)) *Inspector {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			script(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return inspector(t, "tcp:"+l.Addr().String())
}

// question reads a whole one.
func question(conn net.Conn) (line string, header textproto.MIMEHeader, message []byte) {
	in := bufio.NewReader(conn)
	r := textproto.NewReader(in)
	line, err := r.ReadLine()
	if err != nil {
		return
	}
	if header, err = r.ReadMIMEHeader(); err != nil {
		return
	}
	n, _ := strconv.Atoi(header.Get("Content-length"))
	message = make([]byte, n)
	n, _ = io.ReadFull(in, message)
	return line, header, message[:n]
}

func TestQuestion(t *testing.T) {
	t.Parallel()
	type asked struct {
		line    string
		header  textproto.MIMEHeader
		message []byte
	}
	got := make(chan asked, 1)
	i := server(t, func(c net.Conn) {
		line, header, message := question(c)
		got <- asked{line, header, message}
		io.WriteString(c, good)
	})
	i.user = "debian-spamd"
	text := subject("x") + "\x00\xff\r\n.\r\n"
	e := envelope()
	e.TLSVersion = "TLSv1.3"
	if _, err := i.Inspect(limit(t), &module.Message{Envelope: e, Stash: stash(t, text)}); err != nil {
		t.Fatal(err)
	}
	const hop = "Return-Path: <a+b@example.com>\r\n" +
		"Received: from mail.example.com (mail.example.com [192.0.2.7])\r\n" +
		"\tby gw1.test (Postfix) with ESMTPS id 4XyZ1a2b3c\r\n" +
		"\t(envelope-from <a+b@example.com>);\r\n" +
		"\tMon, 23 Nov 2026 10:00:00 +0000\r\n"
	a := <-got
	if a.line != "SYMBOLS SPAMC/1.5" || a.header.Get("User") != "debian-spamd" || len(a.header) != 2 || string(a.message) != hop+text {
		t.Errorf("%q %q\n%q", a.line, a.header, a.message)
	}
}

func TestServers(t *testing.T) {
	t.Parallel()
	reply := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			question(c)
			io.WriteString(c, text)
		}
	}
	for _, tt := range []struct {
		name   string
		script func(net.Conn)
		want   string
	}{
		{"says nothing", reply(""), errEarly.Error()},
		{"closes at once", func(net.Conn) {}, ""},
		{"no result", reply("SPAMD/1.1 0 EX_OK\r\n"), "cut off"},
		{"garbage", reply("HTTP/1.1 200 OK\r\n\r\n"), errAnswer.Error()},
		{"refuses", reply("SPAMD/1.0 76 Bad header line: (Content-Length mismatch)\r\n"), "76 Bad header line: (Content-Length"},
		{"time-out", reply("SPAMD/1.0 79 Timeout: (30 second timeout)\r\n"), "79 Timeout"},
		{"more", reply(good + "x"), "length"},
		{"twice", reply(good + good), "length"},
		{"endless", func(c net.Conn) {
			question(c)
			for {
				if _, err := c.Write(bytes.Repeat([]byte("SPAMD/1.1 0 EX_OK\r\n"), 1000)); err != nil {
					return
				}
			}
		}, errLong.Error()},
		{"refuses before it has read", func(c net.Conn) {
			io.WriteString(c, "SPAMD/1.0 76 Bad header line: no room\r\n")
			io.CopyN(io.Discard, c, 1000)
		}, ""},
		{"answers before it has read", func(c net.Conn) {
			io.WriteString(c, good)
			io.CopyN(io.Discard, c, 1000)
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i := server(t, tt.script)
			// More than socket buffers take.
			text := subject("x") + strings.Repeat(strings.Repeat("x", 98)+"\r\n", 200_000)
			f, err := i.Inspect(limit(t), &module.Message{Envelope: envelope(), Stash: stash(t, text)})
			if err == nil || !strings.Contains(err.Error(), tt.want) || f.Action != "" {
				t.Errorf("%+v, %v", f, err)
			}
		})
	}
	t.Run("ping", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"", "PONG\r\n", "SPAMD/1.5 0 PONG", "SPAMD/1.5 0 EX_OK\r\n", "SPAMD/1.0 76 PONG\r\n", good} {
			i := server(t, func(c net.Conn) {
				bufio.NewReader(c).ReadString('\n')
				io.WriteString(c, text)
			})
			if err := i.Ping(limit(t)); err == nil {
				t.Errorf("%q is a pong", text)
			}
		}
	})
}

// Whatever the server does not do, the end of the context ends it.
func TestPatience(t *testing.T) {
	t.Parallel()
	for name, hang := range map[string]func(net.Conn){
		"reads nothing":   func(net.Conn) {},
		"answers nothing": func(c net.Conn) { question(c) },
		"answers half": func(c net.Conn) {
			question(c)
			io.WriteString(c, "SPAMD/1.1 0 EX_OK\r\nContent-length: 5\r\n")
		},
		"does not hang up": func(c net.Conn) {
			question(c)
			io.WriteString(c, good)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			over := errors.New("over")
			i := server(t, func(c net.Conn) {
				time.AfterFunc(20*time.Millisecond, func() { cancel(over) })
				hang(c)
				<-ctx.Done()
			})
			text := subject("x") + strings.Repeat(strings.Repeat("x", 98)+"\r\n", 200_000)
			f, err := i.Inspect(ctx, &module.Message{Stash: stash(t, text)})
			if !errors.Is(err, over) || f.Action != "" {
				t.Errorf("%+v, %v", f, err)
			}
		})
	}
}
