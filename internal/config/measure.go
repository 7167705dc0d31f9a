package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config/document"
)

// sizeUnits are factors of octets, as the policy language has them.
var sizeUnits = [...]struct {
	name   string
	factor int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"B", 1}}

// size reads octets: "10 MiB" or an integer, from least to most.
func (d *decoder) size(into *int64, least, most int64) func(*node) {
	return func(n *node) {
		octets, ok := n.Value.(int64)
		if s, text := n.Value.(string); text {
			octets, ok = parseSize(s)
		}
		switch {
		case !ok:
			d.errorf(n, `%s must be a size such as "10 MiB", not %s`, n.Key, shown(n))
		case octets < least || octets > most:
			d.errorf(n, "%s must be between %s and %s", n.Key, sizeText(least), sizeText(most))
		default:
			*into = octets
		}
	}
}

// parseSize reads a whole number with a unit.
func parseSize(s string) (int64, bool) {
	factor := int64(1)
	for _, u := range sizeUnits {
		if before, ok := strings.CutSuffix(s, u.name); ok {
			s, factor = strings.TrimSpace(before), u.factor
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor || strings.HasPrefix(s, "+") {
		return 0, false
	}
	return n * factor, true
}

// sizeText is a size as policies write it.
func sizeText(n int64) string {
	text := strconv.FormatInt(n, 10)
	for _, u := range sizeUnits {
		if u.factor > 1 && n >= u.factor && n%u.factor == 0 {
			text = strconv.FormatInt(n/u.factor, 10) + " " + u.name
		}
	}
	return text
}

// duration reads a time such as "30s", "5m", "2h", "36d" or "1h30m", from least
// to most.
func (d *decoder) duration(into *time.Duration, least, most time.Duration) func(*node) {
	return func(n *node) {
		s, ok := n.Value.(string)
		var t time.Duration
		if ok {
			t, ok = parseDuration(s)
		}
		switch {
		case !ok:
			d.errorf(n, `%s must be a time such as "30s", "5m" or "2d", not %s`, n.Key, shown(n))
		case t < least || t > most:
			d.errorf(n, "%s must be between %s and %s", n.Key, durationText(least), durationText(most))
		default:
			*into = t
		}
	}
}

const day = 24 * time.Hour

// parseDuration is time.ParseDuration with days.
func parseDuration(s string) (time.Duration, bool) {
	var days time.Duration
	if before, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseInt(before, 10, 64)
		if err != nil || n < 0 || n > int64(math.MaxInt64/day) {
			return 0, false
		}
		if days = time.Duration(n) * day; after == "" {
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
	case t >= day && t%day == 0:
		return fmt.Sprintf("%dd", t/day)
	case t >= time.Minute && t%time.Minute == 0 && t < time.Hour:
		return fmt.Sprintf("%dm", t/time.Minute)
	case t >= time.Hour && t%time.Hour == 0:
		return fmt.Sprintf("%dh", t/time.Hour)
	}
	return t.String()
}

// whole reads a whole number from least to most.
func (d *decoder) whole(into *int, least, most int) func(*node) {
	return func(n *node) {
		v, ok := n.Value.(int64)
		if !ok || v < int64(least) || v > int64(most) {
			d.errorf(n, "%s must be a whole number between %d and %d, not %s", n.Key, least, most, shown(n))
			return
		}
		*into = int(v)
	}
}

// shown is a value as a message shows it.
func shown(n *node) string {
	if s, ok := n.Value.(string); ok {
		return strconv.Quote(s)
	}
	if n.Kind == document.Single {
		return fmt.Sprint(n.Value)
	}
	return n.What()
}
