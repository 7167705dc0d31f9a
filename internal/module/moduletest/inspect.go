package moduletest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// Sizes of messages.
const (
	short = 1 << 10
	long  = 100 << 10
	// huge is more than all buffers of a connection hold.
	huge = 16 << 20
)

// text is message number n, and says so in its header.
func text(n, size int) string {
	header := fmt.Sprintf("From: a@example.com\r\nTo: b@example.org\r\nSubject: test\r\n%s%d,%d\r\n\r\n", numberField, n, size)
	line := fmt.Sprintf("This is a line of message %d.\r\n", n)
	return header + strings.Repeat(line, max(size-len(header), 0)/len(line)+1)
}

const numberField = "X-Number: "

// number finds out which message it is.
func number(message string) (n, size int, err error) {
	_, rest, _ := strings.Cut(message, numberField)
	_, err = fmt.Sscanf(rest, "%d,%d\r\n", &n, &size)
	return n, size, err
}

// memory is what a stash keeps there: less than long.
const memory = 64 << 10

const unlimited = 1 << 40

// message is one in a stash: the writer's side, and what the inspector gets.
type message struct {
	*module.Stash
	seen *module.Message
}

// begin makes a message that is still empty, for an inspector that may see
// limit octets.
func begin(stasher *module.Stasher, limit int64) *message {
	s := stasher.New()
	return &message{Stash: s, seen: &module.Message{
		Envelope: module.Envelope{
			Ref: "R1", Gateway: "gw.example.org", QueueID: "4XyZ", Direction: "inbound", ClientHost: "unknown",
			Helo: "client.example.com", Sender: "a@example.com", Recipients: []string{"b@example.org"}, Subject: "test",
		},
		Stash: s.Limit(limit),
	}}
}

// whole is a complete message.
func (t *trial) whole(text string) (*message, error) {
	m := begin(t.stasher, unlimited)
	_, err := m.Write([]byte(text))
	m.End()
	return m, err
}

// outcome is what came of an inspection or, with an empty finding, a ping.
type outcome struct {
	finding module.Finding
	err     error
}

// inspect inspects in the background.
func inspect(ctx context.Context, i module.Inspector, m *module.Message) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		f, err := i.Inspect(ctx, m)
		done <- outcome{f, err}
	}()
	return done
}

// ping pings in the background.
func ping(ctx context.Context, i module.Inspector) <-chan outcome {
	done := make(chan outcome, 1)
	go func() { done <- outcome{err: i.Ping(ctx)} }()
	return done
}

var errHangs = errors.New("does not return")

// result waits.
func (t *trial) result(done <-chan outcome) (outcome, error) {
	timer := time.NewTimer(t.patience)
	defer timer.Stop()
	select {
	case o := <-done:
		return o, nil
	case <-timer.C:
		return outcome{}, errHangs
	}
}

// fails wants an error.
func (t *trial) fails(done <-chan outcome) error {
	o, err := t.result(done)
	if err == nil && o.err == nil {
		return fmt.Errorf("no error, but %+v", o.finding)
	}
	return err
}

// within waits for something to happen.
func within(what string, happened <-chan struct{}, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-happened:
		return nil
	case <-timer.C:
		return fmt.Errorf("not in %v: %s", patience, what)
	}
}
