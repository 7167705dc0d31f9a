package redis

import (
	"context"
	"errors"
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
	clients, err := s.clients(ctx, scanAge)
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
		cmds[i] = pipe.HMGet(ctx, s.key(c, kind, period), counterFields()...)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fault(err)
	}
	for i, cmd := range cmds {
		c, there, err := readCounter(cmd.Val())
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrReply, s.key(clients[i], kind, period), err)
		}
		if c.Client, c.Period = clients[i], period; there {
			list = append(list, c)
		}
	}
	return list, nil
}

// counterFields are those of a use hash: numbers, but for the last two.
func counterFields() []string {
	return []string{"deliveries", "size", "charged", "priced", "included", "included_deliveries", "cost", "frac", "fee", "paid", "adjusted", "currency", "closed"}
}

// readCounter reads the values of counterFields; false where there are none.
func readCounter(values []any) (c accounting.Counter, there bool, err error) {
	numbers := []*int64{
		&c.Deliveries, &c.Size, &c.Charged, &c.Priced, &c.Included, &c.IncludedDeliveries, &c.Cost, &c.Frac, &c.Fee, &c.Paid, &c.Adjusted,
	}
	if len(values) != len(numbers)+2 {
		return c, false, fmt.Errorf("%d values", len(values))
	}
	usage := 0
	for i, into := range numbers {
		text, ok := values[i].(string)
		if !ok {
			continue
		}
		if i < 3 {
			usage++
		}
		there = true
		if *into, err = strconv.ParseInt(text, 10, 64); err != nil {
			return c, false, err
		}
	}
	// A period with nothing but a fee has none of the three.
	if usage%3 != 0 {
		return c, false, errors.New("half of a counter")
	}
	c.Currency, _ = values[len(numbers)].(string)
	_, c.Closed = values[len(numbers)+1].(string)
	return c, there || c.Closed, nil
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
		if clients, err = s.clients(ctx, scanAge); err != nil {
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
	for _, c := range clients {
		periods, err := s.periodsOf(ctx, c, since, until)
		if err != nil {
			return err
		}
		for _, period := range periods {
			if err := s.stream(ctx, s.key(c, "rec", period), func(r accounting.Record) error {
				r.Period = period
				if at := r.Falls(); at.Before(from) || !at.Before(to) {
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

// periodsOf are the periods of a client that may have records in [from, to).
func (s *Store) periodsOf(ctx context.Context, client string, from, to time.Time) ([]string, error) {
	noted, err := s.db.SMembers(ctx, s.periodsKey(client)).Result()
	if err != nil {
		return nil, fault(err)
	}
	// An earlier release noted none, and had months only.
	list := accounting.Months(from.Add(-accounting.FarthestZone), to.Add(accounting.FarthestZone), time.UTC)
	if !from.Before(to) {
		return nil, nil
	}
	for _, p := range noted {
		if accounting.Touches(p, from, to) {
			list = append(list, p)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// stream calls fn with every record of a stream.
func (s *Store) stream(ctx context.Context, key string, fn func(accounting.Record) error) error {
	for at := "-"; ; {
		page, err := s.db.XRangeN(ctx, key, at, "+", pageSize).Result()
		if err != nil {
			return ofClient(key, err)
		}
		for _, entry := range page {
			r, err := parseFields(entry)
			if err != nil {
				return fmt.Errorf("%s: %w: %w", key, accounting.ErrUnreadable, err)
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
