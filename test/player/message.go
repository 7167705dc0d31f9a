package player

import (
	"bytes"
	"fmt"
	"strings"
)

// script is a Message in the making.
type script struct{ commands []command }

func (s *script) say(code byte, data string) {
	s.commands = append(s.commands, command{code, appendFrame(nil, code, data)})
}

func (s *script) field(name, value string) { s.say('L', name+"\x00"+value+"\x00") }

// envelope is what is said before the header: two recipients of one domain.
func (s *script) envelope(sender, first string) {
	s.say('D', "M{mail_addr}\x00"+sender+"\x00")
	s.say('M', "<"+sender+">\x00SIZE=8192\x00BODY=8BITMIME\x00")
	for i := range 2 {
		to := fmt.Sprintf("%s%d@example.org", first, i)
		s.say('D', "R{rcpt_addr}\x00"+to+"\x00{rcpt_host}\x00example.org\x00{rcpt_mailer}\x00smtp\x00")
		s.say('R', "<"+to+">\x00")
	}
	s.say('D', "Ti\x00"+noQueueID+"\x00")
	s.say('T', "")
}

func (s *script) end(body string) Message {
	s.say('N', "")
	for len(body) > 0 { // Postfix sends at most so much at once
		n := min(len(body), 65535)
		s.say('B', body[:n])
		body = body[n:]
	}
	s.say('E', "")
	s.say('A', "")
	return Message{s.commands}
}

// Ordinary is a message of 25 header fields, four of them Received, and a body of
// 8 KiB.
func Ordinary() Message {
	s := &script{}
	s.envelope("bounce@mail.example.net", "user")
	field := func(name, value string) { s.field(name, " "+value) }
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
	return s.end(strings.Repeat("A line of text as they are in mail, of seventy octets or so.\r\n", 132))
}

// Mail is a message as it stands in a file, its lines ended by CR LF, from sender to
// two recipients at example.org whose names begin so.
func Mail(text []byte, sender, first string) (Message, error) {
	header, body, ok := bytes.Cut(text, []byte("\r\n\r\n"))
	if !ok {
		return Message{}, fmt.Errorf("a message without the end of its header")
	}
	s := &script{}
	s.envelope(sender, first)
	lines := strings.Split(string(header), "\r\n")
	for i := 0; i < len(lines); {
		name, value, ok := strings.Cut(lines[i], ":")
		if !ok {
			return Message{}, fmt.Errorf("no header field: %q", lines[i])
		}
		for i++; i < len(lines) && strings.HasPrefix(lines[i], "\t") || i < len(lines) && strings.HasPrefix(lines[i], " "); i++ {
			value += "\n" + lines[i]
		}
		s.field(name, value)
	}
	return s.end(string(body)), nil
}
