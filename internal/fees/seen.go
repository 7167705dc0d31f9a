package fees

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/durable"
)

// skew is how far clocks of gateways may be apart.
const skew = 2 * time.Minute

// compare notices a store that has forgotten until when fees were looked after: it came
// back empty, or was set back, and has forgotten payments and adjustments as well, which
// no spool brings again. What it said last is kept in a file, so that one which was set
// back while this gateway did not run is noticed at the start.
func (c *Charger) compare(through, now time.Time) {
	if !c.recalled {
		c.recalled = true
		c.seen, c.seenIn = c.recall()
	}
	before := c.seen
	if through.Before(c.seen.Add(-skew)) {
		was := "the store was set back, or came back empty"
		if c.seenIn != "" && c.seenIn != c.Store {
			was = fmt.Sprintf("the store is another one (%s, it was %s)", c.Store, c.seenIn)
		}
		text := fmt.Sprintf("%s: fees were looked after until %s, as it said, and now it says %s; payments and adjustments since then are in no spool: book again what its statements do not have, under the same ids, then \"tollgate clients rebooked\"",
			was, c.seen.Local().Format(time.DateTime), sinceWhen(through))
		c.Log.Error(text)
		if err := c.lost().Note(text); err != nil {
			c.Log.Error("what the store has forgotten is not kept, and will be told until the next start alone", "error", err)
		}
	}
	if c.seen = through; through.After(now) {
		c.seen = time.Time{} // a clock was wrong, and it will be put right
	}
	if !c.seen.Equal(before) || c.seenIn != c.Store {
		c.seenIn = c.Store
		c.keep()
	}
}

func sinceWhen(t time.Time) string {
	if t.IsZero() {
		return "that nobody ever did"
	}
	return t.Local().Format(time.DateTime)
}

// recall reads what the store said before this start, and which one that was; the zero
// time for nothing, "" where an earlier release has not said which.
func (c *Charger) recall() (t time.Time, store string) {
	if c.Seen == "" {
		return time.Time{}, c.Store
	}
	text, err := os.ReadFile(c.Seen)
	if errors.Is(err, os.ErrNotExist) {
		return time.Time{}, c.Store
	}
	if err == nil {
		var at string
		at, store, _ = strings.Cut(strings.TrimSpace(string(text)), " ")
		t, err = time.Parse(time.RFC3339, at)
	}
	if err != nil {
		c.Log.Warn("whether the store was set back while nobody ran cannot be told", "file", c.Seen, "error", err)
	}
	return t, store
}

// keep writes it.
func (c *Charger) keep() {
	if c.Seen == "" {
		return
	}
	if err := durable.Replace(c.Seen, []byte(strings.TrimSpace(c.seen.UTC().Format(time.RFC3339)+" "+c.Store)+"\n"), 0o600); err != nil {
		c.Log.Warn("until when the store says that fees were looked after is not kept", "file", c.Seen, "error", err)
	}
}

// lost is where it is noted.
func (c *Charger) lost() *Losses {
	if c.Lost == nil {
		c.Lost = &Losses{}
	}
	return c.Lost
}
