package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

func batchOf(from, to int) []accounting.Record {
	var batch []accounting.Record
	for i := from; i < to; i++ {
		batch = append(batch, storetest.Usage(i, fmt.Sprintf("c%d", i%5), fmt.Sprintf("u%d@example.org", i%11), storetest.Now.Add(time.Duration(i)*time.Millisecond), 10, 10))
	}
	return batch
}

func TestScriptFlushed(t *testing.T) {
	srv := startServer(t, "--save", "")
	s := mustOpen(t, srv.options())
	put(t, s, batchOf(0, 100)...)
	if err := s.db.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	put(t, s, batchOf(50, 150)...)
	if n := deliveries(t, s); n != 150 {
		t.Fatal(n)
	}
}

// A server that hangs costs a time-out, not the daemon; what it did or did not
// do meanwhile counts once.
func TestServerHangs(t *testing.T) {
	srv := startServer(t, "--save", "")
	o := srv.options()
	o.Timeout = 300 * time.Millisecond
	s := mustOpen(t, o)
	put(t, s, batchOf(0, 10)...)
	for round := range 3 {
		srv.signal(syscall.SIGSTOP)
		batch := batchOf(10+10*round, 20+10*round)
		if err := s.Put(t.Context(), batch); err == nil {
			t.Error("a stopped server answers")
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Error("a stopped server answers")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := s.Put(ctx, batch); err == nil {
			t.Error("a stopped server answers")
		}
		cancel()
		srv.signal(syscall.SIGCONT)
		waitReady(t, s)
		put(t, s, batch...)
		if n := deliveries(t, s); n != int64(20+10*round) {
			t.Fatalf("round %d: %d", round, n)
		}
	}
}

// dropper stands between the store and the server, and loses replies: what
// was sent is done, and nobody learns of it.
type dropper struct {
	net.Listener
	to   string
	mu   sync.Mutex
	lose bool
}

func newDropper(t *testing.T, to string) *dropper {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &dropper{Listener: l, to: to}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go d.serve(c)
		}
	}()
	return d
}

func (d *dropper) serve(c net.Conn) {
	defer c.Close()
	up, err := net.Dial("tcp", d.to)
	if err != nil {
		return
	}
	defer up.Close()
	go io.Copy(up, c)
	buf := make([]byte, 4096)
	for {
		n, err := up.Read(buf)
		if err != nil {
			return
		}
		d.mu.Lock()
		lose := d.lose
		d.mu.Unlock()
		if lose {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (d *dropper) set(lose bool) {
	d.mu.Lock()
	d.lose = lose
	d.mu.Unlock()
}

func TestLostReplies(t *testing.T) {
	srv := startServer(t, "--save", "")
	d := newDropper(t, srv.addr)
	o := srv.options()
	o.Addr = d.Addr().String()
	s := mustOpen(t, o)
	direct := mustOpen(t, srv.options())
	put(t, s, batchOf(0, 10)...)
	d.set(true)
	if err := s.Put(t.Context(), batchOf(5, 25)); err == nil {
		t.Fatal("a lost reply is taken for one")
	}
	if _, err := s.Session(t.Context()); err == nil {
		t.Fatal("a lost reply is taken for one")
	}
	d.set(false)
	if n := deliveries(t, direct); n != 25 {
		t.Logf("the server has %d of 25 without its reply", n)
	}
	put(t, s, batchOf(5, 25)...)
	if n := deliveries(t, s); n != 25 {
		t.Fatal(n)
	}
}

// A server, or something else on its port, that answers nonsense.
func TestLyingServer(t *testing.T) {
	for name, reply := range map[string]string{
		"a number too high": ":7\r\n", "a number below": ":-1\r\n", "a status": "+OK\r\n", "nothing": "$-1\r\n", "an array": "*1\r\n:1\r\n",
		"text": "$2\r\nhi\r\n", "an error": "-ERR no\r\n", "a strange error": "-NOSCRIPT never\r\n", "not Redis": "HTTP/1.1 400 Bad Request\r\n\r\n",
		"a length too long": "$99999\r\n", "a broken number": ":x\r\n", "loading": "-LOADING wait\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), Options{
				Addr: liar(t, reply), Gateway: "mx1", Timeout: 500 * time.Millisecond, Now: func() time.Time { return storetest.Now },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Put(t.Context(), batchOf(0, 3)); err == nil {
				t.Error("Put: it is believed")
			}
			if se, err := s.Session(t.Context()); err == nil {
				if err := se.Move(t.Context(), "x"); err == nil {
					t.Error("Move: it is believed")
				}
				se.Close()
			}
			if list, err := s.Counters(t.Context(), "2026-11"); err == nil && len(list) > 0 {
				t.Error("Counters: it is believed")
			}
			if err := s.Records(t.Context(), "sales", storetest.Now, storetest.Now.Add(time.Hour), func(accounting.Record) error { return errors.New("there is one") }); err == nil && name != "nothing" {
				t.Error("Records: it is believed")
			}
		})
	}
}

// liar answers each command alike.
func liar(t *testing.T, reply string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					if !strings.HasPrefix(line, "*") {
						continue
					}
					// The greeting is answered as an old server does.
					head, _ := r.Peek(12)
					answer := reply
					if strings.Contains(strings.ToLower(string(head)), "hello") {
						answer = "-ERR unknown command\r\n"
					}
					if _, err := io.WriteString(c, answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// Keys that are not what they should be: a client's records wait for somebody's
// decision, those of all are an error, and nothing is half applied.
func TestStrangeKeys(t *testing.T) {
	srv := startServer(t, "--save", "")
	s := mustOpen(t, srv.options())
	ctx := t.Context()
	base := "tg:{c:sales}:"
	for name, set := range map[string][]any{
		"use is text": {"SET", base + "use:2026-11", "x"}, "rcpt is a list": {"RPUSH", base + "rcpt:2026-11", "x"},
		"day is text": {"SET", base + "day:2026-11-23", "x"}, "seen is text": {"SET", base + "seen:2026-11-23", "x"},
		"rec is a hash": {"HSET", base + "rec:2026-11", "a", "b"}, "clients is text": {"SET", "tg:clients", "x"},
		"counter is no number": {"HSET", base + "use:2026-11", "charged", "1.5"},
		"part is no number":    {"HSET", base + "rcpt:2026-11", "a@example.org|size", "many"},
		"day is no number":     {"HSET", base + "day:2026-11-23", "size", " 1"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := s.db.FlushAll(ctx).Err(); err != nil {
				t.Fatal(err)
			}
			if err := s.db.Do(ctx, set...).Err(); err != nil {
				t.Fatal(err)
			}
			r := storetest.Usage(1, "sales", "a@example.org", storetest.Now, 10, 10)
			own := set[1] != "tg:clients"
			if err := s.Put(ctx, []accounting.Record{r}); (err == nil) != own {
				t.Fatal(err)
			}
			if n, err := s.ParkedCount(ctx); err != nil || (n == 1) != own {
				t.Fatalf("%d parked, %v", n, err)
			}
			_, _ = s.Counters(ctx, "2026-11") // it must not panic
			if err := s.db.Del(ctx, set[1].(string)).Err(); err != nil {
				t.Fatal(err)
			}
			if own {
				if err := s.ApplyParked(ctx, r.ID); err != nil {
					t.Fatal(err)
				}
			}
			put(t, s, r)
			list, err := s.Counters(ctx, "2026-11")
			if err != nil || len(list) != 1 || list[0].Deliveries != 1 || list[0].Size != 10 || list[0].Recipients["a@example.org"].Charged != 10 {
				t.Fatalf("%+v %v", list, err)
			}
		})
	}
}

// A reader meets fields that nobody wrote.
func TestStrangeContent(t *testing.T) {
	srv := startServer(t, "--save", "")
	s := mustOpen(t, srv.options())
	ctx := t.Context()
	for name, do := range map[string][]any{
		"counter":   {"HSET", "tg:{c:c0}:use:2026-11", "deliveries", "x"},
		"half":      {"HDEL", "tg:{c:c0}:use:2026-11", "size"},
		"recipient": {"HSET", "tg:{c:c0}:rcpt:2026-11", "nobar", "1"},
		"what":      {"HSET", "tg:{c:c0}:rcpt:2026-11", "a|price", "1"},
	} {
		if err := s.db.FlushAll(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		put(t, s, batchOf(0, 5)...)
		if err := s.db.Do(ctx, do...).Err(); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Counters(ctx, "2026-11"); !errors.Is(err, ErrReply) {
			t.Errorf("%s: %+v %v", name, list, err)
		}
	}
	if err := s.db.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	put(t, s, batchOf(0, 5)...)
	if err := s.db.Do(ctx, "XADD", "tg:{c:c0}:rec:2026-11", "*", "id", "x").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Records(ctx, "c0", storetest.Now, storetest.Now.Add(time.Hour), func(accounting.Record) error { return nil }); !errors.Is(err, ErrReply) {
		t.Error(err)
	}
}

// Out of memory, the server refuses whole records.
func TestOutOfMemory(t *testing.T) {
	srv := startServer(t, "--save", "", "--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
	s := mustOpen(t, srv.options())
	n := 0
	for ; n < 100_000; n += 500 {
		if err := s.Put(t.Context(), batchOf(n, n+500)); err != nil {
			if !strings.Contains(err.Error(), "OOM") {
				t.Fatal(err)
			}
			break
		}
	}
	if n == 100_000 {
		t.Fatal("it never ran out")
	}
	if err := s.db.ConfigSet(t.Context(), "maxmemory", "100mb").Err(); err != nil {
		t.Fatal(err)
	}
	put(t, s, batchOf(n, n+500)...)
	if got := deliveries(t, s); got != int64(n+500) {
		t.Fatalf("%d of %d", got, n+500)
	}
}

// drained runs a spool into the store while do happens, and checks that the
// account is exact afterwards.
func drained(t *testing.T, srv *server, do func(s *Store, sp *spool.Spool, add func(n int))) {
	t.Helper()
	o := srv.options()
	o.Timeout = 2 * time.Second
	s := mustOpen(t, o)
	sp, err := spool.Open(t.TempDir(), spool.Options{SegmentSize: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sp.Drain(ctx, s) }()
	total := 0
	add := func(n int) {
		t.Helper()
		for _, r := range batchOf(total, total+n) {
			if err := sp.Append(t.Context(), []accounting.Record{r}); err != nil {
				t.Fatal(err)
			}
		}
		total += n
	}
	do(s, sp, add)
	flush(t, sp)
	if n := deliveries(t, s); n != int64(total) {
		t.Errorf("counted %d of %d", n, total)
	}
	n := 0
	if err := s.Records(t.Context(), "", storetest.Now, storetest.Now.Add(time.Hour), func(accounting.Record) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	if n != total {
		t.Errorf("%d records of %d", n, total)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := sp.Close(); err != nil {
		t.Error(err)
	}
}

func flush(t *testing.T, sp *spool.Spool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := sp.Flush(ctx); err != nil {
		t.Fatalf("%v: %+v", err, sp.Status())
	}
}

// Killed and started again without its data, in the midst of the drain.
func TestServerKilled(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	drained(t, srv, func(s *Store, sp *spool.Spool, add func(int)) {
		add(300)
		flush(t, sp)
		add(100)
		srv.kill()
		add(100)
		srv.start()
		add(100)
	})
}

// The same with AOF, where nothing is lost.
func TestServerRestarted(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "yes", "--appendfsync", "always")
	drained(t, srv, func(s *Store, sp *spool.Spool, add func(int)) {
		for range 3 {
			add(100)
			srv.kill()
			add(50)
			srv.start()
		}
	})
}

func TestFlushAll(t *testing.T) {
	srv := startServer(t, "--save", "")
	drained(t, srv, func(s *Store, sp *spool.Spool, add func(int)) {
		add(300)
		flush(t, sp)
		if err := s.db.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		flush(t, sp)
		if n := deliveries(t, s); n != 300 {
			t.Fatalf("%d of 300 right after FLUSHALL", n)
		}
		if err := s.db.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		add(100)
	})
}

// Restarted from a snapshot that is older than what it has taken.
func TestOldSnapshot(t *testing.T) {
	srv := startServer(t, "--appendonly", "no", "--save", "3600 1")
	drained(t, srv, func(s *Store, sp *spool.Spool, add func(int)) {
		add(200)
		flush(t, sp)
		if err := s.db.Save(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		add(200)
		flush(t, sp)
		srv.kill()
		srv.start()
		waitReady(t, s)
		if n := deliveries(t, s); n < 200 || n > 400 {
			t.Fatal(n)
		}
		add(50)
	})
}

// What a server lost within the second of its snapshot is noticed, too: three
// messages, a snapshot, three more, killed, started again, one more.
func TestLossWithinASecond(t *testing.T) {
	srv := startServer(t, "--appendonly", "no", "--save", "3600 1")
	drained(t, srv, func(s *Store, sp *spool.Spool, add func(int)) {
		more := func(n int) {
			t.Helper()
			add(n)
			for sp.Status().Waiting > 0 {
				time.Sleep(time.Millisecond) // until the drain has taken it
			}
		}
		more(3)
		if err := s.db.Save(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		more(3)
		if n := deliveries(t, s); n != 6 {
			t.Fatalf("%d records of 6 before the loss", n)
		}
		srv.kill()
		srv.start()
		waitReady(t, s)
		if n := deliveries(t, s); n != 3 {
			t.Fatalf("the server has %d records after the loss: it lost nothing", n)
		}
		more(1)
	})
}

// A connection that broke is not dialled anew in the midst of a batch.
func TestNothingIsDialledAnew(t *testing.T) {
	srv := startServer(t, "--save", "")
	s := mustOpen(t, srv.options())
	se, err := s.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer se.Close()
	if err := se.Put(t.Context(), batchOf(0, 3), "a"); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"b", "c", "d"} {
		if err := se.Move(t.Context(), text); err == nil {
			t.Fatal("it was dialled anew without a word")
		}
	}
}

// A record that fails stops the mark, though the rest of its batch was carried
// out.
func TestMarkStaysBehindAFailure(t *testing.T) {
	srv := startServer(t, "--save", "")
	s := mustOpen(t, srv.options())
	if err := s.db.Do(t.Context(), "ACL", "SETUSER", "default", "resetkeys", "~tg:{c:c0}*", "~tg:{c:_gw*", "~tg:cl*", "~tg:t*", "~tg:p*").Err(); err != nil {
		t.Fatal(err)
	}
	se, err := s.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer se.Close()
	if err := se.Put(t.Context(), batchOf(0, 5), "a"); err == nil {
		t.Fatal("a failed record is no error")
	}
	if mark := s.db.Get(t.Context(), "tg:{c:_gw:mx1:0}").Val(); mark != "" {
		t.Fatalf("the mark is %q", mark)
	}
}

// Stopped for a while in the midst of the drain.
func TestServerStopped(t *testing.T) {
	srv := startServer(t, "--save", "")
	drained(t, srv, func(s *Store, sp *spool.Spool, add func(int)) {
		add(100)
		srv.signal(syscall.SIGSTOP)
		add(100)
		for sp.Status().LastError == "" {
			time.Sleep(10 * time.Millisecond) // until the drain has met it
		}
		srv.signal(syscall.SIGCONT)
		add(100)
	})
}

// BenchmarkPut: batches as the spool drains them, without and with prices.
func BenchmarkPut(b *testing.B) {
	tariff := storetest.Tariff(b, price.Terms{PerMiB: 1_500_000, PerDelivery: 20_000, Increment: 1024, Included: 1 << 20})
	for name, priced := range map[string]bool{"plain": false, "priced": true} {
		b.Run(name, func(b *testing.B) {
			srv := startServer(b, "--save", "", "--appendonly", "no")
			o := srv.options()
			o.Book = price.NewBook(tariff)
			s := mustOpen(b, o)
			b.ResetTimer()
			for i := range b.N {
				batch := make([]accounting.Record, 512)
				for k := range batch {
					n := 512*i + k
					batch[k] = storetest.Usage(n, fmt.Sprintf("client-%d", n%100), fmt.Sprintf("user%d@example.org", n/100%20),
						storetest.Now.Add(time.Duration(n)*time.Millisecond), 8000, 8000)
					if priced {
						batch[k].Tariff, batch[k].TariffVersion = tariff.Name, tariff.Version()
					}
				}
				put(b, s, batch...)
			}
			b.ReportMetric(512*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
