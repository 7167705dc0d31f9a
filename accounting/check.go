package accounting

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Check tells what is wrong with a record that came from outside: a spool
// segment, a store, a file. What passes can be applied.
func (r *Record) Check() error {
	if err := r.fault(); err != nil {
		return fmt.Errorf("usage record %q: %w", r.ID, err)
	}
	return nil
}

func (r *Record) fault() error {
	switch r.Kind {
	case Usage:
		if r.Voids != "" {
			return errors.New("a usage record voids nothing")
		}
	case Void:
		if r.Voids == "" || r.Voids == r.ID {
			return errors.New("a void names the record it voids")
		}
	case Payment, Adjust, Fee:
		return r.moneyFault()
	default:
		return fmt.Errorf("unknown kind %q", r.Kind)
	}
	if r.ID == "" {
		return errors.New("no id")
	}
	if r.Recipient == "" {
		return errors.New("no recipient")
	}
	if r.Client != Unbilled {
		if err := CheckID(r.Client); err != nil {
			return fmt.Errorf("client: %w", err)
		}
	}
	if err := r.originFault(); err != nil {
		return err
	}
	if r.Size < 0 || r.Charged < 0 || r.Charged > r.Size {
		return fmt.Errorf("charged %d of size %d: neither below zero, nor more than there is", r.Charged, r.Size)
	}
	if r.Share != ShareFull && r.Share != ShareSplit {
		return fmt.Errorf("unknown share %q", r.Share)
	}
	if r.ShareIndex < 1 || r.ShareIndex > r.ShareCount {
		return fmt.Errorf("share %d of %d", r.ShareIndex, r.ShareCount)
	}
	return nil
}

func (r *Record) originFault() error {
	if r.Gateway == "" || strings.Contains(r.Gateway, "/") {
		return fmt.Errorf("gateway %q: a name without / is needed", r.Gateway)
	}
	// Outside these RFC 3339 has no form for it.
	if year := r.Time.Year(); r.Time.IsZero() || year < 1 || year > 9999 {
		return errors.New("no time that makes sense")
	}
	return nil
}

// moneyFault is fault for a record that is about no message.
func (r *Record) moneyFault() error {
	if r.ID == "" {
		return errors.New("no id")
	}
	if err := CheckID(r.Client); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if n, err := strconv.ParseInt(r.Amount, 10, 64); err != nil || n > CounterLimit || n < -CounterLimit {
		return fmt.Errorf("amount %q: a whole number of millionths is needed", r.Amount)
	}
	if r.Size != 0 || r.Charged != 0 {
		return errors.New("it is about no message, and has a size")
	}
	return r.originFault()
}

// CheckID tells what is wrong with a client's id: it is [a-z0-9._-]+ and does
// not start with "_", which marks what is nobody's.
func CheckID(id string) error {
	if id == "" {
		return errors.New("an id is needed")
	}
	if id[0] == '_' {
		return fmt.Errorf("id %q: it may not start with _", id)
	}
	for _, c := range id {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return fmt.Errorf("id %q: %q is not one of a-z 0-9 . _ -", id, c)
		}
	}
	return nil
}
