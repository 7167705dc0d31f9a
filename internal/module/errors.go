package module

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Errors of a guard, besides those of its inspector.
var (
	// ErrOversize: the message is larger than Limits.MaxSize and was not
	// inspected.
	ErrOversize = errors.New("larger than max_size")
	// ErrAway: the service could not be reached or did not answer pings, and is
	// given time before it is tried again.
	ErrAway = errors.New("not asked while unreachable")
	// ErrUnreachable is for inspectors that have other means to find out that
	// nobody listens than a connection that cannot be made.
	ErrUnreachable = errors.New("unreachable")
	// ErrTimeout: no result within Limits.Timeout.
	ErrTimeout = errors.New("no result in time")
)

// errClosed is what a guard says that is closed already.
var errClosed = errors.New("the inspector is closed")

// PanicError is an inspector that panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panicked: %v", e.Value) }

// unreachable tells whether an error is that of a service that nobody listens
// for. Whatever comes of a connection once it is made may be the doing of the
// message: no error about that says that the service is away for others.
func unreachable(err error) bool {
	if errors.Is(err, ErrUnreachable) {
		return true
	}
	var op *net.OpError
	// A queue that is full, or a connection that is slow to come, is that of a
	// service that is busy.
	return errors.As(err, &op) && op.Op == "dial" && !op.Timeout() && !errors.Is(err, syscall.EAGAIN)
}
