package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/durable"
)

// Acceptance says that somebody accepted records as lost.
type Acceptance struct {
	Time    time.Time `json:"time"`
	By      string    `json:"by"`
	Note    string    `json:"note"`
	Spool   string    `json:"spool"`   // that they were spooled in
	Records int64     `json:"records"` // that the counts lacked
	IDs     []string  `json:"ids"`     // of those that an audit named
}

// MostAccepted bounds the records that are accepted at once: of more the store is
// to be restored, or the spool applied again.
const MostAccepted = 10_000

// Accepts keeps them for good, in a file of JSON lines. It is safe for use by many
// goroutines.
type Accepts struct {
	path     string
	deciding sync.Mutex // one at a time: what one accepts is not missing for the next
	mu       sync.Mutex // of the file
}

// NewAccepts keeps them in a file, which need not be there.
func NewAccepts(path string) *Accepts { return &Accepts{path: path} }

// All are those there are, in their order.
func (a *Accepts) All() ([]Acceptance, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list, _, err := a.read()
	return list, err
}

func (a *Accepts) read() (list []Acceptance, text []byte, err error) {
	text, err = os.ReadFile(a.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		var one Acceptance
		if err := json.Unmarshal(line, &one); err != nil {
			return nil, nil, fmt.Errorf("%s:%d: %w", a.path, number, err)
		}
		list = append(list, one)
	}
	return list, text, nil
}

// Add keeps one more, durably.
func (a *Accepts) Add(one Acceptance) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, text, err := a.read()
	if err != nil {
		return err
	}
	line, err := json.Marshal(one)
	if err != nil {
		return err
	}
	return durable.Replace(a.path, append(append(text, line...), '\n'), 0o600)
}

// of a spool: how many records the counts lack, and which ids were named; none of
// nil.
func (a *Accepts) of(spool string) (records int64, ids map[string]bool, err error) {
	if a == nil {
		return 0, nil, nil
	}
	list, err := a.All()
	ids = map[string]bool{}
	for _, one := range list {
		if one.Spool != spool {
			continue
		}
		records += one.Records
		for _, id := range one.IDs {
			ids[id] = true
		}
	}
	return records, ids, err
}

// ErrNotThat: not so many records are missing as somebody would accept.
var ErrNotThat = errors.New("that is not what is missing")

// Accept accepts what an audit and the counts find missing now. That is to be so many
// records: nobody accepts what he does not know.
func (a *Accepts) Accept(spool string, one Acceptance, so int64, find func() (*Report, *Balance, error)) (Acceptance, error) {
	a.deciding.Lock()
	defer a.deciding.Unlock()
	r, is, err := find()
	if err != nil {
		return one, err
	}
	lacks := max(0, is.Missing)
	switch missing := max(r.Missing, lacks); {
	case missing != so || missing == 0:
		return one, fmt.Errorf("%w: %d records are missing, not %d", ErrNotThat, missing, so)
	case r.Missing > MostAccepted: // of what is gone from the spool, too, nobody has ids
		return one, fmt.Errorf("%w: more than %d records are not accepted as lost", ErrNotThat, MostAccepted)
	}
	one.Spool, one.Records, one.IDs = spool, lacks, []string{}
	for _, rec := range r.FirstMissing {
		one.IDs = append(one.IDs, rec.ID)
	}
	return one, a.Add(one)
}
