package rspamd

import (
	"cmp"
	"context"
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/settings"
	"github.com/tollgate-mail/tollgate/test/harness"
)

func inspector(t testing.TB, c Settings) *Inspector {
	t.Helper()
	i, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

// limit bounds what must not hang; it is far from what it takes.
func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// message opens text.
func message(text string) func(context.Context) io.Reader {
	return func(context.Context) io.Reader { return strings.NewReader(text) }
}

func subject(s string) string {
	return "From: a@example.org\r\nSubject: " + s + "\r\n\r\nhello\r\n"
}

// stalled is a message whose rest never comes.
func stalled(ctx context.Context) io.Reader {
	return io.MultiReader(strings.NewReader("Subject: x\r\n"), waiting{ctx})
}

type waiting struct{ ctx context.Context }

func (w waiting) Read([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, context.Cause(w.ctx)
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	i := inspector(t, Settings{URL: daemon.URL})
	for _, tt := range []struct {
		name, text string
		score      string
		action     string
		symbols    []string
	}{
		{"clean", subject("x"), "0.125", "no action", []string{"TEST_ENVELOPE"}},
		{"nothing", "", "0", "no action", nil},
		{"no header", "\r\nbody\r\n", "0.125", "no action", []string{"TEST_ENVELOPE"}},
		{"GTUBE", subject("x") + harness.GTUBE() + "\r\n", "15", "reject", []string{"GTUBE"}},
		{"Russian, plain", subject(harness.LotteryWord), "3.375", "no action", []string{"TEST_ENVELOPE", harness.LotterySymbol}},
		{
			"Russian, encoded", subject("=?UTF-8?B?" + base64.StdEncoding.EncodeToString([]byte("Ваша "+harness.LotteryWord)) + "?="),
			"3.375", "no action", []string{"TEST_ENVELOPE", harness.LotterySymbol},
		},
		{"Russian, KOI8-R", subject("=?koi8-r?B?zM/UxdLF0Q==?="), "3.375", "no action", []string{"TEST_ENVELOPE", harness.LotterySymbol}},
		{"negative", subject("header, please"), "-0.375", "no action", []string{"TEST_ENVELOPE", "TEST_HEADER"}},
	} {
		f, err := i.inspect(limit(t), &module.Envelope{Sender: "a@example.org"}, message(tt.text))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if f.Score.String() != tt.score || f.Action != tt.action || !slices.Equal(f.Symbols, tt.symbols) {
			t.Errorf("%s: %+v", tt.name, f)
		}
		if f.Add != nil || f.Remove != nil {
			t.Errorf("%s: changes that nobody wants: %+v", tt.name, f)
		}
	}
}

func TestSkipped(t *testing.T) {
	t.Parallel()
	d, err := box.Rspamd(harness.RspamdConfig{Rules: `
rspamd_config:register_symbol({name = 'TEST_SKIP', type = 'prefilter', callback = function(task)
  if task:get_subject() == 'skip' then task:set_flag('skip') end
end})
`})
	if err != nil {
		t.Fatal(err)
	}
	i := inspector(t, Settings{URL: d.URL})
	for text, want := range map[string]string{subject("skip"): Skipped, subject("look"): "no action"} {
		f, err := i.inspect(limit(t), &module.Envelope{}, message(text))
		if err != nil || f.Action != want {
			t.Errorf("%q: %+v, %v; want %q", text, f, err, want)
		}
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	i := inspector(t, Settings{URL: daemon.URL, Headers: true})
	f, err := i.inspect(limit(t), &module.Envelope{}, message(subject("header, please")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, field := range f.Add {
		if !strings.HasPrefix(field.Name, "X-Told-") {
			got = append(got, field.Name+":"+field.Value)
		}
	}
	slices.Sort(got)
	want := []string{
		"X-Folded: long;\n\tfolded\n  third", "X-Hostile: a\n\tbody\n\tX-Mine: x", "X-Number: 5.500000", "X-Object: object",
		"X-Objects: first", "X-Objects: second", "X-Text: plain", "X-Texts: one", "X-Texts: two",
	}
	if !slices.Equal(got, want) {
		t.Errorf("added\n%q, want\n%q", got, want)
	}
	slices.SortFunc(f.Remove, func(a, b module.Removal) int { return cmp.Or(strings.Compare(a.Name, b.Name), a.Index-b.Index) })
	if !slices.Equal(f.Remove, []module.Removal{{Name: "X-All"}, {Name: "X-Last", Index: -1}, {Name: "X-Some", Index: 1}, {Name: "X-Some", Index: 2}}) {
		t.Errorf("removed %+v", f.Remove)
	}
	for _, field := range f.Add {
		checkValue(t, field.Field)
	}
}

// checkValue fails for a value that is more than a value.
func checkValue(t testing.TB, f mail.Field) {
	t.Helper()
	if !strings.HasPrefix(f.Value, " ") || strings.ContainsAny(f.Value, "\r\x00") {
		t.Errorf("%q", f)
	}
	for i, line := range strings.Split(f.Value, "\n") {
		if i > 0 && (line == "" || line[0] != ' ' && line[0] != '\t' || strings.TrimSpace(line) == "") {
			t.Errorf("%q: line %q", f, line)
		}
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	if err := inspector(t, Settings{URL: daemon.URL}).Ping(limit(t)); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []Settings{
		{}, {URL: "127.0.0.1:11333"}, {URL: "unix:/run/rspamd"}, {URL: "http://"}, {URL: "http://a b/"},
		{URL: "http://127.0.0.1:11333", Password: "a\nb"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// What a message says comes back in rspamd's answer, and must not make it one
// that cannot be read.
func TestHostileMessage(t *testing.T) {
	t.Parallel()
	i := inspector(t, Settings{URL: daemon.URL, Headers: true})
	var octets strings.Builder
	for c := range 256 {
		if c != '\r' && c != '\n' {
			octets.WriteByte(byte(c))
		}
	}
	for name, text := range map[string]string{
		"octets": octets.String(), "JSON": `"},"score":0,"x":{"`, "escapes": `\u0000\ud800\"\`, "half a pair": "\xed\xa0\x80", "cut": "\xd0",
		"encoded": "=?utf-8?B?AAECHw==?= =?utf-16?B?2AA=?=", "long": strings.Repeat("x", 1<<20),
	} {
		page := "<a href=\"http://e.example.org/" + text + "\">" + text + "</a> mailto:" + text + "@e.example.org http://" + text + ".example.org/\r\n"
		message := message("From: " + text + " <a@example.org>\r\nMessage-ID: <" + text + "@x>\r\nSubject: " + harness.LotteryWord + text +
			"\r\nContent-Type: text/html; charset=\"" + text + "\"\r\n\r\n" + page)
		f, err := i.inspect(limit(t), &module.Envelope{}, message)
		if err != nil || !slices.Contains(f.Symbols, harness.LotterySymbol) {
			t.Errorf("%s: %v, %q", name, err, f.Symbols)
		}
		for _, field := range f.Add {
			checkValue(t, field.Field)
		}
	}
}

// The controller answers the same, to those who know the password.
func TestController(t *testing.T) {
	t.Parallel()
	port, err := box.Port()
	if err != nil {
		t.Fatal(err)
	}
	addr := harness.Loopback(port)
	if _, err := box.Rspamd(harness.RspamdConfig{More: []string{
		`worker "controller" { bind_socket = "` + addr + `"; password = "secret"; count = 1; }`,
	}}); err != nil {
		t.Fatal(err)
	}
	for password, known := range map[string]bool{"": false, "wrong": false, "secret": true} {
		i := inspector(t, Settings{URL: "http://" + addr, Password: settings.Secret(password)})
		f, err := i.inspect(limit(t), &module.Envelope{}, message(subject(harness.LotteryWord)))
		if known != (err == nil) || known != slices.Contains(f.Symbols, harness.LotterySymbol) {
			t.Errorf("password %q: %+v, %v", password, f, err)
		}
	}
}
