package harness

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"

	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// Delivered is a message that arrived at the next hop.
type Delivered struct {
	From string   // without angle brackets
	To   []string // in the order of their RCPT commands
	Data []byte   // with CR LF, dots unstuffed
}

var receivedID = regexp.MustCompile(`(?sm)^Received:.*?\bid ([0-9A-Za-z]+)`)

// QueueID is the queue id under which Postfix took the message: its own Received
// field is the topmost. Only an Authentication-Results of ours may stand above.
func (d *Delivered) QueueID() string {
	m := receivedID.FindSubmatch(d.Data)
	if m == nil {
		return ""
	}
	return string(m[1])
}

// Sink is an SMTP server that keeps what it gets: the next hop of a Postfix
// instance.
type Sink struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu       sync.Mutex
	messages []*Delivered
	refused  map[string]string // replies to recipients
	asked    []string          // recipients, of transactions without a message too
	conns    map[net.Conn]bool
	news     chan struct{} // closed and made anew at each message
}

// Sink starts a sink on a free port of loopback.
func (s *Sandbox) Sink() (*Sink, error) {
	l, err := net.Listen("tcp", Loopback(0))
	if err != nil {
		return nil, fmt.Errorf("harness: sink: %w", err)
	}
	k := &Sink{listener: l, conns: make(map[net.Conn]bool), refused: make(map[string]string), news: make(chan struct{})}
	k.wg.Go(k.accept)
	s.OnClose(k.close)
	return k, nil
}

// Addr is where the sink listens, host:port.
func (k *Sink) Addr() string { return k.listener.Addr().String() }

// Messages are all that arrived, in that order.
func (k *Sink) Messages() []*Delivered {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]*Delivered(nil), k.messages...)
}

// Wait waits until n messages have arrived.
func (k *Sink) Wait(ctx context.Context, n int) error {
	for {
		k.mu.Lock()
		have, news := len(k.messages), k.news
		k.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("harness: sink has %d messages of %d: %w", have, n, ctx.Err())
		}
	}
}

func (k *Sink) close() error {
	err := k.listener.Close()
	k.mu.Lock()
	for c := range k.conns {
		c.Close()
	}
	k.mu.Unlock()
	k.wg.Wait()
	return err
}

func (k *Sink) accept() {
	for {
		conn, err := k.listener.Accept()
		if err != nil {
			return // closed
		}
		k.mu.Lock()
		k.conns[conn] = true
		k.mu.Unlock()
		k.wg.Go(func() {
			k.serve(conn)
			k.mu.Lock()
			delete(k.conns, conn)
			k.mu.Unlock()
			conn.Close()
		})
	}
}

// serve speaks just as much SMTP as Postfix's client needs. The extensions it
// announces keep Postfix from converting anything. What ends the connection
// is no matter: Postfix would try again.
func (k *Sink) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 sink.test ESMTP")
	var m *Delivered
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, ":")
		switch strings.ToUpper(verb) {
		case "MAIL FROM":
			m = &Delivered{From: path(rest)}
			say("250 2.1.0 ok")
		case "RCPT TO":
			reply := k.answer(path(rest))
			if strings.HasPrefix(reply, "2") {
				m.To = append(m.To, path(rest))
			}
			say(reply)
		case "DATA":
			if len(m.To) == 0 {
				say("554 5.5.1 no valid recipients")
				continue
			}
			say("354 go on")
			if m.Data, err = unstuff(in); err != nil {
				return
			}
			k.keep(m)
			say("250 2.0.0 kept")
		case "QUIT":
			say("221 2.0.0 bye")
			return
		default:
			if strings.HasPrefix(strings.ToUpper(verb), "EHLO") {
				say("250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8")
				continue
			}
			say("250 2.0.0 ok")
		}
	}
}

// Refuse has the sink say this to a recipient from now on.
func (k *Sink) Refuse(recipient, reply string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refused[recipient] = reply
}

// Asked are all recipients that the sink was asked for, in that order.
func (k *Sink) Asked() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.asked...)
}

func (k *Sink) answer(recipient string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = append(k.asked, recipient)
	if reply := k.refused[recipient]; reply != "" {
		return reply
	}
	return "250 2.1.5 ok"
}

func (k *Sink) keep(m *Delivered) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.messages = append(k.messages, m)
	close(k.news)
	k.news = make(chan struct{})
}

// path is the address in "<a@b> SIZE=1".
func path(s string) string {
	s = strings.TrimLeft(s, " <")
	n := lexical.Quoted(s) // a bracket may stand in it
	rest, _, _ := strings.Cut(s[n:], ">")
	return s[:n] + rest
}

var errBareLF = errors.New("harness: line without CR LF")

func unstuff(in *bufio.Reader) ([]byte, error) {
	var out bytes.Buffer
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		if !bytes.HasSuffix(line, []byte("\r\n")) {
			return nil, errBareLF
		}
		if string(line) == ".\r\n" {
			return out.Bytes(), nil
		}
		out.Write(bytes.TrimPrefix(line, []byte(".")))
	}
}
