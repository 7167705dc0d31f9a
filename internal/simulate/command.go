package simulate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var errType = errors.New("WRONGTYPE Operation against a key holding the wrong kind of value")

// command is one of those that tollgate uses. A nil value is Redis's nil.
func (d *data) command(args []string) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("ERR empty command")
	}
	name := strings.ToUpper(args[0])
	want, ok := d.commands[name]
	if !ok {
		return nil, fmt.Errorf("ERR unknown command '%s'", name)
	}
	if len(args) < want.args {
		return nil, fmt.Errorf("ERR wrong number of arguments for '%s'", name)
	}
	if want.kind != "" {
		if k := d.kind(args[1]); k != "" && k != want.kind {
			return nil, errType
		}
	}
	return want.do(d, args)
}

type known struct {
	kind string // of the key; "": any
	args int    // at least, the name included
	do   func(d *data, args []string) (any, error)
}

// commands are those that tollgate uses.
func commands() map[string]known {
	return map[string]known{
		"GET": {"string", 2, func(d *data, a []string) (any, error) { return get(d.texts, a[1]), nil }},
		"SET": {"", 3, func(d *data, a []string) (any, error) {
			d.remove(a[1])
			d.texts[a[1]] = a[2]
			return "OK", nil
		}},
		"INCRBY": {"string", 3, func(d *data, a []string) (any, error) { return add(d.texts, a[1], a[2]) }},
		"DEL": {"", 2, func(d *data, a []string) (any, error) {
			n := int64(0)
			for _, key := range a[1:] {
				if d.kind(key) != "" {
					n++
				}
				d.remove(key)
			}
			return n, nil
		}},
		"EXISTS":  {"", 2, func(d *data, a []string) (any, error) { return truth(d.kind(a[1]) != ""), nil }},
		"EXPIRE":  {"", 3, func(d *data, a []string) (any, error) { return truth(d.kind(a[1]) != ""), nil }},
		"PUBLISH": {"", 3, func(*data, []string) (any, error) { return int64(0), nil }},

		"HGET":    {"hash", 3, func(d *data, a []string) (any, error) { return get(d.hashes[a[1]], a[2]), nil }},
		"HLEN":    {"hash", 2, func(d *data, a []string) (any, error) { return int64(len(d.hashes[a[1]])), nil }},
		"HEXISTS": {"hash", 3, func(d *data, a []string) (any, error) { return truth(has(d.hashes[a[1]], a[2])), nil }},
		"HMGET": {"hash", 3, func(d *data, a []string) (any, error) {
			var list []any
			for _, f := range a[2:] {
				list = append(list, get(d.hashes[a[1]], f))
			}
			return list, nil
		}},
		"HSET":    {"hash", 4, (*data).hset},
		"HMSET":   {"hash", 4, (*data).hset},
		"HSETNX":  {"hash", 4, (*data).hsetnx},
		"HINCRBY": {"hash", 4, func(d *data, a []string) (any, error) { return add(d.hash(a[1]), a[2], a[3]) }},
		"HDEL": {"hash", 3, func(d *data, a []string) (any, error) {
			n := int64(0)
			for _, f := range a[2:] {
				n += truth(has(d.hashes[a[1]], f))
				delete(d.hashes[a[1]], f)
			}
			return n, nil
		}},

		"SADD": {"set", 3, func(d *data, a []string) (any, error) {
			if d.sets[a[1]] == nil {
				d.sets[a[1]] = map[string]bool{}
			}
			n := int64(0)
			for _, m := range a[2:] {
				n += 1 - truth(d.sets[a[1]][m])
				d.sets[a[1]][m] = true
			}
			return n, nil
		}},
		"SISMEMBER": {"set", 3, func(d *data, a []string) (any, error) { return truth(d.sets[a[1]][a[2]]), nil }},

		"SCARD": {"set", 2, func(d *data, a []string) (any, error) { return int64(len(d.sets[a[1]])), nil }},
		"SMEMBERS": {"set", 2, func(d *data, a []string) (any, error) {
			var list []any
			for _, m := range sorted(d.sets[a[1]]) {
				list = append(list, m)
			}
			return list, nil
		}},

		"XADD":   {"stream", 5, (*data).xadd},
		"XLEN":   {"stream", 2, func(d *data, a []string) (any, error) { return int64(len(d.streams[a[1]])), nil }},
		"XRANGE": {"stream", 4, (*data).xrange},
		"XREVRANGE": {"stream", 4, func(d *data, a []string) (any, error) {
			v, err := d.xrange(a)
			list, _ := v.([]any)
			slices.Reverse(list)
			return list, err
		}},
	}
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func get(m map[string]string, key string) any {
	if v, ok := m[key]; ok {
		return v
	}
	return nil
}

// add is what INCRBY and HINCRBY do.
func add(m map[string]string, key, by string) (any, error) {
	n, ok := number(m[key])
	more, ok2 := number(by)
	if m[key] != "" && !ok || !ok2 {
		return nil, errors.New("ERR value is not an integer or out of range")
	}
	sum := n + more
	if (sum > n) != (more > 0) && more != 0 {
		return nil, errors.New("ERR increment or decrement would overflow")
	}
	m[key] = strconv.FormatInt(sum, 10)
	return sum, nil
}

func (d *data) remove(key string) {
	delete(d.texts, key)
	delete(d.hashes, key)
	delete(d.sets, key)
	delete(d.streams, key)
}

func (d *data) hash(key string) map[string]string {
	if d.hashes[key] == nil {
		d.hashes[key] = map[string]string{}
	}
	return d.hashes[key]
}

func (d *data) hset(a []string) (any, error) {
	n := int64(0)
	for pair := range slices.Chunk(a[2:], 2) {
		if len(pair) < 2 {
			return nil, errors.New("ERR wrong number of arguments for 'HSET'")
		}
		n += 1 - truth(has(d.hashes[a[1]], pair[0]))
		d.hash(a[1])[pair[0]] = pair[1]
	}
	return n, nil
}

func (d *data) hsetnx(a []string) (any, error) {
	if has(d.hashes[a[1]], a[2]) {
		return int64(0), nil
	}
	d.hash(a[1])[a[2]] = a[3]
	return int64(1), nil
}

func (d *data) xadd(a []string) (any, error) {
	fields := slices.Clone(a[3:])
	if len(fields)%2 != 0 {
		return nil, errors.New("ERR wrong number of arguments for 'XADD'")
	}
	d.last++
	id := fmt.Sprintf("%d-0", d.last)
	d.streams[a[1]] = append(slices.Clip(d.streams[a[1]]), entry{id, fields})
	return id, nil
}

// xrange answers the whole stream, for whoever asks for any part of it: tollgate
// looks at what it gets.
func (d *data) xrange(a []string) (any, error) {
	var list []any
	for _, e := range d.streams[a[1]] {
		var fields []any
		for _, f := range e.fields {
			fields = append(fields, f)
		}
		list = append(list, []any{e.id, fields})
	}
	return list, nil
}
