package postfix

import (
	"context"
	"fmt"
)

// forbid are the parameters by which Postfix refuses what hides a second message
// in the text of a first: lines that end in LF alone, and commands before their
// turn. Versions that have them took them from 3.5 on, later ones set them by
// themselves.
var forbid = []string{"smtpd_forbid_bare_newline", "smtpd_forbid_unauth_pipelining"}

// forbidding plans what of them is to be set: where nobody has set it, and this
// Postfix would not by itself. What somebody has set stays, and is named.
func (i Instance) forbidding(ctx context.Context) (changes []Change, notes []string, err error) {
	for _, name := range forbid {
		known, err := i.Settings(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		if _, ok := known[name]; !ok {
			notes = append(notes, fmt.Sprintf("main.cf: this Postfix does not know %s: a message may hide in another (SMTP smuggling); "+
				"smtpd_data_restrictions = reject_unauth_pipelining helps, a newer Postfix more", name))
			continue
		}
		value, set, err := i.Get(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case value == "no" && set:
			notes = append(notes, fmt.Sprintf("main.cf: %s = no: a message may hide in another (SMTP smuggling)", name))
		case value == "no":
			changes = append(changes, Change{Name: name, Before: value, After: "yes"})
		}
		overrides, err := i.Overrides(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		for _, o := range overrides {
			if o.Value == "no" {
				notes = append(notes, fmt.Sprintf("master.cf, %s: -o %s=no: a message may hide in another (SMTP smuggling)", o.Service, name))
			}
		}
	}
	return changes, notes, nil
}
