package postfix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// memoryName is the file beside main.cf that remembers what attaching changed.
// It is not in the state folder: root writes into main.cf what it says, and the
// daemon's user can write there.
const memoryName = "tollgate.attached"

func (i Instance) memory() string { return filepath.Join(i.Config, memoryName) }

// Attached is what attaching changed and remembered; empty where it did not.
func (i Instance) Attached() ([]Change, error) {
	b, err := os.ReadFile(i.memory())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var remembered []Change
	if err := json.Unmarshal(b, &remembered); err != nil {
		return nil, fmt.Errorf("%s: %w", i.memory(), err)
	}
	return remembered, nil
}

// Remember keeps changes before they are made. What a parameter was before the
// first of them is what it goes back to.
func (i Instance) Remember(changes []Change) error {
	remembered, err := i.Attached()
	if err != nil {
		return err
	}
next:
	for _, c := range changes {
		for at, r := range remembered {
			if r.Service != c.Service || r.Name != c.Name {
				continue
			}
			// Somebody's later value is the one to go back to, unless it has
			// us in it: then it is the first, with us.
			if c.Before != r.After && !strings.Contains(c.Before, reference) {
				r.Before, r.WasSet = c.Before, c.WasSet
			}
			r.After = c.After
			remembered[at] = r
			continue next
		}
		remembered = append(remembered, c)
	}
	b, err := json.MarshalIndent(remembered, "", "  ")
	if err != nil {
		return err
	}
	return replace(i.memory(), append(b, '\n'))
}

// Forget ends the memory of attaching.
func (i Instance) Forget() error {
	err := os.Remove(i.memory())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// replace writes a file as a whole or not at all.
func replace(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tollgate-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error says more
		}
	}()
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Detach plans how an instance comes to ask tollgate no more. A parameter that
// still has what attaching wrote gets its former value back; one that somebody
// has changed since loses tollgate and nothing else.
func (i Instance) Detach(ctx context.Context, r Reach) (Plan, error) {
	remembered, err := i.Attached()
	if err != nil {
		return Plan{}, err
	}
	var p Plan
	consider := func(service, name, value string, set bool) {
		for _, m := range remembered {
			if m.Service != service || m.Name != name || m.After != value {
				continue
			}
			c := Change{Service: service, Name: name, Before: value, WasSet: set, After: m.Before, Unset: !m.WasSet}
			// Somebody had named tollgate already, elsewhere in the list.
			if left := r.without(m.Before); left != strings.Join(milters(m.Before), ", ") {
				c.After, c.Unset = left, service == "" && left == ""
			}
			p.Changes = append(p.Changes, c)
			return
		}
		if left := r.without(value); left != strings.Join(milters(value), ", ") {
			p.Changes = append(p.Changes, Change{
				Service: service, Name: name, Before: value, WasSet: set, After: left, Unset: service == "" && left == "",
			})
		}
	}
	for _, name := range lists {
		value, set, err := i.Get(ctx, name)
		if err != nil {
			return p, err
		}
		if set {
			consider("", name, value, set)
		}
		overrides, err := i.Overrides(ctx, name)
		if err != nil {
			return p, err
		}
		for _, o := range overrides {
			consider(o.Service, name, o.Value, true)
		}
	}
	for _, name := range forbid {
		value, set, err := i.Get(ctx, name)
		if err != nil {
			return p, err
		}
		if set {
			consider("", name, value, set)
		}
	}
	// Last, so that nothing names it any more.
	value, set, err := i.Get(ctx, Parameter)
	if err != nil {
		return p, err
	}
	if set {
		c := Change{Name: Parameter, Before: value, WasSet: true, Unset: true}
		for _, m := range remembered {
			if m.Service == "" && m.Name == Parameter && m.WasSet {
				c.After, c.Unset = m.Before, false
			}
		}
		if c.Unset || c.After != value {
			p.Changes = append(p.Changes, c)
		}
	}
	return p, nil
}
