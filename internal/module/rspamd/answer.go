package rspamd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/webclient"
)

// Skipped is the action of a message that rspamd was told by its own settings
// not to look at. It says "no action" itself, as it does for clean ones.
const Skipped = "skipped"

// noAction is rspamd's word for clean messages.
const noAction = "no action"

// parse reads the answer to a scan. A change to the header that cannot be read is left
// out, and what was found stands: else who has rspamd make such a change would pass
// without a score.
func parse(text []byte, changes headerChanges) (module.Finding, error) {
	top, err := webclient.Object(text)
	if err != nil {
		return module.Finding{}, err
	}
	var (
		f       module.Finding
		skipped string
		seen    = map[string]bool{}
	)
	for _, m := range top {
		seen[m.Name] = true
		switch m.Name {
		case "error":
			said, _ := webclient.String(m.Value) // for people; any shape is an error
			return module.Finding{}, fmt.Errorf("error %.200q", said)
		case "is_skipped":
			skipped = string(m.Value)
		case "score":
			f.Score, err = webclient.Score(m.Value)
		case "action":
			f.Action, err = webclient.String(m.Value)
		case "symbols":
			f.Symbols, f.Details, err = symbols(m.Value)
		case "milter":
			if changes == takeHeader {
				milter(m.Value, &f)
			}
		case "dkim-signature":
			if changes == takeHeader {
				add(&f, m.Name, "DKIM-Signature", m.Value)
			}
		}
		if err != nil {
			return module.Finding{}, fmt.Errorf("%q: %w", m.Name, err)
		}
	}
	for _, name := range []string{"is_skipped", "score", "action", "symbols"} {
		if !seen[name] {
			return module.Finding{}, fmt.Errorf("has no %q", name)
		}
	}
	if f.Action == "" {
		return module.Finding{}, errors.New(`"action" is empty`)
	}
	switch skipped {
	case "false":
	case "true":
		// An action besides it stands: a message with the GTUBE pattern is to
		// be rejected, the other checks being skipped.
		if f.Action == noAction {
			f.Action = Skipped
		}
	default:
		return module.Finding{}, fmt.Errorf(`"is_skipped" is %.20q`, skipped)
	}
	return f, nil
}

// symbols are the names of the symbols, sorted, and what rspamd says of them.
func symbols(text []byte) ([]string, map[string]module.Detail, error) {
	if emptyTable(text) {
		return nil, nil, nil
	}
	members, err := webclient.Object(text)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	var details map[string]module.Detail
	for _, m := range members {
		if m.Name == "" {
			continue
		}
		names = append(names, m.Name)
		if d := detail(m.Value); d.Score != 0 || d.About != nil {
			if details == nil {
				details = make(map[string]module.Detail, len(members))
			}
			details[m.Name] = d
		}
	}
	slices.Sort(names)
	return names, details, nil
}

// detail is the score of a symbol and its options: the files, addresses or words
// that it was given for. It is for people: what cannot be read is left out.
func detail(text []byte) (d module.Detail) {
	var symbol struct {
		Score   json.RawMessage   `json:"score"`
		Options []json.RawMessage `json:"options"`
	}
	if json.Unmarshal(text, &symbol) != nil {
		return d
	}
	if score, err := webclient.Score(symbol.Score); err == nil {
		d.Score = score
	}
	for _, o := range symbol.Options[:min(len(symbol.Options), 2*module.MostAbout)] {
		if said, err := webclient.String(o); err == nil {
			d.Tell(said)
		}
	}
	return d
}
