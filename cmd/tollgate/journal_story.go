package main

import (
	"bufio"
	"io"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// story is what the journals say of one message.
type story struct {
	first   journal.Entry
	message *journal.Entry
	blocks  []journal.Entry
	scans   []journal.Entry
	traces  []journal.Entry
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
}

func (s *stories) entry(e journal.Entry) error {
	is := s.byRef[e.Ref]
	if is == nil || e.Ref == "" {
		is = &story{first: e}
		s.order = append(s.order, is)
		if e.Ref != "" {
			s.byRef[e.Ref] = is
		}
	}
	is.add(e)
	if len(s.order) > mostStories {
		return s.tell(len(s.order) / 2)
	}
	return nil
}

func (is *story) add(e journal.Entry) {
	switch e.Kind {
	case journal.Messages:
		is.message = &e
	case journal.Blocks:
		is.blocks = append(is.blocks, e)
	case journal.Antivirus:
		is.scans = append(is.scans, e)
	default:
		is.traces = append(is.traces, e)
	}
}

// tell prints the first n.
func (s *stories) tell(n int) error {
	for _, is := range s.order[:n] {
		delete(s.byRef, is.first.Ref)
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
}

// shower is the form that the command line asks for: lines of JSON, counts, or
// lines for people.
func (a *app) shower(l looking) shower {
	switch {
	case l.countBy != "":
		return &counting{app: a, field: l.countBy, top: l.top, of: map[string]int64{}}
	case a.json:
		return &jsonLines{out: newGathered(a.out)}
	}
	t, out := a.terminal(l.zone()), newGathered(a.out)
	t.out = out
	return &stories{byRef: map[string]*story{}, line: t.story, flush: out.Flush}
}

// jsonLine prints one as it stands in its journal, but for the spelling of what a
// terminal would act on.
func (a *app) jsonLine(e journal.Entry) error {
	_, err := a.out.Write(append(harmless(e.Line), '\n'))
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
