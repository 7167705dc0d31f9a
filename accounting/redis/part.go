package redis

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tollgate-mail/tollgate/accounting"
)

// part is an owner of slots, with the mark it holds.
type part struct {
	Server
	key  string // of its mark, in a slot that it owns
	mark string // as last read or set

	calls []call // what it is to be asked next
}

// call is one for a record, or for none.
type call struct {
	Call
	record *accounting.Record
	work   *work // of a record that is applied
}

// In a Cluster a mark names the slots it stands for: after slots have moved it
// says nothing about those that came.
const slotsMark = " slots="

func (p *part) withSlots(text string) string {
	if p.Slots == nil {
		return text
	}
	return text + slotsMark + p.Slots.String()
}

// ask sends one call to one part.
func (p *part) ask(ctx context.Context, c Call) (any, error) {
	replies, err := p.Link.Send(ctx, []Call{c})
	if err == nil {
		err = replies[0].Err
	}
	if err != nil {
		return nil, fault(err)
	}
	return replies[0].Value, nil
}

func (se *session) readMark(ctx context.Context, p *part) (string, error) {
	v, err := p.ask(ctx, Call{"GET", p.key})
	if err != nil || v == nil {
		return "", err
	}
	text, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%w: to the mark: %v", ErrReply, v)
	}
	return text, nil
}

// moveMark moves the mark of a part. It is a call of its own: in one pipeline with
// records it would be carried out although one of them failed.
func (se *session) moveMark(ctx context.Context, p *part, text string) error {
	text = p.withSlots(text)
	v, err := p.ask(ctx, Call{"EVAL", markScript, 1, p.key, p.mark, text})
	switch {
	case err != nil:
		return err
	case v == int64(1):
		p.mark = text
		return nil
	case v == int64(0):
		return fault(accounting.ErrMark)
	default:
		return fmt.Errorf("%w: to the mark: %v", ErrReply, v)
	}
}

// send sends the calls; a second time when a script was not known, and these were loaded: what was
// applied before the server said so is known when it comes again.
func (p *part) send(ctx context.Context, load ...string) ([]Reply, error) {
	calls := make([]Call, len(p.calls))
	for i, c := range p.calls {
		calls[i] = c.Call
	}
	for again := false; ; again = true {
		replies, err := p.Link.Send(ctx, calls)
		if err != nil {
			return nil, fault(err)
		}
		missing := false
		for _, r := range replies {
			missing = missing || isNoScript(r.Err)
		}
		if !missing || again {
			return replies, nil
		}
		for _, text := range load {
			if _, err := p.ask(ctx, Call{"SCRIPT", "LOAD", text}); err != nil {
				return nil, err
			}
		}
	}
}

// replicated waits until as many replicas as are asked for have what was
// written over this connection.
func (se *session) replicated(ctx context.Context, p *part) error {
	want := se.s.o.Replicas
	if want == 0 {
		return nil
	}
	// Half of what the connection waits for a reply, so that the reply comes
	// first.
	v, err := p.ask(ctx, Call{"WAIT", strconv.Itoa(want), strconv.FormatInt(se.s.o.Timeout.Milliseconds()/2, 10)})
	if err != nil {
		return err
	}
	if n, ok := v.(int64); !ok || n < int64(want) {
		return fmt.Errorf("redis store: %v of %d replicas have taken what was written", v, want)
	}
	return nil
}
