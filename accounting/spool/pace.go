package spool

import "time"

// A batch ends with the frame that reaches one of these.
const (
	batchRecords = 512
	batchPayload = 1 << 20
)

// pace is how eager a drain is.
type pace struct {
	linger     time.Duration // batches that are not full come no faster
	save       time.Duration // the cursor is saved no more often
	check      time.Duration // an idle sink is asked for its mark so often
	look       time.Duration // the writer asks no more often whether its segment still stands in the folder
	absent     time.Duration // a segment that is missing so long was removed
	backoffMin time.Duration // after the first error of the sink
	backoffMax time.Duration
}

func defaultPace() pace {
	return pace{
		linger: 50 * time.Millisecond, save: 5 * time.Second, check: 10 * time.Second, look: 100 * time.Millisecond, absent: time.Minute,
		backoffMin: 100 * time.Millisecond, backoffMax: 5 * time.Second,
	}
}
