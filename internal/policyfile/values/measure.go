package values

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/rules/number"
)

// Size reads octets: "10 MiB" or an integer, from least to most.
func (r *Reader) Size(into *int64, least, most int64) func(*document.Node) {
	return func(n *document.Node) {
		octets, ok := n.Value.(int64)
		if s, text := n.Value.(string); text {
			octets, ok = parseSize(s)
		}
		switch {
		case !ok:
			r.Errorf(n, `%s must be a size such as "10 MiB", not %s%s`, n.Key, Shown(n), sizeMeant(n))
		case octets < least || octets > most:
			r.Errorf(n, "%s must be between %s and %s", n.Key, sizeText(least), sizeText(most))
		default:
			*into = octets
		}
	}
}

// parseSize reads a whole number with a unit.
func parseSize(s string) (int64, bool) {
	factor := int64(1)
	for _, u := range number.Octets.Factors() {
		if before, ok := strings.CutSuffix(s, u.Name); ok {
			s, factor = strings.TrimSpace(before), u.By
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor || strings.HasPrefix(s, "+") {
		return 0, false
	}
	return n * factor, true
}

var fractionOf = regexp.MustCompile(`^([0-9]{1,6})[.,]([0-9]{1,3}) *([KMGT])i?B?$`)

// sizeMeant says what to write for a size that has a fraction or a unit of ten.
func sizeMeant(n *document.Node) string {
	text, _ := n.Value.(string)
	if m := fractionOf.FindStringSubmatch(text); m != nil {
		whole, err := strconv.ParseInt(m[1]+(m[2] + "000")[:3], 10, 64)
		if below := strings.IndexByte("KMGT", m[3][0]); err == nil {
			return fmt.Sprintf("; sizes are whole numbers: \"%d %s\"", (whole*1024+500)/1000, [...]string{"B", "KiB", "MiB", "GiB"}[below])
		}
	}
	if number := strings.TrimRight(text, "KMGTBkmgtbi "); number != text {
		if _, ok := parseSize(number); ok {
			return "; units are B, KiB, MiB, GiB and TiB"
		}
	}
	return ""
}

// sizeText is a size as policies write it.
func sizeText(n int64) string {
	text := strconv.FormatInt(n, 10)
	for _, u := range number.Octets.Factors() {
		if u.By > 1 && n >= u.By && n%u.By == 0 {
			text = strconv.FormatInt(n/u.By, 10) + " " + u.Name
		}
	}
	return text
}

// Duration reads a time such as "30s", "5m", "2h", "36d" or "1h30m", from least
// to most.
func (r *Reader) Duration(into *time.Duration, least, most time.Duration) func(*document.Node) {
	return func(n *document.Node) {
		s, ok := n.Value.(string)
		var t time.Duration
		if ok {
			t, ok = parseDuration(s)
		}
		switch {
		case !ok:
			r.Errorf(n, `%s must be a time such as "30s", "5m" or "2d", not %s`, n.Key, Shown(n))
		case t < least || t > most:
			r.Errorf(n, "%s must be between %s and %s", n.Key, durationText(least), durationText(most))
		default:
			*into = t
		}
	}
}

// Day is what "1d" is.
const Day = 24 * time.Hour

// parseDuration is time.ParseDuration with days.
func parseDuration(s string) (time.Duration, bool) {
	var days time.Duration
	if before, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseInt(before, 10, 64)
		if err != nil || n < 0 || n > int64(math.MaxInt64/Day) {
			return 0, false
		}
		if days = time.Duration(n) * Day; after == "" {
			return days, true
		}
		s = after
	}
	rest, err := time.ParseDuration(s)
	if err != nil || rest < 0 || rest > math.MaxInt64-days {
		return 0, false
	}
	return days + rest, true
}

// durationText is a time as policies write it.
func durationText(t time.Duration) string {
	switch {
	case t >= Day && t%Day == 0:
		return fmt.Sprintf("%dd", t/Day)
	case t >= time.Minute && t%time.Minute == 0 && t < time.Hour:
		return fmt.Sprintf("%dm", t/time.Minute)
	case t >= time.Hour && t%time.Hour == 0:
		return fmt.Sprintf("%dh", t/time.Hour)
	}
	return t.String()
}
