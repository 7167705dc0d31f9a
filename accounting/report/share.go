package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// share is what a split of a message gave one recipient.
type share struct {
	message string // gateway/queue-id/end-of-message-ms
	size    int64
	charged int64
	count   int
	// loose: it stands where a report may not see the others.
	loose bool
}

// shareOf is the share that a usage record is about.
func shareOf(r *accounting.Record, from, to time.Time) share {
	// Periods of other clients are cut elsewhere.
	const near = 8 * 24 * time.Hour
	at := r.Falls()
	return share{
		messageOf(r.ID), r.Size, r.Charged, r.ShareCount,
		r.Effect == accounting.Adjustment || at.Before(from.Add(near)) || !at.Before(to.Add(-near)),
	}
}

// messageOf is what the ids of a message's records have in common.
func messageOf(id string) string {
	part := strings.SplitN(id, "/", 4)
	return strings.Join(part[:min(3, len(part))], "/")
}

// shareProblem tells what is wrong with a record's share; "" for nothing.
func shareProblem(r *accounting.Record) string {
	want := r.Size
	if r.Share == accounting.ShareSplit {
		n := int64(r.ShareCount)
		want = r.Size / n
		if int64(r.ShareIndex) <= r.Size%n {
			want++
		}
	}
	if want == r.Charged {
		return ""
	}
	return fmt.Sprintf("%s: charged %d, share %d of %d of %d bytes is %d", r.ID, r.Charged, r.ShareIndex, r.ShareCount, r.Size, want)
}

// shares are messages of which some shares have been seen, and not all.
type shares map[string]share

func (s shares) add(list []share) {
	for _, one := range list {
		sum, there := s[one.message]
		if !there {
			sum = share{message: one.message, size: one.size, count: one.count}
		}
		sum.charged += one.charged
		sum.count--
		sum.loose = sum.loose || one.loose
		if sum.count == 0 && sum.charged == sum.size {
			delete(s, one.message)
			continue
		}
		s[one.message] = sum
	}
}

// problems are the messages whose shares do not sum to their size.
func (s shares) problems() []string {
	var list []string
	for _, m := range s {
		if !m.loose {
			list = append(list, fmt.Sprintf("message %s: its shares sum to %d of %d bytes", m.message, m.charged, m.size))
		}
	}
	slices.Sort(list)
	return list
}
