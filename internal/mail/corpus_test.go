package mail

import (
	"bytes"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

func TestCorpusHeaders(t *testing.T) {
	corpus(t, func(t *testing.T, tr *truth, message []byte) {
		h, _ := SplitMessage(message)
		if len(h) != tr.HeaderCountPostfix {
			t.Errorf("%d fields, want %d", len(h), tr.HeaderCountPostfix)
		}
		subject, ok := h.Subject()
		if tr.Subject == nil {
			if ok && !tr.debatable("subject") {
				t.Errorf("Subject %q, want none", subject)
			}
			return
		}
		readings := append([]string{*tr.Subject}, tr.SubjectAlt...)
		if i := slices.IndexFunc(readings, func(s string) bool { return collapse(fieldtext.Printable(s)) == collapse(subject) }); i < 0 {
			t.Errorf("Subject\n%q, want one of\n%q", collapse(subject), readings)
		}
	})
}

func TestCorpusTrace(t *testing.T) {
	corpus(t, func(t *testing.T, tr *truth, message []byte) {
		h, _ := SplitMessage(message)
		h = slices.DeleteFunc(h, func(f Field) bool { return strings.EqualFold(f.Name, "X-Originating-IP") })
		got := h.TraceIPs(nil)
		if tr.debatable("received_ips") && len(tr.DoubtfulIPs) == 0 {
			return // where the header ends is what is debated
		}
		// Releases of sendmail, with a slash between; who counted them as
		// addresses could not tell.
		releases := map[string][]string{"0072": {"8.16.0.43", "8.17.1.19", "8.17.1.5", "8.17.1.22"}}
		want := addrs(slices.DeleteFunc(slices.Clone(tr.ReceivedIPs), func(s string) bool { return slices.Contains(releases[tr.ID], s) }))
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v (doubtful %v)", got, want, tr.DoubtfulIPs)
		}
	})
}

func addrs(texts []string) []netip.Addr {
	var list []netip.Addr
	for _, s := range texts {
		list = append(list, netip.MustParseAddr(s))
	}
	return list
}

// TestCorpusSizes adds up what header, blank line and body are on the wire:
// what was sent, but for what Postfix shows otherwise.
func TestCorpusSizes(t *testing.T) {
	// Postfix shows "Subject :" without the space.
	spaced := regexp.MustCompile(`(?m)^[!-9;-~]+([ \t]+):`)
	corpus(t, func(t *testing.T, tr *truth, message []byte) {
		if tr.debatable("size_crlf") {
			return
		}
		h, body := SplitMessage(message)
		got := wire(body) + int64(len("\r\n"))
		for _, f := range h {
			got += f.Size()
		}
		want := tr.SizeCRLF
		header := message[:len(message)-len(body)]
		fields := header
		if len(h) > 0 && h[0].Name == "X-Mailbox-Line" {
			want += int64(len("X-Mailbox-Line: "))
			_, fields, _ = bytes.Cut(header, []byte("\n"))
		}
		for _, m := range spaced.FindAllSubmatch(fields, -1) {
			want -= int64(len(m[1]))
		}
		if len(header) > 0 && !bytes.HasSuffix(header, []byte("\n")) {
			want += int64(len("\r\n")) // the last line of the file
		}
		if lines := bytes.ReplaceAll(header, []byte("\r\n"), []byte("\n")); !bytes.HasSuffix(lines, []byte("\n\n")) && string(lines) != "\n" {
			want += int64(len("\r\n")) // Postfix adds the blank line
		}
		if got != want {
			t.Errorf("%d octets, want %d", got, want)
		}
	})
}

// wire counts octets, every line end being CRLF.
func wire(b []byte) int64 {
	return int64(len(b) + bytes.Count(b, []byte("\n")) - bytes.Count(b, []byte("\r\n")))
}

// TestCorpusTags: a tagged Subject reads as the tag, a space and what it read as before,
// and a second tagging finds the tag.
func TestCorpusTags(t *testing.T) {
	corpus(t, func(t *testing.T, _ *truth, message []byte) {
		h, _ := SplitMessage(message)
		raw, _ := h.Get("Subject")
		raw = strings.ReplaceAll(raw, "\x00", "")
		for _, tag := range []string{"[SPAM?]", "[СПАМ?]"} {
			got, changed := fieldtext.TagSubject(raw, []string{tag}, "")
			set := h.FallbackCharset()
			if d, want := collapse(fieldtext.Decode(nil, got, set)), collapse(tag+" "+fieldtext.Decode(nil, raw, set)); changed && d != want {
				t.Errorf("%q with %q becomes\n%q, which decodes to\n%q, want\n%q", raw, tag, got, d, want)
			}
			if again, changed := fieldtext.TagSubject(got, []string{tag}, ""); changed {
				t.Errorf("%q is tagged twice: %q", got, again)
			}
		}
	})
}
