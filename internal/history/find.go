package history

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Find has the entry that a name stands for: a number of the log, the beginning
// of a version (of several entries the last), "previous" or "-1" for the one
// before the last, "" for the last. Those two, and "-2" and so on, count the
// policies that were in force for all mail, each once, and not those that a rollback
// took back: "previous" given again goes one further. One that cannot be read is an
// error.
func Find(all []Entry, name string) (Entry, error) {
	e, err := find(all, name)
	if err == nil && e.Problem != "" {
		return Entry{}, fmt.Errorf("policy %d of the history cannot be read: %s", e.Number, e.Problem)
	}
	return e, err
}

func find(all []Entry, name string) (Entry, error) {
	if len(all) == 0 {
		return Entry{}, errors.New("the history is empty: no policy has been in force yet")
	}
	previous := name == "previous"
	if previous {
		if len(all) == 1 {
			return Entry{}, errors.New("no policy was in force before this one: the history has 1")
		}
		name = "-1"
	}
	back, err := strconv.Atoi(name)
	switch past := whole(all); {
	case name == "" && len(past) == 0:
		return all[len(all)-1], nil
	case name == "":
		return past[len(past)-1], nil
	case err == nil && back < 0:
		if -back >= len(past) && previous {
			return Entry{}, errors.New("no policy was in force before the last one, but for what was taken back: \"tollgate policy log\" lists all by number")
		}
		if -back >= len(past) {
			return Entry{}, fmt.Errorf("%s: no policy was in force so long ago: the history has %d", name, len(past))
		}
		return past[len(past)-1+back], nil
	}
	var found []Entry
	for _, e := range slices.Backward(all) {
		if err == nil && e.Number == back && len(name) < 4 {
			return e, nil
		}
		if len(name) >= 4 && strings.HasPrefix(e.Hash, strings.ToLower(name)) {
			found = append(found, e)
		}
	}
	switch {
	case len(found) == 0 && err == nil:
		for _, e := range all {
			if e.Number == back {
				return e, nil
			}
		}
		fallthrough
	case len(found) == 0:
		return Entry{}, fmt.Errorf("%q: no such policy in the history; \"tollgate policy log\" lists them", name)
	case slices.ContainsFunc(found, func(e Entry) bool { return e.Hash != found[0].Hash }):
		return Entry{}, fmt.Errorf("%q: several policies begin so", name)
	}
	return found[0], nil
}

// whole are the policies that were in force for all mail, one after the other: a
// canary was not, its end and a reload of the same policy begin no other one. A
// rollback ends those since the one that it went back to.
func whole(all []Entry) []Entry {
	var past []Entry
	for _, e := range all {
		if e.marks() {
			continue
		}
		if e.How == Rollback {
			for n := len(past) - 1; n >= 0; n-- {
				if past[n].Hash == e.Hash {
					past = past[:n+1]
					break
				}
			}
		}
		if n := len(past); n > 0 && past[n-1].Hash == e.Hash {
			past[n-1] = e
			continue
		}
		past = append(past, e)
	}
	return past
}
