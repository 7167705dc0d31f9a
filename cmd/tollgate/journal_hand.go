package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/holdqueue"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// afterwards tells verdicts of what was done later, to what had been decided.
func afterwards(verdict string) bool {
	switch verdict {
	case "released", "deleted", "voided", "closed":
		return true
	}
	return false
}

// deed is what was done to a message afterwards: one entry for each recipient.
type deed struct {
	journal.Entry
	recipients []string
}

// deeds puts the recipients of what was done at once together.
func (s *story) deeds() []deed {
	var all []deed
	for _, e := range s.hands {
		n := len(all) - 1
		if n < 0 || all[n].Verdict != e.Verdict || all[n].By != e.By || all[n].Reason != e.Reason || e.Time.Sub(all[n].Time) > time.Second {
			all = append(all, deed{Entry: e})
			n++
		}
		if e.Recipient != "" {
			all[n].recipients = append(all[n].recipients, e.Recipient)
		}
	}
	return all
}

// text tells what was done, when, by whom and why.
func (d *deed) text(zone *time.Location) string {
	text := d.Verdict + " " + d.Time.In(zone).Format(time.DateTime)
	if d.By != "" {
		text += " by " + shorten(d.By, 50)
	}
	// What is closed has its own "by", for who reads the reason alone.
	reason := strings.TrimSuffix(d.Reason, ", by "+d.By)
	if period, rest, ok := strings.Cut(reason, " closed, "); ok && d.Verdict == "closed" {
		reason = period + ", " + rest // the line begins with it
	}
	if reason != "" {
		text += ": " + shorten(reason, 300)
	}
	return text
}

// ending is what became of a message on hold; "" while it is there.
func (s *story) ending() string {
	for _, e := range s.hands {
		if e.Verdict == "released" || e.Verdict == "deleted" {
			return e.Verdict
		}
	}
	return ""
}

// noLongerHeld asks Postfix about a message that was put on hold and of which the journal
// has no end: others may have let it go, or removed it, and nobody was told. Where
// Postfix cannot be asked nothing is said.
func (a *app) noLongerHeld(ctx context.Context, s *story) bool {
	e := s.about()
	if e.Verdict != "hold" || e.QueueID == "" || len(s.hands) > 0 {
		return false
	}
	places, err := a.lookingPlaces()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	held := false
	err = holdqueue.New(places.PostfixConfig).List(ctx, func(m holdqueue.Message) error {
		held = held || m.QueueID == e.QueueID
		return nil
	})
	return err == nil && !held
}

// handLine is of what was done where nothing else of the message is told.
func (s *story) handLine(zone *time.Location) string {
	all := s.deeds()
	var parts []string
	first := all[0]
	first.Kind, first.Recipients = journal.Messages, first.recipients // route names them all
	if len(first.Recipients) > 0 || first.Sender != "" {
		parts = append(parts, route(&first.Entry))
	}
	if first.Subject != "" {
		parts = append(parts, fmt.Sprintf("%q", shorten(first.Subject, 60)))
	}
	if first.Rule != "" {
		parts = append(parts, "held by rule "+first.Rule)
	}
	for n := range all {
		parts = append(parts, all[n].text(zone))
	}
	return strings.Join(parts, "; ")
}

func (s *story) pageHands(a *app, zone *time.Location) error {
	var rows [][]string
	for _, d := range s.deeds() {
		by := ""
		if d.By != "" {
			by = "by " + d.By
		}
		rows = append(rows, []string{d.Time.In(zone).Format(time.DateTime), d.Verdict, by, d.Reason, bracketed(d.recipients)})
	}
	return a.table("what was done with it afterwards", rows)
}
