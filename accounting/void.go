package accounting

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

const voidSuffix = "/void"

// VoidOf takes a usage record back, at t. Its own ID follows from that of r:
// voiding a record twice is voiding it once. A void is never voided itself:
// VoidOf returns it as it is.
//
// Size and Charged stay those of r; Delta gives them their sign. A store that
// has not seen r has nothing to lower: it remembers both IDs, so that neither
// counts afterwards.
func VoidOf(r Record, t time.Time) Record {
	if r.Kind == Void {
		return r
	}
	r.Kind, r.Voids = Void, r.ID
	r.ID += voidSuffix
	r.Time = t.UTC().Truncate(time.Millisecond)
	return r
}

// Delta is what the record adds to its client's counters; a void takes away.
func (r *Record) Delta() (deliveries, size, charged int64) {
	if r.Effect == NoEffect {
		return 0, 0, 0
	}
	switch r.Kind {
	case Usage:
		return 1, r.Size, r.Charged
	case Void:
		return -1, -r.Size, -r.Charged
	}
	return 0, 0, 0
}

// At is when the record counts: the time of its Origin, so that a void takes
// away where its record has added, but for an Adjustment its own.
func (r *Record) At() time.Time {
	if r.Effect == Adjustment {
		return r.Time
	}
	return r.Origin()
}

// Origin is the end of the message that the record is about, to the
// millisecond in UTC: of a usage record its time, of a void that of the record
// it voids, which stands in the ID. What a store keeps by day or period to
// know a record again, it keeps by this, or a void made on two days would
// count twice.
func (r *Record) Origin() time.Time {
	if r.Kind != Void {
		return r.Time
	}
	// Neither a gateway nor a queue id has a slash in it; a recipient may.
	part := strings.SplitN(r.Voids, "/", 4)
	if len(part) < 4 {
		return r.Time
	}
	ms, err := strconv.ParseInt(part[2], 10, 64)
	if err != nil {
		return r.Time
	}
	return time.UnixMilli(ms).UTC()
}

// Content is the SHA-256 of what an entry says, in hexadecimal: its kind,
// client, amount, currency and what it reverses, each ended by a zero byte.
// Who says it, when and in which words is no part of it.
func (r *Record) Content() string {
	h := sha256.New()
	for _, text := range []string{r.Kind, r.Client, r.Amount, r.Currency, r.Reverses} {
		h.Write([]byte(text))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Falls is where in time a stored record counts: as At, but for an Adjustment
// within its Period, which is later than its message. No time zone is further
// from UTC than noon from the middle of a day's begin: noon is of that day
// wherever its period was cut.
func (r *Record) Falls() time.Time {
	at := r.At()
	if r.Effect != Adjustment || r.Period == "" {
		return at
	}
	from, to, err := Span(r.Period, time.UTC)
	// Of a week in two months what came late counts in the first.
	if err != nil || r.Kind == Void && !at.Before(from) && at.Before(to) && Month(at, time.UTC) == Month(from, time.UTC) {
		return at
	}
	return from.Add(12 * time.Hour)
}
