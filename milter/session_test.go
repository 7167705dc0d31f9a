package milter

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

// step is a frame and the packets it is answered with.
type step struct {
	code    byte
	data    string
	replies []string
}

func say(code byte, data string, replies ...string) step { return step{code, data, replies} }

const (
	fromPostfix = "session 192.0.2.7 mail.example.com local=false resolve="
	plainMail   = "mail <a@example.com> size=-1 queue= tls= auth=:"
)

func TestConversations(t *testing.T) {
	body := strings.Repeat("x", 1000)
	tests := []struct {
		name  string
		offer string // Postfix's where empty
		steps []step
		want  []string
	}{
		{
			name: "a message",
			steps: []step{
				say('D', "C{client_resolve}\x00OK\x00{client_ptr}\x00x\x00"), say('C', connectFrame), say('D', "H"), say('H', "me\x00"),
				say('D', "M"), say('M', "<a@example.com>\x00SIZE=100\x00BODY=8BITMIME\x00"),
				say('D', "R{rcpt_mailer}\x00smtp\x00{rcpt_host}\x00example.org\x00{rcpt_addr}\x00b@example.org\x00"), say('R', "<b@example.org>\x00", "c"),
				say('D', "Ri\x004ABC\x00"), say('R', "<c@example.org>\x00NOTIFY=NEVER\x00", "c"),
				say('D', "Ti\x004ABC\x00"), say('T', ""),
				say('D', "L"), say('L', "Subject\x00 hi\x00"), say('D', "L"), say('L', "X-Empty\x00\x00"), say('L', "X-Fold\x00 a\n\tb\x00"),
				say('N', ""), say('B', "one"), say('B', ""), say('B', "two"), say('E', "", "a"), say('A', ""), say('A', ""), say('Q', ""),
			},
			want: []string{
				fromPostfix + "ok", "helo me", "mail <a@example.com> size=100 queue= tls= auth=:", "rcpt <b@example.org> queue=",
				"queue-id 4ABC", "rcpt <c@example.org> queue=4ABC", "header Subject: hi", "header X-Empty:", "header X-Fold: a\n\tb",
				"end-of-header", "body one", "body ", "body two", "complete", "abort", "close",
			},
		},
		{
			name: "two messages: nothing of the first is left",
			steps: []step{
				say('C', connectFrame), say('D', "H{tls_version}\x00TLSv1.3\x00"), say('H', "me\x00"),
				say('D', "M{auth_type}\x00PLAIN\x00{auth_authen}\x00ivan\x00{tls_version}\x00TLSv1.3\x00"), say('M', "<>\x00"),
				say('D', "Ti\x00ONE\x00"), say('T', ""), say('E', "", "a"), say('A', ""),
				say('D', "M{auth_type}\x00PLAIN\x00{auth_authen}\x00ivan\x00"), say('M', "a@example.com\x00SIZE=5\x00"), say('R', "b@example.org\x00", "c"), say('A', ""),
				say('M', "<a@example.com>\x00"), say('R', "<b@example.org>\x00", "c"), say('Q', ""),
			},
			want: []string{
				fromPostfix, "helo me", "mail <> size=-1 queue= tls=TLSv1.3 auth=PLAIN:ivan", "queue-id ONE", "complete", "abort",
				"mail <a@example.com> size=5 queue= tls= auth=PLAIN:ivan", "rcpt <b@example.org> queue=", "abort",
				plainMail, "rcpt <b@example.org> queue=", "close",
			},
		},
		{
			name: "no EHLO after STARTTLS: what was said before is forgotten",
			steps: []step{
				say('C', connectFrame), say('D', "H"), say('H', "me\x00"), say('A', ""),
				say('D', "M{tls_version}\x00TLSv1.3\x00"), say('M', "<>\x00"), say('A', ""),
				say('D', "M{tls_version}\x00TLSv1.3\x00"), say('M', "<>\x00"), say('Q', ""),
			},
			want: []string{
				fromPostfix, "helo me", "abort", "ungreet", "mail <> size=-1 queue= tls=TLSv1.3 auth=:", "abort",
				"mail <> size=-1 queue= tls=TLSv1.3 auth=:", "close",
			},
		},
		{
			name: "EHLO again after STARTTLS, RSET, and a message without RSET",
			steps: []step{
				say('C', connectFrame), say('H', "me\x00"), say('A', ""), say('H', "me2\x00"), say('M', "<a@example.com>\x00"), say('A', ""),
				say('M', "<a@example.com>\x00"), say('H', "me3\x00"), say('M', "<a@example.com>\x00"), say('M', "<a@example.com>\x00"), say('Q', ""),
			},
			want: []string{
				fromPostfix, "helo me", "abort", "helo me2", plainMail, "abort", plainMail, "abort", "helo me3", plainMail, plainMail, "close",
			},
		},
		{
			name: "another SMTP session on the connection",
			steps: []step{
				say('D', "C{client_resolve}\x00OK\x00"), say('C', connectFrame), say('H', "me\x00"), say('M', "<a@example.com>\x00"), say('K', ""),
				say('C', "[192.0.2.8]\x004\x12\x34192.0.2.8\x00"), say('M', "<a@example.com>\x00"), say('Q', ""),
			},
			want: []string{fromPostfix + "ok", "helo me", plainMail, "close", "session 192.0.2.8 unknown local=false resolve=", plainMail, "close"},
		},
		{
			name: "recipients the MTA refuses",
			steps: []step{
				say('C', connectFrame), say('M', "<a@example.com>\x00"),
				say('D', "R{rcpt_mailer}\x00error\x00{rcpt_host}\x005.1.1\x00{rcpt_addr}\x00Recipient address rejected: 100%\x00"), say('R', "<x@example.org>\x00", "c"),
				say('D', "R{rcpt_mailer}\x00error\x00{rcpt_host}\x004.2.1\x00{rcpt_addr}\x00later\r\n\xff\x00"), say('R', "<y@example.org>\x00", "c"),
				say('D', "R{rcpt_mailer}\x00error\x00{rcpt_host}\x00host\x00{rcpt_addr}\x00odd\x00"), say('R', "<z@example.org>\x00", "c"),
				say('R', "<ok@example.org>\x00", "c"), say('Q', ""),
			},
			want: []string{
				fromPostfix, plainMail, "rcpt <x@example.org> queue= refused=550 5.1.1 Recipient address rejected: 100%",
				"rcpt <y@example.org> queue= refused=450 4.2.1 later ?", "rcpt <z@example.org> queue= refused=550 host odd",
				"rcpt <ok@example.org> queue=", "close",
			},
		},
		{
			name: "every stage answered, no leading space, the queue id at MAIL", offer: offer(6, 0x3f, 0),
			steps: []step{
				say('C', connectFrame, "c"), say('H', "me\x00", "c"), say('D', "Mi\x00Q1\x00"), say('M', "<a@example.com>\x00", "c"), say('R', "<b@example.org>\x00", "c"),
				say('U', "FOO\x00", "c"), say('T', "", "c"), say('L', "Subject\x00hi\x00", "c"), say('L', "To\x00 two\x00", "c"), say('N', "", "c"), say('B', body, "c"), say('E', "", "a"), say('Q', ""),
			},
			want: []string{
				fromPostfix, "helo me", "mail <a@example.com> size=-1 queue=Q1 tls= auth=:", "rcpt <b@example.org> queue=Q1",
				"header Subject: hi", "header To:  two", "end-of-header", "body " + body, "complete", "close",
			},
		},
		{
			name: "version 2, with a last piece of the body at its end", offer: offer(2, 0x3f, 0x7f),
			steps: []step{
				say('C', connectFrame, "c"), say('H', "me\x00", "c"), say('M', "<a@example.com>\x00", "c"), say('R', "<b@example.org>\x00", "c"),
				say('N', "", "c"), say('E', "rest", "a"), say('Q', ""),
			},
			want: []string{fromPostfix, "helo me", plainMail, "rcpt <b@example.org> queue=", "end-of-header", "body rest", "complete", "close"},
		},
		{
			name: "out of order: no CONNECT, content and recipients without a message",
			steps: []step{
				say('T', ""), say('L', "A\x00 b\x00"), say('N', ""), say('B', "x"), say('R', "<b@example.org>\x00", "t"), say('E', "", "t"),
				say('H', "me\x00"), say('M', "<a@example.com>\x00"), say('E', "", "a"), say('E', "", "t"), say('Q', ""),
			},
			want: []string{"session invalid IP unknown local=false resolve=", "helo me", plainMail, "complete", "close"},
		},
		{
			name: "macros that nobody asked for",
			steps: []step{
				say('D', "Xi\x00Q\x00"), say('D', "C"), say('D', "Cj\x00mx\x00\x00\x00{}\x00x\x00"), say('C', connectFrame), say('M', "<a@example.com>\x00"),
				say('D', "L{i}\x00Q2\x00"), say('D', "Li\x00Q3\x00"), say('L', "A\x00 b\x00"), say('Q', ""),
			},
			want: []string{fromPostfix, "mail <a@example.com> size=-1 queue=Q tls= auth=:", "header A: b", "close"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake()
			r := start(t, f, Options{})
			m := r.dial()
			if tt.offer == "" {
				tt.offer = postfixOffer
			}
			m.negotiate(tt.offer)
			for _, s := range tt.steps {
				m.say(s.code, s.data)
				m.expect(s.replies...)
			}
			m.expectEnd()
			if d := cmp.Diff(tt.want, f.all()); d != "" {
				t.Errorf("events (-want +got):\n%s", d)
			}
			if log := r.log.String(); strings.Contains(log, "level=WARN") || strings.Contains(log, "level=ERROR") {
				t.Errorf("logged: %s", log)
			}
		})
	}
}

func TestPeers(t *testing.T) {
	tests := []struct{ data, want string }{
		{"mail.example.com\x004\x12\x34192.0.2.7\x00", "192.0.2.7 mail.example.com local=false"},
		{"[192.0.2.7]\x004\x12\x34192.0.2.7\x00", "192.0.2.7 unknown local=false"},
		{"\x004\x12\x34192.0.2.7\x00", "192.0.2.7 unknown local=false"},
		{"x\x006\x12\x34IPv6:2001:db8::7\x00", "2001:db8::7 x local=false"},
		{"x\x006\x12\x34[2001:db8::7]\x00", "2001:db8::7 x local=false"},
		{"x\x006%%fe80::1%eth0\x00", "fe80::1 x local=false"},
		{"x%y\x006\x12\x34IPv6:[fe80::1%eth0]\x00", "fe80::1 x%y local=false"},
		{"x\x006\x12\x34::ffff:192.0.2.7\x00", "192.0.2.7 x local=false"},
		{"localhost\x004\x12\x34127.0.0.1\x00", "127.0.0.1 localhost local=false"},
		{"localhost\x004\x00\x00127.0.0.1\x00", "127.0.0.1 localhost local=true"},
		{"localhost\x006\x00\x00::1\x00", "::1 localhost local=true"},
		{"x\x004\x00\x00192.0.2.7\x00", "192.0.2.7 x local=false"},
		{"localhost\x00L\x00\x00/run/x\x00", "invalid IP localhost local=true"},
		{"localhost\x00U", "invalid IP localhost local=false"},
		{"localhost\x00U\x00\x00\x00", "invalid IP localhost local=false"},
	}
	for _, tt := range tests {
		f := newFake()
		m := start(t, f, Options{}).dial()
		m.negotiate(postfixOffer)
		m.say('C', tt.data)
		if got := f.await(t, "session"); got != "session "+tt.want+" resolve=" {
			t.Errorf("%q: %s, want %s", tt.data, got, tt.want)
		}
	}
}

func TestDeclaredSize(t *testing.T) {
	for args, want := range map[string]int64{
		"": -1, "SIZE=100": 100, "BODY=8BITMIME size=0": 0, "SIZE=": -1, "SIZE=-1": -1, "SIZE=x": -1, "SIZE": -1,
		"SIZE=99999999999999999999": -1, "SIZE=18446744073709551615": 1<<63 - 1, "XSIZE=1": -1,
	} {
		if got := declaredSize(args); got != want {
			t.Errorf("%q: %d, want %d", args, got, want)
		}
	}
}

func TestReplies(t *testing.T) {
	tests := []struct {
		reply gate.Reply
		want  string
	}{
		{gate.Reply{Code: 550, Enhanced: "5.7.1", Text: "No"}, "y550 5.7.1 No\x00"},
		{gate.Reply{Code: 450, Text: "Later"}, "y450 Later\x00"},
		{gate.Reply{Code: 550, Enhanced: "5.7.1", Text: "100% %s %%"}, "y550 5.7.1 100%% %%s %%%%\x00"},
		{gate.Reply{Code: 550, Enhanced: "5.7.1", Text: "one\ntwo\nthree"}, "y550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three\x00"},
		{gate.Reply{Code: 421, Enhanced: "4.7.0", Text: "Later"}, "y451 4.7.0 Later\x00"},
		{gate.Reply{Code: 200, Text: "a reply that is none"}, "t"},
	}
	for _, tt := range tests {
		f := newFake()
		f.rcpt = gate.Decision{Verdict: gate.Deferred, Reply: tt.reply}
		m := start(t, f, Options{}).dial()
		m.open()
		m.say('M', "<a@example.com>\x00")
		m.say('R', "<b@example.org>\x00")
		m.expect(tt.want)
		// The session goes on for other recipients.
		m.say('R', "<c@example.org>\x00")
		m.expect(tt.want)
	}
}

func TestRefusedAtMail(t *testing.T) {
	f := newFake()
	f.wants.MailFrom = true
	f.mail = gate.Decision{Verdict: gate.Rejected, Reply: gate.Reply{Code: 550, Enhanced: "5.7.1", Text: "No"}}
	m := start(t, f, Options{}).dial()
	m.open()
	m.say('M', "<a@example.com>\x00")
	m.expect("y550 5.7.1 No\x00")
	m.say('A', "")
	m.say('M', "<a@example.com>\x00")
	m.expect("y550 5.7.1 No\x00")
}

func TestTrace(t *testing.T) {
	f := newFake()
	f.wants.Helo = true // the fake traces then
	f.rcpt = gate.Decision{Verdict: gate.Rejected, Reply: gate.Reply{Code: 550, Enhanced: "5.1.1", Text: "Unknown"}}
	m := start(t, f, Options{}).dial()
	m.negotiate(postfixOffer)
	for _, s := range []step{
		say('C', connectFrame), say('H', "me\x00", "c"), say('M', "<>\x00SIZE=5\x00"), say('R', "<b@example.org>\x00", "y550 5.1.1 Unknown\x00"),
		say('D', "R{rcpt_mailer}\x00error\x00"), say('R', "<c@example.org>\x00", "y550 5.1.1 Unknown\x00"),
		say('T', ""), say('L', "A\x00 b\x00"), say('N', ""), say('B', "body"), say('E', "", "a"), say('A', ""), say('Q', ""),
	} {
		m.say(s.code, s.data)
		m.expect(s.replies...)
	}
	m.expectEnd()
	var got []string
	for _, e := range f.all() {
		if e, ok := strings.CutPrefix(e, "trace "); ok {
			got = append(got, e)
		}
	}
	want := []string{
		`connect "mail.example.com" "tcp4" "192.0.2.7"`, `helo "me"`, `mail "" "SIZE=5" -> continue`, `rcpt "b@example.org" -> reject: 550 5.1.1 Unknown`,
		`rcpt "c@example.org" "(refused by the MTA)" -> reject: 550 5.1.1 Unknown`, `data`, `header of 1 fields`,
		`end of message: body of 4 octets, 0 edits -> accept`, `abort`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("trace (-want +got):\n%s", d)
	}
}
