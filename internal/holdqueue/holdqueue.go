// Package holdqueue manages the messages that Postfix has on hold, through
// Postfix's own postqueue, postcat and postsuper.
package holdqueue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
)

var (
	// ErrUnavailable: Postfix's command is missing, failed, or may not be used
	// by this user. What it said follows.
	ErrUnavailable = errors.New("postfix's hold queue cannot be reached")
	// ErrNotHeld: no message of this queue id is on hold.
	ErrNotHeld = errors.New("not on hold")
)

// Message is one that is on hold.
type Message struct {
	QueueID    string
	Arrived    time.Time // the client's MAIL, whole seconds
	Size       int64     // octets, as Postfix counts them
	Sender     string    // "" is the null sender
	Recipients []string  // whom it will go to, after Postfix's rewriting
}

// Part is what is to be seen of a message.
type Part uint8

// What is to be seen.
const (
	Whole  Part = iota // as it would be delivered; line ends are LF
	Header             // up to the empty line
)

// absent is what postcat says of a message that is in no queue.
var absent = regexp.MustCompile(`^postcat: fatal: open queue file \S+: No such file or directory$`)

// Queue is the hold queue of one Postfix instance.
type Queue struct {
	config string
}

// New is the queue of the instance whose main.cf is in the folder config.
func New(config string) *Queue { return &Queue{config: config} }

// List calls fn with every message on hold, in no order. It stops at fn's
// error and returns it. Anybody whom authorized_mailq_users names may list.
func (q *Queue) List(ctx context.Context, fn func(Message) error) error {
	return q.run(ctx, call{
		name: "postqueue", args: []string{"-j"},
		out: func(r io.Reader) error { return decode(r, fn) },
	})
}

// Write copies a part of a message, octet by octet, to w. What w has got when
// there is an error is not complete. It wants root.
func (q *Queue) Write(ctx context.Context, id string, part Part, w io.Writer) error {
	if !validID(id) {
		return fmt.Errorf("%w: %q", ErrNotHeld, id)
	}
	flags := "-bhq"
	if part == Header {
		flags = "-hq"
	}
	gone := false
	err := q.run(ctx, call{
		name: "postcat", args: []string{flags, id},
		out: func(r io.Reader) error {
			_, err := io.Copy(w, r)
			return err
		},
		said: func(line string) { gone = gone || absent.MatchString(line) },
	})
	if err != nil && gone {
		return fmt.Errorf("%w: %s", ErrNotHeld, id)
	}
	return err
}

// Release has Postfix deliver messages, and returns the ids of those that were
// on hold until now. They are not judged again: they go to the deferred queue
// and from there to the queue manager, not to smtpd or cleanup. It wants root.
func (q *Queue) Release(ctx context.Context, ids ...string) ([]string, error) {
	return q.change(ctx, "-H", released, ids)
}

// Delete removes messages for ever, and returns the ids of those that were on
// hold until now. It wants root.
func (q *Queue) Delete(ctx context.Context, ids ...string) ([]string, error) {
	return q.change(ctx, "-d", removed, ids)
}

// Hurry has Postfix try to deliver a released message now, and not with its
// next run of the queue, which is minutes away. Its flush service does it.
func (q *Queue) Hurry(ctx context.Context, id string) error {
	if !validID(id) {
		return fmt.Errorf("%w: %q", ErrNotHeld, id)
	}
	return q.run(ctx, call{name: "postqueue", args: []string{"-i", id}})
}
