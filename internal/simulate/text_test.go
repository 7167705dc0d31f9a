package simulate

import (
	"fmt"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// What is quicker answers as the interpreter's own library does.
func TestQuicker(t *testing.T) {
	usual, quick := lua.NewState(), newInterpreter().state
	defer usual.Close()
	defer quick.Close()
	var calls []string
	for _, pattern := range []string{"^%d+$", "^-?%d+$", "^%d+-%d+$", "^0+", "%d"} {
		for _, text := range []string{"''", "'0'", "'-1'", "'--1'", "'12'", "'1x'", "'2026-11'", "'2026-11-23'", "'2026-W48'", "'-'", "'1-'", "'-1-2'", "7", "-7"} {
			calls = append(calls, fmt.Sprintf("string.match(%s, '%s')", text, pattern))
		}
	}
	for _, how := range []string{"%.0f", "%07.0f", "%d", "%5.1f"} {
		for _, n := range []string{"0", "-0", "1", "9999999", "12345678", "0.5", "1.5", "2.5", "9007199254740993", "4611686018427387904", "-3", "1/0", "-1/0", "'12'"} {
			calls = append(calls, fmt.Sprintf("string.format('%s', %s)", how, n))
		}
	}
	for _, call := range calls {
		var got [2]string
		for i, l := range []*lua.LState{usual, quick} {
			if err := l.DoString("return tostring((" + call + "))"); err != nil {
				got[i] = "an error"
				continue
			}
			got[i] = l.Get(-1).String()
			l.Pop(1)
		}
		if got[0] != got[1] {
			t.Errorf("%s: %q, want %q", call, got[1], got[0])
		}
	}
}
