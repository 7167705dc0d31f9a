package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Account reads a client's balance and tariff.
func (s *Store) Account(ctx context.Context, client string) (accounting.Account, error) {
	a, _, err := s.account(ctx, client)
	return a, err
}

// Accounts reads those of many, some hundreds with each question.
func (s *Store) Accounts(ctx context.Context, clients []string) ([]accounting.Account, error) {
	list := make([]accounting.Account, 0, len(clients))
	for chunk := range slices.Chunk(clients, pageSize) {
		pipe := s.db.Pipeline()
		cmds := make([]*redis.SliceCmd, len(chunk))
		for i, client := range chunk {
			cmds[i] = pipe.HMGet(ctx, s.accountKey(client), "balance", "plans")
		}
		if err := query(ctx, pipe); err != nil {
			return nil, err
		}
		for i, cmd := range cmds {
			a, err := accounting.Account{Client: chunk[i]}, cmd.Err()
			if err == nil {
				a, _, err = s.readAccount(chunk[i], cmd.Val())
			}
			a.Err = ofClient(s.accountKey(chunk[i]), err)
			list = append(list, a)
		}
	}
	return list, nil
}

func (s *Store) account(ctx context.Context, client string) (accounting.Account, price.Plans, error) {
	values, err := s.db.HMGet(ctx, s.accountKey(client), "balance", "plans").Result()
	if err != nil {
		return accounting.Account{Client: client}, nil, ofClient(s.accountKey(client), err)
	}
	return s.readAccount(client, values)
}

// readAccount reads balance and plans.
func (s *Store) readAccount(client string, values []any) (accounting.Account, price.Plans, error) {
	a := accounting.Account{Client: client}
	if len(values) != 2 {
		return a, nil, fmt.Errorf("%w: %s: %d values", ErrReply, s.accountKey(client), len(values))
	}
	var err error
	if text, ok := values[0].(string); ok {
		if a.Balance, err = strconv.ParseInt(text, 10, 64); err != nil {
			return a, nil, unreadable(s.accountKey(client), err)
		}
	}
	text, _ := values[1].(string)
	plans, err := price.ParsePlans(text)
	if err != nil {
		return a, nil, unreadable(s.accountKey(client), err)
	}
	plans.Into(&a, s.o.Now())
	return a, plans, nil
}
