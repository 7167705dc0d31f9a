package spool

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// How many records there are in segments that are finished is kept in a file: a
// start would else read all that waits before it takes a message. It is of this
// spool's name, and a segment of another size than it says is read. Without it, or
// where it is damaged, all are.
const countsName = "counts"

// saveCounts keeps what is known. Nothing is lost without it but time.
func (s *Spool) saveCounts() {
	var b strings.Builder
	s.mu.Lock()
	b.WriteString(s.cursor.spool)
	for _, g := range s.segments {
		if g.counted {
			fmt.Fprintf(&b, "\n%d %d %d", g.seq, g.size, g.records)
		}
	}
	s.mu.Unlock()
	text := b.String()
	temp := s.path(countsName + ".new")
	err := writeFile(s.fs, temp, []byte(text+"\ncrc32c="+checksum(text)+"\n"))
	if err == nil {
		err = s.fs.Rename(temp, s.path(countsName))
	}
	if err != nil {
		s.o.Log.Warn("how many records wait cannot be kept: the next start counts them", "error", err)
	}
}

// loadCounts takes up what was kept of the segments that there are. It returns how many
// records were in those that waited and were removed while nobody ran.
func (s *Spool) loadCounts() (gone int64) {
	b, err := s.fs.ReadFile(s.path(countsName))
	if err != nil {
		return 0
	}
	text, sum, ok := strings.Cut(strings.TrimSuffix(string(b), "\n"), "\ncrc32c=")
	if !ok || sum != checksum(text) {
		return 0
	}
	name, lines, _ := strings.Cut(text, "\n")
	if name != s.cursor.spool {
		return 0
	}
	kept := map[uint64]segment{}
	for line := range strings.Lines(lines) {
		var g segment
		if _, err := fmt.Sscanf(line, "%d %d %d", &g.seq, &g.size, &g.records); err != nil || g.records < 0 {
			return 0
		}
		kept[g.seq] = g
	}
	for i := range s.segments {
		g := &s.segments[i]
		if k, ok := kept[g.seq]; ok && k.size == g.size {
			g.records, g.counted = k.records, true
		}
		delete(kept, g.seq)
	}
	for _, seq := range slices.Sorted(maps.Keys(kept)) {
		if g := kept[seq]; s.cursor.before(position{seq, 1}) {
			s.o.Log.Error("a segment of the spool was removed before it was drained: its usage records are lost", "segment", segmentName(seq), "records", g.records)
			gone += g.records
		}
	}
	return gone
}

// counted notes how many records there are in a segment, unless it has grown.
func (s *Spool) counted(g segment, records int64) {
	for i := range s.segments {
		if is := &s.segments[i]; is.seq == g.seq && is.size == g.size && !is.counted {
			is.records, is.counted = records, true
		}
	}
}
