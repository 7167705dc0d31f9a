package postfix

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// lists are the parameters that name the milters of mail that comes by SMTP, and
// of mail of local programs.
var lists = []string{"smtpd_milters", "non_smtpd_milters"}

// settings are how Postfix is told to treat tollgate: contrib/postfix/README.md
// says why.
const settings = "connect_timeout=10s, command_timeout=30s, content_timeout=300s, default_action=tempfail"

// Change is one parameter of main.cf, or of a service of master.cf.
type Change struct {
	Service string `json:"service,omitempty"` // of master.cf, "submission/inet"; "" for main.cf
	Name    string `json:"name"`
	Before  string `json:"before"`
	WasSet  bool   `json:"was_set"` // false: Before is the default
	After   string `json:"after"`
	Unset   bool   `json:"unset,omitempty"` // it goes back to the default
}

// String is the change for eyes.
func (c Change) String() string {
	where := "main.cf"
	if c.Service != "" {
		where = "master.cf, " + c.Service
	}
	before := c.Before
	if !c.WasSet {
		before = "(not set)"
	} else if before == "" {
		before = "(empty)"
	}
	after := c.After
	if c.Unset {
		after = "(not set)"
	}
	return fmt.Sprintf("%s: %s\n    is       %s\n    becomes  %s", where, c.Name, before, after)
}

// Plan is what to change, and what an operator should know besides.
type Plan struct {
	Changes []Change
	Notes   []string // ways past tollgate that are left as they are
}

// Attach plans how an instance comes to ask tollgate, last of all milters. It
// leaves alone what does so already.
func (i Instance) Attach(ctx context.Context, r Reach) (Plan, error) {
	var p Plan
	value := "{ " + r.Address + ", " + settings + " }"
	before, set, err := i.Get(ctx, Parameter)
	if err != nil {
		return p, err
	}
	// Times that an operator has chosen stay; only the place is ours to say.
	if !set || endpoint(before) != r.Address {
		p.Changes = append(p.Changes, Change{Name: Parameter, Before: before, WasSet: set, After: value})
	}
	inSMTPD := false
	for _, name := range lists {
		raw, set, err := i.Get(ctx, name)
		if err != nil {
			return p, err
		}
		expanded, err := i.Expanded(ctx, name)
		if err != nil {
			return p, err
		}
		after, err := r.last(raw, expanded, inSMTPD)
		if err != nil {
			return p, fmt.Errorf("%s: %w", name, err)
		}
		if after != raw {
			p.Changes = append(p.Changes, Change{Name: name, Before: raw, WasSet: set, After: after})
		}
		inSMTPD = true
		overridden, notes, err := i.overridden(ctx, name, r)
		if err != nil {
			return p, err
		}
		p.Changes = append(p.Changes, overridden...)
		p.Notes = append(p.Notes, notes...)
	}
	changes, notes, err := i.forbidding(ctx)
	p.Changes = append(p.Changes, changes...)
	p.Notes = append(p.Notes, notes...)
	return p, err
}

// last is a list with tollgate as its last milter. inSMTPD: smtpd_milters, which
// the list may name, ends with it already, or will.
func (r Reach) last(raw, expanded string, inSMTPD bool) (string, error) {
	written := milters(raw)
	for n, m := range written {
		through := inSMTPD && names(m, lists[0])
		switch {
		case n == len(written)-1 && (through || refers(m)):
			return raw, nil
		case through: // named again at the end it would be asked twice
			return strings.Join(append(slices.Delete(written, n, n+1), m), ", "), nil
		}
	}
	all := milters(expanded)
	for n, m := range all {
		if !r.same(endpoint(m)) {
			continue
		}
		if n == len(all)-1 {
			return raw, nil
		}
		// Mail that a later milter refuses would have been billed.
		if after := r.without(raw); after != strings.Join(written, ", ") {
			return after + ", " + reference, nil
		}
		return "", fmt.Errorf("tollgate is in %q, but not last, by way of another parameter: put it last by hand", expanded)
	}
	if len(written) == 0 {
		return reference, nil
	}
	return strings.TrimRight(raw, ", \t") + ", " + reference, nil
}

// overridden are the services that have a list of their own. An empty one was
// made to keep milters out: it stays, and is named.
func (i Instance) overridden(ctx context.Context, name string, r Reach) (changes []Change, notes []string, err error) {
	overrides, err := i.Overrides(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	for _, o := range overrides {
		if o.Value == "" {
			notes = append(notes, fmt.Sprintf("master.cf, %s: no milter is asked (-o %s=): mail that comes there passes without tollgate", o.Service, name))
			continue
		}
		after, err := r.last(o.Value, o.Value, true)
		if err != nil {
			return nil, nil, fmt.Errorf("master.cf, %s: %s: %w", o.Service, name, err)
		}
		if after != o.Value {
			changes = append(changes, Change{Service: o.Service, Name: name, Before: o.Value, WasSet: true, After: after})
		}
	}
	return changes, notes, nil
}

// Apply carries changes out, those of main.cf in one step.
func (i Instance) Apply(ctx context.Context, changes []Change) error {
	var edit, unset []string
	for _, c := range changes {
		switch {
		case c.Service == "" && c.Unset:
			unset = append(unset, c.Name)
		case c.Service == "":
			edit = append(edit, c.Name+"="+c.After)
		}
	}
	if len(edit) > 0 {
		if _, err := i.run(ctx, "postconf", append([]string{"-c", i.Config, "-e"}, edit...)...); err != nil {
			return err
		}
	}
	if len(unset) > 0 {
		if _, err := i.run(ctx, "postconf", append([]string{"-c", i.Config, "-X"}, unset...)...); err != nil {
			return err
		}
	}
	for _, c := range changes {
		if c.Service == "" {
			continue
		}
		args := []string{"-c", i.Config, "-P", c.Service + "/" + c.Name + "=" + compact(c.After)}
		if c.Unset {
			args = []string{"-c", i.Config, "-P", "-X", c.Service + "/" + c.Name}
		}
		if _, err := i.run(ctx, "postconf", args...); err != nil {
			return err
		}
	}
	return nil
}
