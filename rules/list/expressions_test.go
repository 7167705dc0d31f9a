package list

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/rules/expr"
)

// Expressions that are parsed together are those of the file in its order, and so is
// what is wrong with them.
func TestExpressionsTogether(t *testing.T) {
	const lines = 3*atATime + 17
	var text strings.Builder
	var want, wrong []string
	for n := 1; n <= lines; n++ {
		source := fmt.Sprintf(`offer-%d\d`, n)
		switch {
		case n%1601 == 0:
			source = fmt.Sprintf("(offer%d", n)
			wrong = append(wrong, fmt.Sprintf("l:%d: error", n))
		case n == 2*atATime-5:
			source = strings.Repeat("x", maxLine+1)
			wrong = append(wrong, fmt.Sprintf("l:%d: error", n))
		case n%5003 == 0:
			source = ".*"
			wrong = append(wrong, fmt.Sprintf("l:%d: warning", n))
			want = append(want, source)
		default:
			want = append(want, source)
		}
		text.WriteString(source + "\n")
	}
	l, problems := Read("l", strings.NewReader(text.String()), Expressions, expr.NewCache(expr.DefaultCache))
	var got, told []string
	for _, p := range l.patterns {
		got = append(got, p.Source())
	}
	for _, p := range problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		told = append(told, fmt.Sprintf("%s: %s", p.Pos, kind))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d expressions, want %d, in the order of the file", len(got), len(want))
	}
	if !slices.Equal(told, wrong) {
		t.Errorf("told %q, want %q", told, wrong)
	}
	for _, n := range []int{1, atATime, atATime + 1, lines} {
		if !l.HasText(fmt.Sprintf("an OFFER-%d0 for you", n), nil) {
			t.Errorf("the expression of line %d is not found", n)
		}
	}
}
