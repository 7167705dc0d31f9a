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
	clients   turns
	standings turns
	change    uint64 // of the standings
}

// turns are those of one file.
type turns struct {
	at   time.Time
	took time.Duration
}

// due tells whether it is its turn again.
func (t turns) due(now time.Time, every time.Duration) bool {
	passed := now.Sub(t.at)
	return passed < 0 || passed >= max(every, saveShare*t.took)
}

// Standings are written no more often than this, and no file takes more than a part
// of the time. Clients are written when they have changed: one that is new is refused
// for good by a daemon that starts without them.
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
	if a.Dir == "" {
		return nil
	}
	var err error
	if a.saved.clients.due(now, 0) {
		err = a.saveRoster(now)
	}
	change := a.Live.Changes()
	if change == a.saved.change || !a.saved.standings.due(now, saveEvery) {
		return err
	}
	began := time.Now()
	if e := a.saveStandings(); e != nil {
		err = errors.Join(err, e)
	} else {
		a.saved.change = change
	}
	a.saved.standings = turns{now, time.Since(began)}
	return err
}

func (a *Accounts) saveRoster(now time.Time) error {
	a.mu.Lock()
	r := a.roster
	if !a.unsaved {
		r = nil
	}
	a.unsaved = false
	a.mu.Unlock()
	if r == nil {
		return nil
	}
	began := time.Now()
	err := r.save(a.Dir)
	if err != nil {
		a.mu.Lock()
		a.unsaved = true
		a.mu.Unlock()
	}
	a.saved.clients = turns{now, time.Since(began)}
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
