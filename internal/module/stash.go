package module

import (
	"context"
	"errors"
	"io"
)

// ErrAborted is what readers of a stash hear when the message has been given
// up.
var ErrAborted = errors.New("the message was given up")

// Stasher makes stashes. Its zero value keeps files in the folder for
// temporary ones.
type Stasher struct {
	// Dir is for the files of messages that outgrow Memory. The files have no
	// name: nothing is left behind, whatever becomes of the process.
	Dir string
	// Memory is how many octets of each message are kept in memory, 0 for
	// 128 KiB. Longer messages are in a file as a whole.
	Memory int
}

// New makes an empty stash for one message.
func (s *Stasher) New() *Stash { return &Stash{} }

// Stash holds one message as it goes over the wire: fields, blank line, body,
// line ends CRLF. One goroutine writes; any number may read, each from the
// start and at its own pace, while it is still being written.
type Stash struct{}

// Write appends to the message; p is not kept. It never waits for readers.
// After an error (no room on disk) readers get it too, and no inspection can
// succeed.
func (s *Stash) Write(p []byte) (int, error) { return len(p), nil }

// End says that the message is complete.
func (s *Stash) End() {}

// Close gives the message up, or releases it after use. Readers get
// ErrAborted from then on. It waits for nobody.
func (s *Stash) Close() error { return nil }

// Size waits until the message is complete and returns its octets.
func (s *Stash) Size(ctx context.Context) (int64, error) { return 0, nil }

// Written is how many octets have been written so far.
func (s *Stash) Written() int64 { return 0 }

// Open reads the message from its start. Reads wait for what is not written
// yet, until ctx ends; io.EOF is only ever the end of the complete message.
func (s *Stash) Open(ctx context.Context) io.Reader { return nil }
