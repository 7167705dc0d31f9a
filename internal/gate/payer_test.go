package gate_test

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// senders are clients that send: by login, by network, by their addresses.
func senders(t testing.TB, incomplete bool) *directory.Directory {
	t.Helper()
	d, clashes := directory.New(directory.Config{Delimiter: "+", Incomplete: incomplete}, []*accounting.Client{
		{ID: "sales", Addresses: []string{"sales@example.org"}, Logins: []string{"sales-pc"}, Tariff: "office", TariffVersion: "v1"},
		{ID: "plant", Addresses: []string{"plant@example.org"}, Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, Tariff: "plant", TariffVersion: "v2"},
		{ID: "hall", Networks: []netip.Prefix{netip.MustParsePrefix("10.1.7.0/24")}, Disabled: true},
		{ID: "ivan", Addresses: []string{"ivan@example.org"}},
		{ID: "off", Addresses: []string{"off@example.org"}, Logins: []string{"off"}, Disabled: true},
	})
	if len(clashes) > 0 {
		t.Fatal(clashes)
	}
	return d
}

func outboundCharged(t testing.TB) func(*gate.Policy) {
	return func(p *gate.Policy) {
		p.Directory = senders(t, false)
		p.OutboundNetworks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		p.OutboundAuthenticated = true
		p.ChargeSenders = true
		p.Replies.Senders = map[accounting.Block]*rules.Reply{accounting.Disabled: mustReply(t, "550 5.2.1 The sender is disabled", rules.Reject)}
	}
}

func TestSenderPays(t *testing.T) {
	login := func(user, sender string) gate.Envelope {
		return gate.Envelope{Sender: sender, AuthType: "PLAIN", AuthUser: user}
	}
	from := func(ip string) gate.Peer { return gate.Peer{Addr: netip.MustParseAddr(ip)} }
	tests := []struct {
		name   string
		change func(*gate.Policy)
		peer   gate.Peer
		env    gate.Envelope
		to     []string
		want   string // who pays for whom
		refuse string // how the first refusal begins
	}{
		{name: "by login", env: login("Sales-PC", "ivan@example.org"), to: []string{"x@elsewhere.example"}, want: "x@elsewhere.example=sales"},
		{name: "by network", peer: from("10.1.2.3"), env: gate.Envelope{Sender: "ivan@example.org"}, to: []string{"x@elsewhere.example"}, want: "x@elsewhere.example=plant"},
		{name: "by sender of an outbound network", peer: from("10.2.0.1"), env: gate.Envelope{Sender: "Ivan+a@example.org"}, to: []string{"x@elsewhere.example"}, want: "x@elsewhere.example=ivan"},
		{name: "by sender who authenticated", env: login("laptop", "ivan@example.org"), to: []string{"x@elsewhere.example"}, want: "x@elsewhere.example=ivan"},
		{name: "nobody's", peer: from("10.2.0.1"), env: gate.Envelope{Sender: "a@b.example"}, to: []string{"x@elsewhere.example"}},
		{name: "the null sender", peer: from("10.2.0.1"), env: gate.Envelope{}, to: []string{"x@elsewhere.example"}},
		{name: "a recipient of a client is its own", env: login("sales-pc", ""), to: []string{"ivan@example.org", "sales@example.org", "x@elsewhere.example"},
			want: "ivan@example.org=ivan sales@example.org=sales x@elsewhere.example=sales"},
		{name: "a tag of a foreign recipient is part of it", env: login("sales-pc", ""), to: []string{"x+a@elsewhere.example", "x+b@elsewhere.example", "X+A@elsewhere.example"},
			want: "x+a@elsewhere.example=sales x+b@elsewhere.example=sales"},
		{name: "the postmaster of nowhere", env: login("sales-pc", ""), to: []string{"postmaster"}, want: "postmaster=sales"},
		{name: "inbound mail costs its sender nothing", peer: stranger, env: gate.Envelope{Sender: "sales@example.org"}, to: []string{"ivan@example.org", "postmaster"}, want: "ivan@example.org=ivan"},
		{name: "not asked for", change: func(p *gate.Policy) { p.ChargeSenders = false }, env: login("sales-pc", ""), to: []string{"x@elsewhere.example", "ivan@example.org"}, want: "ivan@example.org=ivan"},
		{name: "disabled by login", env: login("off", ""), to: []string{"x@elsewhere.example", "ivan@example.org"}, want: "ivan@example.org=ivan", refuse: "550 5.2.1 The sender is disabled"},
		{name: "disabled by the longest network", peer: from("10.1.7.9"), env: gate.Envelope{}, to: []string{"x@elsewhere.example"}, refuse: "550 5.2.1 The sender is disabled"},
		{name: "disabled is not refused here", change: func(p *gate.Policy) { p.Refuse = 0 }, env: login("off", ""), to: []string{"x@elsewhere.example"}, want: "x@elsewhere.example=off"},
		{name: "a login alone is not enough where authenticated clients are strangers", change: func(p *gate.Policy) { p.OutboundAuthenticated = false },
			env: login("sales-pc", ""), to: []string{"x@elsewhere.example"}, refuse: "550 5.7.1"},
		{name: "it may be one that could not be read", change: func(p *gate.Policy) { p.Directory = senders(t, true) },
			peer: from("10.2.0.1"), env: gate.Envelope{Sender: "a@b.example"}, to: []string{"x@elsewhere.example", "ivan@example.org"}, want: "ivan@example.org=ivan", refuse: "451 4.3.0"},
		{name: "sendmail(1) by sender, where the loopback network is not outbound", peer: gate.Peer{Local: true, Addr: netip.MustParseAddr("127.0.0.1")},
			env: gate.Envelope{Sender: "ivan@example.org"}, to: []string{"x@elsewhere.example"}},
		{name: "sendmail(1) by sender, where it is", peer: gate.Peer{Local: true, Addr: netip.MustParseAddr("127.0.0.1")},
			change: func(p *gate.Policy) {
				p.OutboundNetworks = append(p.OutboundNetworks, netip.MustParsePrefix("127.0.0.0/8"))
			},
			env: gate.Envelope{Sender: "ivan@example.org"}, to: []string{"x@elsewhere.example"}, want: "x@elsewhere.example=ivan"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			changes := []func(*gate.Policy){outboundCharged(t)}
			if test.change != nil {
				changes = append(changes, test.change)
			}
			w := newWorld(t, rules.Source{}, changes...)
			env := test.env
			env.Size = -1
			o := w.send(sending{peer: test.peer, env: env, to: test.to})
			var paid []string
			for _, r := range w.records {
				paid = append(paid, r.Recipient+"="+r.Client)
				if c := w.policy.Directory.Client(r.Client); r.Tariff != c.Tariff || r.TariffVersion != c.TariffVersion {
					t.Errorf("%s is priced by %s %s, not as its client is", r.ID, r.Tariff, r.TariffVersion)
				}
			}
			if got := strings.Join(paid, " "); got != test.want {
				t.Errorf("paid: %s, want %s", got, test.want)
			}
			refused := ""
			for _, d := range o.rcpt {
				if d.Verdict != gate.Pass && refused == "" {
					refused = d.Reply.String()
				}
			}
			if test.refuse == "" && refused != "" || !strings.HasPrefix(refused, test.refuse) {
				t.Errorf("refused with %q, want %q", refused, test.refuse)
			}
		})
	}
}

// What sendmail(1) submits is refused at its end when the client that sends may
// not, and the journal says whose block it is.
func TestSenderBlockIsJournalled(t *testing.T) {
	w := newWorld(t, rules.Source{}, outboundCharged(t), func(p *gate.Policy) {
		p.OutboundNetworks = append(p.OutboundNetworks, netip.MustParsePrefix("127.0.0.0/8"))
	})
	o := w.send(sending{
		peer: gate.Peer{Local: true, Addr: netip.MustParseAddr("127.0.0.1")}, env: gate.Envelope{Sender: "off@example.org", Size: -1},
		to: []string{"x@elsewhere.example", "ivan@example.org"},
	})
	if o.result == nil || o.result.Verdict != gate.Rejected || o.result.Reply.Code != 550 {
		t.Fatalf("it ended with %+v", o.result)
	}
	if len(w.records) != 0 {
		t.Errorf("records: %v", w.records)
	}
	if b := w.blocks(); len(b) != 1 || b[0].Client != "off" || b[0].Recipient != "x@elsewhere.example" || !strings.HasPrefix(b[0].Reason, "disabled") {
		t.Errorf("blocks: %+v", b[0])
	}
}

// Who pays, whatever the mail: as another reading of the contract has it, which
// knows neither the gate nor the directory.
func TestWhoPays(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	owner := map[string]string{"sales@example.org": "sales", "plant@example.org": "plant", "ivan@example.org": "ivan"}
	for range 3000 {
		ip := pick("192.0.2.7", "10.1.2.3", "10.2.0.1", "10.9.9.9")
		user := pick("", "", "sales-pc", "SALES-PC", "laptop")
		sender := pick("", "ivan@example.org", "IVAN@example.org", "plant@example.org", "a@b.example")
		charged, authenticated, all, split := r.IntN(4) > 0, r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0
		to := []string{}
		for range 1 + r.IntN(5) {
			to = append(to, pick("ivan@example.org", "sales@example.org", "Plant@example.org", "x@elsewhere.example", "y@elsewhere.example", "postmaster"))
		}
		w := newWorld(t, rules.Source{}, outboundCharged(t), func(p *gate.Policy) {
			p.ChargeSenders, p.OutboundAuthenticated = charged, authenticated
			p.Sharing = accounting.Sharing{Split: split, OverAll: all}
		})
		env := gate.Envelope{Sender: sender, Size: -1}
		if user != "" {
			env.AuthType, env.AuthUser = "PLAIN", user
		}
		w.clock = w.clock.Add(time.Duration(r.IntN(1000)) * time.Millisecond)
		o := w.send(sending{peer: gate.Peer{Addr: netip.MustParseAddr(ip)}, env: env, to: to, body: strings.Repeat("x", r.IntN(100))})

		outbound := strings.HasPrefix(ip, "10.") || authenticated && user != ""
		sends := ""
		switch {
		case !outbound || !charged:
		case strings.EqualFold(user, "sales-pc"):
			sends = "sales"
		case strings.HasPrefix(ip, "10.1."):
			sends = "plant"
		default:
			sends = owner[strings.ToLower(sender)]
		}
		want := map[string]string{}
		for i, a := range to {
			a = strings.ToLower(a)
			accepted := owner[a] != "" || a == "postmaster" || outbound
			if accepted != (o.rcpt[i].Verdict == gate.Pass) {
				t.Fatalf("%s from %s as %q: answered %v", a, ip, user, o.rcpt[i])
			}
			payer := owner[a]
			if payer == "" {
				payer = sends
			}
			if payer == "" && split && all {
				payer = accounting.Unbilled
			}
			if accepted && payer != "" {
				want[a] = payer
			}
		}
		got, ids, sum := map[string]string{}, map[string]bool{}, int64(0)
		for _, record := range w.records {
			got[record.Recipient] = record.Client
			ids[record.ID] = true
			sum += record.Charged
			if err := record.Check(); err != nil {
				t.Error(err)
			}
			if direction := map[bool]string{true: "outbound", false: "inbound"}[outbound]; record.Direction != direction {
				t.Errorf("direction %s, want %s", record.Direction, direction)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("from %s as %q, %s, to %s:\n%s", ip, user, sender, to, d)
		}
		if len(ids) != len(w.records) {
			t.Fatalf("ids collide: %s", slices.Collect(maps.Keys(ids)))
		}
		if split && len(w.records) > 0 && sum != w.records[0].Size {
			t.Fatalf("shares sum to %d of %d", sum, w.records[0].Size)
		}
	}
}
