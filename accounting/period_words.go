package accounting

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrPeriod is of words that name no period.
var ErrPeriod = errors.New(`want a month ("2026-11", "november", "this month"), a week ("2026-W48", "last week") or a day ("2026-11-23", "23.11.2026", "yesterday", "tuesday")`)

// NamePeriod reads a period as people say it, in the zone of now, and writes it as the
// account does. A month or a day of the week by its name alone is the last that has
// begun. It is what every command reads days, weeks and months with. ErrPeriod: it is
// none.
func NamePeriod(said string, now time.Time) (string, error) {
	words := strings.ToLower(strings.Join(strings.Fields(said), " "))
	y, m, d := now.Date()
	day := func(back int) time.Time { return time.Date(y, m, d-back, 12, 0, 0, 0, time.UTC) }
	switch words {
	case "today":
		return day(0).Format(dayFormat), nil
	case "yesterday":
		return day(1).Format(dayFormat), nil
	case "this week":
		return weekOf(day(0)), nil
	case "last week":
		return weekOf(day(7)), nil
	case "this month":
		return now.Format(monthFormat), nil
	case "last month":
		return time.Date(y, m-1, 1, 12, 0, 0, 0, time.UTC).Format(monthFormat), nil
	}
	for back := range 7 {
		if t := day(back); called(words, t.Weekday().String()) {
			return t.Format(dayFormat), nil
		}
	}
	name, year, _ := strings.Cut(words, " ")
	for month := time.January; month <= time.December; month++ {
		switch {
		case !called(name, month.String()):
		case len(year) == 4:
			words = fmt.Sprintf("%s-%02d", year, month)
		case year == "" && month > m:
			return fmt.Sprintf("%04d-%02d", y-1, month), nil
		case year == "":
			return fmt.Sprintf("%04d-%02d", y, month), nil
		}
	}
	if t, err := time.Parse("2.1.2006", words); err == nil {
		return t.Format(dayFormat), nil
	}
	period := strings.ToUpper(words)
	if _, _, err := Span(period, time.UTC); err != nil {
		return "", ErrPeriod
	}
	return period, nil
}

// called tells whether a word is a name, or its first three letters.
func called(word, name string) bool {
	name = strings.ToLower(name)
	return word == name || word == name[:3]
}

func weekOf(t time.Time) string {
	year, n := t.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, n)
}
