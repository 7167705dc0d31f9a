package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/holdqueue"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// heldMessage is a message on hold: what Postfix knows of it, and the entry of
// the block journal that tells why; nil when others have put it there.
type heldMessage struct {
	holdqueue.Message
	entry *journal.Entry
}

// stepBack is how much earlier than its arrival an entry of a message may be:
// Postfix gives whole seconds, and a clock may be put right meanwhile.
const stepBack = time.Minute

// held finds out what is on hold, the oldest first. Whole is false where a journal
// could not be read, so that a message without an entry may be ours nevertheless.
func (a *app) held(ctx context.Context) (_ *holdqueue.Queue, held []heldMessage, whole bool, err error) {
	places, err := a.places()
	if err != nil {
		return nil, nil, false, err
	}
	q := holdqueue.New(places.PostfixConfig)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = q.List(ctx, func(m holdqueue.Message) error {
		held = append(held, heldMessage{Message: m})
		return nil
	})
	if err != nil || len(held) == 0 {
		return q, nil, true, away(err)
	}
	slices.SortFunc(held, func(x, y heldMessage) int {
		return cmp.Or(x.Arrived.Compare(y.Arrived), strings.Compare(x.QueueID, y.QueueID))
	})
	whole, err = a.explainHeld(ctx, places.JournalDir, held)
	return q, held, whole, err
}

// explainHeld looks for the journal's entries of messages that are on hold.
// Queue ids are used again, but never while a message has one: an entry that
// has the id of a message on hold, and is not older than it, is its own.
func (a *app) explainHeld(ctx context.Context, dir string, held []heldMessage) (whole bool, err error) {
	byID := make(map[string]*heldMessage, len(held))
	for i := range held {
		byID[held[i].QueueID] = &held[i]
	}
	q := journal.Query{Kinds: []string{journal.Blocks}, Verdict: "hold", Since: held[0].Arrived.Add(-stepBack)}
	report, err := journal.SearchReadable(ctx, dir, q, func(e journal.Entry) error {
		// There is one for each recipient; they differ in nothing else.
		if h := byID[e.QueueID]; h != nil && h.entry == nil && !e.Time.Before(h.Arrived.Add(-stepBack)) {
			h.entry = &e
		}
		return nil
	})
	missing := report.Missing()
	for _, what := range missing {
		fmt.Fprintf(a.err, "tollgate: %s\n", visible(what))
	}
	return len(missing) == 0, away(err)
}

// ours are those that are on hold on our word.
func ours(held []heldMessage) []heldMessage {
	return slices.DeleteFunc(held, func(h heldMessage) bool { return h.entry == nil })
}

// namedMessage is a message that the command line names, and nil for one that
// is not on hold, or is not ours to touch.
type namedMessage struct {
	name string
	held *heldMessage
}

// named finds messages by references and queue ids, each once, and says which
// ones there are not. Those of others are found only by queue id, and with all.
func (a *app) named(ctx context.Context, names []string, all bool) (*holdqueue.Queue, []namedMessage, error) {
	q, held, whole, err := a.held(ctx)
	if err != nil {
		return nil, nil, err
	}
	byName := make(map[string]*heldMessage, 2*len(held))
	for i, h := range held {
		byName[h.QueueID] = &held[i]
		if h.entry != nil && h.entry.Ref != "" {
			byName[strings.ToLower(h.entry.Ref)] = &held[i]
		}
	}
	var named []namedMessage
	for _, name := range names {
		h := byName[name]
		if h == nil {
			h = byName[strings.ToLower(name)] // references match in any case
		}
		switch {
		case h == nil:
			fmt.Fprintf(a.err, "tollgate: %s is not on hold; \"tollgate journal\" with --ref or --queue-id tells what became of it\n", visible(name))
		case h.entry == nil && !all && !whole:
			fmt.Fprintf(a.err, "tollgate: of %s nothing is known, as not all of the journal can be read; with --all it is touched nevertheless\n", visible(name))
			h = nil
		case h.entry == nil && !all:
			fmt.Fprintf(a.err, "tollgate: %s is not on hold on our word; with --all it is touched nevertheless\n", visible(name))
			h = nil
		case slices.ContainsFunc(named, func(n namedMessage) bool { return n.held == h }):
			continue
		}
		named = append(named, namedMessage{name, h})
	}
	return q, named, nil
}

// idsOf are the queue ids of what was found.
func idsOf(named []namedMessage) []string {
	var ids []string
	for _, n := range named {
		if n.held != nil {
			ids = append(ids, n.held.QueueID)
		}
	}
	return ids
}
