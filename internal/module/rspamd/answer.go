package rspamd

import (
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

// parse reads the answer to a scan.
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
			f.Symbols, err = symbols(m.Value)
		case "milter":
			if changes == takeHeader {
				err = milter(m.Value, &f)
			}
		case "dkim-signature":
			if changes == takeHeader {
				err = add(&f, "DKIM-Signature", m.Value)
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

// symbols are the names of the symbols, sorted.
func symbols(text []byte) ([]string, error) {
	members, err := webclient.Object(text)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range members {
		if m.Name != "" {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}
