package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// ErrDoubt: a gateway may still have records of the period.
var ErrDoubt = errors.New("records may be missing")

// silence is how long a gateway may say nothing before it is not known what it
// has.
const silence = 2 * time.Minute

// CloseQuery says what to close.
type CloseQuery struct {
	Period string
	Now    time.Time
	By     string
	Force  bool // in spite of doubts, which are kept with the seal
	// Archive gets the records, a line of canonical JSON each, in the order of
	// the hash; nil for nothing.
	Archive io.Writer
}

// Close closes a period: the flag of each client first, after which nothing
// counts in it any more, then the hash over what is there. Done again it gives
// the seal that there is, or goes on where it was cut off.
func Close(ctx context.Context, l accounting.Ledger, q CloseQuery) (accounting.Close, error) {
	none := accounting.Close{}
	_, end, err := accounting.Span(q.Period, time.UTC)
	if err != nil {
		return none, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	// No zone is further behind.
	if end.Add(12 * time.Hour).After(q.Now) {
		return none, fmt.Errorf("%w: %s is not over everywhere before %s", ErrQuery, q.Period, end.Add(12*time.Hour).Format(time.RFC3339))
	}
	seals, err := l.Closes(ctx)
	if err != nil {
		return none, err
	}
	seal := accounting.Close{Number: 1, Period: q.Period, Time: q.Now.UTC().Format(time.RFC3339), By: q.By}
	if n := len(seals); n > 0 {
		seal.Number, seal.Before = seals[n-1].Number+1, seals[n-1].Hash
	}
	if i := slices.IndexFunc(seals, func(c accounting.Close) bool { return c.Period == q.Period }); i >= 0 {
		seal = seals[i]
	} else {
		doubts, err := doubts(ctx, l, q.Now)
		if err != nil {
			return none, err
		}
		if len(doubts) > 0 && !q.Force {
			return none, fmt.Errorf("%w: %s", ErrDoubt, strings.Join(doubts, "; "))
		}
		seal.Forced = strings.Join(doubts, "; ")
	}
	hash, clients, records, err := digest(ctx, l, q, seal.Before)
	if err != nil {
		return none, err
	}
	if seal.Hash != "" {
		if seal.Hash != hash {
			return seal, fmt.Errorf("%s was closed with hash %s, and its records have %s now", q.Period, seal.Hash, hash)
		}
		return seal, nil
	}
	seal.Hash, seal.Clients, seal.Records = hash, clients, records
	return seal, l.SetClose(ctx, seal)
}

// doubts are the gateways that may still have something.
func doubts(ctx context.Context, l accounting.Ledger, now time.Time) ([]string, error) {
	list, err := l.Gateways(ctx)
	if err != nil {
		return nil, err
	}
	var doubts []string
	for _, g := range list {
		switch {
		case g.Backlog > 0:
			doubts = append(doubts, fmt.Sprintf("gateway %s has %d records that wait", g.Name, g.Backlog))
		case now.Sub(g.Heartbeat) > silence:
			doubts = append(doubts, fmt.Sprintf("gateway %s was last heard of at %s", g.Name, g.Heartbeat.Format(time.RFC3339)))
		}
	}
	return doubts, nil
}

// digest closes the period of each client that has an account in it, and makes
// the hash: of the seal before and a newline, and then, of the clients in
// their order, of each record in the order of its id, its canonical JSON and a
// newline.
func digest(ctx context.Context, l accounting.Ledger, q CloseQuery, before string) (hash string, clients int, records int64, err error) {
	all, err := l.Clients(ctx)
	if err != nil {
		return "", 0, 0, err
	}
	var mine []string
	for _, c := range all {
		periods, err := l.Periods(ctx, c)
		if err != nil {
			return "", 0, 0, err
		}
		if slices.Contains(periods, q.Period) {
			mine = append(mine, c)
		}
	}
	for _, c := range mine {
		if err := l.ClosePeriod(ctx, c, q.Period); err != nil {
			return "", 0, 0, err
		}
	}
	h := sha256.New()
	out := io.Writer(h)
	fmt.Fprintf(h, "%s\n", before)
	if q.Archive != nil {
		out = io.MultiWriter(h, q.Archive)
	}
	for _, c := range mine {
		n, err := canonical(ctx, l, c, q.Period, out)
		if err != nil {
			return "", 0, 0, err
		}
		records += n
	}
	return hex.EncodeToString(h.Sum(nil)), len(mine), records, nil
}

// canonical writes a client's records of a period, sorted by id.
func canonical(ctx context.Context, l accounting.Ledger, client, period string, w io.Writer) (int64, error) {
	var list []accounting.Record
	if err := l.RecordsOf(ctx, client, period, func(r accounting.Record) error {
		list = append(list, r)
		return nil
	}); err != nil {
		return 0, err
	}
	slices.SortStableFunc(list, func(a, b accounting.Record) int { return strings.Compare(a.ID, b.ID) })
	var line []byte
	for i := range list {
		line = append(list[i].AppendJSON(line[:0]), '\n')
		if _, err := w.Write(line); err != nil {
			return 0, err
		}
	}
	return int64(len(list)), nil
}
