package gate_test

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// answerOf is the reply of a rule at mailfrom with the given text to a sender.
func answerOf(t testing.TB, text, sender string) gate.Reply {
	r := rule("r-1", "mailfrom", "reject", "client_ip", "192.0.2.7")
	r.Reply = text
	w := newWorld(t, source(r))
	return w.send(sending{env: gate.Envelope{Sender: sender, Size: -1}, to: []string{"ivan@example.org"}}).rcpt[0].Reply
}

func TestReplies(t *testing.T) {
	tests := []struct{ text, sender, want string }{
		{"550 5.7.1 No {sender} by {rule}", "a@b.example", "No a@b.example by r-1 (ref "},
		{"550 5.7.1 See {ref}", "a@b.example", "See "},
		{"554 5.7.0 100% {recipient}", "a@b.example", "100% ivan@example.org (ref "},
		{"550 5.7.1 From {client_ip} {client_host} {helo} {gateway}[{queue_id}]", "", "From 192.0.2.7 mail.example.com mail.example.com mx.test[] (ref "},
		{"550 5.7.1 <{sender}>", "a\r\n250 ok\x00\x7f@b", "<a 250 ok@b> (ref "},
		{"550 5.7.1 <{sender}>", "иван@пример.рф", "<\\x{438}\\x{432}\\x{430}\\x{43D}@xn--e1afmkfd.xn--p1ai> (ref "},
		{"550 5.7.1 {sender}", "Приз за №1", "???? ?? ?1 (ref "},
	}
	for _, tt := range tests {
		r := answerOf(t, tt.text, tt.sender)
		if !strings.HasPrefix(r.Text, tt.want) {
			t.Errorf("%q for %q: %q, want %q", tt.text, tt.sender, r.Text, tt.want)
		}
		if n := strings.Count(r.String(), "ref "); strings.Contains(tt.text, "{ref}") && n != 0 {
			t.Errorf("%q: reference given twice: %q", tt.text, r)
		}
	}
}

func TestLongReplies(t *testing.T) {
	r := answerOf(t, "550 5.7.1 "+strings.Repeat("words ", 300)+"{sender}", strings.Repeat("x", 100000))
	lines := strings.Split(r.Text, "\n")
	if len(lines) < 2 {
		t.Error("not divided")
	}
	for _, l := range lines {
		if len("550-5.7.1 ")+len(l) > 510 {
			t.Errorf("a line of %d octets", len(l))
		}
	}
	if !strings.Contains(lines[len(lines)-1], "(ref ") {
		t.Errorf("the reference is lost: %q", lines[len(lines)-1])
	}
}

func FuzzReply(f *testing.F) {
	f.Add("{sender} \xff", "a\r\nb")
	f.Add("\\{", strings.Repeat("y", 5000))
	f.Fuzz(func(t *testing.T, text, sender string) {
		if _, err := rules.ParseReply("550 5.7.1 "+text, rules.Reject); err != nil {
			return
		}
		r := answerOf(t, "550 5.7.1 "+text, sender)
		for _, l := range strings.Split(r.Text, "\n") {
			if len("550-5.7.1 ")+len(l) > 510 {
				t.Errorf("a line of %d octets", len(l))
			}
			for i := 0; i < len(l); i++ {
				if l[i] < ' ' || l[i] > '~' {
					t.Errorf("octet %#x in a reply", l[i])
				}
			}
		}
	})
}
