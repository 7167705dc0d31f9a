package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// hardTexts are spelt in several ways: by case, by JSON's escapes, by IDNA.
var hardTexts = []string{
	"invoice", "INVOICE", "Счёт", "счёт", "СЧЁТ", "Kelvin", "\u212aelvin", "İstanbul", "istanbul", "Straße", "STRASSE", "ſet", "SET",
	"σας", "ΣΑΣ", "a\"b", "a\\b", "tab\there", "line\u2028end", "\ufffd", "<>&", "x/y", "", "100%", "日本語", "é", "É", "e\u0301",
}

var hardAddresses = []string{
	"ivan@example.org", "IVAN@EXAMPLE.ORG", "divan@example.org", "ivan+tag@example.org", "\"iv\\an\"@example.org", "анна@тест.рф",
	"anna@xn--e1aybc.xn--p1ai", "olga@bücher.example", "olga@xn--bcher-kva.example", "o@ｅxample.org", "\u212aate@example.org", "", "postmaster",
	// As clients may write them (RFC 5321 §4.1.2, RFC 822 §3.1.4).
	"anna.(x)petrova@example.org", "anna. petrova @ example . org", "anna(c).petrova@(c)example.org.", "@a.example:anna.petrova@example.org", "<Anna.Petrova@Example.ORG >", "anna.petrova@example.org",
}

// What the octets of a line rule out must not be what the entry says: a search
// finds exactly what decoding every line finds.
func TestSearchIsAFullScan(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(all []string) string { return all[rnd.IntN(len(all))] }
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var entries []*journal.Entry
	for i := range 200 {
		kind := pick([]string{journal.Messages, journal.Blocks, journal.Antivirus})
		entries = append(entries, &journal.Entry{
			Time: start.Add(time.Duration(i) * time.Second), Kind: kind, Ref: fmt.Sprintf("ref%d", i), QueueID: fmt.Sprintf("Q%X", i*7919),
			MessageID: "<" + pick(hardTexts) + "@example.com>", Subject: pick(hardTexts) + " " + pick(hardTexts), Sender: pick(hardAddresses),
			Recipient: pick(hardAddresses), Recipients: []string{pick(hardAddresses), pick(hardAddresses)}, Helo: pick(hardTexts),
			ClientHost: pick([]string{"mail.example.com", "unknown"}), ClientIP: pick([]string{"192.0.2.7", "192.0.2.77", "2001:db8::7", "::ffff:192.0.2.7", ""}),
			Verdict: pick([]string{"accept", "reject"}), Stage: pick([]string{"rcptto", "complete"}), Size: int64(rnd.IntN(3000)), Rule: pick(hardTexts),
		})
	}
	dir := t.TempDir()
	for _, k := range journal.Kinds() {
		var of []*journal.Entry
		for _, e := range entries {
			if e.Kind == k {
				of = append(of, e)
			}
		}
		half := len(of) / 2
		file(t, filepath.Join(dir, k+".jsonl.1.gz"), of[:half]...)
		file(t, filepath.Join(dir, k+".jsonl"), of[half:]...)
	}
	// The same, with every string spelt by numbers, so that no octets rule a line out.
	spelt := t.TempDir()
	for _, k := range journal.Kinds() {
		var b bytes.Buffer
		for _, e := range entries {
			if e.Kind == k {
				b.Write(spellOut(t, e))
				b.WriteByte('\n')
			}
		}
		if err := os.WriteFile(filepath.Join(spelt, k+".jsonl"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The same once more, packed and indexed; every member has some lines only.
	packed := t.TempDir()
	for _, k := range journal.Kinds() {
		b, err := os.ReadFile(filepath.Join(spelt, k+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.SplitAfter(b, []byte("\n"))
		half := len(lines) / 2
		for name, of := range map[string][][]byte{".jsonl.2": lines[:half], ".jsonl.1": lines[half:]} {
			var out bytes.Buffer
			for _, line := range of {
				out.Write(line)
				out.WriteString(strings.Repeat(" ", 60_000) + "\n") // fills members up
			}
			if err := os.WriteFile(filepath.Join(packed, k+name), out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	pack(t, packed)
	left := int64(0)
	parts := func(s string) string {
		r := []rune(s)
		if len(r) < 2 {
			return s
		}
		from := rnd.IntN(len(r) - 1)
		return string(r[from : from+1+rnd.IntN(len(r)-from)])
	}
	for n := range 135 {
		var q journal.Query
		switch n % 9 {
		case 0:
			q.Subject = parts(pick(hardTexts))
		case 1:
			q.Sender = parts(pick(hardAddresses))
		case 2:
			q.Recipient = pick(hardAddresses)
		case 3:
			q.Any = []string{parts(pick(hardAddresses)), fmt.Sprintf("REF%d", rnd.IntN(200))}
		case 4:
			q.ClientIP = netip.MustParsePrefix(pick([]string{"192.0.2.7/32", "192.0.2.0/24", "2001:db8::/32"}))
		case 5:
			q.Helo, q.Host = pick(hardTexts), "EXAMPLE"
		case 6:
			q.MessageID = pick(hardTexts) + "@example.com"
		case 7:
			q.LeastSize, q.MostSize, q.Verdict, q.Stage = 1000, 2000, "REJECT", "rcptto"
		case 8:
			q.Rule, q.Recipient = pick(hardTexts), "@"+pick([]string{"example.org", "тест.рф", "xn--bcher-kva.example"})
		}
		got, _ := search(t, dir, q)
		want, _ := search(t, spelt, q)
		if !slices.Equal(got, want) {
			t.Errorf("%+v:\ngot  %q\nwant %q", q, got, want)
		}
		most := 1 + rnd.IntN(5)
		lastOf := func(dir string) (last []string) {
			if _, err := journal.Last(t.Context(), dir, q, most, func(e journal.Entry) error {
				last = append(last, e.Ref)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return last
		}
		if got, want := lastOf(dir), want[max(0, len(want)-most):]; !slices.Equal(got, want) {
			t.Errorf("the last %d of %+v:\ngot  %q\nwant %q", most, q, got, want)
		}
		if n/9%3 > 0 {
			continue // what is packed is long: a third of each kind of query has a look
		}
		indexed, report := search(t, packed, q)
		left += report.Left
		if !slices.Equal(indexed, want) {
			t.Errorf("by the index, %+v:\ngot  %q\nwant %q", q, indexed, want)
		}
		if got, want := lastOf(packed), want[max(0, len(want)-most):]; !slices.Equal(got, want) {
			t.Errorf("by the index, the last %d of %+v:\ngot  %q\nwant %q", most, q, got, want)
		}
	}
	if left < 60 {
		t.Errorf("the index ruled out %d members only", left)
	}
}

// spellOut writes every character of every string by its number (RFC 8259 §7), but
// the time, and with a space before each value.
func spellOut(t *testing.T, e *journal.Entry) []byte {
	t.Helper()
	line, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		t.Fatal(err)
	}
	var spell func(v any) string
	spell = func(v any) string {
		switch v := v.(type) {
		case string:
			var b strings.Builder
			for _, r := range v {
				if r > 0xffff {
					t.Fatalf("%q", v)
				}
				fmt.Fprintf(&b, `\u%04X`, r)
			}
			return `"` + b.String() + `"`
		case []any:
			var all []string
			for _, x := range v {
				all = append(all, spell(x))
			}
			return "[" + strings.Join(all, ",") + "]"
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	out := fmt.Sprintf(`{"time":%q`, fields["time"])
	for name, v := range fields {
		if name != "time" {
			out += fmt.Sprintf(`, %q: %s`, name, spell(v))
		}
	}
	return []byte(out + "}")
}

// Reading backwards gives the lines of reading forwards, whatever their lengths.
func TestLastOfLongLines(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	var want []string
	for i, n := range []int{0, 1, 1000, 300 << 10, 10, 17 << 20, 256 << 10, 3} {
		e := journal.Entry{Time: time.Unix(int64(1e9+i), 0), Kind: journal.Messages, Ref: fmt.Sprint(i), Subject: strings.Repeat("x", n)}
		line, err := e.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
		b.WriteString("\n\n"[:1+i%2])
		if n < 16<<20 {
			want = append(want, e.Ref)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "messages.jsonl"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	report, err := journal.Last(context.Background(), dir, journal.Query{}, 100, func(e journal.Entry) error {
		got = append(got, e.Ref)
		return nil
	})
	if err != nil || !slices.Equal(got, want) || report.Broken != 1 || report.Lines != 8 {
		t.Errorf("%q, %+v, %v", got, report, err)
	}
}
