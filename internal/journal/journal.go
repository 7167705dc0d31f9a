package journal

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

var errClosed = errors.New("journal: closed")

// Journal writes the journals of one gateway. It is safe for use by many
// goroutines.
type Journal struct {
	log *slog.Logger
	now func() time.Time

	moving sync.Mutex // held while files are replaced
	dir    string

	messages, antivirus, trace *gathered
	blocks                     *file
	buffers                    sync.Pool // *[]byte, for lines of blocks

	traced atomic.Pointer[TraceSwitch] // nil: nothing is traced
	syslog atomic.Pointer[syslogger]   // nil: none
	ending sync.WaitGroup              // of those that sent to syslog before

	made made // by Open
}

// Option changes how a journal is opened.
type Option func(*Journal)

// WithLog tells where troubles are reported; otherwise nowhere.
func WithLog(log *slog.Logger) Option { return func(j *Journal) { j.log = log } }

// Open opens (and makes) the files in dir, which it makes as well.
func Open(dir string, options ...Option) (*Journal, error) {
	j := &Journal{dir: dir, log: slog.New(slog.DiscardHandler), now: time.Now}
	for _, o := range options {
		o(j)
	}
	messages, blocks, antivirus, trace := &file{kind: Messages}, &file{kind: Blocks}, &file{kind: Antivirus}, &file{kind: Trace}
	first, err := openAll(dir, messages, blocks, antivirus, trace)
	if err != nil {
		return nil, err
	}
	j.made = first.made
	// None of the files was open: there is none to close.
	_ = first.replace()
	j.blocks = blocks
	j.messages = newGathered(messages, j.log, j.now)
	j.antivirus = newGathered(antivirus, j.log, j.now)
	j.trace = newGathered(trace, j.log, j.now)
	return j, nil
}

// Message writes to the messages journal, soon: lines are gathered and
// written together, at the latest after a second. Its error is ErrLost.
func (j *Journal) Message(e *Entry) error { return j.messages.add(e, appendMessage) }

// Antivirus writes to the antivirus journal, as soon as Message does.
func (j *Journal) Antivirus(e *Entry) error { return j.antivirus.add(e, appendAntivirus) }

// Trace writes to the trace journal, as soon as Message does.
func (j *Journal) Trace(e *Entry) error { return j.trace.add(e, appendTrace) }

// largestBuffer is kept for the next block; one message can have thousands
// of recipients.
const largestBuffer = 64 << 10

// Block writes to the blocks journal; the lines are in the file, by one
// write(2), when it returns. On an error some of them are not.
func (j *Journal) Block(entries ...*Entry) error {
	if len(entries) == 0 {
		return nil
	}
	buf, ok := j.buffers.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	b := (*buf)[:0]
	for _, e := range entries {
		b = append(appendBlock(b, e), '\n')
	}
	_, err := j.blocks.write(b, j.now())
	if cap(b) <= largestBuffer {
		*buf = b
		j.buffers.Put(buf)
	}
	if s := j.syslog.Load(); s != nil {
		for _, e := range entries {
			s.send(e)
		}
	}
	return err
}

// Reopen opens the files anew, after they were rotated away. On an error the
// files before are written on.
func (j *Journal) Reopen() error {
	j.moving.Lock()
	defer j.moving.Unlock()
	next, err := openAll(j.dir, j.files()...)
	if err != nil {
		return err
	}
	return next.replace()
}

func (j *Journal) files() []*file {
	return []*file{j.messages.file, j.blocks, j.antivirus.file, j.trace.file}
}

// Flush writes what was gathered.
func (j *Journal) Flush() error {
	return errors.Join(j.messages.flush(), j.antivirus.flush(), j.trace.flush())
}

// Close flushes and closes.
func (j *Journal) Close() error {
	j.SetSyslog(nil)
	j.ending.Wait()
	return errors.Join(j.messages.close(), j.antivirus.close(), j.trace.close(), j.blocks.close())
}
