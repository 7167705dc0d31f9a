package accounting

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What AppendTime writes is what package time writes, and is read again to the
// millisecond.
func TestTimesAsPackageTimeWritesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		text := string(AppendTime(nil, at))
		if want := at.UTC().Format(timeFormat); text != want {
			t.Fatalf("%v is %q, want %q", at, text, want)
		}
		again, err := parseTime(text)
		if err != nil || !again.Equal(at.Truncate(time.Millisecond)) {
			t.Fatalf("%q is read as %v, %v", text, again, err)
		}
	})
}

// Nothing else is taken for a time than what package time takes.
func TestTimesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "2026-11-28T01:02:03Z", "2026-11-28T01:02:03,000Z", "2026-11-28T01:02:03.00Z", "2026-11-28T01:02:03.0000Z",
		"2026-11-28T1:02:03.0000Z", "2026-02-30T01:02:03.000Z", "2026-11-28T01:02:03.000z", "2026-11-28t01:02:03.000Z",
		"2026-11-28T24:00:00.000Z", "2026-11-28T01:02:03.-00Z", "2026-11-28T01:02+03:00Z ",
	} {
		got, err := parseTime(text)
		if want, wantErr := time.Parse(timeFormat, text); (err == nil) != (wantErr == nil) || !got.Equal(want) {
			t.Errorf("%q: %v, %v; package time says %v, %v", text, got, err, want, wantErr)
		}
	}
}

// Days and months are what package time writes, of years beyond four digits too.
func TestDaysAsPackageTimeWritesThem(t *testing.T) {
	kolkata := time.FixedZone("", 5*3600+1800)
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.OneOf(rapid.Int64Range(-62135596800, 253402300799), rapid.Int64Range(-1e12, 1e12)).Draw(t, "seconds")
		at := time.Unix(seconds, 0)
		for _, loc := range []*time.Location{time.UTC, kolkata} {
			if got, want := Day(at, loc), at.In(loc).Format(dayFormat); got != want {
				t.Fatalf("day %q, want %q", got, want)
			}
			if got, want := Month(at, loc), at.In(loc).Format(monthFormat); got != want {
				t.Fatalf("month %q, want %q", got, want)
			}
		}
	})
}
