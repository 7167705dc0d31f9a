package config

// Places are where a policy's daemon and its journals are found.
type Places struct {
	StateDir   string
	JournalDir string
}

// LoadPlaces reads only where things are, so that they can be found while the
// rest of the policy is being worked on. The error is rules.Problems, when the
// file or one that it includes cannot be read or is no TOML.
func LoadPlaces(path string) (Places, error) {
	d := newDecoder()
	root := d.readPolicy(path)
	if root == nil {
		return Places{}, d.problems
	}
	for _, c := range root.children {
		switch {
		case c.kind != table:
		case c.key == "gateway":
			d.gateway(c)
		case c.key == "journal":
			d.journal(c)
		}
	}
	return Places{StateDir: d.config.StateDir, JournalDir: d.config.JournalDir}, nil
}
