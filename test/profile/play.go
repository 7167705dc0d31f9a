package main

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
	"sync/atomic"
)

// perConnection is how many messages come on one connection, as Postfix's smtpd has
// it where clients send several.
const perConnection = 10

// play has so many messages judged over so many connections at a time.
func play(socket string, connections, messages int) error {
	var left atomic.Int64
	left.Store(int64(messages))
	errs := make([]error, connections)
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			for errs[i] == nil && left.Load() > 0 {
				errs[i] = session(socket, &left)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func appendFrame(b []byte, code byte, data string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)+1))
	return append(append(b, code), data...)
}

// noQueueID stands where the queue id of a message goes.
const noQueueID = "4@@@@@@@@@@"

// message is what Postfix says of one: what waits for a reply ends a turn.
func message() (turns [][]byte) {
	var b []byte
	say := func(code byte, data string) { b = appendFrame(b, code, data) }
	turn := func() { turns, b = append(turns, b), nil }
	say('D', "M{mail_addr}\x00bounce@mail.example.net\x00")
	say('M', "<bounce@mail.example.net>\x00SIZE=8192\x00BODY=8BITMIME\x00")
	for i := range 2 {
		to := fmt.Sprintf("user%d@example.org", i)
		say('D', "R{rcpt_addr}\x00"+to+"\x00{rcpt_host}\x00example.org\x00{rcpt_mailer}\x00smtp\x00")
		say('R', "<"+to+">\x00")
		turn()
	}
	say('D', "Ti\x00"+noQueueID+"\x00")
	say('T', "")
	field := func(name, value string) { say('L', name+"\x00 "+value+"\x00") }
	for i := range 4 {
		field("Received", fmt.Sprintf("from relay%d.example.net (relay%d.example.net [192.0.2.%d])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n\tby mx%d.example.org (Postfix) with ESMTPS id 4ABC%d\n\tfor <user0@example.org>; Mon, 23 Nov 2026 08:10:%02d +0000 (UTC)", i, i, i, i, i, i))
	}
	field("From", "=?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <juergen@example.net>")
	field("To", "\"User, First\" <user0@example.org>")
	field("Subject", "=?utf-8?Q?Quartals=C3=BCbersicht_f=C3=BCr_die_Region_Nord?=\n =?utf-8?B?4oCTIHRoZSByZXBvcnQg4oSWMTc=?=")
	field("Date", "Mon, 23 Nov 2026 08:10:17 +0000")
	field("Message-ID", "<1.2.JavaMail.app@mail.example.net>")
	field("Content-Type", "multipart/alternative;\n\tboundary=\"----=_Part_1_2.3\"")
	for i := range 15 {
		field(fmt.Sprintf("X-Custom-Field-%d", i), "some words of an ordinary length")
	}
	say('N', "")
	say('B', strings.Repeat("A line of text as they are in mail, of seventy octets or so.\r\n", 132))
	say('E', "")
	turn()
	say('A', "")
	turn()
	return turns
}

// session plays messages on one connection.
func session(socket string, left *atomic.Int64) error {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	begin := appendFrame(nil, 'O', "\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff")
	if _, err := c.Write(begin); err != nil {
		return err
	}
	if _, err := reply(r); err != nil {
		return err
	}
	hello := appendFrame(nil, 'C', "mail.example.net\x004\x12\x34192.0.2.7\x00")
	hello = appendFrame(hello, 'H', "mail.example.net\x00")
	if _, err := c.Write(hello); err != nil {
		return err
	}
	turns := message()
	id := turns[len(turns)-2]
	id = id[bytes.Index(id, []byte(noQueueID)):][:len(noQueueID)]
	for range perConnection {
		n := left.Add(-1)
		if n < 0 {
			break
		}
		// Two messages of one queue id would be charged once.
		copy(id, fmt.Sprintf("4%010X", n))
		for i, turn := range turns {
			if _, err := c.Write(turn); err != nil {
				return err
			}
			if i == len(turns)-1 { // the abort has no answer
				break
			}
			for {
				code, err := reply(r)
				if err != nil {
					return err
				}
				if strings.IndexByte("acrty", code) >= 0 { // a decision, not an edit
					if code != 'c' && code != 'a' {
						return fmt.Errorf("a message was answered with %q", code)
					}
					break
				}
			}
		}
	}
	_, err = c.Write(appendFrame(nil, 'Q', ""))
	return err
}

func reply(r *bufio.Reader) (code byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, err
	}
	_, err = r.Discard(int(binary.BigEndian.Uint32(head[:])) - 1)
	return head[4], err
}

// idle is a milter that does nothing but read and answer: the bound.
func idle(ln net.Listener) {
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
				code, err := reply(r)
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
