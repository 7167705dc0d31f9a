package outcome

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/internal/maillog"
)

// Kept is what outlives the process: what was known at a time, and a place in
// the log that is older than that by Soon, so that all that the log says of
// messages since is read again. Reading a line twice changes nothing.
type Kept struct {
	Source  string        `json:"source"` // the log that the place is of
	Time    time.Time     `json:"time"`
	Place   maillog.Place `json:"place"`
	Waiting []Message     `json:"waiting"`
	Held    []Message     `json:"held"`
	Beyond  int64         `json:"beyond"`
	Gap     string        `json:"gap,omitempty"` // what was noticed, until somebody reconciles
}

// fileName is the file of the state folder.
const fileName = "maillog.json"

// Snapshot is what is known now, but for the place.
func (t *Tracker) Snapshot(now time.Time) Kept {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := Kept{Time: now.UTC(), Waiting: []Message{}, Held: []Message{}, Beyond: t.beyond}
	for _, list := range t.waiting {
		k.Waiting = append(k.Waiting, list...)
	}
	for _, r := range t.refused {
		k.Waiting = append(k.Waiting, r.Message)
	}
	for _, m := range t.held {
		k.Held = append(k.Held, m)
	}
	sortMessages(k.Waiting)
	sortMessages(k.Held)
	return k
}

// Restore knows what was known then.
func (t *Tracker) Restore(k Kept) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range k.Waiting {
		t.charged(m)
	}
	for _, m := range k.Held {
		t.held[m.QueueID] = m
	}
	t.beyond, t.last = k.Beyond, k.Place.Last
}

// Hold knows that a message is on hold: it is waited for no more.
func (t *Tracker) Hold(m Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(m)
	t.held[m.QueueID] = m
}

// Load reads what a folder keeps; false when it keeps nothing.
func Load(dir string) (k Kept, ok bool, err error) {
	path := filepath.Join(dir, fileName)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return k, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		return k, false, fmt.Errorf("%s: %w", path, err)
	}
	return k, true, nil
}

// Save keeps it in a folder. After a crash it is the old or the new one.
func (k *Kept) Save(dir string) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, fileName+".new*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o640), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, fileName))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Places remembers how far a log was read, so that one can be told that is old
// enough.
type Places struct {
	list []placed
}

type placed struct {
	at    time.Time
	place maillog.Place
}

// From takes over the place that an earlier process kept, at the time at which
// that is read from. It is told until those of now are old enough: a process that
// soon ends leaves it to the next one.
func (p *Places) From(at time.Time, place maillog.Place) { p.list = []placed{{at, place}} }

// Add takes note of a place.
func (p *Places) Add(at time.Time, place maillog.Place) {
	if n := len(p.list); n > 0 && at.Sub(p.list[n-1].at) < Soon/20 {
		return
	}
	p.list = append(p.list, placed{at, place})
	// The first that is old enough is kept, those before it are not.
	for len(p.list) > 1 && at.Sub(p.list[1].at) >= Soon {
		p.list = p.list[1:]
	}
}

// Old is a place from Soon ago or, as long as there is none, the oldest.
func (p *Places) Old() maillog.Place {
	if len(p.list) == 0 {
		return maillog.Place{}
	}
	return p.list[0].place
}
