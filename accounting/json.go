package accounting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// timeFormat is RFC 3339 in UTC with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

// AppendJSON appends the record as one JSON object on one line, without a
// line end, and allocates nothing but room in b. Octets that are not UTF-8
// become U+FFFD; what encoding/json decodes from it is the record but for
// those and for parts of a millisecond.
func (r *Record) AppendJSON(b []byte) []byte {
	b = appendText(append(b, '{'), `"id":`, r.ID)
	b = appendText(b, `,"kind":`, r.Kind)
	if r.Voids != "" {
		b = appendText(b, `,"voids":`, r.Voids)
	}
	b = append(b, `,"time":"`...)
	b = append(r.Time.UTC().AppendFormat(b, timeFormat), '"')
	b = appendText(b, `,"gateway":`, r.Gateway)
	b = appendText(b, `,"queue_id":`, r.QueueID)
	b = appendText(b, `,"message_id":`, r.MessageID)
	b = appendText(b, `,"ref":`, r.Ref)
	b = appendText(b, `,"client":`, r.Client)
	b = appendText(b, `,"recipient":`, r.Recipient)
	b = appendText(b, `,"sender":`, r.Sender)
	b = appendText(b, `,"client_ip":`, r.ClientIP)
	b = appendText(b, `,"direction":`, r.Direction)
	b = appendNumber(b, `,"size":`, r.Size)
	b = appendNumber(b, `,"charged":`, r.Charged)
	b = appendText(b, `,"share":`, r.Share)
	b = appendNumber(b, `,"share_index":`, int64(r.ShareIndex))
	b = appendNumber(b, `,"share_count":`, int64(r.ShareCount))
	b = appendText(b, `,"verdict":`, r.Verdict)
	b = appendText(b, `,"weight":`, r.Weight)
	b = append(b, `,"rules":[`...)
	for i, rule := range r.Rules {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, rule)
	}
	b = append(b, ']')
	if r.Tariff != "" {
		b = appendText(b, `,"tariff":`, r.Tariff)
	}
	if r.TariffVersion != "" {
		b = appendText(b, `,"tariff_version":`, r.TariffVersion)
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

func appendText(b []byte, key, s string) []byte { return appendString(append(b, key...), s) }

func appendNumber(b []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(b, key...), n, 10)
}

const hex = "0123456789abcdef"

// appendString quotes as RFC 8259 §7 asks.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			b = append(append(b, s[start:i]...), "\uFFFD"...)
			i++
			start = i
			continue
		}
		b = append(b, s[start:i]...)
		if c == '"' || c == '\\' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}
