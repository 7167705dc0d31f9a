package webclient

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/tollgate-mail/tollgate/rules"
)

// MaxScore is the largest score, either way, that is believed.
const MaxScore = 1_000_000

// ErrScore: a score that is none, or beyond MaxScore.
var ErrScore = errors.New("is no score")

// Score reads a JSON number in thousandths, exactly: halves of a thousandth
// are rounded away from zero.
func Score(text []byte) (rules.Weight, error) {
	// A double has at most 24 octets where its writer is sane. The bound also
	// keeps the exponent small below.
	const most = 64
	if len(text) > most || !number(text) {
		return 0, fmt.Errorf("%w: %.*q", ErrScore, most, text)
	}
	near, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.Abs(near) > MaxScore {
		return 0, fmt.Errorf("%w: %q", ErrScore, text)
	}
	if math.Abs(near) < 0.0001 {
		return 0, nil // whatever its exponent
	}
	exact, ok := new(big.Rat).SetString(string(text))
	if !ok {
		return 0, fmt.Errorf("%w: %q", ErrScore, text)
	}
	exact.Mul(exact, big.NewRat(1000, 1))
	// Away from zero from the half on: (2n + d) / 2d for n not negative.
	n := new(big.Int).Abs(exact.Num())
	n.Lsh(n, 1).Add(n, exact.Denom())
	n.Quo(n, new(big.Int).Lsh(exact.Denom(), 1))
	w := rules.Weight(n.Int64())
	if exact.Sign() < 0 {
		w = -w
	}
	return w, nil
}

// number tells whether a text has only what a JSON number is made of, so that
// words like Inf and digits in base 16 are none.
func number(text []byte) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' {
			return false
		}
	}
	return len(text) > 0
}
