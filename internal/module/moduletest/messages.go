package moduletest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// messageChecks are about messages that do not come whole. They are for every
// inspector; the service, if there is one, does nothing wrong.
func messageChecks() []check {
	return []check{
		{"message given up", func(t *trial) error {
			return t.broken(t.stasher, unlimited, func(m *message, _ context.CancelFunc) error { return m.Close() })
		}},
		{"message not kept", func(t *trial) error {
			nowhere := &module.Stasher{Dir: t.dir + "/none", Memory: long}
			return t.broken(nowhere, unlimited, func(m *message, _ context.CancelFunc) error {
				if _, err := m.Write(make([]byte, long)); err == nil {
					return errors.New("a stash has room in no folder")
				}
				m.End()
				return nil
			})
		}},
		{"message too large", func(t *trial) error {
			return t.broken(t.stasher, long, func(m *message, _ context.CancelFunc) error {
				_, err := m.Write(make([]byte, long))
				m.End()
				return err
			})
		}},
		{"canceled while it arrives", func(t *trial) error {
			return t.broken(t.stasher, unlimited, func(_ *message, cancel context.CancelFunc) error { cancel(); return nil })
		}},
		{"canceled before", (*trial).canceledBefore},
	}
}

// broken has messages inspected of which only a part comes before end does
// something to them. No service may take that part for a message.
func (t *trial) broken(stasher *module.Stasher, limit int64, end func(*message, context.CancelFunc) error) error {
	var wholes atomic.Int64
	return t.withService(func(c *conversation) {
		if _, err := t.subject.Service.Receive(c.r); err == nil {
			wholes.Add(1)
			c.say(t.subject.Service.Answers[0].Text)
		}
	}, func(i module.Inspector) error {
		for _, lines := range []int{0, 1, 40, 4000} {
			if err := t.cut(i, begin(stasher, limit), lines, end); err != nil {
				return fmt.Errorf("after %d lines: %w", lines, err)
			}
		}
		if n := wholes.Load(); n != 0 {
			return fmt.Errorf("the service takes %d messages for whole", n)
		}
		return nil
	})
}

// cut has m inspected while its first lines come, and then end.
func (t *trial) cut(i module.Inspector, m *message, lines int, end func(*message, context.CancelFunc) error) error {
	defer m.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := inspect(ctx, i, m.seen)
	if _, err := m.Write([]byte(text(0, 0))); err != nil {
		return err
	}
	for range lines {
		if _, err := m.Write([]byte("This is a line.\r\n")); err != nil {
			return err
		}
	}
	if err := end(m, cancel); err != nil {
		return err
	}
	return t.fails(done)
}

// canceledBefore has a good message inspected for nobody.
func (t *trial) canceledBefore() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return t.withService(honest(t.subject.Service), func(i module.Inspector) error {
		m, err := t.whole(text(0, long))
		if err != nil {
			return err
		}
		return errors.Join(t.fails(inspect(ctx, i, m.seen)), m.Close())
	})
}

// localChecks are for inspectors without a service.
func localChecks() []check {
	return []check{
		{"same findings at once", (*trial).sameFindings},
		{"ping", func(t *trial) error {
			return t.with("", func(i module.Inspector) error { return i.Ping(context.Background()) })
		}},
	}
}

// sameFindings compares what is found in messages alone with what is found in
// many at once.
func (t *trial) sameFindings() error {
	return t.with("", func(i module.Inspector) error {
		alone := make([]module.Finding, parallel)
		for n := range alone {
			var err error
			if alone[n], err = t.find(i, n); err != nil {
				return err
			}
		}
		return t.atOnce(i, func(n int) module.Finding { return alone[n] })
	})
}

// atOnce has many messages inspected at once, with findings as want has them.
func (t *trial) atOnce(i module.Inspector, want func(n int) module.Finding) error {
	var all sync.WaitGroup
	problems := make([]error, parallel)
	for n := range problems {
		all.Go(func() {
			f, err := t.find(i, n)
			if err == nil {
				err = same(f, want(n))
			}
			if err != nil {
				problems[n] = fmt.Errorf("message %d: %w", n, err)
			}
		})
	}
	all.Wait()
	return errors.Join(problems...)
}

func same(found, want module.Finding) error {
	if !reflect.DeepEqual(found, want) {
		return fmt.Errorf("found %+v, want %+v", found, want)
	}
	return nil
}

// parallel is how many inspections there are at once.
const parallel = 32

// find has message n inspected while it arrives.
func (t *trial) find(i module.Inspector, n int) (module.Finding, error) {
	m := begin(t.stasher, unlimited)
	defer m.Close()
	done := inspect(context.Background(), i, m.seen)
	for rest := text(n, sizeOf(n)); rest != ""; {
		piece := min(5000, len(rest))
		if _, err := m.Write([]byte(rest[:piece])); err != nil {
			return module.Finding{}, err
		}
		rest = rest[piece:]
	}
	m.End()
	o, err := t.result(done)
	if err != nil {
		return o.finding, err
	}
	return o.finding, o.err
}

// sizeOf message n: some are in memory, some are not.
func sizeOf(n int) int { return short + n%4*memory/2 }
