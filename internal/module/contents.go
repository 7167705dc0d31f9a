package module

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

var errEnded = errors.New("written after the end of the message")

// contents is the message of a stash.
//
// What is before length never changes, so a reader needs mu only to learn what
// there is, and while it copies from memory that a later message may get. The
// writer fills memory and writes the file without mu. Readers of the file need
// no care: os.File keeps the descriptor until the last of them is done.
type contents struct {
	stasher *Stasher
	memory  int64 // octets; more are in a file

	mu     sync.Mutex
	length int64
	chunks []*chunk // without a file: all that was written
	file   *os.File // with one: all that was written
	ended  bool
	err    error // sticky
	// writing: chunks and file are the writer's, who also gives them back.
	writing bool
	// changed is closed at the next change; nil while nobody waits for one.
	changed chan struct{}
}

func (c *contents) write(p []byte) (int, error) {
	c.mu.Lock()
	if c.err != nil || c.ended {
		defer c.mu.Unlock()
		if c.err != nil {
			return 0, c.err
		}
		return 0, errEnded
	}
	c.writing = true
	kept, length := kept{c.chunks, c.file}, c.length
	c.mu.Unlock()

	before := kept.chunks
	err := kept.append(c, p, length)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = false
	if c.err == nil {
		c.err = err
	}
	c.chunks, c.file = kept.chunks, kept.file
	if c.file != nil {
		c.stasher.release(before)
		c.chunks = nil
	}
	if c.err != nil { // of this write, or Close came meanwhile
		// The error that readers get is worth more than one of closing.
		_ = c.release()
		c.wake()
		return 0, c.err
	}
	c.length += int64(len(p))
	c.wake()
	return len(p), nil
}

// kept is where a message is.
type kept struct {
	chunks []*chunk
	file   *os.File
}

// append adds p after length octets. Chunks that were there stay there, also
// when the message moved to a file.
func (k *kept) append(c *contents, p []byte, length int64) error {
	if k.file == nil && length+int64(len(p)) > c.memory {
		file, err := unnamed(c.stasher.Dir)
		if err != nil {
			return fmt.Errorf("keeping a message: %w", err)
		}
		k.file = file
		for at, i := int64(0), 0; at < length; i++ {
			n := min(length-at, int64(len(chunk{})))
			if _, err := file.WriteAt(k.chunks[i][:n], at); err != nil {
				return fmt.Errorf("keeping a message: %w", err)
			}
			at += n
		}
	}
	if k.file != nil {
		if _, err := k.file.WriteAt(p, length); err != nil {
			return fmt.Errorf("keeping a message: %w", err)
		}
		return nil
	}
	for len(p) > 0 {
		at := int(length % int64(len(chunk{})))
		if at == 0 {
			k.chunks = append(k.chunks, c.stasher.chunk())
		}
		n := copy(k.chunks[len(k.chunks)-1][at:], p)
		p, length = p[n:], length+int64(n)
	}
	return nil
}

func (c *contents) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.wake()
}

func (c *contents) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = ErrAborted
	}
	c.wake()
	if c.writing {
		return nil
	}
	return c.release()
}

// release gives memory and file back. The descriptor is closed when reads
// under way are done; none is waited for.
func (c *contents) release() error {
	c.stasher.release(c.chunks)
	file := c.file
	c.chunks, c.file = nil, nil
	if file == nil {
		return nil
	}
	return file.Close()
}

// read reads at offset, waiting for at least one octet.
func (c *contents) read(ctx context.Context, p []byte, offset, limit int64) (int, error) {
	c.mu.Lock()
	for {
		err := ctx.Err()
		if err == nil {
			err = c.failed(limit)
		}
		if err == nil && offset >= c.length && c.ended {
			err = io.EOF
		}
		if err != nil {
			c.mu.Unlock()
			return 0, err
		}
		if offset < c.length {
			break
		}
		c.wait(ctx)
	}
	p = p[:min(int64(len(p)), c.length-offset)]
	file := c.file
	if file == nil {
		defer c.mu.Unlock()
		from := offset % int64(len(chunk{}))
		return copy(p, c.chunks[offset/int64(len(chunk{}))][from:]), nil
	}
	c.mu.Unlock()
	n, err := file.ReadAt(p, offset)
	if err == nil {
		return n, nil
	}
	if why := c.failure(limit); why != nil {
		return 0, why // the file was closed
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // somebody cut the file
	}
	return n, fmt.Errorf("reading a message again: %w", err)
}

func (c *contents) size(ctx context.Context, limit int64) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := c.failed(limit); err != nil {
			return 0, err
		}
		if c.ended {
			return c.length, nil
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		c.wait(ctx)
	}
}

// progress is how many octets there are, and whether they are all.
func (c *contents) progress() (written int64, complete bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.length, c.ended && c.err == nil
}

func (c *contents) failure(limit int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed(limit)
}

// failed is failure for who has mu.
func (c *contents) failed(limit int64) error {
	if c.err == nil && c.length > limit {
		return ErrOversize
	}
	return c.err
}

// wait gives mu away until something changes or ctx ends.
func (c *contents) wait(ctx context.Context) {
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	changed := c.changed
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

func (c *contents) wake() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}
