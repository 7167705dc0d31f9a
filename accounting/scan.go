package accounting

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// scan reads a record in exactly the form AppendJSON gives it, which is what
// the spool holds: ten times as fast as encoding/json, which reads everything
// else. Its texts share the memory of line.
func scan(line string, r *Record) bool {
	s := scanner{rest: line}
	s.literal(`{"id":`)
	r.ID = s.text()
	s.literal(`,"kind":`)
	r.Kind = s.text()
	if s.optional(`,"voids":`) {
		r.Voids = s.text()
	}
	s.literal(`,"time":`)
	r.Time = s.time()
	s.literal(`,"gateway":`)
	r.Gateway = s.text()
	s.literal(`,"queue_id":`)
	r.QueueID = s.text()
	s.literal(`,"message_id":`)
	r.MessageID = s.text()
	s.literal(`,"ref":`)
	r.Ref = s.text()
	s.literal(`,"client":`)
	r.Client = s.text()
	s.literal(`,"recipient":`)
	r.Recipient = s.text()
	s.literal(`,"sender":`)
	r.Sender = s.text()
	s.literal(`,"client_ip":`)
	r.ClientIP = s.text()
	s.literal(`,"direction":`)
	r.Direction = s.text()
	s.literal(`,"size":`)
	r.Size = s.number()
	s.literal(`,"charged":`)
	r.Charged = s.number()
	s.literal(`,"share":`)
	r.Share = s.text()
	s.literal(`,"share_index":`)
	r.ShareIndex = int(s.number())
	s.literal(`,"share_count":`)
	r.ShareCount = int(s.number())
	s.literal(`,"verdict":`)
	r.Verdict = s.text()
	s.literal(`,"weight":`)
	r.Weight = s.text()
	s.literal(`,"rules":[`)
	for !s.failed && !s.optional(`]`) {
		if len(r.Rules) > 0 {
			s.literal(`,`)
		}
		r.Rules = append(r.Rules, s.text())
	}
	if s.optional(`,"tariff":`) {
		r.Tariff = s.text()
	}
	if s.optional(`,"tariff_version":`) {
		r.TariffVersion = s.text()
	}
	s.literal(`}`)
	return !s.failed && s.rest == ""
}

type scanner struct {
	rest   string
	failed bool
}

func (s *scanner) optional(lit string) bool {
	rest, ok := strings.CutPrefix(s.rest, lit)
	s.rest = rest
	return ok && !s.failed
}

func (s *scanner) literal(lit string) {
	if !s.optional(lit) {
		s.failed = true
	}
}

// text reads a string without escapes; one with them is for encoding/json.
func (s *scanner) text() string {
	if s.failed || s.rest == "" || s.rest[0] != '"' {
		s.failed = true
		return ""
	}
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			t := s.rest[1:i]
			s.rest = s.rest[i+1:]
			if !utf8.ValidString(t) {
				s.failed = true
			}
			return t
		case c == '\\' || c < ' ':
			s.failed = true
			return ""
		}
	}
	s.failed = true
	return ""
}

// number reads a whole number as JSON writes it.
func (s *scanner) number() int64 {
	n := 0
	for n < len(s.rest) && (s.rest[n] >= '0' && s.rest[n] <= '9' || n == 0 && s.rest[n] == '-') {
		n++
	}
	digits := strings.TrimPrefix(s.rest[:n], "-")
	v, err := strconv.ParseInt(s.rest[:n], 10, 64)
	if s.failed || err != nil || len(digits) > 1 && digits[0] == '0' {
		s.failed = true
		return 0
	}
	s.rest = s.rest[n:]
	return v
}

func (s *scanner) time() time.Time {
	text := s.text()
	if len(text) != len(timeFormat) {
		s.failed = true
		return time.Time{}
	}
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		s.failed = true
	}
	return t
}
