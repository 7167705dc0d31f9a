package holdqueue

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// longest is how many octets a line of "postqueue -j" may have. A recipient
// takes less than 1 KiB, delay reason included.
const longest = 64 << 20

// entry is a line of "postqueue -j", one a message of any queue.
type entry struct {
	QueueName   string `json:"queue_name"`
	QueueID     string `json:"queue_id"`
	ArrivalTime int64  `json:"arrival_time"` // Unix
	MessageSize int64  `json:"message_size"`
	Sender      string `json:"sender"`
	Recipients  []struct {
		Address string `json:"address"`
	} `json:"recipients"`
}

// onHold is how a message on hold names its queue, in a line of postqueue or
// otherwise.
var onHold = []byte(`"hold"`)

// decode reads what "postqueue -j" prints and calls fn with what is on hold.
func decode(r io.Reader, fn func(Message) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longest)
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), onHold) {
			continue // of another queue, which may be long
		}
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("%w: postqueue printed %.200q: %w", ErrUnavailable, lines.Bytes(), err)
		}
		if e.QueueName != "hold" {
			continue
		}
		if !validID(e.QueueID) {
			return fmt.Errorf("%w: postqueue printed the queue id %.100q", ErrUnavailable, e.QueueID)
		}
		if err := fn(e.message()); err != nil {
			return err
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%w: postqueue printed a line of more than %d octets", ErrUnavailable, longest)
	} else if err != nil {
		return fmt.Errorf("%w: reading from postqueue: %w", ErrUnavailable, err)
	}
	return nil
}

// All calls fn with the queue id and the queue's name of every message that
// Postfix has.
func (q *Queue) All(ctx context.Context, fn func(id, queue string) error) error {
	return q.run(ctx, call{
		name: "postqueue", args: []string{"-j"},
		out: func(r io.Reader) error { return decodeAll(r, fn) },
	})
}

func decodeAll(r io.Reader, fn func(id, queue string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longest)
	for lines.Scan() {
		var e struct {
			QueueName string `json:"queue_name"`
			QueueID   string `json:"queue_id"`
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || !validID(e.QueueID) {
			return fmt.Errorf("%w: postqueue printed %.200q", ErrUnavailable, lines.Bytes())
		}
		if err := fn(e.QueueID, e.QueueName); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: reading from postqueue: %w", ErrUnavailable, err)
	}
	return nil
}

// nullSender is what Postfix's lists call it.
const nullSender = "MAILER-DAEMON"

func (e *entry) message() Message {
	m := Message{QueueID: e.QueueID, Arrived: time.Unix(e.ArrivalTime, 0), Size: e.MessageSize, Sender: e.Sender}
	if m.Sender == nullSender {
		m.Sender = ""
	}
	for _, r := range e.Recipients {
		m.Recipients = append(m.Recipients, r.Address)
	}
	return m
}

// validID tells whether a text can be a queue id, short or long
// (enable_long_queue_ids): letters and digits. Such a text is no option, no
// "-" and no path.
func validID(s string) bool {
	if len(s) < 5 || len(s) > 100 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z') {
			return false
		}
	}
	return true
}
