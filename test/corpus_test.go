package test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

// shared finds test material beside the repository. Where there is none the
// test is skipped, but never in CI.
func shared(t *testing.T, name string) string {
	t.Helper()
	dir, err := harness.Shared(name)
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The corpus, every message of it with a tag that is ASCII, once more with one
// that is not, and by a listener without any milter to compare with.
func TestCorpus(t *testing.T) {
	t.Parallel()
	corpus := readCorpus(t)
	if len(corpus) != 268 {
		t.Fatalf("%d messages", len(corpus))
	}
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", corpusPolicy(corpus))
	g.start(t, "disable_mime_output_conversion = yes")
	g.sendCorpus(t, corpus)
	if err := g.postfix.Idle(harness.Patience); err != nil {
		t.Fatal(err)
	}
	if err := g.drained(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	delivered := make(map[string]*harness.Delivered)
	for _, d := range g.sink.Messages() {
		delivered[d.From] = d
	}
	if len(delivered) != 3*len(corpus) {
		t.Errorf("%d messages were delivered, %d sent", len(delivered), 3*len(corpus))
	}
	entries := make(map[string]script.Object)
	for _, e := range g.journal(t, "messages") {
		entries[fmt.Sprint(e["sender"])] = e
	}
	g.stopDrained(t)
	records := make(map[string]accounting.Record)
	for _, r := range g.records(t) {
		if _, twice := records[r.Sender]; twice {
			t.Errorf("%s has two records", r.Sender)
		}
		records[r.Sender] = r
	}

	exact := 0
	for _, m := range corpus {
		t.Run(m.ID, func(t *testing.T) {
			plain := delivered[m.ID+"@plain.test"]
			for route, tag := range corpusTags {
				sender := m.ID + "@" + route
				marked, entry := delivered[sender], entries[sender]
				if plain == nil || marked == nil || entry == nil {
					t.Fatalf("%s: delivered %v, without milter %v, journalled %v", route, marked != nil, plain != nil, entry != nil)
				}
				m.checkSubject(t, tag, marked, plain)
				compareRest(t, plain.Data, marked.Data)
				m.checkHops(t, entry)
				m.checkSize(t, records[sender], plain.Data)
			}
		})
		if records[m.ID+"@ascii.test"].Size == int64(len(m.wire)) {
			exact++
		}
	}
	t.Logf("the size of %d of %d messages is exactly what was sent, the others differ as accounting.md says", exact, len(corpus))
}

// cutByPostfix are messages of whose header Postfix itself, before any milter,
// cuts a part away. What is left is the truth for them.
var cutByPostfix = map[string]string{
	"0013": "an address field of more than header_address_token_limit tokens",
	"0260": "a field of more than 60,000 octets",
}

// corpusTags are the tags by the domain of the sender.
var corpusTags = map[string]string{"ascii.test": "[CORPUS]", "cyrillic.test": "[ПОЧТА]"}

// corpusPolicy tags every message, and has a rule for each address that stands
// anywhere in a header of the corpus: the journal tells which were found.
func corpusPolicy(corpus []*specimen) string {
	var b strings.Builder
	b.WriteString("[recipients]\nmode = \"known\"\n\n[[client]]\nid = \"corpus\"\naddresses = [\"all@example.org\"]\n")
	for route, tag := range corpusTags {
		fmt.Fprintf(&b, "\n[[rule]]\nname = %q\nstage = \"headers\"\nmatch = { sender = '@%s$' }\ntag_subject = %q\n", route, route, tag)
	}
	seen := make(map[netip.Addr]bool)
	for _, m := range corpus {
		header, _, _ := bytes.Cut(m.wire, []byte("\r\n\r\n"))
		ips := slices.Concat(m.IPs, m.originated)
		for _, text := range quad.FindAllString(string(header), -1) {
			if ip, err := netip.ParseAddr(text); err == nil {
				ips = append(ips, ip)
			}
		}
		for _, ip := range ips {
			if ip = ip.Unmap(); !seen[ip] {
				seen[ip] = true
				fmt.Fprintf(&b, "\n[[rule]]\nname = %q\nstage = \"headers\"\nmatch = { header_ip = %q }\n", hopRule(ip), ip)
			}
		}
	}
	return b.String()
}

// hopRule is the name of an address's rule.
func hopRule(ip netip.Addr) string { return "hop-" + strings.ReplaceAll(ip.String(), ":", "_") }

func (g *gateway) sendCorpus(t *testing.T, corpus []*specimen) {
	t.Helper()
	var wg sync.WaitGroup
	for _, route := range []string{"plain.test", "ascii.test", "cyrillic.test"} {
		wg.Go(func() {
			addr := g.postfix.Addr
			if route == "plain.test" {
				addr = g.postfix.Plain
			}
			c, err := harness.Dial(addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			err = errors.Join(
				expect(220)(c.Reply()),
				expect(220)(c.XClient("ADDR=192.0.2.7", "NAME=mail.example.com")),
				expect(250)(c.Cmd("EHLO mail.example.com")),
			)
			for _, m := range corpus {
				err = errors.Join(err,
					expect(250)(c.Cmd("MAIL FROM:<"+m.ID+"@"+route+"> BODY=8BITMIME")),
					expect(250)(c.Cmd("RCPT TO:<all@example.org>")),
					expect(250)(c.Data(m.wire)))
				if err != nil {
					t.Errorf("%s@%s: %v", m.ID, route, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
