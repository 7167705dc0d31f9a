package test

import (
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// The goal is 100 of 20 MB: "go test ./test -run TestLargeMessages -v
// -large.messages=100 -large.size=20000000 -large.clamdscan". Every run has a
// smaller load.
var (
	largeMessages  = flag.Int("large.messages", 24, "messages at once in TestLargeMessages")
	largeSize      = flag.Int("large.size", 5_000_000, "octets of each")
	largeClamdscan = flag.Bool("large.clamdscan", false, "have clamdscan scan the same messages, for comparison")
)

// mostMemory is what tollgate may use, however many large messages it has.
const mostMemory = 200 << 20

// Many large messages at once, each scanned by a real clamd: the memory of
// tollgate does not grow with their sizes.
func TestLargeMessages(t *testing.T) {
	g := prepare(t, false)
	// Without its memory of what was clean clamd scans every message.
	clamd, err := g.box.Clamd(harness.ClamdConfig{
		StreamMaxLength: 40 << 20, MaxFileSize: 40 << 20, MaxThreads: 10, More: []string{"DisableCache yes", "MaxScanSize 100M"},
	})
	if err != nil {
		t.Fatal(err)
	}
	g.write(t, "policy/policy.toml", fmt.Sprintf(`
[[client]]
id = "a"
addresses = ["a@example.org"]

[antivirus]
clamd    = "unix:%s"
max_size = "30 MiB"
timeout  = "3m"
`, clamd.Socket))
	g.start(t, "smtpd_client_connection_count_limit = 0", "smtpd_timeout = 600s")

	began := time.Now()
	stop, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- g.most(stop) }()
	errs := make(chan error, *largeMessages)
	var all sync.WaitGroup
	for i := range *largeMessages {
		all.Go(func() { errs <- g.sendLarge(i) })
	}
	all.Wait()
	took := time.Since(began)
	close(stop)
	most := <-peak
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d messages of %d bytes in %.1f s, tollgate's memory at most %d MiB", *largeMessages, *largeSize, took.Seconds(), most>>20)
	if most > mostMemory {
		t.Errorf("tollgate used %d MiB", most>>20)
	}
	out, err := g.gate.Command(t.Context(), "journal", "antivirus", "--json")
	if clean := strings.Count(out.Stdout, `"result":"clean"`); err != nil || clean != *largeMessages {
		t.Errorf("%d scanned and clean: %v %.300s %s", clean, err, out.Stdout, out.Stderr)
	}
	if *largeClamdscan {
		alone := clamdscan(t, clamd)
		t.Logf("clamdscan of the same messages: %.1f s; with Postfix and tollgate %.2f times that", alone.Seconds(), took.Seconds()/alone.Seconds())
	}
	if err := g.drained(t.Context(), harness.Patience); err != nil {
		t.Error(err)
	}
}

// most is the largest resident set that was seen until stop.
func (g *gateway) most(stop <-chan struct{}) (peak int64) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if now, err := g.gate.Resident(); err == nil {
			peak = max(peak, now)
		}
		select {
		case <-tick.C:
		case <-stop:
			return peak
		}
	}
}

// largeMessage is mail with an attachment that cannot be compressed, another
// one for each i.
func largeMessage(i int) []byte {
	data := make([]byte, *largeSize/78*57)
	rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)}).Read(data)
	head := "From: b@example.com\nSubject: large\nMIME-Version: 1.0\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n"
	return []byte(strings.ReplaceAll(head+lines76(base64.StdEncoding.EncodeToString(data))+"\n", "\n", "\r\n"))
}

func (g *gateway) sendLarge(i int) error {
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.Patience = 10 * time.Minute
	err = errors.Join(expect(220)(c.Reply()), expect(250)(c.Cmd("EHLO b")),
		expect(250)(c.Cmd("MAIL FROM:<b@example.com>")), expect(250)(c.Cmd("RCPT TO:<a@example.org>")))
	if err != nil {
		return err
	}
	return expect(250)(c.Data(largeMessage(i)))
}

// clamdscan is how long ClamAV's own client takes for the same messages, as
// many at once as clamd has threads.
func clamdscan(t *testing.T, clamd *harness.Clamd) time.Duration {
	t.Helper()
	dir := t.TempDir()
	for i := range *largeMessages {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.eml", i)), largeMessage(i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	out, err := exec.Command("clamdscan", "--config-file="+clamd.Config(), "--stream", "--multiscan", "--no-summary", dir).CombinedOutput()
	if err != nil || strings.Count(string(out), ": OK") != *largeMessages && !strings.Contains(string(out), dir+": OK") {
		t.Fatalf("clamdscan: %v %.500s", err, out)
	}
	return time.Since(began)
}
