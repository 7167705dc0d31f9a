package embedded

import (
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting/price"
)

// account is a client's: its balance and the tariffs it is under.
type account struct {
	Balance int64  `json:"balance"` // millionths
	Plans   string `json:"plans,omitempty"`

	plans   price.Plans
	changed bool
}

// accounts are those that were asked for.
type accounts struct {
	bucket *bolt.Bucket
	loaded map[string]*account
}

func newAccounts(tx *bolt.Tx) *accounts {
	l := &accounts{loaded: map[string]*account{}}
	l.in(tx)
	return l
}

// in has them read and written in another transaction.
func (l *accounts) in(tx *bolt.Tx) { l.bucket = tx.Bucket([]byte(accountsName)) }

func (l *accounts) get(client string) (*account, error) {
	if a, ok := l.loaded[client]; ok {
		return a, nil
	}
	a, err := decodeAccount(client, l.bucket.Get([]byte(client)))
	if err != nil {
		return nil, err
	}
	l.loaded[client] = a
	return a, nil
}

func decodeAccount(client string, raw []byte) (*account, error) {
	a := &account{}
	if raw == nil {
		return a, nil
	}
	err := json.Unmarshal(raw, a)
	if err == nil {
		a.plans, err = price.ParsePlans(a.Plans)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: account of %q: %w", ErrDamaged, client, err)
	}
	return a, nil
}

func (l *accounts) write() error {
	for client, a := range l.loaded {
		if !a.changed {
			continue
		}
		a.Plans = a.plans.String()
		raw, err := json.Marshal(a)
		if err != nil {
			return err
		}
		if err := l.bucket.Put([]byte(client), raw); err != nil {
			return err
		}
		a.changed = false
	}
	return nil
}
