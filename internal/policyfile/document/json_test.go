package document

import (
	"testing"

	"github.com/tollgate-mail/tollgate/internal/diag"
)

// JSON that was read and written again reads the same.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[{"b":null},1.5,true,"\u2028<"]}`, `{`, `{"expires":"2026-01-02"}`, "{\n\"a\":\n1e3}", `{"a":1,"a":2}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, problem := ParseJSON(diag.Pos{}, text)
		if problem != nil {
			return
		}
		once := n.JSON()
		again, problem := ParseJSON(diag.Pos{}, once)
		if problem != nil {
			t.Fatalf("%s: %v", once, problem)
		}
		if twice := again.JSON(); twice != once {
			t.Errorf("%s became %s", once, twice)
		}
	})
}

func TestPlaces(t *testing.T) {
	n, problem := ParseJSON(diag.Pos{File: "f", Line: 3}, "{\"a\":\n\n1,\"b\":[\n\"x\"]}")
	if problem != nil {
		t.Fatal(problem)
	}
	if a, x := n.Child("a").Line, n.Child("b").Children[0].Line; a != 5 || x != 6 {
		t.Errorf("lines %d and %d", a, x)
	}
	if got := n.Placed(); got != "{\n\n\"a\":1,\"b\":[\n\"x\"]}" {
		t.Errorf("%q", got)
	}
}
