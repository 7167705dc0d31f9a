package assemble

import (
	"errors"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
)

// entry is a client of the source.
type entry struct {
	id   string
	text string // its definition, as far as one that can be read is known
	// client is nil where none could be read, ever.
	client *accounting.Client
	// problem is why what the source has now is not in force; "" where it is.
	problem string
	refused string // that text; "" where there is none
	had     bool   // by who kept it in the state folder
}

// problem is one of a client of the source.
type problem struct{ client, text string }

func (p problem) String() string { return p.client + ": " + p.text }

// with is the entry after its definition was read anew.
func (e entry) with(definer *config.Definer, d accounting.Definition) entry {
	same := d.Err == nil && e.text == d.Text && e.client != nil
	e.problem, e.refused = "", ""
	if same {
		return e
	}
	var c *accounting.Client
	err := d.Err
	if err == nil {
		c, err = readClient(definer, d)
	}
	if err != nil {
		e.problem, e.refused = err.Error(), d.Text
		return e
	}
	e.client, e.text = c, d.Text
	return e
}

// readClient reads a definition; its error is all that is wrong with it.
func readClient(definer *config.Definer, d accounting.Definition) (*accounting.Client, error) {
	c, problems := definer.Client(config.Definition{ID: d.ID, Text: d.Text})
	if c != nil {
		return c, nil
	}
	var texts []string
	for _, p := range problems {
		if !p.Warning {
			texts = append(texts, p.Msg)
		}
	}
	return nil, errors.New(strings.Join(texts, "; "))
}
