package simulate

import (
	"context"
	"crypto/sha1" // as EVALSHA wants it
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting/redis"
)

// shard is an owner of slots: a master with a replica that lags, and the
// snapshot that it would start from again.
type shard struct {
	slots    redis.Slots // nil: no Cluster
	master   *data
	replica  *data
	snapshot *data
	scripts  map[string]string
	epoch    int // connections of an earlier one are broken
}

// servers are all shards, as one gateway reaches them.
type servers struct{ w *World }

// Dial connects with each shard.
func (s servers) Dial(context.Context) ([]redis.Server, error) {
	if s.w.chance(40) {
		return nil, errors.New("connection refused")
	}
	var list []redis.Server
	for _, sh := range s.w.shards {
		if len(sh.slots) == 0 && sh.slots != nil {
			continue
		}
		var l redis.Link = &link{s.w, sh, sh.epoch}
		if s.w.o.Link != nil {
			l = s.w.o.Link(l)
		}
		list = append(list, redis.Server{Slots: sh.slots, Link: l})
	}
	return list, nil
}

// Owned are the slots of the shard at a link.
func (s servers) Owned(_ context.Context, l redis.Link) (redis.Slots, error) {
	for {
		switch is := l.(type) {
		case *link:
			if is.epoch != is.sh.epoch {
				return nil, errBroken
			}
			return is.sh.slots, nil
		case interface{ Unwrap() redis.Link }:
			l = is.Unwrap()
		default:
			return nil, errBroken
		}
	}
}

var errBroken = errors.New("connection lost")

// link is a connection with the server that a shard was when it was dialled.
type link struct {
	w     *World
	sh    *shard
	epoch int
}

func (l *link) Close() error { return nil }

// Send carries the calls out. With a fault the server has done some of them,
// and nobody hears which; or it refuses from one of them on.
func (l *link) Send(_ context.Context, calls []redis.Call) ([]redis.Reply, error) {
	if l.epoch != l.sh.epoch {
		return nil, errBroken
	}
	lost, refused := len(calls)+1, len(calls)+1
	if l.w.chance(25) {
		lost = l.w.random.IntN(len(calls) + 1)
	}
	if l.w.chance(40) {
		refused = l.w.random.IntN(len(calls))
	}
	replies := make([]redis.Reply, len(calls))
	for i, c := range calls {
		if i == lost {
			break
		}
		if i >= refused {
			replies[i].Err = errors.New([]string{"OOM command not allowed", "LOADING Redis is loading", "READONLY You can't write"}[i%3])
			continue
		}
		v, err := l.w.carryOut(l.sh, wire(c))
		replies[i] = redis.Reply{Value: v, Err: err}
	}
	if lost <= len(calls) {
		l.epoch-- // broken
		return nil, errBroken
	}
	return replies, nil
}

// wire are the arguments as they go over the wire.
func wire(c redis.Call) []string {
	args := make([]string, len(c))
	for i, a := range c {
		switch a := a.(type) {
		case string:
			args[i] = a
		case []byte:
			args[i] = string(a)
		case int:
			args[i] = strconv.Itoa(a)
		case int64:
			args[i] = strconv.FormatInt(a, 10)
		default:
			args[i] = fmt.Sprint(a)
		}
	}
	return args
}

// carryOut is one command at one shard.
func (w *World) carryOut(sh *shard, args []string) (any, error) {
	name := strings.ToUpper(args[0])
	switch name {
	case "WAIT":
		sh.replica = sh.master.clone()
		return int64(1), nil
	case "SCRIPT":
		script := args[2]
		sum := sha1.Sum([]byte(script))
		sh.scripts[hex.EncodeToString(sum[:])] = script
		return hex.EncodeToString(sum[:]), nil
	case "EVAL", "EVALSHA":
		script := args[1]
		if name == "EVALSHA" {
			var ok bool
			if script, ok = sh.scripts[args[1]]; !ok {
				return nil, errors.New("NOSCRIPT No matching script")
			}
		}
		n, ok := number(args[2])
		if !ok || int(n)+3 > len(args) {
			return nil, errors.New("ERR number of keys")
		}
		keys := args[3 : 3+n]
		for _, key := range keys {
			if !sh.slots.Has(redis.Slot(key)) || redis.Slot(key) != redis.Slot(keys[0]) && sh.slots != nil {
				return nil, errors.New("MOVED " + key)
			}
		}
		if w.o.Script != nil {
			script = w.o.Script(script)
		}
		return w.in.run(sh.master, script, keys, args[3+n:])
	}
	if len(args) > 1 && !sh.slots.Has(redis.Slot(args[1])) {
		return nil, errors.New("MOVED " + args[1])
	}
	return sh.master.command(args)
}

// The faults of a shard.

func (sh *shard) restart() {
	sh.master = sh.snapshot.clone()
	sh.replica = sh.master.clone()
	sh.fresh()
}

func (sh *shard) failOver() {
	sh.master = sh.replica.clone()
	sh.snapshot = sh.master.clone()
	sh.fresh()
}

// fresh is a server that nobody is connected with, and that knows no script.
func (sh *shard) fresh() {
	sh.epoch += 2
	sh.scripts = map[string]string{}
}

// move gives half of a shard's slots to another, with their keys.
func (w *World) move(from, to *shard) {
	last := len(from.slots) - 1
	r := from.slots[last]
	if r[1]-r[0] < 2 {
		return
	}
	mid := (r[0] + r[1]) / 2
	from.slots = append(append(redis.Slots{}, from.slots[:last]...), [2]int{r[0], mid})
	to.slots = append(append(redis.Slots{}, to.slots...), [2]int{mid + 1, r[1]})
	for _, key := range sorted(w.keysOf(from.master)) {
		if from.slots.Has(redis.Slot(key)) {
			continue
		}
		carry(from.master.texts, to.master.texts, key)
		carry(from.master.hashes, to.master.hashes, key)
		carry(from.master.sets, to.master.sets, key)
		carry(from.master.streams, to.master.streams, key)
	}
	// What was moved is replicated before the slot changes hands.
	for _, sh := range []*shard{from, to} {
		sh.replica, sh.snapshot = sh.master.clone(), sh.master.clone()
	}
}

func (w *World) keysOf(d *data) map[string]bool {
	keys := map[string]bool{}
	for _, list := range [][]string{sorted(d.texts), sorted(d.hashes), sorted(d.sets), sorted(d.streams)} {
		for _, k := range list {
			keys[k] = true
		}
	}
	return keys
}

func carry[V any](from, to map[string]V, key string) {
	if v, ok := from[key]; ok {
		to[key] = v
		delete(from, key)
	}
}
