package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// session is a run of batches over one connection with each owner of slots.
type session struct {
	s      *Store
	parts  []*part
	terms  map[string]bool // versions whose terms this session has written
	anyAge bool            // records are applied however old they are: somebody decided so
}

// fits tells why a record may not be applied.
func (se *session) fits(r *accounting.Record, now time.Time) error {
	if se.anyAge {
		return r.Check()
	}
	return accounting.Fit(r, now, se.s.o.SeenDays)
}

// Session connects with the owners of all slots and reads their marks.
func (s *Store) Session(ctx context.Context) (accounting.Session, error) {
	se, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range se.parts {
		if p.mark, err = se.readMark(ctx, p); err != nil {
			return nil, errors.Join(err, se.Close())
		}
	}
	return se, nil
}

func (s *Store) dial(ctx context.Context) (*session, error) {
	servers, err := s.servers.Dial(ctx)
	if err != nil {
		return nil, err
	}
	se := &session{s: s, terms: map[string]bool{}}
	owned := 0
	for _, server := range servers {
		p := &part{Server: server}
		for n := 0; p.key == ""; n++ {
			if key := s.markKey(n); server.Slots.Has(Slot(key)) {
				p.key = key
			}
		}
		for _, r := range server.Slots {
			owned += r[1] - r[0] + 1
		}
		se.parts = append(se.parts, p)
	}
	if len(servers) == 0 || servers[0].Slots != nil && owned != slotCount {
		return nil, errors.Join(fmt.Errorf("%w: %d of %d slots have an owner", ErrTopology, owned, slotCount), se.Close())
	}
	for _, p := range se.parts {
		if err := se.allowed(ctx, p); err != nil {
			return nil, errors.Join(err, se.Close())
		}
	}
	return se, nil
}

// owner is who owns the slot of a key.
func (se *session) owner(key string) (*part, error) {
	if len(se.parts) == 1 {
		return se.parts[0], nil
	}
	slot := Slot(key)
	for _, p := range se.parts {
		if p.Slots.Has(slot) {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: nobody owns slot %d", ErrTopology, slot)
}

// Marks are the marks by the slots they stand for.
func (se *session) Marks() []accounting.Mark {
	list := make([]accounting.Mark, len(se.parts))
	for i, p := range se.parts {
		text, slots, _ := strings.Cut(p.mark, slotsMark)
		if slots != p.Slots.String() {
			text = ""
		}
		list[i] = accounting.Mark{Part: p.Slots.String(), Text: text}
	}
	return list
}

// markScript compares and sets, so that a server set back in between is noticed.
const markScript = `

if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end

redis.call('SET', KEYS[1], ARGV[2])

return 1`

// Move moves the marks of all parts.
func (se *session) Move(ctx context.Context, text string) error {
	for _, p := range se.parts {
		if err := se.moveMark(ctx, p, text); err != nil {
			return err
		}
	}
	return nil
}

// Check asks whether all parts hold the marks they held, for the slots they
// owned.
func (se *session) Check(ctx context.Context) error {
	for _, p := range se.parts {
		slots, err := se.s.servers.Owned(ctx, p.Link)
		if err != nil {
			return err
		}
		if slots.String() != p.Slots.String() {
			return fmt.Errorf("redis store: slots have moved: %w", accounting.ErrMark)
		}
		mark, err := se.readMark(ctx, p)
		if err != nil {
			return err
		}
		if mark != p.mark {
			return fault(accounting.ErrMark)
		}
	}
	return nil
}

// Put applies the batch, parks what cannot be applied, and then moves the marks
// of the parts that were written to.
func (se *session) Put(ctx context.Context, batch []accounting.Record, text string) error {
	written, err := se.put(ctx, batch)
	if err != nil {
		return err
	}
	for _, p := range se.parts {
		if written[p] {
			if err := se.moveMark(ctx, p, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// pipelined is how many records go in one pipeline.
const pipelined = 512

func (se *session) put(ctx context.Context, batch []accounting.Record) (written map[*part]bool, err error) {
	written = map[*part]bool{}
	for len(batch) > 0 {
		n := min(len(batch), pipelined)
		unfit, err := se.apply(ctx, batch[:n], written)
		if err == nil {
			err = se.park(ctx, unfit, written)
		}
		if err != nil {
			return nil, err
		}
		batch = batch[n:]
	}
	for _, p := range se.parts {
		if written[p] {
			if err := se.replicated(ctx, p); err != nil {
				return nil, err
			}
		}
	}
	return written, nil
}

// add notes a call to be sent.
func (se *session) add(key string, c call) error {
	p, err := se.owner(key)
	if err != nil {
		return err
	}
	p.calls = append(p.calls, c)
	return nil
}

// send sends what was added, part by part, and calls fn with each answer. Of a record
// the answer may be an error about what the store has of its client.
func (se *session) send(ctx context.Context, written map[*part]bool, fn func(call, any) error) error {
	defer func() {
		for _, p := range se.parts {
			clear(p.calls)
			p.calls = p.calls[:0]
		}
	}()
	for _, p := range se.parts {
		if len(p.calls) == 0 {
			continue
		}
		written[p] = true
		replies, err := p.send(ctx, se.s.scripts.apply.text, se.s.scripts.park.text)
		if err != nil {
			return err
		}
		for i, r := range replies {
			value := r.Value
			switch {
			case r.Err == nil:
			case p.calls[i].work != nil && isContent(r.Err):
				value = fault(r.Err)
			default:
				return se.s.denied(ctx, p, p.calls[i].Call, r.Err)
			}
			if err := fn(p.calls[i], value); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close gives the connections back.
func (se *session) Close() error {
	var errs []error
	for _, p := range se.parts {
		errs = append(errs, p.Link.Close())
	}
	return errors.Join(errs...)
}
