package accounting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/tollgate-mail/tollgate/internal/jsontext"
)

// timeFormat is RFC 3339 in UTC with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

// AppendTime appends a time as records have it: RFC 3339 in UTC, milliseconds,
// what is finer cut off. Five times as fast as time.Time.AppendFormat with
// timeFormat, which package time has no short way for.
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	b = append(appendDay(b, t), 'T')
	hour, minute, second := t.Clock()
	b = append(appendTwo(b, hour), ':')
	b = append(appendTwo(b, minute), ':')
	b = appendTwo(b, second)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// parseTime reads what AppendTime wrote, and nothing else.
func parseTime(text string) (time.Time, error) {
	const point = len(timeFormat) - len(".000Z")
	if len(text) == len(timeFormat) && text[point] == '.' && text[len(text)-1] == 'Z' {
		if t, err := time.Parse(time.RFC3339, text); err == nil { // a short way of package time
			return t, nil
		}
	}
	return time.Parse(timeFormat, text)
}

// AppendJSON appends the record as one JSON object on one line, without a
// line end, and allocates nothing but room in b. Octets that are not UTF-8
// become U+FFFD; what encoding/json decodes from it is the record but for
// those and for parts of a millisecond.
func (r *Record) AppendJSON(b []byte) []byte {
	for i := range fields {
		f := &fields[i]
		if f.sparse && f.empty(r) {
			continue
		}
		b = append(b, leads[i]...)
		switch {
		case f.text != nil:
			b = jsontext.AppendString(b, *f.text(r))
		case f.whole != nil:
			b = strconv.AppendInt(b, *f.whole(r), 10)
		case f.count != nil:
			b = strconv.AppendInt(b, int64(*f.count(r)), 10)
		case f.clock != nil:
			b = append(b, '"')
			b = append(AppendTime(b, *f.clock(r)), '"')
		case f.list != nil:
			b = appendList(b, *f.list(r))
		}
	}
	return append(b, '}')
}

// MarshalJSON is AppendJSON for encoding/json.
func (r Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }

// ParseRecord reads what AppendJSON wrote, from outside: the record has passed
// Check. Fields it does not know are left out.
func ParseRecord(b []byte) (Record, error) {
	var r Record
	if !scan(string(bytes.TrimSuffix(b, []byte("\n"))), &r) {
		r = Record{}
		if err := json.Unmarshal(b, &r); err != nil {
			return Record{}, fmt.Errorf("usage record: %w", err)
		}
	}
	r.Time = r.Time.UTC().Truncate(time.Millisecond)
	if len(r.Rules) == 0 {
		r.Rules = nil
	}
	if err := r.Check(); err != nil {
		return Record{}, err
	}
	return r, nil
}

// appendList writes texts as a JSON array.
func appendList(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, text := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, text)
	}
	return append(b, ']')
}
