package text

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAccountAsWritten: the characters of an account number are those of the expression
// that says how it is written.
func TestAccountAsWritten(t *testing.T) {
	written := regexp.MustCompile(`(?i)^[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?`)
	rapid.Check(t, func(t *rapid.T) {
		text := "DE" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"89", "3704", " 0044", " ", "a", "WEST", "1", "12", "123", "-"}), 1, 14).Draw(t, "groups"), "")
		if !isDigit(text[2]) || len(text) < 4 || !isDigit(text[3]) {
			return
		}
		var number [mostIBAN]byte
		var ends [mostIBAN + 1]int
		got := string(number[:accountAt(text, &number, &ends)])
		found := strings.TrimRight(written.FindString(text), " -")
		want := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(found))
		if got != want || got != "" && ends[len(got)] != len(found) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}

func TestKindsAreNumbered(t *testing.T) {
	byNumber := make(map[int]string)
	for name, k := range kinds {
		if k.number <= unknown || k.number >= mostElements || byNumber[k.number] != "" {
			t.Errorf("%s: %d, as %q", name, k.number, byNumber[k.number])
		}
		byNumber[k.number] = name
	}
	if kinds["svg"].number != svgElement || kinds["annotation-xml"].number != annotationXML || kindOf("x-y").number != unknown {
		t.Error("not as they are asked for")
	}
}

// TestNumbersAsWritten: whatever people write a number with and beside, it is found.
func TestNumbersAsWritten(t *testing.T) {
	join := func(separator string, groups ...string) string { return strings.Join(groups, separator) }
	rapid.Check(t, func(t *rapid.T) {
		separator := rapid.SampledFrom([]string{"", " ", "-", "_", ".", "/", "\u2013", "\u00a0"}).Draw(t, "separator")
		before := rapid.SampledFrom([]string{"", "PAN:", "card ", "PAN", "visa", "карта", "номер:", "(", "x "}).Draw(t, "before")
		behind := rapid.SampledFrom([]string{"", "exp12/27", " exp 12", "до12/27", ".", ")"}).Draw(t, "behind")
		card := before + join(separator, "4111", "1111", "1111", "1111") + behind
		if f := of(t, "Content-Type: text/plain; charset=utf-8\r\n\r\n"+card); !slices.Equal(f.Symbols, []string{SymbolCard}) {
			t.Errorf("%q: %q", card, f.Symbols)
		}
		account := join(separator, rapid.SampledFrom([][]string{{"DE89", "3704", "0044", "0532", "0130", "00"}, {"GB82", "WEST", "1234", "5698", "7654", "32"}, {"FR14", "2004", "1010", "0505", "0001", "3M02", "606"}}).Draw(t, "account")...)
		if rapid.Bool().Draw(t, "small") {
			account = strings.ToLower(account)
		}
		account = rapid.SampledFrom([]string{"", "IBAN", "IBAN: ", "iban", "to ", "(", "счёт "}).Draw(t, "introduced") + account + rapid.SampledFrom([]string{"", " please", ".", ")", " 12"}).Draw(t, "followed")
		if f := of(t, "Content-Type: text/plain; charset=utf-8\r\n\r\n"+account); !slices.Contains(f.Symbols, SymbolIBAN) {
			t.Errorf("%q: %q", account, f.Symbols)
		}
	})
	for _, other := range []string{
		"4111111111111111a", "a4111111111111111", "deadbeef4111111111111111", "4111111111111111c0ffee", "INV4111111111111111", "x_4111111111111111", "1x4111111111111111",
		"xde89370400440532013000", "de89370400440532013000abc", "de8937040044053201300", "q1a2ibanx89370400440532013000",
	} {
		if f := of(t, "\r\n"+other); len(f.Symbols) > 0 {
			t.Errorf("%q: %q", other, f.Symbols)
		}
	}
}
