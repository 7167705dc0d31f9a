package spool

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// segment is a file of frames.
type segment struct {
	seq  uint64
	size int64 // bytes that count: durable, and not cut off

	records int64 // in it, where they are counted
	counted bool
	gone    bool // it was removed before it was drained: it is passed over
}

const segmentSuffix = ".seg"

func segmentName(seq uint64) string { return fmt.Sprintf("%012d%s", seq, segmentSuffix) }

// parseSegmentName reports whether name is a segment's.
func parseSegmentName(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	return seq, err == nil && segmentName(seq) == name
}

// listSegments are the segments in the folder, by number.
func listSegments(fs FileSystem, dir string) ([]segment, error) {
	files, err := fs.List(dir)
	if err != nil {
		return nil, err
	}
	var list []segment
	for _, f := range files {
		if seq, ok := parseSegmentName(f.Name); ok {
			list = append(list, segment{seq: seq, size: f.Size})
		}
	}
	slices.SortFunc(list, func(a, b segment) int { return cmp.Compare(a.seq, b.seq) })
	return list, nil
}

// publish tells of what the writer has made durable.
func (s *Spool) publish(seq uint64, size int64, records int) {
	s.mu.Lock()
	s.disk = diskState{}
	if n := len(s.segments); n > 0 && s.segments[n-1].seq == seq {
		s.segments[n-1].size = size
		s.segments[n-1].records += int64(records)
	} else {
		s.segments = append(s.segments, segment{seq: seq, size: size, records: int64(records), counted: true})
	}
	s.waiting += int64(records)
	s.spooled += int64(records)
	s.mu.Unlock()
	signal(s.appended)
}

// at is the segment that holds the frame behind p, and where in it; false when
// there is no frame behind p. A segment that was removed is passed over.
func (s *Spool) at(p position) (segment, position, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.atLocked(p)
}

func (s *Spool) atLocked(p position) (segment, position, bool) {
	i, _ := slices.BinarySearchFunc(s.segments, p.seq, func(g segment, seq uint64) int { return cmp.Compare(g.seq, seq) })
	for _, g := range s.segments[i:] {
		if g.gone {
			continue
		}
		if g.seq > p.seq {
			p = position{g.seq, 0}
		}
		if p.off < g.size {
			return g, p, true
		}
	}
	return segment{}, p, false
}

// bounds are where the first retained frame begins and the last one ends.
func (s *Spool) bounds() (first, end position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first, end = s.applied, s.applied
	for i, g := range s.segments {
		if i == 0 {
			first = position{g.seq, 0}
		}
		if g.size > 0 {
			end = position{g.seq, g.size}
		}
	}
	return first, end
}

// setAside keeps a copy of damaged bytes for the operator; it reports false
// when there is one already.
func (s *Spool) setAside(kind string, seq uint64, g gap, sc *scanner) (bool, error) {
	name := fmt.Sprintf("%s-%012d-%d", kind, seq, g.begin)
	if _, err := s.fs.Stat(s.path(name)); err == nil {
		return false, nil
	}
	content := make([]byte, 0, min(g.size(), windowSize))
	for off := g.begin; off < g.end; {
		b, err := sc.bytes(off, int(min(g.end-off, windowSize)))
		if err != nil {
			return false, err
		}
		content = append(content, b...)
		off += int64(len(b))
	}
	return true, writeFile(s.fs, s.path(name), content)
}

// damage reports bytes that are no frame, and sets them aside.
func (s *Spool) damage(seq uint64, g gap, sc *scanner) {
	log := s.o.Log.With("segment", segmentName(seq), "offset", g.begin, "bytes", g.size())
	switch fresh, err := s.setAside(kindDamaged, seq, g, sc); {
	case err != nil:
		log.Error("damage in the spool, and it cannot be set aside", "error", err)
	case fresh:
		log.Error("damage in the spool is set aside: usage records may be lost")
	}
}

// What is set aside.
const (
	kindDamaged = "damaged"
	kindTorn    = "torn"
)

// countDamaged is how many damaged pieces wait for the operator.
func (s *Spool) countDamaged() (n int, err error) {
	files, err := s.fs.List(s.dir)
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name, kindDamaged+"-") {
			n++
		}
	}
	return n, nil
}
