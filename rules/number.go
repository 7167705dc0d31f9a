package rules

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// comparison is a number's relation to a bound in thousandths.
type comparison struct {
	operator string // ">", ">=", "<", "<=", "="
	bound    int64
}

func (c comparison) holds(n int64) bool {
	switch c.operator {
	case ">":
		return n > c.bound
	case ">=":
		return n >= c.bound
	case "<":
		return n < c.bound
	case "<=":
		return n <= c.bound
	}
	return n == c.bound
}

// operators are in the order in which they are recognized.
var operators = [...]string{">=", "<=", ">", "<", "="}

// unit is what a number counts.
type unit uint8

const (
	plainUnit unit = iota
	octetUnit
	secondUnit
)

type factor struct {
	name   string
	factor int64
}

// names are the units that may follow a number, the longest first.
func (u unit) names() []factor {
	switch u {
	case octetUnit:
		return []factor{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"B", 1}}
	case secondUnit:
		return []factor{{"w", 7 * 86400}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}}
	}
	return nil
}

// unit is that of the attribute's number.
func (row *Attribute) unit() unit {
	switch {
	case row.Octets:
		return octetUnit
	case row.Seconds:
		return secondUnit
	}
	return plainUnit
}

// parseComparison reads "> 10 MiB", "<= 3" or a number, which is for equality.
func parseComparison(v any, u unit) (comparison, error) {
	switch n := v.(type) {
	case int64:
		if n > math.MaxInt64/1000 || n < math.MinInt64/1000 {
			return comparison{}, errors.New("the number is too large")
		}
		return comparison{"=", n * 1000}, nil
	case float64:
		t := math.Round(n * 1000)
		if math.Abs(t) > 1<<53 || t/1000 != n {
			return comparison{}, fmt.Errorf("%v is not a number of at most three decimals", n)
		}
		return comparison{"=", int64(t)}, nil
	case string:
		return parseComparisonText(n, u)
	}
	return comparison{}, errors.New(`a number or a comparison such as "> 3" is needed`)
}

func parseComparisonText(s string, u unit) (comparison, error) {
	c := comparison{operator: "="}
	rest := strings.TrimSpace(s)
	for _, op := range operators {
		if after, ok := strings.CutPrefix(rest, op); ok {
			c.operator, rest = op, strings.TrimSpace(after)
			break
		}
	}
	factor := int64(1)
	for _, named := range u.names() {
		if before, ok := strings.CutSuffix(rest, named.name); ok {
			factor, rest = named.factor, strings.TrimSpace(before)
			break
		}
	}
	n, err := parseThousandths(rest)
	if err != nil {
		return c, fmt.Errorf("%q is not a comparison such as %s", s, [...]string{`"> 3"`, `"> 10 MiB"`, `"> 2d"`}[u])
	}
	if n > math.MaxInt64/factor || n < math.MinInt64/factor {
		return c, fmt.Errorf("%q is too large", s)
	}
	c.bound = n * factor
	return c, nil
}

// parseThousandths reads a decimal number of at most three decimals, exactly.
func parseThousandths(s string) (int64, error) {
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
