package test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/redis"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// drained is a spool that drains into a store.
type drained struct {
	t     *testing.T
	spool *spool.Spool
	store *redis.Store
	sent  int
}

func drainInto(t *testing.T, place redis.Place, replicas int) *drained {
	t.Helper()
	store, err := redis.Open(t.Context(), redis.Options{Place: place, Gateway: "mx1", Replicas: replicas, Timeout: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	sp, err := spool.Open(t.TempDir(), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sp.Drain(ctx, store) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := sp.Close(); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &drained{t: t, spool: sp, store: store}
}

// send spools n messages of different clients; one in ten is too old for the
// store and will be parked.
func (d *drained) send(n int) {
	d.t.Helper()
	for range n {
		d.sent++
		at := time.Now().UTC().Truncate(time.Millisecond)
		if d.sent%10 == 0 {
			at = at.AddDate(0, -3, 0)
		}
		base := accounting.Record{
			ID: fmt.Sprintf("mx1/%X/%d", d.sent, at.UnixMilli()), Time: at, Gateway: "mx1", QueueID: fmt.Sprintf("%X", d.sent),
			Direction: "inbound", Verdict: "accept", Weight: "0",
		}
		payers := []accounting.Payer{{Recipient: "a@example.org", Client: fmt.Sprintf("c%d", d.sent%17)}}
		if err := d.spool.Append(d.t.Context(), accounting.Charge(base, 1000, payers, accounting.Sharing{})); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *drained) flush() {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 2*time.Minute)
	defer cancel()
	if err := d.spool.Flush(ctx); err != nil {
		d.t.Fatalf("%v: %+v", err, d.spool.Status())
	}
}

// has counts what the store holds: records and parked ones.
func (d *drained) has() (records, parked int) {
	d.t.Helper()
	err := eventually(time.Minute, func() error {
		records, parked = 0, 0
		now := time.Now()
		if err := d.store.Records(d.t.Context(), "", now.AddDate(0, -1, 0), now.AddDate(0, 0, 1), func(accounting.Record) error {
			records++
			return nil
		}); err != nil {
			return err
		}
		n, err := d.store.ParkedCount(d.t.Context())
		parked = int(n)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return records, parked
}

// exact checks that all that was sent is there once.
func (d *drained) exact() {
	d.t.Helper()
	records, parked := d.has()
	if records != d.sent-d.sent/10 || parked != d.sent/10 {
		d.t.Fatalf("%d records and %d parked of %d messages", records, parked, d.sent)
	}
	var counted int64
	list, err := d.store.Counters(d.t.Context(), accounting.Month(time.Now(), time.UTC))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, c := range list {
		counted += c.Deliveries
	}
	if int(counted) != records {
		d.t.Fatalf("%d records, and counters of %d", records, counted)
	}
}

// A Sentinel makes a replica master that lagged: what it never got comes again,
// though all of it was acknowledged.
func TestSentinelFailOver(t *testing.T) {
	t.Parallel()
	box := sandbox(t)
	servers, err := box.SentinelRedis()
	if err != nil {
		t.Fatal(err)
	}
	d := drainInto(t, redis.Place{Addrs: []string{servers.Addr}, Master: "tollgate"}, 0)
	d.send(50)
	d.flush()
	if err := servers.Replica.InStep(servers.Master); err != nil {
		t.Fatal(err)
	}
	servers.Proxy.Hold()
	d.send(50)
	d.flush()
	if records, parked := d.has(); records+parked != 100 {
		t.Fatalf("%d records and %d parked before the fail-over", records, parked)
	}
	if err := servers.Master.Kill(); err != nil {
		t.Fatal(err)
	}
	if n := held(t, servers.Replica); n >= 90 {
		t.Fatalf("the replica has %d records: it did not lag", n)
	}
	d.send(10)
	d.flush()
	d.exact()
}

// The same in a Cluster of which one master is lost.
func TestClusterLosesAMaster(t *testing.T) {
	t.Parallel()
	box := sandbox(t)
	servers, err := box.ClusterRedis()
	if err != nil {
		t.Fatal(err)
	}
	d := drainInto(t, redis.Place{Addrs: servers.Addrs, Cluster: true}, 0)
	d.send(200)
	d.flush()
	d.exact()
	if err := servers.Replica.InStep(servers.Masters[0]); err != nil {
		t.Fatal(err)
	}
	servers.Proxy.Hold()
	d.send(200)
	d.flush()
	had := held(t, servers.Masters[0])
	if err := servers.Masters[0].Kill(); err != nil {
		t.Fatal(err)
	}
	if n := held(t, servers.Replica); n >= had {
		t.Fatalf("the replica has %d records of the master's %d: it did not lag", n, had)
	}
	d.send(20)
	d.flush()
	d.exact()
}

// Fewer replicas than asked for: the records wait.
func TestTooFewReplicas(t *testing.T) {
	t.Parallel()
	box := sandbox(t)
	servers, err := box.SentinelRedis()
	if err != nil {
		t.Fatal(err)
	}
	place := redis.Place{Addrs: []string{servers.Addr}, Master: "tollgate"}
	d := drainInto(t, place, 1)
	d.send(20)
	d.flush()
	d.exact()
	servers.Proxy.Hold()
	d.send(1)
	if err := eventually(time.Minute, func() error {
		if st := d.spool.Status(); st.LastError == "" || st.Waiting != 1 {
			return fmt.Errorf("%+v", st)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// held is how many records a server has in its streams.
func held(t *testing.T, r *harness.Redis) (n int64) {
	t.Helper()
	db := r.Client()
	defer db.Close()
	keys, err := db.Keys(t.Context(), "*:rec:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		// A replica in a Cluster answers only who says that it may be old.
		pipe := db.Pipeline()
		pipe.ReadOnly(t.Context())
		length := pipe.XLen(t.Context(), key)
		if _, err := pipe.Exec(t.Context()); err != nil && length.Err() != nil {
			t.Fatal(err)
		}
		n += length.Val()
	}
	return n
}
