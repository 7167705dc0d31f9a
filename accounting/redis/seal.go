package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/price"
)

const (
	// sealAge is how long a record is on its way at most before it is asked
	// whether its period was closed meanwhile.
	sealAge = time.Minute
	// sealLife is for how long that a period was not is believed.
	sealLife = 5 * time.Second
	// openLife is for how long of the period under way: only to a clock that is
	// far behind is that one a closed one.
	openLife = time.Minute
	// maxSeals bounds the periods that are remembered.
	maxSeals = 1000
)

// sealed tells whether the period of a record was closed.
func (se *session) sealed(ctx context.Context, p *price.Posting, origin, now time.Time) (bool, error) {
	s, life := se.s, sealLife
	if now.Sub(origin) < sealAge || !s.desk.Late(p, now) {
		life = openLife
	}
	s.mu.Lock()
	was, known := s.seals[p.Period]
	s.mu.Unlock()
	if known && (was.sealed || now.Sub(was.asked).Abs() < life) {
		return was.sealed, nil
	}
	part, err := se.owner(s.closesKey())
	if err != nil {
		return false, err
	}
	v, err := part.ask(ctx, Call{"HEXISTS", s.closesKey(), p.Period})
	if err != nil {
		return false, err
	}
	n, ok := v.(int64)
	if !ok {
		return false, fmt.Errorf("%w: %s: %v", ErrReply, s.closesKey(), v)
	}
	s.noteSeal(p.Period, sealState{n == 1, now})
	return n == 1, nil
}

// sealState is what is known of a period's seal.
type sealState struct {
	sealed bool
	asked  time.Time
}

func (s *Store) noteSeal(period string, st sealState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seals) >= maxSeals || s.seals == nil {
		s.seals = map[string]sealState{}
	}
	s.seals[period] = st
}
