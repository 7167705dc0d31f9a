package milter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

const (
	// inputSize is what a connection reads into: an ordinary message with its
	// macros arrives in one read.
	inputSize = 32 << 10
	// smallSize is what is read into while a connection waits for long: a macro
	// or a field.
	smallSize = 512
	// compactBelow is the room under which what waits is moved to the front
	// before the next read.
	compactBelow = inputSize / 4
	// unfinishedTotal bounds what the grown buffers of all connections take
	// together.
	unfinishedTotal = 256 << 20
)

// source is where octets come from. unfinished tells that a frame has begun.
type source interface {
	read(p []byte, unfinished bool) (int, error)
	// slow tells that the next octets may be long in coming.
	slow() bool
}

// budget is memory for frames larger than inputSize, shared by all
// connections.
type budget struct {
	left    atomic.Int64
	buffers sync.Pool // of *[inputSize]byte
}

func newBudget(octets int64) *budget {
	b := &budget{buffers: sync.Pool{New: func() any { return new([inputSize]byte) }}}
	b.left.Store(octets)
	return b
}

func (b *budget) take(n int) bool {
	if b.left.Add(-int64(n)) < 0 {
		b.left.Add(int64(n))
		return false
	}
	return true
}

var errBudget = errors.New("no memory is left for unfinished frames")

// input cuts what an MTA sends into frames. It never makes room for what a
// frame only announces.
type input struct {
	src    source
	budget *budget

	buf    []byte
	base   *[inputSize]byte // buf, unless it has grown
	grown  int              // octets taken from the budget
	r, w   int              // buf[r:w] has been read and not yet given out
	number int              // of the frame at hand, from 1
	body   int              // octets of a body chunk still to come
	small  [smallSize]byte  // buf, while what comes next may be long in coming
}

func newInput(src source, b *budget) *input {
	in := &input{src: src, budget: b, base: b.buffers.Get().(*[inputSize]byte)}
	in.buf = in.base[:]
	return in
}

// free gives all memory back.
func (in *input) free() {
	if in.base != nil {
		in.budget.buffers.Put(in.base)
	}
	in.budget.left.Add(int64(in.grown))
	in.base, in.buf, in.grown, in.r, in.w = nil, nil, 0, 0, 0
}

// next reads the next frame into f; its slices are good until the next call.
// A body chunk comes in pieces, as they arrive. io.EOF means that the MTA
// closed the connection between two frames.
//
// (Filling in f, instead of returning it, saves a copy that costs more than
// all the rest.)
func (in *input) next(f *frame) error {
	if in.body > 0 {
		return in.piece(f)
	}
	in.shrink()
	in.number++
	if err := in.need(4); err != nil {
		return err
	}
	n := int64(binary.BigEndian.Uint32(in.buf[in.r:]))
	switch {
	case n == 0:
		return in.fault(0, "it is empty")
	case n > maxFrame:
		return in.fault(0, fmt.Sprintf("announces %d octets, more than %d", n, maxFrame))
	}
	if err := in.need(5); err != nil {
		return err
	}
	code := in.buf[in.r+4]
	switch limit := commands[code].limit; {
	case limit == 0:
		return in.fault(code, "no such command")
	case int(n) > limit:
		return in.fault(code, fmt.Sprintf("announces %d octets, more than %d", n, limit))
	}
	if code == cmdBody {
		in.r += 5
		in.body = int(n) - 1
		return in.piece(f)
	}
	if err := in.need(4 + int(n)); err != nil {
		return err
	}
	f.code = code
	f.raw = in.buf[in.r : in.r+4+int(n)]
	f.data = f.raw[5:]
	f.more = false
	in.r += len(f.raw)
	return nil
}

// piece is what has arrived of a body chunk.
func (in *input) piece(f *frame) error {
	if in.body > 0 && in.r == in.w {
		if err := in.need(1); err != nil {
			return err
		}
	}
	n := min(in.w-in.r, in.body)
	f.code, f.raw, f.data = cmdBody, nil, in.buf[in.r:in.r+n]
	in.r += n
	in.body -= n
	f.more = in.body > 0
	return nil
}

func (in *input) fault(code byte, problem string) error {
	return &FrameError{Number: in.number, Code: code, Problem: problem}
}

// need has n octets of the frame at hand there. Nearly always they are: a read brings
// dozens of frames.
func (in *input) need(n int) error {
	if in.w-in.r >= n {
		return nil
	}
	return in.await(n)
}

// await reads until n octets are there.
func (in *input) await(n int) error {
	for in.w-in.r < n {
		unfinished := in.r < in.w || in.body > 0
		if err := in.room(n); err != nil {
			return err
		}
		if !unfinished && in.src.slow() {
			in.lay()
		}
		m, err := in.src.read(in.buf[in.w:], unfinished)
		in.w += m
		in.take()
		switch {
		case m > 0:
		case err == io.EOF && unfinished:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
	return nil
}

// lay gives the buffer back until there is something to put into it.
func (in *input) lay() {
	in.replace(in.small[:], 0)
	in.r, in.w = 0, 0
}

// take goes on from the small buffer to an ordinary one.
func (in *input) take() {
	if in.w > 0 && len(in.buf) == smallSize {
		base := in.budget.buffers.Get().(*[inputSize]byte)
		copy(base[:], in.buf[:in.w])
		in.replace(base[:], 0)
		in.base = base
	}
}

// room makes some for the next read, for a frame of n octets.
func (in *input) room(n int) error {
	if in.r == in.w {
		in.r, in.w = 0, 0
	}
	if in.r > 0 && len(in.buf)-in.w < compactBelow {
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
	}
	if in.w < len(in.buf) {
		return nil
	}
	// The buffer is full of one frame: it grows by what has really arrived.
	size := min(2*len(in.buf), n)
	if !in.budget.take(size) {
		return errBudget
	}
	buf := make([]byte, size)
	copy(buf, in.buf)
	in.replace(buf, size)
	return nil
}

// shrink returns to the ordinary buffer after a frame that did not fit.
func (in *input) shrink() {
	if in.grown == 0 || in.w-in.r > inputSize {
		return
	}
	base := in.budget.buffers.Get().(*[inputSize]byte)
	in.w = copy(base[:], in.buf[in.r:in.w])
	in.r = 0
	in.replace(base[:], 0)
	in.base = base
}

func (in *input) replace(buf []byte, grown int) {
	if in.base != nil {
		in.budget.buffers.Put(in.base)
		in.base = nil
	}
	in.budget.left.Add(int64(in.grown))
	in.buf, in.grown = buf, grown
}
