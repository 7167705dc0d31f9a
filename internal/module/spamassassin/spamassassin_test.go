package spamassassin

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/moduletest"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// now is the time of all messages.
func now() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

func inspector(t testing.TB, addr string) *Inspector {
	t.Helper()
	i, err := New(Settings{Addr: addr})
	if err != nil {
		t.Fatal(err)
	}
	i.now = now
	return i
}

// limit bounds what must not hang; it is far from what it takes.
func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// stash has a text, as it would stand on the wire.
func stash(t testing.TB, text string) *module.Stash {
	t.Helper()
	s := new(module.Stasher).New()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := io.WriteString(s, text); err != nil {
		t.Fatal(err)
	}
	s.End()
	return s
}

func subject(s string) string {
	return "From: a@example.org\r\nSubject: " + s + "\r\n\r\nhello\r\n"
}

// envelope is an ordinary one.
func envelope() module.Envelope {
	return module.Envelope{
		Ref: "4bz1", Gateway: "gw1.test", QueueID: "4XyZ1a2b3c", ClientIP: netip.MustParseAddr("192.0.2.7"),
		ClientHost: "mail.example.com", Helo: "mail.example.com", Direction: "inbound", Sender: "a+b@example.com",
		Recipients: []string{"ivan@example.org"},
	}
}

// hopSymbols are what the ordinary envelope has.
var hopSymbols = []string{"HOP_CLIENT", "HOP_GATEWAY", "HOP_HELO", "HOP_NAMED", "HOP_OUR_DATE", "HOP_SENDER"}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"tcp:" + daemon.Addr, "unix:" + daemon.Socket} {
		i := inspector(t, addr)
		for _, tt := range []struct {
			name, text string
			score      string
			action     string
			symbols    []string
		}{
			{"clean", subject("x"), "6", Spam, nil},
			{"GTUBE", subject("x") + harness.GTUBE() + "\r\n", "1006", Spam, []string{"GTUBE"}},
			{"Russian, plain", subject(harness.PharmacyWord), "9.2", Spam, []string{harness.PharmacySymbol}},
			{
				"Russian, encoded", subject("=?UTF-8?B?" + base64.StdEncoding.EncodeToString([]byte("Ваша "+harness.PharmacyWord)) + "?="),
				"9.2", Spam, []string{harness.PharmacySymbol},
			},
			{"nothing", "", "7", Spam, []string{"HEADER_ENDED"}},
			{"body alone", "\r\nbody\r\n", "7", Spam, []string{"HEADER_ENDED"}},
			{"long", subject("x") + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 5000), "6", Spam, nil},
		} {
			f, err := i.Inspect(limit(t), &module.Message{Envelope: envelope(), Stash: stash(t, tt.text)})
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			want := slices.Sorted(slices.Values(append(slices.Clone(hopSymbols), tt.symbols...)))
			if slices.Sort(f.Symbols); f.Score.String() != tt.score || f.Action != tt.action || !slices.Equal(f.Symbols, want) {
				t.Errorf("%s: %+v", tt.name, f)
			}
		}
	}
}

// A daemon without the rules of the last hop.
func TestScores(t *testing.T) {
	t.Parallel()
	d, err := box.Spamd(harness.SpamdConfig{Rules: []string{
		"header MINUS Subject =~ /minus/", "score MINUS -2.5",
		"header EDGE Subject =~ /edge/", "score EDGE 4.96",
	}})
	if err != nil {
		t.Fatal(err)
	}
	i := inspector(t, "tcp:"+d.Addr)
	for text, want := range map[string]module.Finding{
		"x":                             {Action: Ham},
		"minus":                         {Action: Ham, Score: -2500, Symbols: []string{"MINUS"}},
		"minus " + harness.PharmacyWord: {Action: Ham, Score: 700, Symbols: []string{"MINUS", harness.PharmacySymbol}},
		// Below required_score, and so it stays when rounded.
		"edge": {Action: Ham, Score: 4900, Symbols: []string{"EDGE"}},
	} {
		f, err := i.Inspect(limit(t), &module.Message{Envelope: envelope(), Stash: stash(t, subject(text))})
		if err != nil || f.Score != want.Score || f.Action != want.Action || !slices.Equal(f.Symbols, want.Symbols) {
			t.Errorf("%s: %+v, %v", text, f, err)
		}
	}
}

// A verdict of those rules that were tried in time is one, and says so.
func TestTimeLimit(t *testing.T) {
	t.Parallel()
	d, err := box.Spamd(harness.SpamdConfig{Rules: []string{"time_limit 1", "body SLOW /x[^yz]*x[^yz]*x[^yz]*x[^yz]*x[^yz]*[yz]/"}})
	if err != nil {
		t.Fatal(err)
	}
	text := subject("x") + strings.Repeat(strings.Repeat("x", 60)+" ", 100) + "\r\n"
	f, err := inspector(t, "unix:"+d.Socket).Inspect(limit(t), &module.Message{Envelope: envelope(), Stash: stash(t, text)})
	if err != nil || !slices.Contains(f.Symbols, TimeLimit) {
		t.Errorf("%+v, %v", f, err)
	}
}

// symbols asks the shared daemon.
func symbols(t testing.TB, e module.Envelope, text string) []string {
	t.Helper()
	f, err := inspector(t, "unix:"+daemon.Socket).Inspect(limit(t), &module.Message{Envelope: e, Stash: stash(t, text)})
	if err != nil {
		t.Fatal(err)
	}
	return f.Symbols
}

// What SpamAssassin knows of the last hop.
func TestHop(t *testing.T) {
	t.Parallel()
	// What the client says came before.
	const before = "Return-Path: <forged@example.net>\r\nReceived: from mx ([203.0.113.5]) by mail.example.com (Postfix) with ESMTPA id 1; " +
		"Mon, 23 Nov 2026 09:00:00 +0000\r\n"
	for name, tt := range map[string]struct {
		change func(*module.Envelope)
		want   []string
	}{
		"ordinary":  {func(*module.Envelope) {}, hopSymbols},
		"encrypted": {func(e *module.Envelope) { e.TLSVersion = "TLSv1.3" }, hopSymbols},
		"nameless": {
			func(e *module.Envelope) { e.ClientHost = "unknown" },
			[]string{"HOP_CLIENT", "HOP_GATEWAY", "HOP_HELO", "HOP_NAMELESS", "HOP_OUR_DATE", "HOP_SENDER"},
		},
		"IPv6": {
			func(e *module.Envelope) { e.ClientIP = netip.MustParseAddr("2001:db8::7") },
			[]string{"HOP_CLIENT_IPV6", "HOP_GATEWAY", "HOP_HELO", "HOP_NAMED", "HOP_OUR_DATE", "HOP_SENDER"},
		},
		"IPv4 in IPv6": {func(e *module.Envelope) { e.ClientIP = netip.MustParseAddr("::ffff:192.0.2.7") }, hopSymbols},
		"literal": {
			func(e *module.Envelope) { e.Helo = "[192.0.2.99]" },
			[]string{"HOP_CLIENT", "HOP_GATEWAY", "HOP_HELO_LITERAL", "HOP_NAMED", "HOP_OUR_DATE", "HOP_SENDER"},
		},
		"null sender": {
			func(e *module.Envelope) { e.Sender = "" },
			[]string{"HOP_CLIENT", "HOP_GATEWAY", "HOP_HELO", "HOP_NAMED", "HOP_NULL_SENDER", "HOP_OUR_DATE"},
		},
		// Whom we know by a password SpamAssassin trusts, as behind Postfix, and
		// whatever came before, too.
		"login": {
			func(e *module.Envelope) { e.AuthUser = "ivan" },
			[]string{"HOP_LOGIN", "HOP_NULL_SENDER", "HOP_OUR_DATE", "INJECTED_CLIENT"},
		},
		"login, encrypted": {
			func(e *module.Envelope) { e.AuthUser, e.TLSVersion = "ivan", "TLSv1.2" },
			[]string{"HOP_LOGIN", "HOP_NULL_SENDER", "HOP_OUR_DATE", "INJECTED_CLIENT"},
		},
		"of a local program": {
			func(e *module.Envelope) { e.ClientIP = netip.Addr{} },
			[]string{"HOP_NULL_SENDER", "HOP_OUR_DATE", "INJECTED_CLIENT"},
		},
	} {
		e := envelope()
		tt.change(&e)
		if got := symbols(t, e, before+subject("x")); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}

	// A sender who cannot stand in the Received field is in the Return-Path.
	e := envelope()
	e.Sender = `"a+b"@example.com`
	if i := inspector(t, "unix:"+daemon.Socket); !strings.Contains(i.hop(&e), "Return-Path: <"+e.Sender+">\r\n") || strings.Contains(i.hop(&e), "envelope") {
		t.Errorf("%q", i.hop(&e))
	}
	if got := symbols(t, e, subject("x")); slices.Contains(got, "HOP_NULL_SENDER") {
		t.Errorf("%q", got)
	}
}

// Whatever a client says, it is itself who is the last hop, and nothing of it
// becomes a field or ends the header.
func TestHostileHop(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{
		"localhost", "unknown", "[127.0.0.1]", "[203.0.113.5]", "203.0.113.5", "IPv6:", "::1", "(", ")", "[", "]", " ", "\t", "\r\n", "\n", "\r", "\x00",
		"HELO", "helo=", "by", "id", "with", "ESMTPSA", "Postfix", "from", ";", ",", "<", ">", "@", "\"", "\\", "!", "ident=", "auth=ESMTPA", "X-Injected: x",
		"\r\n\r\n", "mail.example.com", "return-path: ", "envelope-from=", "é", "\xff", "=?UTF-8?Q?x?=", "#", strings.Repeat("long.", 300),
	})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), "") })
	i := inspector(t, "unix:"+daemon.Socket)
	rapid.Check(t, func(r *rapid.T) {
		e := envelope()
		e.Helo, e.ClientHost, e.AuthUser = text.Draw(r, "helo"), text.Draw(r, "host"), ""
		e.Gateway, e.QueueID = text.Draw(r, "gateway"), text.Draw(r, "id")
		e.Sender = "a" + text.Draw(r, "sender")
		f, err := i.Inspect(limit(t), &module.Message{Envelope: e, Stash: stash(t, subject("x"))})
		if err != nil {
			r.Fatal(err)
		}
		for _, s := range []string{"HOP_CLIENT", "HOP_OUR_DATE"} {
			if !slices.Contains(f.Symbols, s) {
				r.Errorf("no %s: %q\n%q", s, f.Symbols, i.hop(&e))
			}
		}
		for _, s := range []string{"INJECTED", "HEADER_ENDED", "INJECTED_CLIENT", "INJECTED_LOGIN"} {
			if slices.Contains(f.Symbols, s) {
				r.Errorf("%s: %q\n%q", s, f.Symbols, i.hop(&e))
			}
		}
	})
}

func TestPing(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"tcp:" + daemon.Addr, "unix:" + daemon.Socket} {
		if err := inspector(t, addr).Ping(limit(t)); err != nil {
			t.Error(err)
		}
	}
}

// The answer is about the whole of a message or there is none.
func TestMessageGivenUp(t *testing.T) {
	t.Parallel()
	i := inspector(t, "tcp:"+daemon.Addr)
	s := new(module.Stasher).New()
	if _, err := io.WriteString(s, subject("x")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if f, err := i.Inspect(ctx, &module.Message{Stash: s}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v, %v", f, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err := i.Inspect(limit(t), &module.Message{Stash: s}); !errors.Is(err, module.ErrAborted) {
		t.Errorf("%+v, %v", f, err)
	}
	for name, r := range map[string]io.Reader{
		"fails": io.MultiReader(strings.NewReader(subject("x")), failing{}), "ends early": strings.NewReader(subject("x")),
	} {
		if f, err := i.inspect(limit(t), "", message{1000, r}); !errors.Is(err, errMessage) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, module.ErrAborted }

func TestFrozenStoppedRestarted(t *testing.T) {
	t.Parallel()
	d, err := box.Spamd(harness.SpamdConfig{})
	if err != nil {
		t.Fatal(err)
	}
	i := inspector(t, "unix:"+d.Socket)
	moduletest.Survives(t, i, d, subject(harness.PharmacyWord), func(f module.Finding) bool {
		return slices.Equal(f.Symbols, []string{harness.PharmacySymbol})
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []Settings{
		{}, {Addr: "127.0.0.1:783"}, {Addr: "unix:spamd.sock"}, {Addr: "unix:/a\x00b"}, {Addr: "tcp:127.0.0.1"}, {Addr: "tcp:127.0.0.1:0"},
		{Addr: "tcp::783"}, {Addr: "tcp:127.0.0.1:spamd"}, {Addr: "tcp:a b:783"}, {Addr: "http://127.0.0.1:783"}, {Addr: "udp:127.0.0.1:783"},
		{Addr: "tcp:127.0.0.1:783", User: "a\r\nb"}, {Addr: "tcp:127.0.0.1:783", User: "a b"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	for _, addr := range []string{"unix:/run/spamd/spamd.sock", "tcp:127.0.0.1:783", "tcp:[::1]:783", "tcp:spamd.example.org:783"} {
		i, err := New(Settings{Addr: addr, User: "debian-spamd"})
		if err != nil {
			t.Error(err)
		} else if err := i.Close(); err != nil {
			t.Error(err)
		}
	}
}
