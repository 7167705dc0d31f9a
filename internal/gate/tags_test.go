package gate_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// carry carries edits out as an MTA does: indexes per name, one after the
// other.
func carry(t *testing.T, header [][2]string, edits []gate.Edit) [][2]string {
	t.Helper()
	out := append([][2]string(nil), header...)
	find := func(name string, index int) int {
		for i, h := range out {
			if strings.EqualFold(h[0], name) {
				if index--; index == 0 {
					return i
				}
			}
		}
		t.Fatalf("no %s to edit", name)
		return -1
	}
	for _, e := range edits {
		switch e.Kind {
		case gate.ChangeField:
			out[find(e.Name, e.Index)][1] = e.Value
		case gate.DeleteField:
			i := find(e.Name, e.Index)
			out = append(out[:i:i], out[i+1:]...)
		case gate.InsertField:
			out = append(out[:e.Index:e.Index], append([][2]string{{e.Name, e.Value}}, out[e.Index:]...)...)
		case gate.AppendField:
			out = append(out, [2]string{e.Name, e.Value})
		}
	}
	return out
}

func values(header [][2]string, name string) []string {
	var v []string
	for _, h := range header {
		if strings.EqualFold(h[0], name) {
			v = append(v, strings.TrimSpace(fieldtext.Decode(nil, h[1], "")))
		}
	}
	return v
}

func TestMarks(t *testing.T) {
	tagging := rules.Source{
		Rules: []rules.SourceRule{
			func() rules.SourceRule {
				r := weighing("lottery", "headers", 6000, "subject", "hello")
				r.TagSubject, r.TagHeader = "[LOT]", []string{"X-Gate-Note: {rule} from {client_ip}"}
				return r
			}(),
			func() rules.SourceRule {
				r := weighing("twin", "headers", 0, "subject", "hello")
				r.TagSubject = "[LOT]"
				return r
			}(),
		},
		Thresholds: []rules.SourceThreshold{{Above: 5000, TagSubject: "[SPAM {weight}]", TagHeader: []string{"X-Spam-Flag: YES"}}},
	}
	header := [][2]string{
		{"X-Spam-Flag", " NO"}, {"Received", " from x"}, {"x-tollgate", " forged"}, {"Subject", " hello"},
		{"X-SPAM-FLAG", " NO"}, {"X-Tollgate", " forged too"}, {"Subject", " second"}, {"From", " a@example.com"},
	}
	w := newWorld(t, tagging)
	o := w.send(sending{to: []string{"ivan@example.org"}, header: header})
	got := carry(t, header, o.result.Edits)
	if s := values(got, "Subject"); len(s) != 2 || s[0] != "[LOT] [SPAM 6] hello" || s[1] != "second" {
		t.Errorf("subjects %q", s)
	}
	if v := values(got, "X-Spam-Flag"); len(v) != 1 || v[0] != "YES" {
		t.Errorf("X-Spam-Flag %q", v)
	}
	if v := values(got, "X-Gate-Note"); len(v) != 1 || v[0] != "lottery from 192.0.2.7" {
		t.Errorf("X-Gate-Note %q", v)
	}
	report := values(got, "X-Tollgate")
	if len(report) != 1 || !strings.HasPrefix(report[0], "mx.test; ref="+o.result.Ref+"; weight=6; rules=lottery, twin") {
		t.Errorf("X-Tollgate %q", report)
	}
	// What came through once is not marked again.
	o = w.send(sending{to: []string{"ivan@example.org"}, header: got})
	if s := values(carry(t, got, o.result.Edits), "Subject"); s[0] != "[LOT] [SPAM 6] hello" {
		t.Errorf("marked twice: %q", s)
	}
}

func TestMissingSubject(t *testing.T) {
	r := rule("r", "complete", "", "size", "> 1")
	r.TagSubject = "[ОПАСНО]"
	w := newWorld(t, source(r))
	header := [][2]string{{"From", " a@example.com"}}
	o := w.send(sending{to: []string{"ivan@example.org"}, header: header})
	if s := values(carry(t, header, o.result.Edits), "Subject"); len(s) != 1 || s[0] != "[ОПАСНО]" {
		t.Errorf("subjects %q", s)
	}
}

func TestOutboundHasNoReport(t *testing.T) {
	w := newWorld(t, rules.Source{}, func(p *gate.Policy) {
		p.OutboundNetworks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	o := w.send(sending{to: []string{"x@example.net"}})
	if len(o.result.Edits) != 0 {
		t.Errorf("edits %v", o.result.Edits)
	}
	if len(w.records) != 0 {
		t.Errorf("nobody owns x@example.net: %v", w.records)
	}
}

func TestSkippedMailIsUntouched(t *testing.T) {
	w := newWorld(t, source(rule("r", "connect", "reject", "client_ip", "192.0.2.7")), func(p *gate.Policy) {
		p.SkipClients = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	o := w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{{"X-Tollgate", " ours, from the first pass"}}})
	if o.result.Verdict != gate.Accepted || len(o.result.Edits) != 0 || len(w.records) != 0 {
		t.Errorf("result %+v, records %v", o.result, w.records)
	}
	if w.last().Reason != "skip_clients" {
		t.Errorf("journal: %+v", w.last())
	}
}

func TestOutsideTextCannotBreakMarks(t *testing.T) {
	r := rule("r", "headers", "", "subject", ".")
	r.TagHeader = []string{"X-Note: {sender} {helo}"}
	r.TagSubject = "[{helo}]"
	w := newWorld(t, source(r))
	o := w.send(sending{
		helo: "x\r\nX-Injected: 1", env: gate.Envelope{Sender: "a\r\nX-Injected: 2@example.com", Size: -1},
		to: []string{"ivan@example.org"},
	})
	for _, e := range o.result.Edits {
		for _, line := range strings.Split(e.Value, "\n")[1:] {
			if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
				t.Errorf("%s: a line begins anew: %q", e.Name, e.Value)
			}
		}
		if strings.Contains(e.Value, "\r") {
			t.Errorf("%s: carriage return in %q", e.Name, e.Value)
		}
	}
}
