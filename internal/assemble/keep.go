package assemble

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/durable"
)

// standingsName is the file of the state folder that says how accounts stood
// last: what serves when the daemon starts while the store is away.
const standingsName = "standings.json"

// savings is when what is kept was last written, and how much work that was.
type savings struct {
	at     time.Time
	took   time.Duration
	change uint64 // of the standings
}

// Files are written no more often than this, and take no more than a part of
// the time.
const (
	saveEvery = 5 * time.Second
	saveShare = 20
)

// keptStanding is a standing with its number.
type keptStanding struct {
	accounting.Standing
	Change [2]uint64 `json:"change"`
}

// Save keeps the clients and how their accounts stand in the state folder, where
// they have changed and it is time.
func (a *Accounts) Save(now time.Time) error {
	if passed := now.Sub(a.saved.at); a.Dir == "" || passed >= 0 && passed < max(saveEvery, saveShare*a.saved.took) {
		return nil
	}
	a.mu.Lock()
	r := a.roster
	if !a.unsaved {
		r = nil
	}
	a.unsaved = false
	a.mu.Unlock()
	change := a.Live.Changes()
	if r == nil && change == a.saved.change {
		return nil
	}
	var err error
	if r != nil {
		if err = r.save(a.Dir); err != nil {
			a.mu.Lock()
			a.unsaved = true
			a.mu.Unlock()
		}
	}
	if change != a.saved.change {
		if e := a.saveStandings(); e != nil {
			err = errors.Join(err, e)
		} else {
			a.saved.change = change
		}
	}
	a.saved.at, a.saved.took = now, time.Since(now).Abs()
	return err
}

func (a *Accounts) saveStandings() error {
	list := a.Live.Standings()
	kept := make([]keptStanding, len(list))
	for i, s := range list {
		kept[i] = keptStanding{s, s.Change}
	}
	text, err := json.Marshal(kept)
	if err == nil {
		err = durable.Replace(filepath.Join(a.Dir, standingsName), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("how accounts stand cannot be kept for a start without the store: %w", err)
	}
	return nil
}

// LoadStandings reads how accounts stood when it was last kept. What the store
// says later is believed over it.
func (a *Accounts) LoadStandings() error {
	if a.Dir == "" {
		return nil
	}
	path := filepath.Join(a.Dir, standingsName)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var kept []keptStanding
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return fmt.Errorf("how accounts stood: %s: %w", path, err)
	}
	list := make([]accounting.Standing, len(kept))
	for i, k := range kept {
		list[i] = k.Standing
		list[i].Change = k.Change
	}
	a.Live.Restore(list)
	a.saved.change = a.Live.Changes()
	return nil
}
