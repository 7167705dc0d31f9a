package accounting

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// dayNames in the order of the week.
var dayNames = [7]string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"}

// ParseSchedule parses the policy's notation: entries with ";" between, each
// of them days, a space and times. Days are names (Mo Tu We Th Fr Sa Su) and
// ranges of names with "," between; a range may pass the end of the week
// (Fr-Mo). Times are ranges HH:MM-HH:MM with "," between; one that ends
// earlier than it begins passes midnight (22:00-06:00); 24:00 may end one.
// Errors name the column, counted in characters from 1.
func ParseSchedule(s string) (*Schedule, error) {
	p := scheduleParser{text: s}
	var spans []span
	for {
		entry, err := p.entry()
		if err != nil {
			return nil, err
		}
		spans = append(spans, entry...)
		if p.skipSpace(); p.at == len(s) {
			return newSchedule(spans), nil
		}
		if !p.take(';') {
			return nil, p.errorf("%q where a ; or the end is expected", p.word())
		}
	}
}

type scheduleParser struct {
	text string
	at   int // octets
}

func (p *scheduleParser) entry() ([]span, error) {
	start := p.at
	days, err := p.days()
	if err != nil {
		return nil, err
	}
	space := p.skipSpace()
	if p.at == len(p.text) || p.text[p.at] == ';' {
		return nil, p.errorf("times are expected after the days: %s 00:00-24:00 is all of them", strings.TrimSpace(p.text[start:p.at]))
	}
	if space == 0 {
		return nil, p.errorf("%q where a space and times are expected", p.word())
	}
	var spans []span
	for {
		from, to, err := p.times()
		if err != nil {
			return nil, err
		}
		for d, on := range days {
			if on {
				spans = append(spans, span{d*dayMinutes + from, d*dayMinutes + to})
			}
		}
		if !p.next(',') {
			return spans, nil
		}
	}
}

func (p *scheduleParser) days() (days [7]bool, err error) {
	for {
		first, err := p.day()
		if err != nil {
			return days, err
		}
		last := first
		if p.next('-') {
			if last, err = p.day(); err != nil {
				return days, err
			}
		}
		for d := first; ; d = (d + 1) % 7 {
			days[d] = true
			if d == last {
				break
			}
		}
		if !p.next(',') {
			return days, nil
		}
	}
}

func (p *scheduleParser) day() (int, error) {
	p.skipSpace()
	word := p.word()
	for i, name := range dayNames {
		if strings.EqualFold(word, name) {
			p.at += len(word)
			return i, nil
		}
	}
	return 0, p.errorf("%s where a day is expected: %s", quoteWord(word), strings.Join(dayNames[:], " "))
}

// times are minutes of the day they begin on; what passes midnight ends after
// dayMinutes.
func (p *scheduleParser) times() (from, to int, err error) {
	p.skipSpace()
	start := p.at
	if from, err = p.clock(); err != nil {
		return 0, 0, err
	}
	if from == dayMinutes {
		p.at = start
		return 0, 0, p.errorf("24:00 can only end a range")
	}
	if !p.next('-') {
		return 0, 0, p.errorf("%s where - and the end of the range are expected", quoteWord(p.word()))
	}
	p.skipSpace()
	if to, err = p.clock(); err != nil {
		return 0, 0, err
	}
	if from == to {
		p.at = start
		return 0, 0, p.errorf("the range is empty: a whole day is 00:00-24:00")
	}
	if to < from {
		to += dayMinutes
	}
	return from, to, nil
}

func (p *scheduleParser) clock() (int, error) {
	t := p.text[p.at:]
	if len(t) < 5 || t[2] != ':' || !digits(t[:2]) || !digits(t[3:5]) || len(t) > 5 && digits(t[5:6]) {
		return 0, p.errorf("%s where a time is expected: HH:MM", quoteWord(p.word()))
	}
	m := (int(t[0]-'0')*10+int(t[1]-'0'))*60 + int(t[3]-'0')*10 + int(t[4]-'0')
	if m > dayMinutes || t[3] > '5' {
		return 0, p.errorf("%s is no time: 00:00 to 24:00", t[:5])
	}
	p.at += 5
	return m, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// next takes c, and the space before it.
func (p *scheduleParser) next(c byte) bool {
	was := p.at
	p.skipSpace()
	if p.take(c) {
		return true
	}
	p.at = was
	return false
}

func (p *scheduleParser) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *scheduleParser) skipSpace() (n int) {
	for p.take(' ') || p.take('\t') {
		n++
	}
	return n
}

// word is what stands here up to the next separator, for a message.
func (p *scheduleParser) word() string {
	rest := p.text[p.at:]
	if rest == "" {
		return ""
	}
	if n := strings.IndexAny(rest, " \t,;-"); n > 0 {
		return rest[:n]
	} else if n == 0 {
		return rest[:1]
	}
	return rest
}

func quoteWord(w string) string {
	if w == "" {
		return "the end"
	}
	return fmt.Sprintf("%q", w)
}

func (p *scheduleParser) errorf(format string, args ...any) error {
	column := utf8.RuneCountInString(p.text[:p.at]) + 1
	return fmt.Errorf("schedule: column %d: "+format, append([]any{column}, args...)...)
}
