package assemble

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/durable"
)

// rosterName is the file of the state folder with the clients that were read
// from their source last.
const rosterName = "clients.jsonl"

// rosterHead is its first line; a line for each client follows.
type rosterHead struct {
	Source  string    `json:"source"` // "" of a version that had them in Redis alone
	Version string    `json:"version"`
	Highest string    `json:"highest,omitempty"` // "": as version
	Read    time.Time `json:"read"`
	Clients int       `json:"clients"`
}

type rosterLine struct {
	ID   string `json:"id"`
	Text string `json:"definition"`
	// Refused is what the source had last, where that could not be read.
	Refused string `json:"refused,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// save keeps the roster for a start without its source.
func (r *roster) save(dir string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(rosterHead{r.source, r.version, r.highest, r.read, len(r.entries)})
	for _, one := range r.entries {
		err = errors.Join(err, e.Encode(rosterLine{one.id, one.text, one.refused, one.problem}))
	}
	if err == nil {
		err = durable.Replace(filepath.Join(dir, rosterName), b.Bytes(), 0o600)
	}
	if err != nil {
		return fmt.Errorf("the clients cannot be kept for a start without their source: %w", err)
	}
	return nil
}

// loadRoster reads it; nil when there is none of the source that the policy follows.
func loadRoster(dir string, cfg *config.Config) (*roster, error) {
	path := filepath.Join(dir, rosterName)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	fail := func(line int, err error) (*roster, error) { return nil, fmt.Errorf("%s:%d: %w", path, line, err) }
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	var head rosterHead
	if !lines.Scan() {
		return fail(1, errors.New("it is empty"))
	}
	if err := json.Unmarshal(lines.Bytes(), &head); err != nil {
		return fail(1, err)
	}
	r := &roster{source: cmp.Or(head.Source, "redis"), version: head.Version, highest: cmp.Or(head.Highest, head.Version), read: head.Read, basis: cfg.Basis()}
	if !r.of(cfg) {
		return nil, nil
	}
	definer := cfg.Definer()
	for number := 2; lines.Scan(); number++ {
		var l rosterLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fail(number, err)
		}
		e := entry{id: l.ID, had: l.Text != ""}
		if l.Text != "" {
			e = e.with(definer, accounting.Definition{ID: l.ID, Text: l.Text})
		}
		if l.Problem != "" {
			e.problem, e.refused = l.Problem, l.Refused
		}
		r.entries = append(r.entries, e)
	}
	if len(r.entries) != head.Clients {
		return fail(len(r.entries)+1, fmt.Errorf("%d clients, there were %d", len(r.entries), head.Clients))
	}
	return r, nil
}
