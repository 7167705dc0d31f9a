package milter

import (
	"bytes"
	"encoding/binary"
	"strings"

	gomilter "github.com/d--j/go-milter"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// macroRequests are the macros asked for, by stage: those that are used, and
// an empty list where none is, so that Postfix does not send its defaults with
// every header field. Postfix knows the queue id from the second recipient on,
// and always at DATA; Sendmail at MAIL.
func macroRequests() map[gomilter.MacroStage]string {
	return map[gomilter.MacroStage]string{
		gomilter.StageConnect: "{client_resolve}",
		gomilter.StageHelo:    "{tls_version}",
		gomilter.StageMail:    "i {auth_type} {auth_authen} {tls_version} {mail_addr}",
		gomilter.StageRcpt:    "i {rcpt_mailer} {rcpt_host} {rcpt_addr}",
		gomilter.StageData:    "i",
		gomilter.StageEOM:     "",
		gomilter.StageEOH:     "",
	}
}

// macroLists are the requests as the answer to a negotiation has them: of each
// stage its number, and the names with a NUL.
func macroLists() (lists []byte) {
	requests := macroRequests()
	for stage := range gomilter.StageEndMarker {
		if names, ok := requests[stage]; ok {
			lists = binary.BigEndian.AppendUint32(lists, uint32(stage))
			lists = append(append(lists, names...), 0)
		}
	}
	return lists
}

// macros are what the MTA told beside its commands, taken as it arrives.
type macros struct {
	queueID string
	// Of the SMTP session.
	clientResolve string
	heloTLS       string // when it said HELO
	// Of the next MAIL.
	authType, authUser, tlsVersion, mailAddr string
	// Of the next RCPT.
	rcptMailer, rcptHost, rcptText string
}

// takeMacros takes a checked macro frame: a command letter, then names and
// values.
func (s *session) takeMacros(data []byte) {
	if len(data) < 2 {
		return
	}
	stage := data[0]
	switch stage {
	case cmdMail:
		s.macros.queueID = "" // that of the message before
	case cmdHeader, cmdBody, cmdEndHeader, cmdEnd:
		// Nothing but the queue id is of use here, and it is known.
		if s.macros.queueID != "" {
			return
		}
	}
	if stage == cmdHelo {
		s.macros.tlsVersion = ""
	}
	known := s.macros.queueID
	for data = data[1:]; len(data) > 0; {
		n := bytes.IndexByte(data, 0)
		v := n + 1 + bytes.IndexByte(data[n+1:], 0)
		s.macros.take(data[:n], data[n+1:v], &s.envelope)
		data = data[v+1:]
	}
	if s.msg != nil && stage != cmdMail && s.macros.queueID != known {
		defer s.contentFault(rules.Headers)
		s.msg.QueueID(s.macros.queueID)
	}
}

func (m *macros) take(name, value []byte, of *kept) {
	// Names of one letter come with or without braces.
	if len(name) > 2 && name[0] == '{' && name[len(name)-1] == '}' {
		name = name[1 : len(name)-1]
	}
	switch string(name) {
	case "i":
		if string(value) != m.queueID {
			m.queueID = of.one(value)
		}
	case "client_resolve":
		m.clientResolve = string(value)
	case "auth_type":
		m.authType = string(value)
	case "auth_authen":
		m.authUser = string(value)
	case "tls_version":
		m.tlsVersion = string(value)
	case "mail_addr":
		m.mailAddr = of.one(value)
	case "rcpt_mailer":
		m.rcptMailer = of.one(value)
	case "rcpt_host":
		m.rcptHost = of.one(value)
	case "rcpt_addr":
		m.rcptText = of.one(value)
	}
}

// resolve is what the MTA says of the client's name.
func (m *macros) resolve() string { return strings.ToLower(m.clientResolve) }

// envelope has what the macros say of a message.
func (m *macros) envelope() gate.Envelope {
	return gate.Envelope{
		QueueID: m.queueID, TLSVersion: m.tlsVersion, AuthType: m.authType, AuthUser: m.authUser,
		Resolved: m.mailAddr,
	}
}

// clearMail forgets what was told for one MAIL: the MTA tells it for each.
func (m *macros) clearMail() { m.authType, m.authUser, m.tlsVersion, m.mailAddr = "", "", "", "" }

func (m *macros) clearRcpt() { m.rcptMailer, m.rcptHost, m.rcptText = "", "", "" }

// refused is what the MTA itself answers to a recipient, nil where it takes
// it. Postfix and Sendmail tell it as mailer "error", the enhanced code as
// host and the text as address.
func (m *macros) refused() *gate.Reply {
	if m.rcptMailer != "error" {
		return nil
	}
	r := &gate.Reply{Code: 550, Enhanced: m.rcptHost, Text: printable(m.rcptText)}
	switch {
	case !isEnhanced(m.rcptHost):
		r.Enhanced = ""
		if m.rcptHost != "" {
			r.Text = printable(m.rcptHost + " " + m.rcptText)
		}
	case m.rcptHost[0] == '4':
		r.Code = 450
	}
	return r
}

// resolved is the recipient's address as the MTA resolved it; "" where it did
// not say, or says why it refuses instead.
func (m *macros) resolved() string {
	if m.rcptMailer == "error" {
		return ""
	}
	return m.rcptText
}

// isEnhanced tells whether s is an enhanced status code of a refusal (RFC
// 3463 §2).
func isEnhanced(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || parts[0] != "4" && parts[0] != "5" {
		return false
	}
	for _, p := range parts {
		if len(p) == 0 || len(p) > 3 || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}

// printable bounds what the MTA said to ASCII of a reply line's length.
func printable(s string) string {
	const most = 480
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f:
			return -1
		case r > '~':
			return '?'
		}
		return r
	}, s)
	if len(s) > most {
		s = s[:most]
	}
	return s
}
