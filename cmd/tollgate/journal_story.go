package main

import (
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

func (s *stories) done() error { return s.tell(len(s.order)) }

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
		return jsonLines{a}
	}
	t := a.terminal(l.zone())
	return &stories{byRef: map[string]*story{}, line: t.story}
}

// jsonLines prints entries as they stand in their journals, but for the spelling
// of what a terminal would act on.
type jsonLines struct{ *app }

func (j jsonLines) entry(e journal.Entry) error {
	_, err := j.out.Write(append(harmless(e.Line), '\n'))
	return away(err)
}

func (jsonLines) done() error { return nil }
