package module

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"
)

// ErrAborted is what readers of a stash hear when the message has been given
// up.
var ErrAborted = errors.New("the message was given up")

// Stasher makes stashes. Its zero value keeps files in the folder for
// temporary ones. It must not be copied after its first use.
type Stasher struct {
	// Dir is for the files of messages that outgrow Memory. The files have no
	// name: nothing is left behind, whatever becomes of the process.
	Dir string
	// Memory is how many octets of each message are kept in memory, 0 for
	// 128 KiB. Longer messages are in a file as a whole.
	Memory int

	// chunks are memory of messages that are over, for those that come.
	chunks sync.Pool
}

const defaultMemory = 128 << 10

// New makes an empty stash for one message.
func (s *Stasher) New() *Stash {
	memory := int64(s.Memory)
	if memory <= 0 {
		memory = defaultMemory
	}
	return &Stash{contents: &contents{stasher: s, memory: memory}, limit: unlimited}
}

// chunk is a piece of a message in memory. Most messages need one.
type chunk [16 << 10]byte

func (s *Stasher) chunk() *chunk {
	if c, ok := s.chunks.Get().(*chunk); ok {
		return c
	}
	return new(chunk)
}

func (s *Stasher) release(chunks []*chunk) {
	for _, c := range chunks {
		s.chunks.Put(c)
	}
}

// Stash holds one message as it goes over the wire: fields, blank line, body,
// line ends CRLF. One goroutine writes; any number may read, each from the
// start and at its own pace, while it is still being written.
type Stash struct {
	contents *contents // shared with all views
	limit    int64     // octets
	view     view
}

// view is whether a stash is the one that the writer has.
type view uint8

const (
	original view = iota
	forReaders
)

const unlimited = math.MaxInt64

// errView is for whoever was to read a message and tries to change it.
var errView = errors.New("this side of a stash is for reading")

// Limit is a view of s for somebody who may see messages of at most limit
// octets. As soon as more than that is written, its readers and Size fail with
// ErrOversize. A view cannot be written to, ended or closed; it lasts as long
// as s does.
func (s *Stash) Limit(limit int64) *Stash {
	return &Stash{contents: s.contents, limit: min(limit, s.limit), view: forReaders}
}

// Write appends to the message; p is not kept. It never waits for readers.
// After an error (no room on disk) readers get it too, and no inspection can
// succeed.
func (s *Stash) Write(p []byte) (int, error) {
	if s.view != original {
		return 0, errView
	}
	return s.contents.write(p)
}

// End says that the message is complete.
func (s *Stash) End() {
	if s.view == original {
		s.contents.end()
	}
}

// Close gives the message up, or releases it after use. Readers get
// ErrAborted from then on. It waits for nobody, may be called at any time from
// any goroutine, and again.
func (s *Stash) Close() error {
	if s.view != original {
		return errView
	}
	return s.contents.close()
}

// Size waits until the message is complete and returns its octets.
func (s *Stash) Size(ctx context.Context) (int64, error) {
	return s.contents.size(ctx, s.limit)
}

// Written is how many octets have been written so far.
func (s *Stash) Written() int64 {
	written, _ := s.contents.progress()
	return written
}

// Open reads the message from its start. Reads wait for what is not written
// yet, until ctx ends; io.EOF is only ever the end of the complete message.
// The reader is for one goroutine, and needs no closing.
func (s *Stash) Open(ctx context.Context) io.Reader {
	return &reader{ctx: ctx, stash: s}
}

// failure is why the message cannot be read to its end, nil when nothing is
// known against it.
func (s *Stash) failure() error { return s.contents.failure(s.limit) }

// reader reads a stash.
type reader struct {
	ctx    context.Context
	stash  *Stash
	offset int64
}

func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.stash.contents.read(r.ctx, p, r.offset, r.stash.limit)
	r.offset += int64(n)
	return n, err
}

// Len is how many octets are left to read, once the message is complete; before,
// as many as any may have.
func (r *reader) Len() int {
	const unknown = 1 << 30
	if written, whole := r.stash.contents.progress(); whole {
		return int(min(max(written, r.offset)-r.offset, unknown))
	}
	return unknown
}
