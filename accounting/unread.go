package accounting

import "errors"

// ErrUnread: some records cannot be read, and all others were given.
var ErrUnread = errors.New("records cannot be read")

// Unread gathers what cannot be read of a store, so that the rest of it is.
type Unread struct{ list []error }

// Note takes an error that is ErrUnread, once; any other is returned.
func (u *Unread) Note(err error) error {
	if !errors.Is(err, ErrUnread) {
		return err
	}
	for _, had := range u.list {
		if had.Error() == err.Error() {
			return nil
		}
	}
	u.list = append(u.list, err)
	return nil
}

// Err is what was gathered, each on a line of its own; nil: all was read.
func (u *Unread) Err() error { return errors.Join(u.list...) }
