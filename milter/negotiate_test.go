package milter

import (
	"strings"
	"testing"

	gomilter "github.com/d--j/go-milter"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

func TestAgree(t *testing.T) {
	const (
		edits = gomilter.OptAddHeader | gomilter.OptChangeHeader | gomilter.OptQuarantine
		all   = gomilter.OptProtocol(0x1fffff)
		ours  = gomilter.OptHeaderLeadingSpace | gomilter.OptRcptRej | gomilter.OptNoUnknown
		nr    = gomilter.OptNoReplies &^ gomilter.OptNoRcptReply
	)
	tests := []struct {
		name        string
		offered     agreement
		wants       gate.Wants
		replyToData bool
		want        agreement
	}{
		{"Postfix", agreement{6, 0x1ff, all}, gate.Wants{}, false, agreement{6, edits | gomilter.OptSetMacros, ours | nr}},
		{"a newer version", agreement{99, 0x1ff, all}, gate.Wants{}, false, agreement{6, edits | gomilter.OptSetMacros, ours | nr}},
		{"everything set", agreement{6, ^gomilter.OptAction(0), ^gomilter.OptProtocol(0)}, gate.Wants{}, false, agreement{6, edits | gomilter.OptSetMacros, ours | nr}},
		{"TCP without quick acknowledgements", agreement{6, 0x1ff, all}, gate.Wants{}, true, agreement{6, edits | gomilter.OptSetMacros, (ours | nr) &^ gomilter.OptNoDataReply}},
		{"MAIL is answered", agreement{6, 0x1ff, all}, gate.Wants{MailFrom: true}, false, agreement{6, edits | gomilter.OptSetMacros, (ours | nr) &^ gomilter.OptNoMailReply}},
		{"everything is answered", agreement{6, 0x1ff, all}, gate.Wants{Connect: true, Helo: true, MailFrom: true, Data: true, Header: true, Headers: true, Body: true}, false, agreement{6, edits | gomilter.OptSetMacros, ours | gomilter.OptNoUnknownReply}},
		{"no leading space", agreement{6, 0x1ff, all &^ gomilter.OptHeaderLeadingSpace}, gate.Wants{}, false, agreement{6, edits | gomilter.OptSetMacros, (ours | nr) &^ gomilter.OptHeaderLeadingSpace}},
		{"version 2", agreement{2, 0x3f, 0x7f}, gate.Wants{}, false, agreement{2, edits, 0}},
		{"nothing offered", agreement{6, 0, 0}, gate.Wants{}, false, agreement{6, 0, 0}},
	}
	for _, tt := range tests {
		if got := agree(tt.offered, tt.wants, tt.replyToData); got != tt.want {
			t.Errorf("%s: %d %v %v, want %d %v %v", tt.name, got.version, got.actions, got.protocol, tt.want.version, tt.want.actions, tt.want.protocol)
		}
	}
}

func TestNegotiation(t *testing.T) {
	r := start(t, newFake(), Options{})
	m := r.dial()
	m.say('O', postfixOffer)
	p := m.hear()
	for _, want := range []string{
		"\x00\x00\x00\x00{client_resolve}\x00", "\x00\x00\x00\x01{tls_version}\x00", "\x00\x00\x00\x02i {auth_type} {auth_authen} {tls_version} {mail_addr}\x00",
		"\x00\x00\x00\x03i {rcpt_mailer} {rcpt_host} {rcpt_addr}\x00", "\x00\x00\x00\x04i\x00", "\x00\x00\x00\x05\x00", "\x00\x00\x00\x06\x00",
	} {
		if !strings.Contains(p[13:], want) {
			t.Errorf("macro lists %q lack %q", p[13:], want)
		}
	}
	// An MTA that takes no lists gets none.
	m = r.dial()
	m.say('O', offer(6, 0x3f, 0x1fffff))
	if p := m.hear(); len(p) != 13 {
		t.Errorf("negotiation answered with %q", p)
	}
	if log := r.log.String(); strings.Contains(log, "WARN") {
		t.Errorf("logged: %s", log)
	}
	// One that does not allow what a policy may need works, and is named.
	m = r.dial()
	m.negotiate(offer(6, 0, 0x1fffff))
	if log := r.log.String(); strings.Count(log, "WARN") != 1 || !strings.Contains(log, "OptQuarantine") {
		t.Errorf("logged: %s", log)
	}
}
