package dnscheck

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// benched is how long a server that let a question time out, or was not
// there, is asked only after the others.
const benched = 30 * time.Second

// tries is how often a question is sent in all, when time-outs are all that
// comes back; each server is asked at least once.
const tries = 4

// server is one that is asked, and how it fares.
type server struct {
	addr string

	mu       sync.Mutex
	queries  int64
	timeouts int64
	failures int64
	last     string // failure
	lastAt   time.Time
	until    time.Time // benched
}

// servers are asked in their order, the benched ones last.
type servers struct {
	all []*server
	try time.Duration
	now func() time.Time
	// ask is exchange, but in tests that need no network.
	ask func(ctx context.Context, addr string, q question, try time.Duration) (*dns.Msg, error)
}

func (s *servers) order() []*server {
	now := s.now()
	var first, last []*server
	for _, one := range s.all {
		if one.isBenched(now) {
			last = append(last, one)
		} else {
			first = append(first, one)
		}
	}
	return append(first, last...)
}

// reply is the first that says something: NOERROR or NXDOMAIN. A server that
// answers with anything else is not asked again; one that does not answer is,
// after the others.
func (s *servers) reply(ctx context.Context, q question) (*dns.Msg, error) {
	order := s.order()
	var failure error
	for try := 0; try < max(tries, len(s.all)) && len(order) > 0; try++ {
		one := order[0]
		order = order[1:]
		m, err := s.ask(ctx, one.addr, q, s.try)
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
			one.note(s.now(), err)
			if failure == nil || !errors.Is(err, errTimeout) {
				failure = err
			}
			return nil, failure
		}
		if err == nil && m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
			err = rcodeError(m.Rcode)
		} else if err == nil && referral(m) && len(m.Answer) == 0 {
			err = errLame
		}
		one.note(s.now(), err)
		if err == nil {
			return m, nil
		}
		failure = fmt.Errorf("%s: %w", one.addr, err)
		if errors.Is(err, errTimeout) {
			order = append(order, one)
		}
	}
	return nil, failure
}

// rcodeError is an rcode that says nothing about the name.
type rcodeError int

func (e rcodeError) Error() string {
	if text, ok := dns.RcodeToString[int(e)]; ok {
		return text
	}
	return fmt.Sprintf("rcode %d", int(e))
}

func (s *server) isBenched(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.until)
}

// note counts one query and what came of it.
func (s *server) note(now time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries++
	var rcode rcodeError
	switch {
	case err == nil:
		s.until = time.Time{}
		return
	case errors.Is(err, errBusy), errors.Is(err, context.Canceled):
		return // not its doing
	case errors.As(err, &rcode):
		s.until = time.Time{} // it is there
	case errors.Is(err, errTimeout):
		s.timeouts++
		s.until = now.Add(benched)
	default:
		s.until = now.Add(benched)
	}
	s.failures++
	s.last, s.lastAt = err.Error(), now
}
