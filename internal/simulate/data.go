package simulate

import (
	"maps"
	"slices"
	"strconv"
)

// data is what a Redis server holds: strings, hashes, sets and streams. Nothing
// expires: a run is shorter than anything lives.
type data struct {
	commands map[string]known

	texts   map[string]string
	hashes  map[string]map[string]string
	sets    map[string]map[string]bool
	streams map[string][]entry
	last    int // of the entries' IDs
}

// entry of a stream: its ID and its fields and values.
type entry struct {
	id     string
	fields []string
}

func newData(commands map[string]known) *data {
	return &data{
		commands: commands,
		texts:    map[string]string{}, hashes: map[string]map[string]string{},
		sets: map[string]map[string]bool{}, streams: map[string][]entry{},
	}
}

// clone is a snapshot.
func (d *data) clone() *data {
	c := newData(d.commands)
	c.last = d.last
	maps.Copy(c.texts, d.texts)
	for k, h := range d.hashes {
		c.hashes[k] = maps.Clone(h)
	}
	for k, s := range d.sets {
		c.sets[k] = maps.Clone(s)
	}
	for k, s := range d.streams {
		c.streams[k] = slices.Clip(s) // entries are never changed
	}
	return c
}

// kind is the type of a key, "" for none.
func (d *data) kind(key string) string {
	switch {
	case has(d.texts, key):
		return "string"
	case has(d.hashes, key):
		return "hash"
	case has(d.sets, key):
		return "set"
	case has(d.streams, key):
		return "stream"
	}
	return ""
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// sorted are the keys of maps, in order: what goes over them must not depend on
// chance.
func sorted[V any](all ...map[string]V) []string {
	var keys []string
	for _, m := range all {
		keys = slices.AppendSeq(keys, maps.Keys(m))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func number(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
