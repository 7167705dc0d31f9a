package accounting

import (
	"fmt"
	"time"
)

// FutureLimit is how far ahead of the store's clock a record's time may lie.
const FutureLimit = 48 * time.Hour

// Fit tells why a store may not apply the record now, remembering IDs for so
// many days; nil when it may.
func Fit(r *Record, now time.Time, seenDays int) error {
	if err := r.Check(); err != nil {
		return err
	}
	if day := 24 * time.Hour; now.Sub(r.Origin()) > time.Duration(seenDays)*day {
		return fmt.Errorf("usage record %q: of %s, longer ago than the %d days for which IDs are remembered",
			r.ID, r.Origin().Format(dayFormat), seenDays)
	}
	for _, t := range []time.Time{r.Time, r.Origin()} {
		if t.Sub(now) > FutureLimit {
			return fmt.Errorf("usage record %q: of %s, which is not yet", r.ID, t.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// Marks are the names under which a store remembers a record, for the day of
// its Origin: own is the record's; other is that of the void, or of the voided
// record. A void counts once, whatever its ID.
func (r *Record) Marks() (own, other string) {
	if r.Kind == Void {
		return r.Voids + voidSuffix, r.Voids
	}
	return r.ID, r.ID + voidSuffix
}
