package config

import (
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/rules"
)

// Places are where a policy's daemon and its journals are found, and the
// Postfix whose queue is managed.
type Places struct {
	StateDir      string
	PostfixConfig string
	JournalDir    string
	Listen        []string // "unix:/path" or "inet:host:port"
	// Location is accounting.timezone, of days and months; never nil.
	Location *time.Location
}

// placeKeys are those that LoadPlaces reads.
func placeKeys() []string {
	return []string{"include", "gateway.state_dir", "gateway.postfix_config", "gateway.listen", "journal.dir", "accounting.timezone"}
}

// LoadPlaces reads only where things are, so that they can be found while the
// rest of the policy is being worked on. There are errors when the file or one that
// it includes cannot be read or is no TOML, or when one of the places is none.
func LoadPlaces(path string) (Places, rules.Problems) { return newDecoder().places(path) }

// FindPlaces is LoadPlaces for who changes nothing: of a file that is no TOML those
// places are taken that can still be read, else the defaults, and a warning says
// which.
func FindPlaces(path string) (Places, rules.Problems) {
	d := newDecoder()
	d.noTOML = &rules.Problems{}
	return d.places(path)
}

func (d *decoder) places(path string) (Places, rules.Problems) {
	root := d.readPolicy(path)
	if root == nil {
		return Places{}, d.Problems
	}
	d.Problems = nil
	for _, p := range []struct {
		section, key string
		into         *string
	}{
		{"gateway", "state_dir", &d.config.StateDir},
		{"gateway", "postfix_config", &d.config.PostfixConfig},
		{"journal", "dir", &d.config.JournalDir},
	} {
		if s := root.Child(p.section); s != nil && s.Kind == document.Table {
			if n := s.Child(p.key); n != nil {
				d.Path(p.into)(n)
			}
		}
	}
	if s := root.Child("gateway"); s != nil && s.Kind == document.Table {
		if n := s.Child("listen"); n != nil {
			d.listen(n)
		}
	}
	if s := root.Child("accounting"); s != nil && s.Kind == document.Table {
		if n := s.Child("timezone"); n != nil {
			d.timezone(n)
		}
	}
	if d.Problems.Err() != nil {
		return Places{}, d.Problems
	}
	d.Problems = nil
	if d.noTOML != nil {
		for _, p := range *d.noTOML {
			p.Warning = true
			p.Msg += fmt.Sprintf("; going on with state_dir %s (%s), journals in %s (%s)",
				d.config.StateDir, origin(root, "gateway", "state_dir"), d.config.JournalDir, origin(root, "journal", "dir"))
			d.Problems = append(d.Problems, p)
		}
	}
	return Places{
		StateDir: d.config.StateDir, PostfixConfig: d.config.PostfixConfig, JournalDir: d.config.JournalDir, Listen: d.config.Listen,
		Location: d.zone,
	}, d.Problems
}

// origin says where a place was read.
func origin(root *node, section, key string) string {
	if s := root.Child(section); s != nil && s.Kind == document.Table {
		if n := s.Child(key); n != nil {
			return n.Pos().String()
		}
	}
	return "the default: none can be read"
}

// Nearest is the valid name that was probably meant, "" where none is near.
func Nearest(name string, valid []string) string { return diag.Nearest(name, valid) }
