package backup_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/backup"
)

// gateway is a spool that drains into a store of its own, as in a daemon.
type gateway struct {
	t     *testing.T
	dir   string
	spool *spool.Spool
	store *embedded.Store
}

func open(t *testing.T, dir string) *gateway {
	t.Helper()
	g := &gateway{t: t, dir: dir}
	var err error
	if g.spool, err = spool.Open(filepath.Join(dir, "spool"), spool.Options{SegmentSize: 4096}); err != nil {
		t.Fatal(err)
	}
	if g.store, err = embedded.Open(filepath.Join(dir, "account.db"), embedded.Options{}); err != nil {
		t.Fatal(err)
	}
	return g
}

// flush drains what the spool has into a store.
func (g *gateway) flush(into accounting.Sink) {
	g.t.Helper()
	ctx, cancel := context.WithCancel(g.t.Context())
	done := make(chan error, 1)
	go func() { done <- g.spool.Drain(ctx, into) }()
	if err := g.spool.Flush(ctx); err != nil {
		g.t.Fatal(err)
	}
	cancel()
	<-done
}

func (g *gateway) close() {
	g.t.Helper()
	if err := errors.Join(g.spool.Close(), g.store.Close()); err != nil {
		g.t.Fatal(err)
	}
}

func record(i int) accounting.Record {
	at := time.Now().UTC().Truncate(time.Millisecond)
	return accounting.Record{
		ID: fmt.Sprintf("mx1/Q%d/%d/ivan@example.org", i, at.UnixMilli()), Kind: accounting.Usage, Time: at, Gateway: "mx1", QueueID: fmt.Sprintf("Q%d", i),
		Client: "ivan", Recipient: "ivan@example.org", Direction: "inbound", Size: 100, Charged: 100, Share: accounting.ShareFull,
		ShareIndex: 1, ShareCount: 1, Verdict: "accept", Weight: "0",
	}
}

func deliveries(t *testing.T, s accounting.Store) (n int64) {
	t.Helper()
	all, err := s.Counters(t.Context(), time.Now().UTC().Format("2006-01"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if n += c.Deliveries; c.Charged != 100*c.Deliveries {
			t.Errorf("%+v", c)
		}
	}
	return n
}

// While mail flows into the spool and from there into the store, a backup has
// each record that was durable when it began, and none twice: put back beside an
// empty store, and, twice over, beside the one that is ahead of it.
func TestWhileMailFlows(t *testing.T) {
	a := open(t, t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	drained, wrote := make(chan error, 1), make(chan int, 1)
	go func() { drained <- a.spool.Drain(ctx, a.store) }()
	var durable atomic.Int64
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			if err := a.spool.Append(context.WithoutCancel(ctx), []accounting.Record{record(n)}); err != nil {
				break
			}
			durable.Add(1)
		}
		wrote <- n
	}()
	for durable.Load() < 300 { // some segments are full by then
		time.Sleep(time.Millisecond)
	}
	before := durable.Load()
	copies := t.TempDir()
	f, err := os.Create(filepath.Join(copies, "account.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.store.Snapshot(f), f.Close(), a.store.Link(copies)); err != nil {
		t.Fatal(err)
	}
	for durable.Load() < before+300 { // the drain's cursor is ahead of the copy
		time.Sleep(time.Millisecond)
	}
	atWrite := durable.Load()
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	if _, err := backup.Write(file, backup.Source{Manifest: backup.Manifest{StateDir: a.dir}, SnapshotDir: copies}, backup.Keep); err != nil {
		t.Fatal(err)
	}
	stop()
	total := int64(<-wrote)
	<-drained

	for range 2 {
		dir := t.TempDir()
		u, err := backup.Unpack(file, dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Place(backup.OnlyEmpty); err != nil {
			t.Fatal(err)
		}
		b := open(t, dir)
		b.flush(b.store)
		if n := deliveries(t, b.store); n < atWrite || n > total {
			t.Errorf("%d records, durable were %d to %d", n, atWrite, total)
		}
		// The other store is ahead: nothing of it counts again.
		a.flush(a.store)
		ahead := deliveries(t, a.store)
		b.close()
		again, err := spool.Open(filepath.Join(dir, "spool"), spool.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b.spool = again
		b.flush(a.store)
		if n := deliveries(t, a.store); n != ahead || n != total {
			t.Errorf("%d records, before %d of %d", n, ahead, total)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	a.close()
}

func small(t *testing.T) (file, state string) {
	t.Helper()
	state = t.TempDir()
	policy := filepath.Join(t.TempDir(), "policy.toml")
	for path, text := range map[string]string{
		filepath.Join(state, "tariffs"): "t", filepath.Join(state, "history/1.json"): "{}", filepath.Join(state, "lock"): "7",
		filepath.Join(state, "spool/000000000001.seg"): "", filepath.Join(state, "spool/cursor"): "x", filepath.Join(state, "snapshot-1/account.db"): "x", policy: "p",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file = filepath.Join(t.TempDir(), "b")
	if _, err := backup.Write(file, backup.Source{Manifest: backup.Manifest{StateDir: state, Policy: policy}, Files: []string{policy}}, backup.Keep); err != nil {
		t.Fatal(err)
	}
	return file, state
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			name, _ := filepath.Rel(dir, path)
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPlace(t *testing.T) {
	file, _ := small(t)
	dir := t.TempDir()
	u, err := backup.Unpack(file, dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := u.PolicyFiles()
	if err != nil || len(files) != 1 || string(files[0].Content) != "p" || files[0].Path != u.Policy {
		t.Fatal(files, err)
	}
	if aside, err := u.Place(backup.OnlyEmpty); err != nil || aside != "" {
		t.Fatal(aside, err)
	}
	if got := fmt.Sprint(names(t, dir)); got != "[history/1.json spool/000000000001.seg tariffs]" {
		t.Error(got)
	}
	// Once more: it is not empty now.
	if u, err = backup.Unpack(file, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Place(backup.OnlyEmpty); !errors.Is(err, backup.ErrNotEmpty) || backup.Unfinished(dir) != nil {
		t.Error(err)
	}
	aside, err := u.Place(backup.Replace)
	if err != nil || len(names(t, aside)) != 3 || len(names(t, dir)) != 6 {
		t.Error(names(t, dir), err)
	}
}

// Cut off at any step, the folder is known as half done, and the same again makes
// it whole.
func TestPlaceCutOff(t *testing.T) {
	file, _ := small(t)
	dir := t.TempDir()
	if _, err := backup.Unpack(file, dir); err != nil {
		t.Fatal(err)
	}
	// As a kill after the first piece leaves it.
	if err := os.WriteFile(filepath.Join(dir, "restore.unfinished"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "restore.new/state/history"), filepath.Join(dir, "history")); err != nil {
		t.Fatal(err)
	}
	if err := backup.Unfinished(dir); !errors.Is(err, backup.ErrUnfinished) {
		t.Error(err)
	}
	u, err := backup.Unpack(file, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Place(backup.OnlyEmpty); err != nil || backup.Unfinished(dir) != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "tariffs")); err != nil {
		t.Error(err)
	}
}

// A damaged backup changes nothing: cut anywhere, or with an octet turned over.
func TestDamage(t *testing.T) {
	file, _ := small(t)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, text []byte) {
		dir := t.TempDir()
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Unpack(bad, dir); err == nil {
			// What gzip does not protect (its header) may be turned over.
			if u, err := backup.Unpack(bad, dir); err != nil || len(u.Pieces) != 4 {
				t.Errorf("%s: %+v", what, u)
			}
			return
		}
		if left := names(t, dir); len(left) > 0 {
			t.Errorf("%s: %v is left", what, left)
		}
	}
	for n := 0; n < len(whole); n += 7 {
		try(fmt.Sprintf("cut at %d", n), whole[:n])
		turned := append([]byte(nil), whole...)
		turned[n] ^= 0x10
		try(fmt.Sprintf("turned at %d", n), turned)
	}
}
