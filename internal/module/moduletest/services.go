package moduletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// honest is a service that does what it should.
func honest(s *Service) script {
	return func(c *conversation) {
		if _, err := s.Receive(c.r); err == nil {
			c.say(s.Answers[0].Text)
		}
	}
}

// serviceChecks are for inspectors with a service.
func serviceChecks(s *Service) []check {
	checks := []check{
		{"answers", (*trial).answers},
		{"slow", (*trial).slow},
		{"many at once", (*trial).many},
		{"Close cuts nothing off", (*trial).closeDuring},
		{"nobody there", (*trial).nobodyThere},
		{"answer while the message arrives", (*trial).earlyAnswer},
		{"ping", (*trial).pong},
		{"ping without an answer", func(t *trial) error {
			return t.silent(ping, func(c *conversation) { _ = s.ReceivePing(c.r) })
		}},
		{"silent", func(t *trial) error {
			// Until the buffers are full, so that the inspector waits for room;
			// nobody tells when that is.
			return t.silent(t.inspectHuge, func(*conversation) { time.Sleep(50 * time.Millisecond) })
		}},
		{"silent after the message", func(t *trial) error {
			return t.silent(t.inspectShort, func(c *conversation) { _, _ = s.Receive(c.r) })
		}},
		{"silent in the middle of an answer", func(t *trial) error {
			return t.silent(t.inspectShort, func(c *conversation) {
				_, _ = s.Receive(c.r)
				c.say(half(s.Answers[0].Text))
			})
		}},
		{"cut answers", (*trial).cutAnswers},
	}
	return append(checks, lies(s)...)
}

func half(text string) string { return text[:len(text)/2] }

// answers has every good answer understood.
func (t *trial) answers() error {
	s := t.subject.Service
	for _, answer := range s.Answers {
		err := t.understands(answer, func(c *conversation) {
			if message, err := s.Receive(c.r); err == nil && bytes.HasSuffix(message, []byte(text(1, long))) {
				c.say(answer.Text)
			}
		}, func(module.Inspector) error { return nil })
		if err != nil {
			return fmt.Errorf("%q: %w", answer.Text, err)
		}
	}
	return nil
}

// slow has a service read and write a few octets at a time.
func (t *trial) slow() error {
	answer := t.subject.Service.Answers[0]
	return t.understands(answer, func(c *conversation) {
		c.r.Reset(sipping{c})
		if _, err := t.subject.Service.Receive(c.r); err == nil {
			for i := range answer.Text {
				c.say(answer.Text[i : i+1])
			}
		}
	}, func(module.Inspector) error { return nil })
}

// sipping reads a few octets at a time.
type sipping struct{ c *conversation }

func (s sipping) Read(p []byte) (int, error) { return s.c.Conn.Read(p[:min(len(p), 11)]) }

// closeDuring closes an inspector while the service has the message.
func (t *trial) closeDuring() error {
	s := t.subject.Service
	received, closed := make(chan struct{}), make(chan struct{})
	return t.understands(s.Answers[0], func(c *conversation) {
		if _, err := s.Receive(c.r); err == nil {
			close(received)
			<-closed
			c.say(s.Answers[0].Text)
		}
	}, func(i module.Inspector) error {
		defer close(closed)
		if err := within("the service gets the message", received, t.patience); err != nil {
			return err
		}
		return i.Close()
	})
}

// understands wants the finding of an answer from a service that plays play,
// with something that happens meanwhile.
func (t *trial) understands(answer Answer, play script, meanwhile func(module.Inspector) error) error {
	return t.withService(play, func(i module.Inspector) error {
		m, err := t.whole(text(1, long))
		if err != nil {
			return err
		}
		defer m.Close()
		done := inspect(context.Background(), i, m.seen)
		if err := meanwhile(i); err != nil {
			return err
		}
		o, err := t.result(done)
		if err := errors.Join(err, o.err); err != nil {
			return err
		}
		return same(o.finding, answer.Finding)
	})
}

// many has messages inspected at once. Each reaches the service as it is, and
// each gets its own answer.
func (t *trial) many() error {
	s := t.subject.Service
	answer := func(n int) Answer { return s.Answers[n%len(s.Answers)] }
	return t.withService(func(c *conversation) {
		message, err := s.Receive(c.r)
		if err != nil {
			return
		}
		n, size, err := number(string(message))
		if err == nil && bytes.HasSuffix(message, []byte(text(n, size))) {
			c.say(answer(n).Text)
		}
	}, func(i module.Inspector) error {
		return t.atOnce(i, func(n int) module.Finding { return answer(n).Finding })
	})
}

// nobodyThere is for a service that was stopped, or not yet started.
func (t *trial) nobodyThere() error {
	address, err := nobody(t.network, t.dir)
	if err != nil {
		return err
	}
	return t.with(address, func(i module.Inspector) error {
		if err := t.fails(ping(context.Background(), i)); err != nil {
			return fmt.Errorf("ping: %w", err)
		}
		return t.mustFail(i, short)
	})
}

// mustFail has a good message inspected in vain.
func (t *trial) mustFail(i module.Inspector, size int) error {
	m, err := t.whole(text(2, size))
	if err != nil {
		return err
	}
	return errors.Join(t.fails(inspect(context.Background(), i, m.seen)), m.Close())
}

// pong has pings understood.
func (t *trial) pong() error {
	s := t.subject.Service
	return t.withService(func(c *conversation) {
		if s.ReceivePing(c.r) == nil {
			c.say(s.Pong)
		}
	}, func(i module.Inspector) error {
		for range 3 {
			o, err := t.result(ping(context.Background(), i))
			if err := errors.Join(err, o.err); err != nil {
				return err
			}
		}
		return nil
	})
}
