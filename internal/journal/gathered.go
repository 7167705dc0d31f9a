package journal

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// A line waits at most so long: what a kill -9 takes with it, and twenty system
	// calls a second where they would be a thousand.
	gatherTime  = 50 * time.Millisecond
	gatherBytes = 64 << 10         // or until so much has come together
	gatherLimit = 8 << 20          // with the disk away so much is kept; further lines are lost
	retryFirst  = time.Second      // after a failed write, doubled
	retryMost   = 30 * time.Second // up to this
	lastTries   = 3                // when closing
	lastPause   = 200 * time.Millisecond
)

// ErrLost: the journal could not be written for so long that no further line
// can be kept.
var ErrLost = errors.New("journal: line lost: too many wait for the disk")

// gathered writes lines together: one system call for many messages.
type gathered struct {
	file *file
	log  *slog.Logger
	now  func() time.Time

	writing sync.Mutex // held by the one that writes, so that order is kept

	mu     sync.Mutex
	lines  []byte // wait to be written
	heir   Heir   // nil: none
	spare  []byte // the buffer before, for its memory
	closed bool

	begun chan struct{} // a first line waits
	full  chan struct{} // enough has come together
	stop  chan struct{}
	done  chan struct{}
}

func newGathered(f *file, log *slog.Logger, now func() time.Time) *gathered {
	g := &gathered{
		file: f, log: log, now: now,
		begun: make(chan struct{}, 1), full: make(chan struct{}, 1),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go g.run()
	return g
}

// add keeps an entry, to be written soon.
func (g *gathered) add(e *Entry, write func([]byte, *Entry) []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errClosed
	}
	before := len(g.lines)
	if before >= gatherLimit {
		g.file.lose(1)
		return ErrLost
	}
	g.lines = append(write(g.lines, e), '\n')
	if before == 0 {
		signal(g.begun)
	}
	if before < gatherBytes && len(g.lines) >= gatherBytes {
		signal(g.full)
	}
	return nil
}

// signal wakes who waits; one signal that was not yet heard is enough.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run writes what was gathered until stop.
func (g *gathered) run() {
	defer close(g.done)
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	for {
		select {
		case <-g.begun:
		case <-g.stop:
			return
		}
		timer.Reset(gatherTime)
		select {
		case <-timer.C:
		case <-g.full:
		case <-g.stop:
			return
		}
		for pause := retryFirst; ; pause = min(2*pause, retryMost) {
			err := g.flush()
			if err == nil {
				break
			}
			g.log.Error("journal cannot be written; its lines wait", "kind", g.file.kind, "error", err, "next_try", pause)
			timer.Reset(pause)
			select {
			case <-timer.C:
			case <-g.stop:
				return
			}
		}
	}
}

// flush writes what waits now. What cannot be written waits on.
func (g *gathered) flush() error {
	g.writing.Lock()
	defer g.writing.Unlock()
	g.mu.Lock()
	lines := g.lines
	g.lines, g.spare = g.spare[:0], nil
	g.mu.Unlock()
	var rest []byte
	var err error
	if len(lines) > 0 {
		rest, err = g.file.write(lines, g.now())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(rest) > 0 {
		// A copy: rest shares its array with lines.
		g.lines = append(bytes.Clone(rest), g.lines...)
		signal(g.begun)
	}
	if cap(lines) <= 2*gatherBytes { // what a bad time needed is given back
		g.spare = lines[:0]
	}
	return err
}

// Heir keeps whole lines of a journal that could not be written when it was closed.
type Heir func(kind string, lines []byte) error

// Bequeath names who gets the lines that cannot be written when the journal is closed;
// without anybody, or on an error of it, they are lost.
func (j *Journal) Bequeath(to Heir) {
	for _, w := range j.writers {
		if w.gathered != nil {
			w.gathered.mu.Lock()
			w.gathered.heir = to
			w.gathered.mu.Unlock()
		}
	}
}

// Inherit takes whole lines that another journal could not write. The errors are those of
// Write: what is not of a kind whose lines are gathered, or too much.
func (j *Journal) Inherit(kind string, lines []byte) error {
	for _, w := range j.writers {
		if w.name != kind || w.gathered == nil {
			continue
		}
		if len(lines) == 0 {
			return nil
		}
		return w.gathered.inherit(lines)
	}
	return fmt.Errorf("%w: %q", ErrKind, kind)
}

func (g *gathered) inherit(lines []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return errClosed
	case len(g.lines)+len(lines) > 2*gatherLimit: // two journals full of lines that wait
		return ErrLost
	}
	g.lines = append(g.lines, lines...)
	if lines[len(lines)-1] != '\n' {
		g.lines = append(g.lines, '\n')
	}
	signal(g.begun)
	return nil
}

// close writes what waits; what cannot be written after a few tries is its heir's, or lost.
func (g *gathered) close() error {
	g.mu.Lock()
	closed := g.closed
	g.closed = true
	g.mu.Unlock()
	if closed {
		return nil
	}
	close(g.stop)
	<-g.done
	err := g.flush()
	for try := 1; err != nil && try < lastTries; try++ {
		time.Sleep(lastPause)
		err = g.flush()
	}
	if err != nil {
		err = g.leave(err)
	}
	return errors.Join(err, g.file.close())
}

// leave gives what waits to the heir. The error is why lines are lost, nil where none is.
func (g *gathered) leave(why error) error {
	g.mu.Lock()
	lines, heir := g.lines, g.heir
	g.mu.Unlock()
	n := bytes.Count(lines, []byte{'\n'})
	if heir != nil {
		err := heir(g.file.kind, lines)
		if err == nil {
			g.log.Warn("journal cannot be written; its lines are kept, and written by who has the journal next", "kind", g.file.kind, "error", why, "lines", n)
			return nil
		}
		why = errors.Join(why, err)
	}
	g.file.lose(n)
	g.log.Error("journal cannot be written; its lines are lost", "kind", g.file.kind, "error", why, "lines", n)
	return why
}

// waiting is how many bytes are not yet written.
func (g *gathered) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.lines)
}
