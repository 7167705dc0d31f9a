// Package number has the numbers of a policy: comparisons with a bound, exact to
// thousandths, and the units that may follow one.
package number

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// comparison is a number's relation to a bound in thousandths.
type Comparison struct {
	Operator string // ">", ">=", "<", "<=", "="
	Bound    int64
}

// Holds tells whether n, in thousandths, has that relation.
func (c Comparison) Holds(n int64) bool {
	switch c.Operator {
	case ">":
		return n > c.Bound
	case ">=":
		return n >= c.Bound
	case "<":
		return n < c.Bound
	case "<=":
		return n <= c.Bound
	}
	return n == c.Bound
}

// operators are in the order in which they are recognized.
var operators = [...]string{">=", "<=", ">", "<", "="}

// CutOperator is the operator that a text begins with, "=" where none does, and
// what follows it.
func CutOperator(s string) (operator, rest string) {
	s = strings.TrimSpace(s)
	for _, op := range operators {
		if after, ok := strings.CutPrefix(s, op); ok {
			return op, strings.TrimSpace(after)
		}
	}
	return "=", s
}

// Unit is what a number counts.
type Unit uint8

// What numbers count: things, octets, a time.
const (
	Plain Unit = iota
	Octets
	Seconds
)

// Factor is a name that may follow a number, and by what it multiplies.
type Factor struct {
	Name string
	By   int64
}

// Factors are the names that may follow a number, the longest first.
func (u Unit) Factors() []Factor {
	switch u {
	case Octets:
		return []Factor{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"B", 1}}
	case Seconds:
		return []Factor{{"w", 7 * 86400}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}}
	}
	return nil
}

// ParseComparison reads "> 10 MiB", "<= 3" or a number, which is for equality.
func ParseComparison(v any, u Unit) (Comparison, error) {
	switch n := v.(type) {
	case int64:
		if n > math.MaxInt64/1000 || n < math.MinInt64/1000 {
			return Comparison{}, errors.New("the number is too large")
		}
		return Comparison{"=", n * 1000}, nil
	case float64:
		t := math.Round(n * 1000)
		if math.Abs(t) > 1<<53 || t/1000 != n {
			return Comparison{}, fmt.Errorf("%v is not a number of at most three decimals", n)
		}
		return Comparison{"=", int64(t)}, nil
	case string:
		return ParseComparisonText(n, u)
	}
	return Comparison{}, errors.New(`a number or a comparison such as "> 3" is needed`)
}

// ParseComparisonText is ParseComparison of a text.
func ParseComparisonText(s string, u Unit) (Comparison, error) {
	var c Comparison
	var rest string
	c.Operator, rest = CutOperator(s)
	factor := int64(1)
	for _, named := range u.Factors() {
		if before, ok := strings.CutSuffix(rest, named.Name); ok {
			factor, rest = named.By, strings.TrimSpace(before)
			break
		}
	}
	n, err := ParseThousandths(rest)
	if err != nil {
		return c, fmt.Errorf("%q is not a comparison such as %s", s, [...]string{`"> 3"`, `"> 10 MiB"`, `"> 2d"`}[u])
	}
	if n > math.MaxInt64/factor || n < math.MinInt64/factor {
		return c, fmt.Errorf("%q is too large", s)
	}
	c.Bound = n * factor
	return c, nil
}

// ParseThousandths reads a decimal number of at most three decimals, exactly.
func ParseThousandths(s string) (int64, error) {
	whole, decimals, dotted := strings.Cut(s, ".")
	if dotted && (decimals == "" || len(decimals) > 3) {
		return 0, strconv.ErrSyntax
	}
	digits := strings.TrimPrefix(whole, "-")
	if digits == "" || strings.Trim(digits+decimals, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(whole+decimals+"000"[len(decimals):], 10, 64)
}

// Possible tells whether the comparison holds of a number up to most.
func (c Comparison) Possible(most int) bool {
	for n := 0; n <= most; n++ {
		if c.Holds(int64(n) * 1000) {
			return true
		}
	}
	return false
}
