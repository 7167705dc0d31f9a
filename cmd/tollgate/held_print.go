package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/holdqueue"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// heldRow is a message on hold in JSON. Where others have put it there, only
// the first six fields have values.
type heldRow struct {
	Time       time.Time `json:"time"` // since when
	QueueID    string    `json:"queue_id"`
	Sender     string    `json:"sender"`
	Recipients []string  `json:"recipients"`
	Size       int64     `json:"size"` // octets as Postfix counts them
	Ours       bool      `json:"ours"`
	Ref        string    `json:"ref"`
	MessageID  string    `json:"message_id"`
	ClientIP   string    `json:"client_ip"`
	ClientHost string    `json:"client_host"`
	Helo       string    `json:"helo"`
	AuthUser   string    `json:"auth_user"`
	Direction  string    `json:"direction"`
	Subject    string    `json:"subject"`
	Stage      string    `json:"stage"`
	Rule       string    `json:"rule"`
	Weight     string    `json:"weight"`
	Reason     string    `json:"reason"`
	Header     string    `json:"header,omitempty"` // of show
}

func (h *heldMessage) row() heldRow {
	r := heldRow{
		Time: h.Arrived.UTC(), QueueID: h.QueueID, Sender: h.Sender, Recipients: h.Recipients, Size: h.Size, Ours: h.entry != nil,
	}
	if r.Recipients == nil {
		r.Recipients = []string{}
	}
	if e := h.entry; e != nil {
		r.Ref, r.MessageID, r.ClientIP, r.ClientHost, r.Helo = e.Ref, e.MessageID, e.ClientIP, e.ClientHost, e.Helo
		r.AuthUser, r.Direction, r.Subject, r.Stage, r.Rule = e.AuthUser, e.Direction, e.Subject, e.Stage, e.Rule
		r.Weight, r.Reason = e.Weight, e.Reason
	}
	return r
}

// line is a message on hold as journals are printed.
func (h *heldMessage) line() string {
	e := journal.Entry{Sender: h.Sender, Recipients: h.Recipients, Size: h.Size}
	if h.entry != nil {
		e.Ref, e.Subject, e.Stage, e.Rule = h.entry.Ref, h.entry.Subject, h.entry.Stage, h.entry.Rule
		e.Weight, e.Reason = h.entry.Weight, h.entry.Reason
		if h.entry.Size > 0 {
			e.Size = h.entry.Size // as the journal and the account have it
		}
	} else {
		e.Detail = "held by others"
	}
	return fmt.Sprintf(heldColumns, local(h.Arrived), or(e.Ref), or(h.QueueID), visible(route(&e)+messageLine(&e)))
}

const heldColumns = "%-19s  %-12s  %-14s  %s"

// printHeld prints a list.
func (a *app) printHeld(held []heldMessage) error {
	if a.json {
		rows := make([]heldRow, len(held))
		for i, h := range held {
			rows[i] = h.row()
		}
		if err := printJSON(a.out, rows); err != nil {
			return err
		}
	} else {
		for i, h := range held {
			if i == 0 {
				fmt.Fprintf(a.out, heldColumns+"\n", "HELD SINCE", "REF", "QUEUE ID", "MAIL")
			}
			if _, err := fmt.Fprintln(a.out, h.line()); err != nil {
				return away(err)
			}
		}
	}
	return nil
}

// unexplained says that messages may be ours. It is no answer that nothing is on hold.
func (a *app) unexplained(n int) error {
	fmt.Fprintf(a.err, "tollgate: %s more may be on hold on our word: not all of the journal can be read; with --all they are listed\n", daemon.Plural(n, "message"))
	return silent(exitAway)
}

// mostHeader is how many octets of a header are shown.
const mostHeader = 1 << 20

// bounded keeps the beginning of what is written to it.
type bounded struct {
	bytes.Buffer
	cut bool
}

var errEnough = errors.New("enough")

func (b *bounded) Write(p []byte) (int, error) {
	if room := mostHeader - b.Len(); len(p) > room {
		b.cut = true
		n, _ := b.Buffer.Write(p[:room]) // never fails
		return n, errEnough
	}
	return b.Buffer.Write(p)
}

// showHeld prints all that is known of a message.
func (a *app) showHeld(ctx context.Context, q *holdqueue.Queue, h heldMessage) error {
	var header bounded
	if err := q.Write(ctx, h.QueueID, holdqueue.Header, &header); err != nil && !header.cut {
		return gone(err)
	}
	r := h.row()
	if a.json {
		r.Header = header.String()
		return printJSON(a.out, r)
	}
	w := bufio.NewWriter(a.out)
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-14s%s\n", name, visible(value))
		}
	}
	// The words are those of "journal show".
	field("reference", r.Ref)
	field("queue id", r.QueueID)
	field("held since", local(h.Arrived))
	if r.ClientIP != "" {
		field("client", fmt.Sprintf("%s[%s], HELO %s", shorten(r.ClientHost, 100), r.ClientIP, or(r.Helo)))
	}
	field("logged in as", r.AuthUser)
	field("from", "<"+r.Sender+">")
	for n, to := range r.Recipients {
		fmt.Fprintf(w, "%-14s%s\n", []string{"to", ""}[min(n, 1)], visible("<"+to+">"))
	}
	field("subject", r.Subject)
	size, queued := r.Size, ""
	if r.Ours && h.entry.Size > 0 {
		// As the journal and the account have it.
		size, queued = h.entry.Size, fmt.Sprintf("; %d in Postfix's queue", r.Size)
	}
	field("size", fmt.Sprintf("%d bytes (%s%s)", size, bytesize(size), queued))
	if r.Ours {
		var b strings.Builder
		why(&b, &journal.Entry{Stage: r.Stage, Reason: r.Reason, Rule: r.Rule})
		field("why", strings.TrimPrefix(b.String(), "; "))
		field("weight", r.Weight)
	} else {
		field("why", "held by others")
	}
	fmt.Fprintln(w)
	for line := range strings.Lines(header.String()) {
		fmt.Fprintln(w, strings.ReplaceAll(visible(strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "    ")), "\r", ""))
	}
	if header.cut {
		fmt.Fprintf(w, "[the rest of the header is left out; --eml has it]\n")
	}
	return away(w.Flush())
}

// confirmed shows what would be deleted, and asks. No answer is no.
func (a *app) confirmed(named []namedMessage) bool {
	ids := idsOf(named)
	for _, n := range named {
		if n.held != nil {
			fmt.Fprintln(a.err, n.held.line())
		}
	}
	return a.agreed(fmt.Sprintf("Delete %s for ever?", daemon.Plural(len(ids), "message")))
}

// doneRow is what became of a message that the command line named, in JSON.
type doneRow struct {
	Name    string `json:"name"` // as on the command line
	Ref     string `json:"ref"`
	QueueID string `json:"queue_id"`
	Result  string `json:"result"` // "released", "deleted" or "absent"
}

// printDone prints what was done to the messages of ids, before err ended it.
// Something that was not on hold makes it a negative answer.
func (a *app) printDone(named []namedMessage, ids []string, what string, err error) error {
	rows := make([]doneRow, len(named))
	missing := false
	for i, n := range named {
		rows[i] = doneRow{Name: n.name, Result: "absent"}
		if n.held != nil {
			r := n.held.row()
			rows[i].Ref, rows[i].QueueID = r.Ref, r.QueueID
			if slices.Contains(ids, r.QueueID) {
				rows[i].Result = what
			} else if err == nil {
				fmt.Fprintf(a.err, "tollgate: %s is not on hold any more\n", visible(n.name))
			}
		}
		missing = missing || rows[i].Result == "absent"
	}
	if a.json {
		if err := printJSON(a.out, rows); err != nil {
			return err
		}
	} else {
		for i, n := range named {
			if rows[i].Result == "absent" {
				continue
			}
			e := journal.Entry{Sender: n.held.Sender, Recipients: n.held.Recipients}
			if _, err := fmt.Fprintf(a.out, "%s %s (%s): %s\n", what, or(rows[i].Ref), rows[i].QueueID, visible(route(&e))); err != nil {
				return away(err)
			}
		}
	}
	switch {
	case err != nil:
		return away(err)
	case missing:
		return silent(exitNegative)
	}
	return nil
}
