package main

import (
	"bufio"
	"io"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// story is what the journals say of one message.
type story struct {
	first   *journal.Entry // nil: nothing was found yet
	message *journal.Entry
	blocks  []journal.Entry
	scans   []journal.Entry
	traces  []journal.Entry
	hands   []journal.Entry // of blocks: what was done to it afterwards
	beside  []journal.Entry // of shadow
	looks   []journal.Entry

	noLongerHeld bool // it was put on hold, nothing was done to it by us, and Postfix does not have it there
}

// mostStories are under way at once: of two million lines that are printed, no
// more are kept. What belongs to a message is written within minutes.
const mostStories = 2000

// stories prints one line a message: what has its reference is folded into it.
type stories struct {
	line  func(*story) error
	flush func() error
	order []*story
	byRef map[string]*story
	limit int       // of stories; 0: none
	told  int       // of them so far
	over  time.Time // of the first entry beyond the limit
}

// writtenIn is how long after the begin of another message everything of those before it
// has been written: what is done to one on hold may come later.
const writtenIn = 10 * time.Minute

func (s *stories) entry(e journal.Entry) error {
	is := s.byRef[e.Ref]
	if is == nil || e.Ref == "" {
		if s.limit > 0 && s.told+len(s.order) >= s.limit {
			if s.over.IsZero() {
				s.over = e.Time
			}
			if e.Time.Sub(s.over) > writtenIn {
				return errLimit
			}
			return nil
		}
		is = &story{first: &e}
		s.order = append(s.order, is)
		if e.Ref != "" {
			s.byRef[e.Ref] = is
		}
	}
	is.add(&e)
	if len(s.order) > mostStories {
		return s.tell(len(s.order) / 2)
	}
	return nil
}

func (is *story) add(e *journal.Entry) {
	if is.first == nil {
		is.first = e
	}
	switch e.Kind {
	case journal.Messages:
		is.message = e
	case journal.Blocks:
		if afterwards(e.Verdict) {
			is.hands = append(is.hands, *e)
			return
		}
		is.blocks = append(is.blocks, *e)
	case journal.Antivirus:
		is.scans = append(is.scans, *e)
	case journal.Shadow:
		is.beside = append(is.beside, *e)
	case journal.Looks:
		is.looks = append(is.looks, *e)
	default:
		is.traces = append(is.traces, *e)
	}
}

// tell prints the first n.
func (s *stories) tell(n int) error {
	for _, is := range s.order[:n] {
		delete(s.byRef, is.first.Ref)
		s.told++
		if err := s.line(is); err != nil {
			return err
		}
	}
	s.order = s.order[n:]
	return nil
}

func (s *stories) done() error {
	if err := s.tell(len(s.order)); err != nil {
		return err
	}
	return away(s.flush())
}

// shower shows what a search has found.
type shower interface {
	entry(journal.Entry) error
	done() error
	// counts tells what --last and --limit count: messages, or else entries.
	counts() unit
}

// unit is what of the journals has a number.
type unit int

const (
	entriesCount unit = iota
	messagesCount
)

// shower is the form that the command line asks for: lines of JSON, counts, or
// lines for people.
func (a *app) shower(l looking) shower {
	switch {
	case l.countBy != "":
		return &counting{app: a, field: l.countBy, top: l.top, of: map[counts]int64{}}
	case a.json:
		return &jsonLines{out: newGathered(a.out)}
	}
	t, out := a.terminal(l.zone()), newGathered(a.out)
	t.out = out
	s := &stories{byRef: map[string]*story{}, line: t.story, flush: out.Flush, limit: l.limit}
	if l.lines() {
		s.limit = 0
		return lines{s}
	}
	return s
}

func (s *stories) counts() unit { return messagesCount }

// lines are of journals in which each entry is one for itself: of protocols of what
// happens.
type lines struct{ *stories }

func (lines) counts() unit { return entriesCount }

// lines tells a search of such journals alone.
func (l *looking) lines() bool {
	return len(l.Kinds) > 0 && !slices.ContainsFunc(l.Kinds, func(k string) bool { return k != journal.Trace && k != journal.Looks })
}

// jsonLine prints one as it stands in its journal, but for the spelling of what a
// terminal would act on.
func (a *app) jsonLine(e journal.Entry) error {
	_, err := a.out.Write(append(harmless([]byte(e.Line)), '\n'))
	return away(err)
}

// jsonLines prints many entries as they stand in their journals, but for the spelling
// of what a terminal would act on.
type jsonLines struct {
	out  *gathered
	line []byte
}

func (j *jsonLines) entry(e journal.Entry) error {
	j.line = append(appendHarmless(j.line[:0], e.Line), '\n')
	_, err := j.out.Write(j.line)
	return away(err)
}

func (j *jsonLines) done() error { return away(j.out.Flush()) }

func (*jsonLines) counts() unit { return entriesCount }

// gathered writes together what comes fast after each other. What comes seldom is
// written at once.
type gathered struct {
	*bufio.Writer
	flushed time.Time
}

const (
	gatherFor  = 50 * time.Millisecond
	gatherMost = 64 << 10 // octets
)

func newGathered(out io.Writer) *gathered {
	return &gathered{Writer: bufio.NewWriterSize(out, gatherMost)}
}

func (g *gathered) Write(b []byte) (int, error) {
	n, err := g.Writer.Write(b)
	if now := time.Now(); err == nil && now.Sub(g.flushed).Abs() > gatherFor {
		g.flushed = now
		err = g.Flush()
	}
	return n, err
}
