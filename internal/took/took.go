// Package took says where the time of a message went: by stage, and by what was
// waited for.
package took

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Part is a stage of a judgement, or something that was waited for within
// stages.
type Part uint8

// Stages are numbered as those of rules.
const (
	Connect Part = iota
	Helo
	MailFrom
	RcptTo // of all recipients together
	Headers
	Complete

	DNS        // answers that were not there when they were needed
	Memory     // greylisting and correspondents
	Inspectors // the antivirus and the modules, which work side by side
	Account    // usage records that had to become durable

	Parts // how many there are
)

var names = [Parts]string{"connect", "helo", "mailfrom", "rcptto", "headers", "complete", "dns", "memory", "inspectors", "account"}

// String is the name of a part in journals and figures.
func (p Part) String() string { return names[p] }

// Stage tells whether it is a stage: the others are waited for within stages.
func (p Part) Stage() bool { return p <= Complete }

// Times are those of one message. The zero value is of a message that has taken
// no time.
type Times struct {
	// Total is from MAIL to the verdict: what the client and the MTA took is in
	// it, too.
	Total time.Duration
	// Connect and Helo are of the first message of a session.
	of      [Parts]time.Duration
	reached uint16
}

// Add adds time to a part. A clock that was set back adds nothing.
func (t *Times) Add(p Part, d time.Duration) {
	t.of[p] += max(d, 0)
	t.reached |= 1 << p
}

// Of is how long a part took.
func (t *Times) Of(p Part) time.Duration { return t.of[p] }

// Reached tells whether a part was come to at all.
func (t *Times) Reached(p Part) bool { return t.reached&(1<<p) != 0 }

// Here is the time of all stages: Total without it is the client's and the MTA's.
func (t *Times) Here() time.Duration {
	var sum time.Duration
	for p := Connect; p <= Complete; p++ {
		sum += t.of[p]
	}
	return sum
}

// AppendJSON writes an object of whole milliseconds. Parts of less than one are
// left out.
func (t *Times) AppendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"total":`...), t.Total.Milliseconds(), 10)
	for p, d := range t.of {
		if ms := d.Milliseconds(); ms > 0 {
			b = append(append(append(b, `,"`...), names[p]...), `":`...)
			b = strconv.AppendInt(b, ms, 10)
		}
	}
	return append(b, '}')
}

// UnmarshalJSON reads what AppendJSON wrote. Members that it does not know are
// passed over: a later version may have more.
func (t *Times) UnmarshalJSON(text []byte) error {
	var ms map[string]json.Number
	if err := json.Unmarshal(text, &ms); err != nil {
		return err
	}
	*t = Times{Total: duration(ms["total"])}
	for p := range Parts {
		if d := duration(ms[names[p]]); d > 0 {
			t.Add(p, d)
		}
	}
	return nil
}

// duration is a number of milliseconds, 0 where it is none.
func duration(n json.Number) time.Duration {
	ms, err := n.Int64()
	if err != nil || ms < 0 {
		return 0
	}
	return time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}
