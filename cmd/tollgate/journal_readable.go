package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// reading searches the journals for one message, in several turns. It goes on with
// what can be read, and tells once what cannot.
type reading struct {
	*app
	dir   string
	whole bool     // all that was asked for could be read
	told  []string // what could not be
}

func (a *app) reading(dir string) *reading { return &reading{app: a, dir: dir, whole: true} }

func (r *reading) search(ctx context.Context, q journal.Query, fn func(journal.Entry) error) error {
	report, err := journal.SearchReadable(ctx, r.dir, q, fn)
	for _, what := range report.Missing() {
		r.tell(what)
	}
	return away(err)
}

func (r *reading) tell(what string) {
	r.whole = false
	if slices.Contains(r.told, what) {
		return
	}
	r.told = append(r.told, what)
	fmt.Fprintf(r.err, "tollgate: %s\n", visible(what))
}

// refs are the references of the messages of a reference or queue id, oldest first.
func (r *reading) refs(ctx context.Context, name string) (refs []string, err error) {
	for _, q := range []journal.Query{{Ref: name}, {QueueID: name}} {
		err := r.search(ctx, q, func(e journal.Entry) error {
			if e.Ref != "" && !slices.Contains(refs, e.Ref) {
				refs = append(refs, e.Ref)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	switch {
	case len(refs) > 0:
		return refs, nil
	case !r.whole:
		fmt.Fprintln(r.err, "nothing found in what can be read of the journals")
		return nil, silent(exitAway)
	}
	fmt.Fprintln(r.err, "nothing found")
	return nil, silent(exitNegative)
}
