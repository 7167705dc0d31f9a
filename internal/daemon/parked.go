package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/archive"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/control"
)

// What is done with parked records.
const (
	ParkedList  = "list"
	ParkedApply = "apply"
	ParkedDrop  = "drop"
)

// ParkedRequest asks for it; of no IDs, with all.
type ParkedRequest struct {
	Do  string   `json:"do"`
	IDs []string `json:"ids"`
	All bool     `json:"all"`
}

// ParkedRow is a parked record, and what became of it.
type ParkedRow struct {
	Reason string            `json:"reason"` // why it was parked or, after an error, is still
	Record accounting.Record `json:"record"`
	Result string            `json:"result"` // "parked", "applied", "adjusted", "dropped", "absent"
}

func (d *Daemon) answerParked(ctx context.Context, request json.RawMessage) (any, error) {
	var r ParkedRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	rows, err := DecideParked(ctx, d.store, r, control.User(ctx))
	if err != nil {
		return nil, &control.Refusal{Code: CodeAway, Message: "the store: " + err.Error()}
	}
	for _, row := range rows {
		if r.Do != ParkedList {
			d.log.Warn("a parked usage record was decided about", "record", row.Record.ID, "result", row.Result, "by", control.User(ctx))
		}
	}
	return rows, nil
}

// DecideParked does what is asked, record by record; by is who asks.
func DecideParked(ctx context.Context, store accounting.Store, r ParkedRequest, by string) ([]ParkedRow, error) {
	byID := map[string]ParkedRow{}
	var all []ParkedRow
	err := store.Parked(ctx, func(record accounting.Record, reason string) error {
		row := ParkedRow{Reason: reason, Record: record, Result: "parked"}
		byID[record.ID] = row
		all = append(all, row)
		return nil
	})
	if err != nil || r.Do == ParkedList {
		return all, err
	}
	if !r.All {
		all = nil
		for _, id := range r.IDs {
			row, ok := byID[id]
			if !ok {
				row = ParkedRow{Record: accounting.Record{ID: id}, Result: "absent"}
			}
			all = append(all, row)
		}
	}
	for i := range all {
		row := &all[i]
		if row.Result == "absent" {
			continue
		}
		done := "dropped"
		if r.Do == ParkedApply {
			done, err = "applied", store.ApplyParked(ctx, row.Record.ID)
			if errors.Is(err, accounting.ErrUnfit) && row.Record.Kind == accounting.Void {
				if adjusted, failed := adjustArchived(ctx, store, row.Record, by); adjusted || failed != nil {
					done, err = "adjusted", failed
				}
			}
		} else {
			err = store.DropParked(ctx, row.Record.ID)
		}
		switch {
		case errors.Is(err, accounting.ErrUnfit), errors.Is(err, accounting.ErrCurrency):
			row.Reason = err.Error()
		case errors.Is(err, accounting.ErrNotParked):
			row.Result = "absent"
		case err != nil:
			return all, err
		default:
			row.Result = done
		}
	}
	return all, nil
}

// adjustArchived gives back what a record in an archive cost, as an adjustment in
// the open period, and gives its void up. It reports false when no archive has the
// record. Cut off in between and done again it books nothing twice.
func adjustArchived(ctx context.Context, store accounting.Store, void accounting.Record, by string) (bool, error) {
	l, ok := store.(archive.Ledgered)
	if !ok {
		return false, nil
	}
	books, err := archive.Over(ctx, l)
	if err != nil {
		return false, err
	}
	const day = 24 * time.Hour // more than the zones of periods and days differ by
	var found *accounting.Record
	at := void.Origin()
	err = books.Records(ctx, void.Client, at.Add(-day), at.Add(day), func(r accounting.Record) error {
		if r.ID == void.Voids && r.Kind == accounting.Usage {
			found = &r
		}
		return nil
	})
	if err != nil || found == nil || !books.Archived(found.Period) {
		return false, err
	}
	cost, err := price.ParseAmount(found.Amount)
	if err != nil {
		return false, err
	}
	_, err = l.Enter(ctx, accounting.Record{
		ID: void.ID, Kind: accounting.Adjust, Time: time.Now().UTC().Truncate(time.Millisecond), Gateway: void.Gateway, Client: void.Client,
		Currency: found.Currency, Amount: strconv.FormatInt(cost.Whole, 10), By: by, Reverses: found.ID,
		Note: "not delivered; its record is in the archive of " + found.Period,
	})
	if err != nil {
		return false, err
	}
	return true, store.DropParked(ctx, void.ID)
}
