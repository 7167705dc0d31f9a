package expr

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules/expr/exprtest"
)

// What the literals of an expression rule out, it does not match.
func TestRequiredLiterals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := NewCache(DefaultCache).Parse(exprtest.Expression(t))
		if err != nil {
			t.Fatal(err)
		}
		text := exprtest.Text(t)
		if !p.Match(text, unlimited()) {
			return
		}
		folded := string(AppendFold(nil, text))
		for _, set := range p.Required().Sets() {
			if !containsAny(folded, set) {
				t.Fatalf("%q matches %q, which has none of %q", p.source, text, set)
			}
		}
	})
}

func containsAny(s string, set []string) bool {
	for _, l := range set {
		if strings.Contains(s, l) {
			return true
		}
	}
	return false
}

func TestLiteralsFound(t *testing.T) {
	for source, want := range map[string]string{
		`\bLotter(y|ies)\b`:                    "[[lotteries lottery]]",
		`v[i1!]agra|c[i1!]al[i1!]s`:            "[[c!al!s c!al1s c!alis c1al!s c1al1s c1alis cial!s cial1s cialis v!agra v1agra viagra]]",
		`cheap-(\w+)-pills\d*@x`:               "[[cheap-] [-pills] [@x]]",
		`(?-i)Kelvin`:                          "[[kelvin]]",
		`a*b?`:                                 "[]",
		`(?:foo|.*)bar`:                        "[[bar]]",
		`(?:foo.|bar.)`:                        "[[bar foo]]",
		`[^a]`:                                 "[]",
		`ЛОТЕРЕЯ`:                              "[[" + string(AppendFold(nil, "лотерея")) + "]]",
		`x(abc){0,2}y`:                         "[[x] [y]]",
		`x(abc){2,}`:                           "[[x] [abc]]",
		`^$`:                                   "[]",
		strings.Repeat("a", 300):               "[[" + strings.Repeat("a", maxLiteral) + "]]",
		`[0-9][0-9](?:a|b|c|d|e|f)(?:g|h|i|j)`: "[[0 1 2 3 4 5 6 7 8 9] [0 1 2 3 4 5 6 7 8 9] [ag ah ai aj bg bh bi bj cg ch ci cj dg dh di dj eg eh ei ej fg fh fi fj]]",
	} {
		re, err := syntax.Parse(source, syntax.Perl|syntax.FoldCase)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(requiredLiterals(re)); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}

// Every rune folds as package regexp compares it.
func TestFoldAgreesWithRegexp(t *testing.T) {
	for _, r := range "kKsSſ\u212aßẞσςΣǄǅǆİıiIяЯѣѢθϑΘϴµμΜåÅ\u212bꭰᎠ" {
		re := regexp.MustCompile("(?i)^" + regexp.QuoteMeta(string(r)) + "$")
		for q := rune(1); q < 0x20000; q++ {
			if q >= 0xd800 && q < 0xe000 {
				continue
			}
			if same := fold(q) == fold(r); same != (q == r) && same != re.MatchString(string(q)) {
				t.Errorf("%q and %q: folded alike is %v", r, q, same)
			}
		}
	}
}

// A header made to be seen everywhere is bounded, and still judged right.
func TestSightingsAreBounded(t *testing.T) {
	var required []Required
	var patterns []*Pattern
	for i := range 40 {
		p, err := NewCache(DefaultCache).Parse(fmt.Sprintf(`bulk \d*%d\b`, i))
		if err != nil {
			t.Fatal(err)
		}
		patterns, required = append(patterns, p.Pattern), append(required, p.Required())
	}
	x := NewIndex(required)
	m := NewMarks(x)
	texts := make([]string, 2000)
	for i := range texts {
		texts[i] = "X: bulk no"
	}
	texts[1999] = "X: bulk 7"
	for range 2 {
		m.Begin(x)
		for n, s := range texts {
			x.Scan(s, int32(n), &m, unlimited())
		}
		if n := len(m.sightings); n != maxSightings {
			t.Errorf("%d sightings are remembered", n)
		}
		for i, p := range patterns {
			if got := m.Matches(int32(i), p, texts, unlimited()); got != (i == 7) {
				t.Errorf("%s: %v", p.source, got)
			}
		}
		m.Reset(x)
	}
}

func TestASCIIWordWarning(t *testing.T) {
	for source, want := range map[string]bool{
		`\bлотерея`: true, `лот\b`: true, `лот\w*`: true, `\w+лот`: true, `(?:\b|x)(?:а|б)`: true, `\b[а-я]`: true, `л\W*о`: true, `(?-i)т\W`: true, `x\W*о`: true, `x\W*y`: false,
		`x?\bу`: true, `\b(?:a|у)`: true, `\bx?у`: true, `лот(\w)`: true, `(?-i)\bу`: true, `(?-i)\wу`: true, `\b^у`: true,
		`\blottery\b`: false, `лот \bx`: false, `\bx*yу`: false, `\b[^a]`: false, `\b[a-z]k`: false, `\bs`: false,
		`лот[a-z0-9]`: false, `\d+лот`: false, `\b\p{L}`: true, `лотерея`: false, `.\b`: false, `\b№`: false,
	} {
		p, err := NewCache(DefaultCache).Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		if got := asciiTrouble("", p.tree) != ""; got != want {
			t.Errorf("%s: %v, want %v", source, got, want)
		}
	}
}

func unlimited() *budget.Budget {
	return budget.New(context.Background(), math.MaxInt64, math.MaxInt64)
}

// A text is folded rune by rune, however its runes lie beside each other.
func TestAppendFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"Ab", "z[", "@Z", "Ж", "ё", "\u212a", "\u017f", "\xff", "\xd0", "€", "😀", " "}), 0, 12).Draw(t, "parts")
		text := strings.Join(parts, "")
		var want []byte
		for _, r := range text {
			want = utf8.AppendRune(want, fold(r))
		}
		if got := AppendFold([]byte("Before"), text); string(got) != "Before"+string(want) {
			t.Fatalf("%q is folded to %q, want %q", text, got, want)
		}
	})
}
