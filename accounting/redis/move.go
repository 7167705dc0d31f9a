package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
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
				return nil // its client has a flag in what is closed
			}
			// Who was not known when a period was closed has none in it.
			sealed, err := se.sealed(ctx, &w.posting, w.r.Origin(), now)
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
