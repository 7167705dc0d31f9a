package daemon

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/tollgate-mail/tollgate/accounting"
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
	Result string            `json:"result"` // "parked", "applied", "dropped", "absent"
}

func (d *Daemon) answerParked(ctx context.Context, request json.RawMessage) (any, error) {
	var r ParkedRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	rows, err := DecideParked(ctx, d.store, r)
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

// DecideParked does what is asked, record by record.
func DecideParked(ctx context.Context, store accounting.Store, r ParkedRequest) ([]ParkedRow, error) {
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
		} else {
			err = store.DropParked(ctx, row.Record.ID)
		}
		switch {
		case errors.Is(err, accounting.ErrUnfit):
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
