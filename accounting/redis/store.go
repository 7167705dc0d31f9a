// Package redis is the store in a Redis server, which several gateways may
// share and a billing system may read.
//
// The keys of one client share a Cluster slot. Periods are those of the client's
// tariff, in its time zone ("2026-11", "2026-W48", "2026-11-23"), and always the
// month; without a tariff the month of the accounting time zone. Days are in
// the accounting time zone, but for the day of a seen set, which is UTC: a
// change of the zone must not make records unknown.
//
//	tg:{c:ID}:acct           HASH    balance (millionths), tariff, plans: the tariffs that it was, is and will be under
//	tg:{c:ID}:use:PERIOD     HASH    deliveries size charged; priced included included_deliveries cost frac currency;
//	                                 fee paid adjusted; closed
//	tg:{c:ID}:rcpt:MONTH     HASH    "<recipient>|deliveries" "|size" "|charged", bounded, then "_other"
//	tg:{c:ID}:day:DAY        HASH    deliveries size charged; expires after DayDays
//	tg:{c:ID}:seen:DAY       SET     63 bits of the SHA-256 of each mark of a record, by the day of its
//	                                 end of message; expires after SeenDays
//	tg:{c:ID}:rec:PERIOD     STREAM  the records, a field for each attribute
//	tg:{c:ID}:periods        SET     of the periods that there are streams for, but for months
//	tg:{c:ID}:entries        HASH    id of a payment, adjustment or fee: SHA-256 of its content; for ever
//	tg:{c:ID}:applied        HASH    gateway: how many of its records were taken; "GATEWAY|dropped": given up
//	tg:{c:ID}:dropped        SET     ids of records that were given up; expires
//	tg:clients               SET     of client IDs
//	tg:tariffs               HASH    version: the terms of a tariff, in their canonical form
//	tg:closes                HASH    period: the seal of a closed one, as JSON
//	tg:standing              channel "CLIENT balance PERIOD charged DAY charged", after each change
//	tg:gw:GATEWAY            HASH    heartbeat (RFC 3339), backlog
//	tg:{c:_gw:GATEWAY}:claim STRING  instance and place of who has this name; expires
//	tg:{c:_gw:GATEWAY:N}     STRING  how far the gateway's spool was applied; one on each owner of slots
//	tg:{c:ID}:parked         HASH    record ID: {"reason":…,"record":…}, not applied, for the operator
//	tg:parkers               SET     of client IDs that have, or had, parked records
package redis

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// ErrReply: the server answered what no Redis with this store's keys does.
var ErrReply = errors.New("redis store: unexpected reply")

// Options of the store. Zero values mean the defaults, but an address and the
// gateway's name are needed.
type Options struct {
	Place
	Addr   string // instead of Addrs, where there is one
	Prefix string // of every key; default "tg:"

	Gateway    string         // this one's name; its heartbeat and mark are kept by it
	Location   *time.Location // of days and months; default UTC
	Recipients int            // counted one by one for a client and month; default 100,000
	SeenDays   int            // how long record IDs are remembered; default 40
	DayDays    int            // how long a day's counters are kept; default 400
	Timeout    time.Duration  // of dialling, one reply, one write; default 5 s
	Replicas   int            // that must have a batch before it counts as taken
	Book       *price.Book    // terms of tariffs; what it lacks is read from the store
	// Standing is told of clients whose account changed: those of whom Limited
	// says that it matters, nil for all. Other gateways hear of them, too.
	Standing func([]accounting.Standing)
	Limited  func(client string) bool
	Log      *slog.Logger
	Now      func() time.Time
}

// Store is an accounting.Store and an accounting.Checkpointer in Redis.
type Store struct {
	o       Options
	db      redis.UniversalClient // for questions
	servers Servers               // for records
	scripts scripts
	desk    *price.Desk

	accounts accounts

	mu      sync.Mutex
	planned map[string]planned // by client, as last seen
	seals   map[string]sealState
}

// Open makes the store. It fails for wrong options only: a server that is away,
// or refuses the password, is logged, and every method answers its error until
// it is well.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Addr != "" {
		o.Addrs = []string{o.Addr}
	}
	if len(o.Addrs) == 0 || o.Gateway == "" || o.DB < 0 || o.Replicas < 0 {
		return nil, errors.New("redis store: an address, the gateway's name and a database from 0 on are needed")
	}
	if o.Cluster && (o.DB != 0 || o.Master != "") {
		return nil, errors.New("redis store: a Cluster has one database, 0, and no Sentinels")
	}
	o.setDefaults()
	s := newStore(o)
	db := o.Client(o.Timeout)
	s.db = db
	switch client := db.(type) {
	case *redis.Client:
		s.servers = single{client}
	case *redis.ClusterClient:
		s.servers = cluster{client}
	}
	for _, w := range s.Warnings(ctx) {
		o.Log.Warn(w)
	}
	return s, nil
}

// New makes a store that only takes records, and takes them to servers of the
// caller's: nothing can be asked of it.
func New(o Options, servers Servers) (*Store, error) {
	if o.Gateway == "" {
		return nil, errors.New("redis store: the gateway's name is needed")
	}
	o.setDefaults()
	s := newStore(o)
	s.servers = servers
	return s, nil
}

func newStore(o Options) *Store {
	return &Store{
		o: o, scripts: newScripts(),
		desk: &price.Desk{Book: o.Book, Location: o.Location}, planned: map[string]planned{},
	}
}

func (o *Options) setDefaults() {
	if o.Prefix == "" {
		o.Prefix = "tg:"
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Recipients <= 0 {
		o.Recipients = 100_000
	}
	if o.SeenDays <= 0 {
		o.SeenDays = 40
	}
	if o.DayDays <= 0 {
		o.DayDays = 400
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Book == nil {
		o.Book = price.NewBook()
	}
}

var (
	_ accounting.Store        = (*Store)(nil)
	_ accounting.Checkpointer = (*Store)(nil)
)

// Warnings are settings of the server under which records may be lost, each a
// sentence for the operator; and what kept the answer from being known.
func (s *Store) Warnings(ctx context.Context) []string {
	settings := map[string]string{}
	for _, name := range []string{"maxmemory-policy", "appendonly", "save"} {
		got, err := s.db.ConfigGet(ctx, name).Result()
		if err != nil {
			return []string{fmt.Sprintf("redis: whether the server keeps its data cannot be told: %v", fault(err))}
		}
		settings[name] = got[name]
	}
	var list []string
	if p := settings["maxmemory-policy"]; p != "noeviction" {
		list = append(list, fmt.Sprintf("redis: maxmemory-policy is %q: when memory runs short the server drops accounts; set it to noeviction", p))
	}
	if settings["appendonly"] != "yes" && settings["save"] == "" {
		list = append(list, "redis: neither AOF nor RDB is on: a restart of the server loses all accounts; set appendonly to yes")
	}
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	return append(list, s.accounts.problems(s.clientsKey())...)
}

// Heartbeat tells that the gateway lives, and its backlog.
func (s *Store) Heartbeat(ctx context.Context, gateway string, backlog int64) error {
	return fault(s.db.HSet(ctx, s.o.Prefix+"gw:"+gateway, "heartbeat", s.timestamp(), "backlog", backlog).Err())
}

// Ping writes this gateway's heartbeat: a server may well answer and not take
// writes.
func (s *Store) Ping(ctx context.Context) error {
	return fault(s.db.HSet(ctx, s.o.Prefix+"gw:"+s.o.Gateway, "heartbeat", s.timestamp()).Err())
}

func (s *Store) timestamp() string { return s.o.Now().UTC().Format(time.RFC3339) }

// Close closes the connections.
func (s *Store) Close() error { return fault(s.db.Close()) }

// key of a client; the part in braces makes its Cluster slot.
func (s *Store) key(client, kind, period string) string {
	return s.o.Prefix + "{c:" + client + "}:" + kind + ":" + period
}

func (s *Store) clientsKey() string { return s.o.Prefix + "clients" }

func (s *Store) tariffsKey() string { return s.o.Prefix + "tariffs" }

func (s *Store) standingChannel() string { return s.o.Prefix + "standing" }

func (s *Store) accountKey(client string) string { return s.o.Prefix + "{c:" + client + "}:acct" }

func (s *Store) periodsKey(client string) string { return s.o.Prefix + "{c:" + client + "}:periods" }

// markKey is where a mark of the gateway may stand; the number makes its slot.
func (s *Store) markKey(n int) string {
	return s.o.Prefix + "{c:_gw:" + s.o.Gateway + ":" + strconv.Itoa(n) + "}"
}

// member is a mark in a seen set: an integer of 63 bits, which keeps the set
// small.
func member(mark string) string {
	sum := sha256.Sum256([]byte(mark))
	return strconv.FormatUint(binary.BigEndian.Uint64(sum[:8])>>1, 10)
}
