package text

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// TestHostStepByStep: steps that have nothing to do are left out; the host is what
// it is with all of them.
func TestHostStepByStep(t *testing.T) {
	naive := func(text string) string {
		text = strings.Map(func(r rune) rune {
			if r == '\t' || r == '\n' || r == '\r' {
				return -1
			}
			return r
		}, strings.TrimSpace(text[:min(len(text), maxURL)]))
		text = strings.ReplaceAll(text, `\`, "/")
		lower := strings.ToLower(text)
		switch {
		case strings.HasPrefix(lower, "http:"), strings.HasPrefix(lower, "https:"), strings.HasPrefix(lower, "ftp:"):
			_, text, _ = strings.Cut(text, ":")
		case strings.HasPrefix(lower, "//"), strings.HasPrefix(lower, "www."):
		default:
			return ""
		}
		text = strings.TrimLeft(text, "/")
		if i := strings.IndexAny(text, "/?#"); i >= 0 {
			text = text[:i]
		}
		if i := strings.LastIndexByte(text, '@'); i >= 0 {
			text = text[i+1:]
		}
		if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.HasSuffix(text, "]") {
			text = text[:i]
		}
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
		return strings.TrimRight(address.FoldDomain(strings.Trim(text, "[]")), ".")
	}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
			"http:", "HTTPS:", "hTtP", "ftp:", "//", "/", `\`, `\\`, "www.", "WWW.", "a.example", "Bank.Example", "тест.рф", "%41", "%zz", "@", ":", ":80", "[", "]", "?", "#", " ", "\t", "\r\n", ".", "ſ", "K",
		}), 0, 8).Draw(t, "pieces"), "")
		if got, want := hostOf(text), naive(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}

// BenchmarkPage reads an ordinary page.
func BenchmarkPage(b *testing.B) {
	message := htmlOf(strings.Repeat(`<p class="x">storage address of our <b>delivery</b> <a href="https://www.example.net/answer">know</a></p>`+"\n", 80))
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := new(Inspector).inspect(b.Context(), strings.NewReader(message)); err != nil {
			b.Fatal(err)
		}
	}
}
