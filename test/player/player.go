// Package player plays the MTA of a milter, as fast as it answers, for measurements.
package player

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// perConnection is how many messages come on one connection, as Postfix's smtpd has
// it where clients send several.
const perConnection = 10

// Message is what the MTA says of one message, ready for the wire but for the queue
// id.
type Message struct{ commands []command }

type command struct {
	code  byte
	frame []byte
}

// quiet is the bit of a negotiation by which a milter says that it does not answer to a
// command (SMFIP_NR_*); 0 for none.
func quiet(code byte) uint32 {
	switch code {
	case 'L':
		return 0x80
	case 'C':
		return 0x1000
	case 'H':
		return 0x2000
	case 'M':
		return 0x4000
	case 'R':
		return 0x8000
	case 'T':
		return 0x10000
	case 'N':
		return 0x40000
	case 'B':
		return 0x80000
	}
	return 0
}

// answers tells whether a milter that negotiated so answers to a command.
func answers(code byte, negotiated uint32) bool {
	switch code {
	case 'D', 'A', 'Q':
		return false
	}
	return negotiated&quiet(code) == 0
}

// Play has so many messages judged over so many connections at a time, and says how
// long each took from MAIL to the verdict. Messages follow each other in the order
// given, again and again; next is asked by one connection at a time.
func Play(socket string, connections, messages int, next func() Message) ([]time.Duration, error) {
	var mu sync.Mutex
	took := make([]time.Duration, 0, messages)
	left := messages
	take := func() (m Message, n int) {
		mu.Lock()
		defer mu.Unlock()
		if left == 0 {
			return m, 0
		}
		left--
		return next(), left + 1
	}
	errs := make([]error, connections)
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			for more := true; more && errs[i] == nil; {
				var own []time.Duration
				own, more, errs[i] = session(socket, take)
				mu.Lock()
				took = append(took, own...)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return took, errors.Join(errs...)
}

func appendFrame(b []byte, code byte, data string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)+1))
	return append(append(b, code), data...)
}

// noQueueID stands where the queue id of a message goes.
const noQueueID = "4@@@@@@@@@@"

// session plays messages on one connection; more tells whether there may be others.
func session(socket string, take func() (Message, int)) (took []time.Duration, more bool, err error) {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return nil, false, err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	// Version 6, all edits, all steps.
	if _, err := c.Write(appendFrame(nil, 'O', "\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff")); err != nil {
		return nil, false, err
	}
	_, options, err := reply(r)
	if err != nil {
		return nil, false, err
	}
	if len(options) < 12 {
		return nil, false, fmt.Errorf("%d octets of options", len(options))
	}
	negotiated := binary.BigEndian.Uint32(options[8:])
	var waiting []byte // what no answer is due to goes with what follows
	say := func(code byte, frame []byte) error {
		if waiting = append(waiting, frame...); !answers(code, negotiated) && code != 'Q' {
			return nil
		}
		_, err := c.Write(waiting)
		if waiting = waiting[:0]; err != nil || code == 'Q' {
			return err
		}
		return decided(r)
	}
	for _, hello := range []command{
		{'C', appendFrame(nil, 'C', "mail.example.net\x004\x12\x34192.0.2.7\x00")},
		{'H', appendFrame(nil, 'H', "mail.example.net\x00")},
	} {
		if err := say(hello.code, hello.frame); err != nil {
			return nil, false, err
		}
	}
	for range perConnection {
		m, n := take()
		if n == 0 {
			return took, false, say('Q', appendFrame(nil, 'Q', ""))
		}
		// Two messages of one queue id would be charged once.
		id := fmt.Appendf(nil, "4%010X", n)
		begin := time.Now()
		for _, command := range m.commands {
			frame := command.frame
			if command.code == 'D' {
				frame = bytes.Replace(frame, []byte(noQueueID), id, 1)
			}
			if err := say(command.code, frame); err != nil {
				return took, false, err
			}
		}
		took = append(took, time.Since(begin))
	}
	return took, true, say('Q', appendFrame(nil, 'Q', ""))
}

// decided waits for a decision; edits come before it.
func decided(r *bufio.Reader) error {
	for {
		code, _, err := reply(r)
		if err != nil {
			return err
		}
		if strings.IndexByte("acdrty", code) < 0 {
			continue
		}
		if code != 'c' && code != 'a' {
			return fmt.Errorf("a message was answered with %q", code)
		}
		return nil
	}
}

// mostData is how much a frame has at most, as Postfix sends and takes it.
const mostData = 1 << 20

func reply(r *bufio.Reader) (code byte, data []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 1 || n > mostData {
		return 0, nil, fmt.Errorf("a frame of %d octets", n)
	}
	data = make([]byte, n-1)
	_, err = io.ReadFull(r, data)
	return head[4], data, err
}

// skip is reply for what is not looked at.
func skip(r *bufio.Reader) (code byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, err
	}
	_, err = r.Discard(int(binary.BigEndian.Uint32(head[:])) - 1)
	return head[4], err
}

// Idle is a milter that does nothing but read and answer: the bound.
func Idle(ln net.Listener) {
	const silent = 0x0f7180 // no replies but to RCPT and the end of a message
	negotiated := appendFrame(nil, 'O', "\x00\x00\x00\x06\x00\x00\x00\x00"+string([]byte{silent >> 24, silent >> 16 & 0xff, silent >> 8 & 0xff, silent & 0xff}))
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			r := bufio.NewReaderSize(c, 32<<10)
			for {
				code, err := skip(r)
				if err != nil || code == 'Q' {
					return
				}
				switch code {
				case 'O':
					_, err = c.Write(negotiated)
				case 'R':
					_, err = c.Write([]byte{0, 0, 0, 1, 'c'})
				case 'E':
					_, err = c.Write([]byte{0, 0, 0, 1, 'a'})
				}
				if err != nil {
					return
				}
			}
		}()
	}
}
