package css

import (
	"slices"
	"strings"
)

// computed are values in which what is to be reckoned is (CSS Values 4 §10), and the
// functions are told that stand for what is not known here: sure is false then.
func computed(values []value) (all []value, sure bool) {
	if !slices.ContainsFunc(values, func(v value) bool { return strings.HasSuffix(v.text, "(") }) {
		return values, true
	}
	for i := 0; i < len(values); i++ {
		switch v := values[i]; v.text {
		case "var(", "env(", "attr(", "if(", "random(", "sibling-index(", "first-valid(", "inherit(", "toggle(",
			"round(", "mod(", "rem(", "abs(", "sign(", "sin(", "cos(", "tan(", "asin(", "acos(", "atan(", "atan2(", "pow(", "sqrt(", "hypot(", "log(", "exp(",
			"progress(", "calc-size(", "anchor-size(", "sibling-count(", "-webkit-calc(", "-moz-calc(":
			return values, false
		case "calc(", "min(", "max(", "clamp(":
			// With small letters and screens, and with large ones: what is nothing in one
			// only cannot be told.
			small := sum{rest: values[i:], letters: 8, screen: narrowest}
			large := sum{rest: values[i:], letters: 40, screen: Widest}
			a, b := small.factor(), large.factor()
			one, other := value{n: a, unit: "px"}, value{n: b, unit: "px"}
			if small.plain {
				one.unit, other.unit = "", ""
				one.exact = reckoned
			}
			if small.bad || one.none() != other.none() || one.beyond(100) != other.beyond(100) {
				return values, false
			}
			if all == nil {
				all = slices.Clone(values[:i])
			}
			all = append(all, one)
			i += len(values[i:]) - len(small.rest) - 1
		default:
			if strings.HasPrefix(v.text, "--") && strings.HasSuffix(v.text, "(") {
				return values, false
			}
			if all != nil {
				all = append(all, v)
			}
		}
	}
	if all == nil {
		all = values
	}
	return all, true
}

// reckoned stands for what a number without a unit was written as.
const reckoned = "calc("

// sum is what is reckoned, in pixels.
type sum struct {
	rest            []value
	letters, screen float64
	united          bool
	plain           bool // a number, without a unit
	bad             bool
}

func (s *sum) next() (v value) {
	if len(s.rest) == 0 {
		s.bad = true
		return value{text: ")", unit: "none"}
	}
	v, s.rest = s.rest[0], s.rest[1:]
	return v
}

func (s *sum) at(texts ...string) bool {
	return len(s.rest) > 0 && slices.Contains(texts, s.rest[0].text)
}

// factor reads a number, or what is in parentheses.
func (s *sum) factor() float64 {
	v := s.next()
	switch v.text {
	case "calc(", "(":
		n := s.sum()
		if s.next().text != ")" {
			s.bad = true
		}
		return n
	case "min(", "max(", "clamp(":
		all := []float64{s.sum()}
		for s.at(",") {
			s.next()
			all = append(all, s.sum())
		}
		if s.next().text != ")" {
			s.bad = true
		}
		switch {
		case v.text == "min(":
			return slices.Min(all)
		case v.text == "max(":
			return slices.Max(all)
		case len(all) != 3:
			s.bad = true
		default:
			return max(all[0], min(all[1], all[2]))
		}
		return 0
	}
	px := pixels(v.unit, s.letters, s.screen)
	switch {
	case v.unit == "none":
		s.bad = true
	case v.unit == "":
		px = 1
	default:
		s.united = true
	}
	s.plain = !s.united
	s.bad = s.bad || px < 0
	return v.n * px
}

func (s *sum) product() float64 {
	n := s.factor()
	for s.at("*", "/") {
		times := s.next().text == "*"
		switch by := s.factor(); {
		case times:
			n *= by
		case by == 0:
			s.bad = true
		default:
			n /= by
		}
	}
	return n
}

func (s *sum) sum() float64 {
	n := s.product()
	for s.at("+", "-") {
		if s.next().text == "+" {
			n += s.product()
		} else {
			n -= s.product()
		}
	}
	return n
}

// pixels is how many a unit of lengths is, where letters and the screen are so large; -1
// of what is none.
func pixels(unit string, letters, screen float64) float64 {
	switch unit {
	case "px":
		return 1
	case "pt":
		return 96.0 / 72
	case "pc":
		return 16
	case "in":
		return 96
	case "cm":
		return 96 / 2.54
	case "mm":
		return 96 / 25.4
	case "q":
		return 96 / 101.6
	case "em", "rem", "lh", "rlh", "cap", "ic", "rcap", "ric":
		return letters
	case "ex", "ch", "rex", "rch":
		return letters / 2
	case "%", "vw", "vh", "vmin", "vmax", "vi", "vb", "svw", "svh", "lvw", "lvh", "dvw", "dvh", "svmin", "svmax", "lvmin", "lvmax", "dvmin", "dvmax",
		"cqw", "cqh", "cqi", "cqb", "cqmin", "cqmax":
		return screen / 100
	}
	return -1
}
