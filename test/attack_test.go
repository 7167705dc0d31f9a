package test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// The goal is 2000: "go test ./test -run TestAttackersDay -v
// -attack.messages=2000". Every run has fewer.
var attackMessages = flag.Int("attack.messages", 300, "hostile messages in TestAttackersDay")

// documentedRules are the parts of docs/policy.md that refuse programs.
func documentedRules(t *testing.T) string {
	t.Helper()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "policy.md"))
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, begin := range []string{"[[module]]\nname = \"files\"\n", "[[rule]]\nname   = \"programs\"\n"} {
		_, rest, ok := strings.Cut(string(page), begin)
		part, _, end := strings.Cut(rest, "\n\n")
		if !ok || !end {
			t.Fatalf("docs/policy.md has no %q", begin)
		}
		parts = append(parts, begin+part+"\n")
	}
	return strings.Join(parts, "\n")
}

// patient has the module wait as long as a machine may take that has other work: what
// it does when the time is over, defer, is not what is asked here.
func patient(policy string) string {
	return strings.Replace(policy, "name = \"files\"\n", "name = \"files\"\ntimeout = \"2m\"\n", 1)
}

// hostile are messages with a program, each in another container or disguise.
func hostile(t *testing.T) map[string][]byte {
	t.Helper()
	const program = "invoice.exe"
	head := "From: b@example.com\r\nSubject: invoice\r\n"
	all := map[string][]byte{}
	for _, d := range archivetest.Disguises(t, program) {
		all[d.Name] = append([]byte(head), archivetest.Attached(d.Name, d.Content)...)
	}
	for _, outer := range archivetest.Containers(t) {
		for _, inner := range archivetest.Containers(t) {
			innerName := inner.Called("", program)
			if !outer.Opened && strings.HasSuffix(innerName, ".docx") {
				continue // a document, whatever is in it
			}
			name := outer.Called("", innerName)
			all["within each other: "+name+"/"+innerName] = append([]byte(head), archivetest.Attached(name, outer.Of(innerName, inner.Of(program, []byte("MZ"))))...)
		}
	}
	// A header of a 7z that says again and again how its files are divided.
	sections := append([]byte{1, 4, 7, 0x0b, 0x80 | 0x27, 0x10, 0}, bytes.Repeat([]byte{1, 1, 0}, 10_000)...)
	sections = append(append(sections, 0x0c), make([]byte, 10_001)...)
	sections = append(sections, bytes.Repeat([]byte{8, 0}, 10_000)...)
	exploit := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), make([]byte, 24)...)
	exploit[20], exploit[21], exploit[22] = byte(len(sections)), byte(len(sections)>>8), byte(len(sections)>>16)
	all["sections.7z"] = append([]byte(head), archivetest.Attached("sections.7z", append(exploit, sections...))...)
	for name, fields := range map[string]string{
		"a plain name":         "Content-Type: application/octet-stream; name=invoice.exe",
		"words behind it":      "Content-Disposition: attachment; filename=invoice.exe (2 pages).txt",
		"a comma":              "Content-Disposition: attachment, filename=invoice.exe",
		"no separator":         `Content-Disposition: attachment filename="invoice.exe"`,
		"a comment before":     "Content-Disposition: (x) attachment; filename=invoice.exe",
		"a comment within":     "Content-Disposition: attachment; filename (x) = (y) invoice.exe",
		"a comment behind":     "Content-Disposition: attachment; filename=invoice.exe(x)",
		"many names":           "Content-Disposition: attachment; filename=invoice.exe" + strings.Repeat("; filename=a.txt", 30),
		"RFC 2231":             "Content-Disposition: attachment; filename*=utf-8''invoice%2Eexe",
		"RFC 2231 in pieces":   "Content-Disposition: attachment; filename*0=invo; filename*1=ice.exe",
		"RFC 2047":             "Content-Disposition: attachment; filename=\"=?utf-8?Q?invoice=2Eexe?=\"",
		"the direction turned": "Content-Disposition: attachment; filename*=utf-8''invoice%E2%80%AEfdp.exe",
		"a long name":          "Content-Disposition: attachment; filename=\"" + strings.Repeat("x", 700) + ".exe\"",
	} {
		all[name] = []byte(head + "MIME-Version: 1.0\r\n" + fields + "\r\n\r\nx\r\n")
	}
	return all
}

// An attacker's day: with the rules of the documentation in force every container
// and every disguise of a program is refused, many of them in a row, and normal
// mail passes meanwhile and is charged, once each.
func TestAttackersDay(t *testing.T) {
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", "[[client]]\nid = \"a\"\naddresses = [\"a@example.org\"]\n\n"+patient(documentedRules(t))+plainRule)
	g.start(t, "smtpd_client_connection_count_limit = 0", "smtpd_client_message_rate_limit = 0", "smtpd_hard_error_limit = 100000", "smtpd_junk_command_limit = 100000")
	messages := hostile(t)
	// First each by itself: a failure names it.
	for name, message := range messages {
		if err := g.sendEach("a@example.org", 550, [][]byte{message}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	text := []byte("From: b@example.com\r\nSubject: hello\r\n\r\ntext\r\n")
	timed := func() (time.Duration, error) {
		began := time.Now()
		err := g.sendEach("a@example.org", 250, [][]byte{text})
		return time.Since(began), err
	}
	// What normal mail takes by itself, beside the attack, and beside as many plain
	// messages of the same lengths (what Postfix and the processors take anyway), round
	// by round: all are printed and none is judged, for the machine may have other
	// work. That every normal message is taken, at its first try, is.
	const attackers, rounds = 4, 4
	all := slices.Collect(maps.Values(messages))
	for len(all) < *attackMessages/rounds {
		all = append(all, all[:len(messages)]...)
	}
	// besides sends messages from all attackers at full speed, and normal ones beside
	// them: what each of these took, in seconds.
	besides := func(all [][]byte) (busy []float64) {
		var attack, normal sync.WaitGroup
		var over atomic.Bool
		errs := make(chan error, attackers+1)
		for part := range slices.Chunk(all, (len(all)+attackers-1)/attackers) {
			attack.Go(func() { errs <- g.sendEach("a@example.org", 550, part) })
		}
		normal.Go(func() {
			// At least one: on a busy machine all the others may be through before this runs.
			for first := true; first || !over.Load(); first = false {
				took, err := timed()
				if err != nil {
					errs <- fmt.Errorf("normal mail: %w", err)
					return
				}
				busy = append(busy, took.Seconds())
			}
		})
		attack.Wait()
		over.Store(true)
		normal.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
		if len(busy) == 0 {
			t.FailNow() // why was told
		}
		return busy
	}
	var alone, beside, besidePlain, ratios, plainRatios []float64
	sent := 0
	stop, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- g.most(stop) }()
	for round := range rounds {
		var quiet []float64
		for range 20 {
			took, err := timed()
			if err != nil {
				t.Fatal(err)
			}
			quiet = append(quiet, took.Seconds())
		}
		part := all[round**attackMessages/rounds%len(all):]
		part = slices.Concat(part, all)[:*attackMessages/rounds]
		sent += len(part)
		busy, busyPlain := besides(part), besides(plain(part))
		ratios, plainRatios = append(ratios, median(busy)/median(quiet)), append(plainRatios, median(busyPlain)/median(quiet))
		alone, beside, besidePlain = append(alone, quiet...), append(beside, busy...), append(besidePlain, busyPlain...)
	}
	close(stop)
	most := <-peak
	t.Logf("%d of %d kinds refused, %d normal messages beside them; the median of normal mail %.4f s, alone %.4f s, by round %.1f times, beside plain messages %.1f times; the slowest %.2f s; tollgate's memory at most %d MiB",
		sent, len(messages), len(beside), median(beside), median(alone), ratios, plainRatios, slices.Max(beside), most>>20)
	if most > mostMemory {
		t.Errorf("tollgate used %d MiB", most>>20)
	}
	log, err := os.ReadFile(g.box.Path("postfix.log"))
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.Index(log, []byte("panic:")); i >= 0 {
		t.Errorf("Postfix: %.200s", log[i:])
	}
	for _, o := range g.journal(t, "messages") {
		if reason, _ := o["reason"].(string); strings.Contains(reason, "internal fault") {
			t.Errorf("tollgate: %v", o)
		}
	}
	blocked := map[any]int{}
	for _, o := range g.journal(t, "blocks") {
		if o["verdict"] == "reject" {
			blocked[o["rule"]]++
		}
	}
	if want := map[any]int{"programs": sent + len(messages), "plain": sent}; !maps.Equal(blocked, want) {
		t.Errorf("blocks %v, want %v", blocked, want)
	}
	g.stopDrained(t)
	// Each normal message once, all of the same size, and nothing of the others.
	records := g.records(t)
	if want := len(alone) + len(beside) + len(besidePlain); len(records) != want {
		t.Errorf("%d records of %d messages", len(records), want)
	}
	for _, r := range records {
		if r.Size != records[0].Size || r.Charged != r.Size {
			t.Errorf("%v", r)
		}
	}
}

// plainRule refuses what plain makes.
const plainRule = `
[[rule]]
name   = "plain"
stage  = "complete"
match  = { subject = "^plain$" }
action = "reject"
`

// plain are messages of the same lengths, of text and one header.
func plain(messages [][]byte) (all [][]byte) {
	const line = "Nothing is hidden in this line of some seventy octets, it is plain text.\r\n"
	for _, m := range messages {
		head := "From: b@example.com\r\nSubject: plain\r\n\r\n"
		all = append(all, []byte(head+strings.Repeat(line, len(m)/len(line)+1)))
	}
	return all
}

// median is the one in the middle.
func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// sendEach sends messages over one connection, each of which is to be answered
// with a code.
func (g *gateway) sendEach(to string, code int, messages [][]byte) error {
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.Patience = 2 * time.Minute
	if err := errors.Join(expect(220)(c.Reply()), expect(250)(c.Cmd("EHLO b"))); err != nil {
		return err
	}
	for i, message := range messages {
		err := errors.Join(expect(250)(c.Cmd("MAIL FROM:<b@example.com>")), expect(250)(c.Cmd("RCPT TO:<"+to+">")))
		if err == nil {
			err = expect(code)(c.Data(message))
		}
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return nil
}
