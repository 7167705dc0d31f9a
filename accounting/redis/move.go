package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// maxMoves bounds how many closed periods are passed over.
const maxMoves = 100

// move makes a posting count in the first period that is not closed, as far as that
// is known.
func (se *session) move(ctx context.Context, w *work, now time.Time) error {
	desk, at := se.s.desk, now
	for moved := range maxMoves {
		if moved >= w.moves {
			if w.found != nil {
				return se.take(ctx, w, moved, now) // its client has a flag in what is closed
			}
			// Who was not known when a period was closed has none in it.
			sealed, err := se.sealed(ctx, &w.posting, w.r.Origin(), now)
			if err == nil && !sealed {
				err = se.take(ctx, w, moved, now)
			}
			if err != nil || !sealed {
				return err
			}
			w.moves = moved + 1
		}
		if moved > 0 {
			at = w.posting.End(desk, at)
		}
		w.posting.Move(desk, at)
		w.stored.Effect = accounting.Adjustment
	}
	return fmt.Errorf("%w: the next %d periods are closed", ErrReply, maxMoves)
}

// take asks whether the money of a record that was moved may count where it is now.
func (se *session) take(ctx context.Context, w *work, moved int, now time.Time) error {
	if moved == 0 || w.posting.Tariff == nil || w.r.Kind == accounting.Void && w.found == nil {
		return nil
	}
	known := se.s.plansOf(w.r.Client)
	if w.r.Kind == accounting.Void {
		// Nobody has compared them, and another gateway may have changed them since.
		p, err := se.owner(se.s.accountKey(w.r.Client))
		if err != nil {
			return err
		}
		v, err := p.ask(ctx, Call{"HGET", se.s.accountKey(w.r.Client), "plans"})
		if err != nil {
			return err
		}
		text, _ := v.(string)
		if known.list, err = price.ParsePlans(text); err != nil {
			return fmt.Errorf("%w: %w", accounting.ErrUnreadable, err)
		}
		w.before, w.plans = text, text
	}
	return known.list.Take(w.posting.Tariff, w.posting.Period, now)
}
