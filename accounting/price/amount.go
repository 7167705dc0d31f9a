package price

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Parts is how many parts a millionth has: 2^20 bytes times 100 percent.
const Parts = 104_857_600

// fifths is 10^22 / Parts: a part of a millionth has 22 decimals.
const fifths = 95_367_431_640_625

const decimals = 22

// ErrOverflow: a sum beyond what an account can hold.
var ErrOverflow = errors.New("beyond what an account can hold")

// Amount is an exact sum: Whole millionths and Rest parts of one, 0 <= Rest <
// Parts. Of a negative sum Whole is rounded down, as for a positive one.
type Amount struct {
	Whole int64
	Rest  int64
}

// times is n parts, each taken so many times.
func times(n, parts uint64) (Amount, error) {
	hi, lo := bits.Mul64(n, parts)
	if hi >= Parts {
		return Amount{}, ErrOverflow
	}
	whole, rest := bits.Div64(hi, lo, Parts)
	if whole > accounting.CounterLimit {
		return Amount{}, ErrOverflow
	}
	return Amount{int64(whole), int64(rest)}, nil
}

// Add sums up; neither may pass accounting.CounterLimit.
func (a Amount) Add(b Amount) Amount {
	sum := Amount{a.Whole + b.Whole, a.Rest + b.Rest}
	if sum.Rest >= Parts {
		sum.Whole, sum.Rest = sum.Whole+1, sum.Rest-Parts
	}
	return sum
}

// Neg is the sum that takes this one back.
func (a Amount) Neg() Amount {
	if a.Rest == 0 {
		return Amount{Whole: -a.Whole}
	}
	return Amount{-a.Whole - 1, Parts - a.Rest}
}

// String writes the sum in millionths, exactly: a decimal fraction of at most
// 22 digits.
func (a Amount) String() string {
	sign := ""
	if a.Whole < 0 {
		sign, a = "-", a.Neg()
	}
	if a.Rest == 0 {
		return sign + strconv.FormatInt(a.Whole, 10)
	}
	hi, lo := bits.Mul64(uint64(a.Rest), fifths)
	const split = 100_000_000_000 // 11 digits and 11 digits
	q, r := bits.Div64(hi, lo, split)
	text := strconv.AppendInt(append(make([]byte, 0, 44), sign...), a.Whole, 10)
	text = append(text, ".0000000000000000000000"...)
	for i := len(text) - 1; r > 0; i-- {
		text[i], r = '0'+byte(r%10), r/10
	}
	for i := len(text) - 1 - decimals/2; q > 0; i-- {
		text[i], q = '0'+byte(q%10), q/10
	}
	return string(bytes.TrimRight(text, "0"))
}

// ParseAmount reads what String wrote; "" is nothing.
func ParseAmount(s string) (Amount, error) {
	if s == "" {
		return Amount{}, nil
	}
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, dot := strings.Cut(digits, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || len(fraction) > decimals || dot && (fraction == "" || strings.Trim(fraction, "0123456789") != "") {
		return Amount{}, fmt.Errorf("amount %q cannot be read", s)
	}
	a := Amount{Whole: n}
	if dot {
		rest, _ := new(big.Int).SetString(fraction+strings.Repeat("0", decimals-len(fraction)), 10)
		if rest == nil {
			return Amount{}, fmt.Errorf("amount %q cannot be read", s)
		}
		parts, over := new(big.Int).QuoRem(rest, big.NewInt(fifths), new(big.Int))
		if over.Sign() != 0 {
			return Amount{}, fmt.Errorf("amount %q is finer than 1/%d of a millionth", s, Parts)
		}
		a.Rest = parts.Int64()
	}
	if negative {
		a = a.Neg()
	}
	return a, nil
}
