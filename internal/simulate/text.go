package simulate

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// quicker puts a function before one of the library, which is asked where the
// quick one has no answer. The interpreter compiles a pattern each time that it
// is used, and formats numbers by way of reflection: a fifth of a run.
func quicker(l *lua.LState, library *lua.LTable, name string, quick func(*lua.LState) (lua.LValue, bool)) {
	usual, ok := library.RawGetString(name).(*lua.LFunction)
	if !ok || !usual.IsG {
		return
	}
	library.RawSetString(name, l.NewFunction(func(l *lua.LState) int {
		if v, ok := quick(l); ok {
			l.Push(v)
			return 1
		}
		return usual.GFunction(l)
	}))
}

// match is string.match for the patterns that the scripts have.
func match(l *lua.LState) (lua.LValue, bool) {
	text, ok := l.Get(1).(lua.LString)
	pattern, ok2 := l.Get(2).(lua.LString)
	if !ok || !ok2 || l.GetTop() != 2 {
		return nil, false
	}
	is := false
	switch s := string(text); pattern {
	case "^%d+$":
		is = digits(s)
	case "^-?%d+$":
		is = digits(strings.TrimPrefix(s, "-"))
	case "^%d+-%d+$":
		before, after, found := strings.Cut(s, "-")
		is = found && digits(before) && digits(after)
	default:
		return nil, false
	}
	if !is {
		return lua.LNil, true
	}
	return text, true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// format is string.format for one whole number.
func format(l *lua.LState) (lua.LValue, bool) {
	how, ok := l.Get(1).(lua.LString)
	n, ok2 := l.Get(2).(lua.LNumber)
	if f := float64(n); !ok || !ok2 || l.GetTop() != 2 || math.IsNaN(f) || math.IsInf(f, 0) || f < 0 || f == 0 && math.Signbit(f) {
		return nil, false
	}
	text := strconv.FormatFloat(float64(n), 'f', 0, 64)
	switch how {
	case "%.0f":
	case "%07.0f":
		text = strings.Repeat("0", max(0, 7-len(text))) + text
	default:
		return nil, false
	}
	return lua.LString(text), true
}
