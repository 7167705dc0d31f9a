// Package price says what mail costs, exactly: tariffs and their versions,
// periods, and what one record adds to a client's account. It is pure: no
// clock, no store, no float.
//
// Money is int64 millionths of the currency unit. What is priced is counted in
// 1/104,857,600 of a millionth (2^20 bytes times 100 percent), so that every
// price is exact; an account shows whole millionths and carries the rest.
package price

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// MaxMoney is the largest price or payment, in millionths: a milliard units.
const MaxMoney = 1_000_000_000_000_000

// What is wrong with a sum of money.
var (
	ErrMoney  = errors.New(`not a sum such as "1.50"`)
	ErrFiner  = errors.New("finer than six decimals")
	ErrTooBig = errors.New("more than 1,000,000,000")
)

// ParseMoney reads a sum such as "1.50" or "-3" in units of a currency and
// returns millionths.
func ParseMoney(s string) (int64, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, dot := strings.Cut(digits, ".")
	if whole == "" || dot && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, fmt.Errorf("%q: %w%s", s, ErrMoney, plainSum(s))
	}
	if fraction = strings.TrimRight(fraction, "0"); len(fraction) > 6 {
		return 0, fmt.Errorf("%q: %w", s, ErrFiner)
	}
	n, err := strconv.ParseInt(whole+(fraction + "000000")[:6], 10, 64)
	if err != nil || n > MaxMoney {
		return 0, fmt.Errorf("%q: %w", s, ErrTooBig)
	}
	if negative {
		n = -n
	}
	return n, nil
}

// plainSum says how a sum is written that has blanks, a sign, a comma or a currency in
// it; "" where that cannot be told.
func plainSum(s string) string {
	plain := strings.TrimFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.Is(unicode.Sc, r) || unicode.IsSpace(r) })
	plain = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '_' || r == '\'' {
			return -1 // between thousands
		}
		return r
	}, strings.TrimPrefix(plain, "+"))
	if point, comma := strings.LastIndexByte(plain, '.'), strings.LastIndexByte(plain, ','); comma > point {
		if len(plain)-comma == 4 {
			return "; a fraction is written with a point, thousands without anything" // "1,000" may be either
		}
		if strings.Contains(plain[:comma], ",") {
			return ""
		}
		plain = strings.ReplaceAll(plain[:comma], ".", "") + "." + plain[comma+1:]
	}
	plain = strings.ReplaceAll(plain, ",", "")
	if plain == s {
		return ""
	}
	if _, err := ParseMoney(plain); err != nil {
		return ""
	}
	return fmt.Sprintf("; write %q", plain)
}

// FormatMoney writes millionths in units, with two decimals at least.
func FormatMoney(millionths int64) string {
	// The magnitude of the smallest int64 fits a uint64.
	n, sign := uint64(millionths), ""
	if millionths < 0 {
		n, sign = -n, "-"
	}
	fraction := fmt.Sprintf("%06d", n%1_000_000)
	fraction = fraction[:2] + strings.TrimRight(fraction[2:], "0")
	return sign + strconv.FormatUint(n/1_000_000, 10) + "." + fraction
}
