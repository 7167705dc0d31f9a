package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/control"
)

func (d *Daemon) answerStatement(ctx context.Context, request json.RawMessage) (any, error) {
	var r StatementRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	l, err := d.ledger()
	if err != nil {
		return nil, err
	}
	if err := accounting.CheckID(r.Client); err != nil {
		return nil, refuse(err)
	}
	s, err := report.StatementOf(ctx, l, d.accounts.Book, r.Client, r.Period)
	if err == nil {
		err = s.Sum()
	}
	switch {
	case errors.Is(err, report.ErrQuery):
		return nil, refuse(err)
	case err != nil:
		return nil, storeAway(err)
	}
	return s, nil
}

func (d *Daemon) answerClose(ctx context.Context, request json.RawMessage) (any, error) {
	var r CloseRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	l, err := d.ledger()
	if err != nil {
		return nil, err
	}
	q := report.CloseQuery{Period: r.Period, Now: time.Now(), By: control.User(ctx), Force: r.Force}
	finish := func(error) error { return nil }
	if r.Archive != "" {
		if q.Archive, finish, err = archive(r.Archive, r.Period); err != nil {
			return nil, refuse(err)
		}
	}
	seal, err := report.Close(ctx, l, q)
	if failed := finish(err); err == nil && failed != nil {
		return nil, refuse(failed)
	}
	switch {
	case errors.Is(err, report.ErrQuery), errors.Is(err, report.ErrDoubt):
		return nil, refuse(err)
	case err != nil:
		return nil, storeAway(err)
	}
	d.log.Info("a period is closed", "period", seal.Period, "number", seal.Number, "records", seal.Records, "hash", seal.Hash, "by", seal.By, "forced", seal.Forced)
	// A store that is set back must not forget it.
	if err := keepSeal(d.config().StateDir, seal); err != nil {
		return nil, refuse(fmt.Errorf("the period is closed, and its seal cannot be kept in state_dir: %w", err))
	}
	return seal, nil
}

// archive opens a file for the records of a period; finish keeps it, or with an
// error of the caller removes it.
func archive(dir, period string) (f *os.File, finish func(error) error, err error) {
	if !filepath.IsAbs(dir) || strings.ContainsAny(period, "/\x00") {
		return nil, nil, fmt.Errorf("archive %q: an absolute path is needed", dir)
	}
	path := filepath.Join(dir, period+".jsonl")
	f, err = os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return nil, nil, err
	}
	return f, func(failed error) error {
		err := errors.Join(f.Sync(), f.Close())
		if failed != nil || err != nil {
			return errors.Join(err, os.Remove(f.Name()))
		}
		return os.Rename(f.Name(), path)
	}, nil
}

// sealsName is the file of the state folder with the seals of closed periods.
const sealsName = "closes.jsonl"

// keepSeal appends a seal that the file does not have yet.
func keepSeal(dir string, seal accounting.Close) error {
	path := filepath.Join(dir, sealsName)
	line, err := json.Marshal(seal)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if strings.Contains(string(old), seal.Hash) {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}
