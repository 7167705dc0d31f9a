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
	behind := s.ends()
	for i, g := range s.segments {
		if g.counted {
			fmt.Fprintf(&b, "\n%d %d %d %d", g.seq, g.size, g.records, behind[i])
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

// ends are how many records were ever spooled up to the end of each segment; -1 where
// that is not known.
func (s *Spool) ends() []int64 {
	list, at := make([]int64, len(s.segments)), s.spooled
	for i := len(s.segments) - 1; i >= 0; i-- {
		list[i] = at
		if g := s.segments[i]; !g.counted || at < 0 {
			at = -1
		} else {
			at = max(-1, at-g.records)
		}
	}
	return list
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
	kept, ends := map[uint64]segment{}, map[uint64]int64{}
	for line := range strings.Lines(lines) {
		g, end := segment{}, int64(-1) // which earlier releases did not write
		n, err := fmt.Sscanf(line, "%d %d %d %d", &g.seq, &g.size, &g.records, &end)
		if n < 3 || n < 4 && len(strings.Fields(line)) != 3 || n == 4 && err != nil || g.records < 0 {
			return 0
		}
		kept[g.seq], ends[g.seq] = g, end
	}
	for i := range s.segments {
		g := &s.segments[i]
		if k, ok := kept[g.seq]; ok && k.size == g.size {
			g.records, g.counted = k.records, true
		}
		delete(kept, g.seq)
	}
	for _, seq := range slices.Sorted(maps.Keys(kept)) {
		g := kept[seq]
		if end := ends[seq]; s.cursor.seq == seq && s.cursor.off > 0 && end >= 0 {
			// The drain stood in it. Where it is not known how many lay before that, more is
			// told than is lost, and not nothing.
			g.records = min(g.records, max(0, end-s.cursor.count))
		}
		if s.cursor.before(position{seq, g.size}) {
			s.o.Log.Error(textGone+", but for those that the store took since the cursor was saved", "segment", segmentName(seq), "records", g.records)
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
