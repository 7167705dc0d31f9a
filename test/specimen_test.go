package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

// specimen is a message of the corpus with what is known of it.
type specimen struct {
	ID         string       `json:"id"`
	SizeCRLF   int          `json:"size_crlf"`
	Subject    *string      `json:"subject"`
	Alt        []string     `json:"subject_alt"`
	IPs        []netip.Addr `json:"received_ips"`
	Doubtful   []netip.Addr `json:"received_ips_doubtful"`
	Debatable  []string     `json:"debatable_fields"`
	wire       []byte       // with CR LF line ends
	originated []netip.Addr // in X-Originating-IP
}

var (
	bareLF     = regexp.MustCompile(`(^|[^\r])\n`)
	quad       = regexp.MustCompile(`\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b`)
	originated = regexp.MustCompile(`(?i)^x-originating-ip$`)
)

func readCorpus(t *testing.T) []*specimen {
	t.Helper()
	dir := shared(t, "corpus")
	truth, err := os.ReadFile(filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*specimen
	for _, line := range bytes.Split(bytes.TrimSpace(truth), []byte("\n")) {
		s := new(specimen)
		if err := json.Unmarshal(line, s); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, s.ID+".eml"))
		if err != nil {
			t.Fatal(err)
		}
		s.wire = text
		for bareLF.Match(s.wire) { // twice, for neighbours overlap
			s.wire = bareLF.ReplaceAll(s.wire, []byte("$1\r\n"))
		}
		if len(s.wire) != s.SizeCRLF {
			t.Fatalf("%s: %d bytes with CR LF, the truth has %d", s.ID, len(s.wire), s.SizeCRLF)
		}
		for _, f := range shownFields(s.wire) {
			if originated.MatchString(f.Name) {
				if ip, err := netip.ParseAddr(strings.Trim(f.Raw, " []\r\n\t")); err == nil {
					s.originated = append(s.originated, ip)
				}
			}
		}
		all = append(all, s)
	}
	return all
}

func (s *specimen) debatable(field string) bool { return slices.Contains(s.Debatable, field) }

var spaces = regexp.MustCompile(`\s+`)

func collapse(s string) string { return strings.TrimSpace(spaces.ReplaceAllString(s, " ")) }

// checkSubject decodes what was delivered by other means than tollgate's.
func (m *specimen) checkSubject(t *testing.T, tag string, d, plain *harness.Delivered) {
	t.Helper()
	all := script.ReadMessage(d.Data).All("Subject")
	if len(all) == 0 {
		t.Errorf("no Subject")
		return
	}
	rest, ok := strings.CutPrefix(decodeTag(all[0]), tag)
	if !ok {
		t.Errorf("the Subject %q does not begin with %q", all[0], tag)
		return
	}
	if m.debatable("subject") {
		return
	}
	got, err := script.Decode(rest)
	want := append(slices.Clone(m.Alt), "")
	if m.Subject != nil {
		want[len(m.Alt)] = *m.Subject
	}
	if cutByPostfix[m.ID] != "" {
		// Postfix cuts the marked field once more: as much as the mark is long.
		alone := script.ReadMessage(plain.Data).All("Subject")[0]
		if missing := len(alone) - len(" "+got); missing <= len(all[0])-len(rest) && strings.HasPrefix(alone, " "+got) {
			return
		}
	}
	for _, w := range want {
		if collapse(got) == collapse(w) {
			return
		}
	}
	t.Errorf("after the tag %q decodes to %q (%v), want one of %q", all[0], got, err, want)
}

// decodeTag decodes the word that the tag is, and leaves the rest raw.
func decodeTag(raw string) string {
	raw = strings.TrimSpace(strings.ReplaceAll(raw, "\r\n", ""))
	first, rest, _ := strings.Cut(raw, " ")
	if text, err := script.Decode(first); err == nil {
		first = text
	}
	return first + " " + rest
}

// compareRest compares header and body with what Postfix alone delivers, but
// for its own Received field, the first Subject and the report.
func compareRest(t *testing.T, plain, marked []byte) {
	t.Helper()
	want, got := script.ReadMessage(plain), script.ReadMessage(marked)
	if !bytes.Equal(got.Body, want.Body) {
		t.Errorf("the body changed:\n%.300q\nwas\n%.300q", got.Body, want.Body)
	}
	// A Subject that was created is put where it can be masked like others.
	_, had := subjectAt(want.Fields)
	if at, ok := subjectAt(got.Fields); ok && !had {
		got.Fields = slices.Delete(got.Fields, at, at+1)
	}
	mask := func(m script.Message) []script.Field {
		fields := slices.Clone(m.Without("X-Tollgate"))
		if len(fields) > 0 {
			fields = fields[1:] // Received, of this Postfix
		}
		if at, ok := subjectAt(fields); ok {
			fields[at].Raw = "masked"
		}
		return fields
	}
	g, w := mask(got), mask(want)
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			t.Errorf("field %d is gone: %q", i, w[i])
		case i >= len(w):
			t.Errorf("field %d is new: %q", i, g[i])
		case g[i] != w[i]:
			t.Errorf("field %d is %q, was %q", i, g[i], w[i])
		}
	}
}

func subjectAt(fields []script.Field) (int, bool) {
	i := slices.IndexFunc(fields, func(f script.Field) bool { return strings.EqualFold(f.Name, "Subject") })
	return i, i >= 0
}

// releases are what the truth of a message has among its addresses, though a
// mail program wrote its release there.
var releases = map[string][]string{"0072": {"8.16.0.43", "8.17.1.19", "8.17.1.5", "8.17.1.22"}}

// checkHops compares the rules that matched with the addresses of the truth.
func (m *specimen) checkHops(t *testing.T, entry script.Object) {
	t.Helper()
	if m.debatable("received_ips") {
		return
	}
	want := make(map[string]bool)
	for _, ip := range slices.Concat(m.IPs, m.originated) {
		want[hopRule(ip.Unmap())] = true
	}
	// The truth counts whatever looks like an address; releases of a mail program
	// ("by mx (8.17.1.19/8.17.1.19)") are none.
	for _, ip := range releases[m.ID] {
		delete(want, hopRule(netip.MustParseAddr(ip)))
	}
	doubtful := make(map[string]bool)
	for _, ip := range m.Doubtful {
		doubtful[hopRule(ip.Unmap())] = true
	}
	rules, _ := entry["rules"].([]any)
	for _, r := range rules {
		o, _ := r.(map[string]any)
		name := fmt.Sprint(o["name"])
		if strings.HasPrefix(name, "hop-") && !want[name] && !doubtful[name] {
			t.Errorf("header_ip found %s, which is not in the truth", name)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("header_ip did not find %s", name)
	}
}

// checkSize compares the record with the bytes that were sent, less and plus
// what Postfix takes away and adds before any milter sees it; and with what
// Postfix alone delivers, less its own Received field.
func (m *specimen) checkSize(t *testing.T, r accounting.Record, plain []byte) {
	t.Helper()
	left := script.ReadMessage(plain)
	alone := int64(len("\r\n") + len(left.Body)) // the blank line is counted, also where there is none
	for _, f := range left.Fields[1:] {
		alone += int64(len(f.Name + ":" + f.Raw + "\r\n"))
	}
	want := shownSize(m.wire)
	if cutByPostfix[m.ID] != "" {
		want = alone
	}
	if r.Size != want || r.Charged != want || alone != want {
		t.Errorf("size %d, charged %d, want %d (sent %d); Postfix alone delivers %d", r.Size, r.Charged, want, len(m.wire), alone)
	}
}
