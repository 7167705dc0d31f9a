package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

// pageSize is how much one command reads.
const pageSize = 1000

// clients are those that ever had a record, sorted.
func (s *Store) clients(ctx context.Context) ([]string, error) {
	var list []string
	it := s.db.SScan(ctx, s.clientsKey(), 0, "", pageSize).Iterator()
	for it.Next(ctx) {
		id := it.Val()
		if err := accounting.CheckID(id); err != nil && id != accounting.Unbilled {
			return nil, fmt.Errorf("%w: %s: %w", ErrReply, s.clientsKey(), err)
		}
		list = append(list, id)
	}
	if err := it.Err(); err != nil {
		return nil, fault(err)
	}
	slices.Sort(list)
	return slices.Compact(list), nil // a scan may show one twice
}

// Counters are the totals of one month or day by client. Records that are
// applied meanwhile may show in some of them only.
func (s *Store) Counters(ctx context.Context, period string) ([]accounting.Counter, error) {
	if _, _, err := accounting.Span(period, s.o.Location); err != nil {
		return nil, err
	}
	kind := "use"
	if len(period) == len("2006-01-02") {
		kind = "day"
	}
	clients, err := s.clients(ctx)
	if err != nil {
		return nil, err
	}
	var list []accounting.Counter
	for chunk := range slices.Chunk(clients, pageSize) {
		if list, err = s.appendCounters(ctx, list, chunk, kind, period); err != nil {
			return nil, err
		}
	}
	for i := range list {
		if kind == "day" {
			break
		}
		if list[i].Recipients, err = s.recipients(ctx, s.key(list[i].Client, "rcpt", period)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Store) appendCounters(ctx context.Context, list []accounting.Counter, clients []string, kind, period string) ([]accounting.Counter, error) {
	pipe := s.db.Pipeline()
	cmds := make([]*redis.SliceCmd, len(clients))
	for i, c := range clients {
		cmds[i] = pipe.HMGet(ctx, s.key(c, kind, period), "deliveries", "size", "charged")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fault(err)
	}
	for i, cmd := range cmds {
		values := cmd.Val()
		if len(values) != 3 {
			return nil, fmt.Errorf("%w: %d values of %s", ErrReply, len(values), s.key(clients[i], kind, period))
		}
		if values[0] == nil && values[1] == nil && values[2] == nil {
			continue
		}
		c := accounting.Counter{Client: clients[i], Period: period}
		for k, to := range []*int64{&c.Deliveries, &c.Size, &c.Charged} {
			text, _ := values[k].(string)
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrReply, s.key(clients[i], kind, period), err)
			}
			*to = n
		}
		list = append(list, c)
	}
	return list, nil
}

func (s *Store) recipients(ctx context.Context, key string) (map[string]accounting.RecipientCounter, error) {
	m := map[string]accounting.RecipientCounter{}
	it := s.db.HScan(ctx, key, 0, "", pageSize).Iterator()
	for it.Next(ctx) {
		field := it.Val()
		if !it.Next(ctx) {
			return nil, fmt.Errorf("%w: %s: %q has no value", ErrReply, key, field)
		}
		n, err := strconv.ParseInt(it.Val(), 10, 64)
		// The recipient may have a | of its own.
		i := strings.LastIndexByte(field, '|')
		if err != nil || i < 0 {
			return nil, fmt.Errorf("%w: %s: %q is %q", ErrReply, key, field, it.Val())
		}
		name, c := field[:i], m[field[:i]]
		switch field[i+1:] {
		case "deliveries":
			c.Deliveries = n
		case "size":
			c.Size = n
		case "charged":
			c.Charged = n
		default:
			return nil, fmt.Errorf("%w: %s: field %q", ErrReply, key, field)
		}
		m[name] = c
	}
	return m, fault(it.Err())
}

// firstMonth is before any record: there was no such gateway.
func firstMonth() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }

// Records calls fn with every record in [from, to).
func (s *Store) Records(ctx context.Context, client string, from, to time.Time, fn func(accounting.Record) error) error {
	clients := []string{client}
	if client == "" {
		var err error
		if clients, err = s.clients(ctx); err != nil {
			return err
		}
	}
	// Without these limits an open end would mean asking for years of months.
	since, until := from, to
	if since.Before(firstMonth()) {
		since = firstMonth()
	}
	if limit := s.o.Now().Add(accounting.FutureLimit + 24*time.Hour); until.After(limit) {
		until = limit
	}
	months := accounting.Months(since, until, s.o.Location)
	for _, c := range clients {
		for _, month := range months {
			if err := s.stream(ctx, s.key(c, "rec", month), func(r accounting.Record) error {
				if r.Time.Before(from) || !r.Time.Before(to) {
					return nil
				}
				return fn(r)
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// stream calls fn with every record of a stream.
func (s *Store) stream(ctx context.Context, key string, fn func(accounting.Record) error) error {
	for at := "-"; ; {
		page, err := s.db.XRangeN(ctx, key, at, "+", pageSize).Result()
		if err != nil {
			return fault(err)
		}
		for _, entry := range page {
			r, err := parseFields(entry)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			if err := fn(r); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
		if at, err = entryAfter(page[len(page)-1].ID); err != nil {
			return err
		}
	}
}

// entryAfter is the first ID that may follow one: "(", which says the same,
// is not understood by servers before 6.2.
func entryAfter(id string) (string, error) {
	ms, seq, ok := strings.Cut(id, "-")
	n, err := strconv.ParseUint(seq, 10, 64)
	if !ok || err != nil {
		return "", fmt.Errorf("%w: stream entry %q", ErrReply, id)
	}
	if n+1 == 0 {
		return "", fmt.Errorf("%w: stream entry %q has none behind it", ErrReply, id)
	}
	return ms + "-" + strconv.FormatUint(n+1, 10), nil
}
