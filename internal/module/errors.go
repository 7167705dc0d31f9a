package module

import (
	"errors"
	"fmt"
)

// Errors of a guard, besides those of its inspector.
var (
	// ErrOversize: the message is larger than Limits.MaxSize and was not
	// inspected.
	ErrOversize = errors.New("larger than max_size")
	// ErrAway: the last inspections failed, and the service is given time
	// before it is tried again.
	ErrAway = errors.New("taken as away after repeated failures")
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
