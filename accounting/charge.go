package accounting

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Payer is one accepted recipient of a message.
type Payer struct {
	Recipient string // the form under which its client was found
	Client    string // "" when nobody is billed
}

// Sharing says how the size of a message is shared among its recipients.
type Sharing struct {
	Split   bool // evenly; else each pays the whole size
	OverAll bool // a split counts all recipients; the unbilled shares go to Unbilled
}

// Charge makes the usage records of one message, sorted by recipient: one for
// each payer with a client and, where a split goes over all, one for each of
// the others too. It is nil where there is nobody to charge.
//
// Base has what the records have in common. Its ID is the part before the
// recipient (gateway/queue-id/end-of-message-ms); kind, client, recipient,
// size and share are set here; Rules is shared by all. Size is the message's
// bytes; less than nothing counts as nothing.
//
// Shares count from 1. Of a split the charged bytes sum to size, whatever the
// order of the payers. A recipient that stands there twice is charged once.
func Charge(base Record, size int64, payers []Payer, s Sharing) []Record {
	base.Kind, base.Voids = Usage, ""
	base.Time = base.Time.UTC().Truncate(time.Millisecond)
	base.Size = max(size, 0)
	base.Share = ShareFull
	if s.Split {
		base.Share = ShareSplit
	}
	sharers := sharers(payers, s)
	if len(sharers) == 0 {
		return nil
	}
	records := make([]Record, len(sharers))
	n := int64(len(sharers))
	each, rest := base.Size/n, base.Size%n
	for i, p := range sharers {
		r := &records[i]
		*r = base
		r.ID = base.ID + "/" + p.Recipient
		r.Recipient, r.Client = p.Recipient, cmp.Or(p.Client, Unbilled)
		r.ShareIndex, r.ShareCount = i+1, len(sharers)
		r.Charged = base.Size
		if s.Split {
			r.Charged = each
			if int64(i) < rest {
				r.Charged++
			}
		}
	}
	return records
}

// sharers are the payers that get a record: sorted, each recipient once.
func sharers(payers []Payer, s Sharing) []Payer {
	out := make([]Payer, 0, len(payers))
	for _, p := range payers {
		if p.Client == "" && !(s.Split && s.OverAll) {
			continue
		}
		// An ID ends in the recipient, and JSON carries UTF-8 only: two that
		// differ in other octets alone would become one record on the way to
		// the store, and a share would be lost.
		p.Recipient = strings.ToValidUTF8(p.Recipient, "\uFFFD")
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Payer) int {
		// Of a recipient that stands there both billed and unbilled, and so
		// whatever the order was, the client pays.
		return cmp.Or(strings.Compare(a.Recipient, b.Recipient), strings.Compare(b.Client, a.Client))
	})
	return slices.CompactFunc(out, func(a, b Payer) bool { return a.Recipient == b.Recipient })
}
