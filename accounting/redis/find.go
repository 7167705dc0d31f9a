package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// find looks for the records that voids are about. They are not found by an
// index, which every record would pay for in memory: voids are few, and follow
// their records soon, so that their streams are read from the end.
func (se *session) find(ctx context.Context, list []*work) error {
	byClient := map[string]map[string]*work{}
	for _, w := range list {
		if w.asked != notFound {
			continue
		}
		if byClient[w.r.Client] == nil {
			byClient[w.r.Client] = map[string]*work{}
		}
		byClient[w.r.Client][w.r.Voids] = w
	}
	for _, client := range slices.Sorted(maps.Keys(byClient)) { // in order: the simulator's runs are the same each time
		wanted := byClient[client]
		err := se.findOf(ctx, client, wanted)
		if err != nil && !isWrongType(err) && !errors.Is(err, ErrReply) {
			return err
		}
		for _, w := range wanted {
			if w.found == nil {
				w.unreadable = err
			}
			w.moves = 0 // those were closed periods where it was thought to be
		}
	}
	// Two voids of one record: the other knows as much.
	for _, w := range list {
		if same := byClient[w.r.Client][w.r.Voids]; w.asked == notFound && same != nil {
			w.found, w.unreadable, w.moves = same.found, same.unreadable, 0
		}
	}
	return nil
}

// findOf looks through the streams of one client.
func (se *session) findOf(ctx context.Context, client string, wanted map[string]*work) error {
	periods, err := se.periods(ctx, client, wanted)
	if err != nil {
		return err
	}
	for _, period := range periods {
		if err := se.findIn(ctx, client, period, wanted); err != nil {
			return err
		}
	}
	return nil
}

// periods of a client that may hold what is wanted, the likely ones first.
func (se *session) periods(ctx context.Context, client string, wanted map[string]*work) ([]string, error) {
	key := se.s.periodsKey(client)
	p, err := se.owner(key)
	if err != nil {
		return nil, err
	}
	v, err := p.ask(ctx, Call{"SMEMBERS", key})
	if err != nil {
		return nil, err
	}
	var list, more []string
	now := se.s.o.Now()
	for _, w := range wanted {
		list = append(list, w.posting.Period)
		// Months are not noted. A record that came late stands in a later one than its
		// own, or in the next where that of then was closed, too.
		more = append(more, accounting.Months(w.r.Origin().Add(-accounting.FarthestZone), now.AddDate(0, 1, 0).Add(accounting.FarthestZone), time.UTC)...)
	}
	members, _ := v.([]any)
	for _, m := range members {
		if text, ok := m.(string); ok {
			more = append(more, text)
		}
	}
	slices.Sort(more)
	slices.Reverse(more)
	slices.Sort(list)
	list = slices.Compact(list)
	more = slices.DeleteFunc(slices.Compact(more), func(p string) bool { return slices.Contains(list, p) })
	return append(list, more...), nil
}

// findIn looks through one stream, from its end.
func (se *session) findIn(ctx context.Context, client, period string, wanted map[string]*work) error {
	key := se.s.key(client, "rec", period)
	p, err := se.owner(key)
	if err != nil {
		return err
	}
	missing, oldest := 0, time.Time{}
	for _, w := range wanted {
		if w.found != nil {
			continue
		}
		if at := w.r.Origin(); missing == 0 || at.Before(oldest) {
			oldest = at
		}
		missing++
	}
	// An entry is named after the server's clock, when the record was applied.
	limit := oldest.Add(-accounting.FutureLimit).UnixMilli()
	for at := "+"; missing > 0; {
		v, err := p.ask(ctx, Call{"XREVRANGE", key, at, "-", "COUNT", pageSize})
		if err != nil {
			return err
		}
		page, ok := v.([]any)
		if !ok && v != nil {
			return fmt.Errorf("%w: %s: %v", ErrReply, key, v)
		}
		last := ""
		for _, one := range page {
			id, fields, err := readEntry(one)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			last = id
			w := wanted[fields["id"]]
			if w == nil || w.found != nil || fields["kind"] != accounting.Usage {
				continue
			}
			r, err := accounting.ParseFields(func(name string) (string, bool) { v, ok := fields[name]; return v, ok })
			if err != nil {
				return fmt.Errorf("%w: %s: entry %s: %w", ErrReply, key, id, err)
			}
			r.Period = period
			w.found = &r
			missing--
		}
		if len(page) < pageSize {
			return nil
		}
		if at, err = entryBefore(last); err != nil || milliseconds(last) < limit {
			return err
		}
	}
	return nil
}

// readEntry reads a stream's entry as the server sends it.
func readEntry(v any) (id string, fields map[string]string, err error) {
	pair, _ := v.([]any)
	if len(pair) == 2 {
		id, _ = pair[0].(string)
		if list, ok := pair[1].([]any); ok && id != "" && len(list)%2 == 0 {
			fields = make(map[string]string, len(list)/2)
			for i := 0; i < len(list); i += 2 {
				name, _ := list[i].(string)
				fields[name], _ = list[i+1].(string)
			}
			return id, fields, nil
		}
	}
	return "", nil, fmt.Errorf("%w: %v is no entry of a stream", ErrReply, v)
}

func milliseconds(entry string) int64 {
	text, _, _ := strings.Cut(entry, "-")
	n, _ := strconv.ParseInt(text, 10, 64) // entryBefore has read it
	return n
}

// entryBefore is the last ID that may come before one: "(", which says the
// same, is not understood by servers before 6.2.
func entryBefore(id string) (string, error) {
	text, sequence, ok := strings.Cut(id, "-")
	ms, err := strconv.ParseUint(text, 10, 64)
	n, err2 := strconv.ParseUint(sequence, 10, 64)
	if err := errors.Join(err, err2); !ok || err != nil || ms == 0 && n == 0 {
		return "", fmt.Errorf("%w: stream entry %q", ErrReply, id)
	}
	if n > 0 {
		return text + "-" + strconv.FormatUint(n-1, 10), nil
	}
	return strconv.FormatUint(ms-1, 10) + "-18446744073709551615", nil
}
