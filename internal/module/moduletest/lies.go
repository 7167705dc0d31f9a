package moduletest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// most is what may be taken of an answer, in octets; part of that stays in the
// buffers of the connection.
const most = 32 << 20

// lies are checks with services that do not keep to their protocol.
func lies(s *Service) []check {
	answer := s.Answers[0].Text
	var checks []check
	lie := func(name string, size int, play script) {
		checks = append(checks, check{name, func(t *trial) error {
			return t.withService(play, func(i module.Inspector) error { return t.mustFail(i, size) })
		}})
	}
	after := func(then script) script {
		return func(c *conversation) {
			if _, err := s.Receive(c.r); err == nil {
				then(c)
			}
		}
	}
	lie("hangs up", long, func(*conversation) {})
	lie("resets", long, (*conversation).reset)
	lie("hangs up in the message", huge, func(c *conversation) { c.skip(long) })
	lie("resets in the message", huge, func(c *conversation) { c.skip(long); c.reset() })
	lie("answers in the message", huge, func(c *conversation) { c.skip(long); c.say(answer) })
	lie("answers in the message, reads on", huge, func(c *conversation) {
		c.skip(long)
		c.say(answer)
		c.skip(huge / 2)
	})
	lie("no answer", long, after(func(*conversation) {}))
	lie("resets for an answer", long, after((*conversation).reset))
	for _, garbage := range []struct{ name, text string }{
		{"empty line", "\r\n"},
		{"zero octets", strings.Repeat("\x00", 1000)},
		{"all octets", octets()},
		{"long line", strings.Repeat("x", 100<<10) + "\n"},
		{"other service", "220 mail.example.org ESMTP Postfix\r\n"},
		{"number", "0\n"},
		{"before an answer", "\r\x00what?\r\n" + answer},
	} {
		lie("garbage, "+garbage.name, long, after(func(c *conversation) { c.say(garbage.text) }))
	}
	for _, endless := range []struct{ name, start, rest string }{
		{"line", "", strings.Repeat("x", 32<<10)},
		{"lines", "", strings.Repeat("x: y\r\n", 5<<10)},
		{"zeros", "", strings.Repeat("\x00", 32<<10)},
		{"answer", half(answer), strings.Repeat(" ", 32<<10)},
	} {
		checks = append(checks,
			check{"endless " + endless.name, func(t *trial) error {
				return t.endless(t.inspectShort, after(func(c *conversation) { c.say(endless.start) }), endless.rest)
			}},
			check{"endless " + endless.name + " to a ping", func(t *trial) error {
				return t.endless(ping, func(c *conversation) {
					if s.ReceivePing(c.r) == nil {
						c.say(endless.start)
					}
				}, endless.rest)
			}},
		)
	}
	for _, pong := range []struct{ name, text string }{{"nothing", ""}, {"an empty line", "\r\n"}, {"garbage", octets()}} {
		checks = append(checks, check{"ping answered with " + pong.name, func(t *trial) error {
			return t.withService(func(c *conversation) {
				if s.ReceivePing(c.r) == nil {
					c.say(pong.text)
				}
			}, func(i module.Inspector) error { return t.fails(ping(context.Background(), i)) })
		}})
	}
	return checks
}

func octets() string {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return string(all)
}

// cutAnswers has every beginning of every good answer for an answer.
func (t *trial) cutAnswers() error {
	s := t.subject.Service
	var text atomic.Pointer[string]
	return t.withService(func(c *conversation) {
		if _, err := s.Receive(c.r); err == nil {
			c.say(*text.Load())
		}
	}, func(i module.Inspector) error {
		for _, answer := range s.Answers {
			for n := range len(answer.Text) {
				cut := answer.Text[:n]
				text.Store(&cut)
				if err := t.mustFail(i, short); err != nil {
					return fmt.Errorf("%q: %w", cut, err)
				}
			}
		}
		return nil
	})
}

// asking is an inspection or a ping, in the background.
type asking func(context.Context, module.Inspector) <-chan outcome

// inspectHuge and inspectShort inspect messages that are complete.
func (t *trial) inspectHuge(ctx context.Context, i module.Inspector) <-chan outcome {
	return t.inspectOne(ctx, i, huge)
}

func (t *trial) inspectShort(ctx context.Context, i module.Inspector) <-chan outcome {
	return t.inspectOne(ctx, i, short)
}

func (t *trial) inspectOne(ctx context.Context, i module.Inspector, size int) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		m, err := t.whole(text(3, size))
		if err != nil {
			done <- outcome{err: err}
			return
		}
		defer m.Close()
		f, err := i.Inspect(ctx, m.seen)
		done <- outcome{f, err}
	}()
	return done
}

// silent cancels when the service has played play, after which it says no more.
func (t *trial) silent(ask asking, play script) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	played := make(chan struct{}, 1)
	over := make(chan struct{})
	return t.withService(func(c *conversation) {
		play(c)
		select {
		case played <- struct{}{}:
		default:
		}
		<-over
		c.untilClosed()
	}, func(i module.Inspector) error {
		defer close(over)
		done := ask(ctx, i)
		if err := within("the service is asked", played, t.patience); err != nil {
			return err
		}
		select {
		case o := <-done:
			return fmt.Errorf("returns before it is canceled: %+v, %v", o.finding, o.err)
		default:
		}
		cancel()
		return t.fails(done)
	})
}

// endless has the service go on and on after play.
func (t *trial) endless(ask asking, play script, rest string) error {
	var taken atomic.Int64
	return t.withService(func(c *conversation) {
		play(c)
		for taken.Load() < most {
			n, err := c.Write([]byte(rest))
			taken.Add(int64(n))
			if err != nil {
				return
			}
		}
	}, func(i module.Inspector) error {
		err := t.fails(ask(context.Background(), i))
		if n := taken.Load(); n >= most {
			err = errors.Join(err, fmt.Errorf("takes %d octets of an answer", n))
		}
		return err
	})
}

// earlyAnswer answers when a part of the message is there; more comes, but not
// its end.
func (t *trial) earlyAnswer() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answered, swallowed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	return t.withService(func(c *conversation) {
		c.skip(long)
		once.Do(func() {
			close(answered)
			defer close(swallowed)
			c.say(t.subject.Service.Answers[0].Text)
			c.skip(huge - long)
		})
		c.untilClosed()
	}, func(i module.Inspector) error {
		m := begin(t.stasher, unlimited)
		defer m.Close()
		done := inspect(ctx, i, m.seen)
		lines := []byte(text(4, 8<<10))
		for m.Written() < huge {
			if _, err := m.Write(lines); err != nil {
				return err
			}
		}
		select {
		case <-answered:
			if err := within("the service gets more, or the inspector hangs up", swallowed, t.patience); err != nil {
				return err
			}
		default: // an inspector may also wait for the end before it sends anything
		}
		cancel()
		return t.fails(done)
	})
}
