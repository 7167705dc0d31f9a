package moduletest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// toy is an inspector for a toy of a protocol: lines "+" before pieces of the
// message with their length, a line "." at its end; "OK" or "FOUND name" back.
// Its faults can be chosen.
type toy struct {
	network, address string
	fault            fault
	mu               sync.Mutex
	conns            []net.Conn
	last             []byte          // piece of a message
	over             <-chan struct{} // until when something left behind stays
}

type fault string

const (
	none          fault = ""
	closeIsClean  fault = "takes a close for a clean message"
	ignoresReads  fault = "takes any error of reading for the end"
	ignoresWrites fault = "does not mind that sending fails"
	deaf          fault = "does not listen to its context"
	anyLength     fault = "reads a line of any length"
	cutLine       fault = "takes a line without its end"
	anyLine       fault = "takes what it does not know for clean"
	earlyBird     fault = "takes an answer before the end"
	keeps         fault = "leaves connections open"
	leaves        fault = "leaves a goroutine behind"
	mixes         fault = "mixes messages up"
	closes        fault = "closes connections in use"
	pongless      fault = "takes any ping for good"
)

func (t *toy) dial(ctx context.Context) (net.Conn, func(), error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, t.network, t.address)
	if err != nil {
		return nil, nil, err
	}
	t.mu.Lock()
	t.conns = append(t.conns, conn)
	t.mu.Unlock()
	stop := func() bool { return true }
	if t.fault != deaf {
		stop = context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	}
	if t.fault == leaves {
		go func() { <-t.over }()
	}
	return conn, func() {
		stop()
		if t.fault != keeps {
			conn.Close()
		}
	}, nil
}

func (t *toy) line(conn net.Conn) (string, error) {
	r := bufio.NewReaderSize(conn, 100)
	var line []byte
	var err error
	if t.fault == anyLength {
		line, err = r.ReadBytes('\n')
	} else {
		line, err = r.ReadSlice('\n')
	}
	switch {
	case t.fault == closeIsClean && len(line) == 0 && err == io.EOF:
		return "OK\n", nil
	case t.fault == cutLine && err == io.EOF:
		return string(line) + "\n", nil
	}
	return string(line), err
}

func (t *toy) Inspect(ctx context.Context, m *module.Message) (module.Finding, error) {
	conn, done, err := t.dial(ctx)
	if err != nil {
		return module.Finding{}, err
	}
	defer done()
	early := make(chan string, 1)
	if t.fault == earlyBird {
		go func() {
			line, err := t.line(conn)
			if err == nil {
				early <- line
			}
			close(early)
		}()
	}
	r, p := m.Stash.Open(ctx), make([]byte, 8<<10)
	for {
		n, err := r.Read(p)
		if err == io.EOF || err != nil && t.fault == ignoresReads {
			break
		}
		if err != nil {
			return module.Finding{}, err
		}
		if t.fault == mixes {
			t.mu.Lock()
			copy(p[:n], t.last)
			t.last = bytes.Clone(p[:n])
			t.mu.Unlock()
		}
		if _, err := fmt.Fprintf(conn, "+%d\n%s", n, p[:n]); err != nil && t.fault != ignoresWrites {
			return module.Finding{}, err
		}
		if t.fault == earlyBird && len(early) > 0 {
			return t.finding(<-early)
		}
	}
	_, err = io.WriteString(conn, ".\n")
	if t.fault == ignoresWrites && err != nil {
		return module.Finding{}, nil
	}
	if t.fault == earlyBird {
		return t.finding(<-early)
	}
	line, err := t.line(conn)
	if err != nil {
		return module.Finding{}, err
	}
	return t.finding(line)
}

func (t *toy) finding(line string) (module.Finding, error) {
	line, ended := strings.CutSuffix(line, "\n")
	name, found := strings.CutPrefix(line, "FOUND ")
	switch {
	case ended && line == "OK" || t.fault == anyLine:
		return module.Finding{}, nil
	case ended && found:
		return module.Finding{Virus: name}, nil
	}
	return module.Finding{}, fmt.Errorf("answer %q", line)
}

func (t *toy) Ping(ctx context.Context) error {
	conn, done, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer done()
	if _, err := io.WriteString(conn, "?\n"); err != nil {
		return err
	}
	line, err := t.line(conn)
	if err == nil && line != "!\n" && t.fault != pongless {
		err = errors.New("strange pong")
	}
	return err
}

func (t *toy) Close() error {
	if t.fault != closes {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, conn := range t.conns {
		conn.Close()
	}
	return nil
}

func toySubject(f fault, over <-chan struct{}) Subject {
	return Subject{
		New: func(network, address string) (module.Inspector, error) {
			return &toy{network: network, address: address, fault: f, over: over}, nil
		},
		Service: &Service{
			Networks: []string{"unix", "tcp"},
			Receive: func(r *bufio.Reader) ([]byte, error) {
				var all bytes.Buffer
				for {
					line, err := r.ReadString('\n')
					if err != nil || line == ".\n" {
						return all.Bytes(), err
					}
					var n int64
					if _, err := fmt.Sscanf(line, "+%d\n", &n); err != nil {
						return nil, err
					}
					if _, err := io.CopyN(&all, r, n); err != nil {
						return nil, err
					}
				}
			},
			Answers:     []Answer{{Text: "OK\n"}, {Text: "FOUND it\n", Finding: module.Finding{Virus: "it"}}},
			ReceivePing: func(r *bufio.Reader) error { _, err := r.ReadString('\n'); return err },
			Pong:        "!\n",
		},
	}
}

func TestGoodInspector(t *testing.T) { Run(t, toySubject(none, nil)) }

// Each fault is found by the checks it should be found by.
func TestFaults(t *testing.T) {
	for fault, checks := range map[fault][]string{
		closeIsClean:  {"no answer", "cut answers"},
		ignoresReads:  {"message given up", "message not kept", "message too large"},
		ignoresWrites: {"hangs up in the message", "resets in the message"},
		deaf:          {"silent", "silent after the message", "silent in the middle of an answer", "ping without an answer"},
		anyLength:     {"endless line", "endless zeros", "endless answer", "endless line to a ping"},
		cutLine:       {"cut answers"},
		anyLine:       {"garbage, empty line", "garbage, number", "garbage, before an answer"},
		earlyBird:     {"answers in the message, reads on", "answer while the message arrives"},
		keeps:         {"silent"},
		leaves:        {"answers"},
		mixes:         {"many at once"},
		closes:        {"Close cuts nothing off"},
		pongless:      {"ping answered with an empty line"},
	} {
		t.Run(string(fault), func(t *testing.T) {
			s := toySubject(fault, t.Context().Done())
			all := append(messageChecks(), serviceChecks(s.Service)...)
			for _, name := range checks {
				i := slices.IndexFunc(all, func(c check) bool { return c.name == name })
				if i < 0 {
					t.Fatalf("no check %q", name)
				}
				if err := s.try("unix", impatience, all[i]); err == nil {
					t.Errorf("%q finds nothing wrong", name)
				} else {
					t.Logf("%s: %.200v", name, err)
				}
			}
		})
	}
}
