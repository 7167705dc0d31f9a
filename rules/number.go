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

// units are factors for counts of octets, the longest names first.
var units = [...]struct {
	name   string
	factor int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"B", 1}}

// parseComparison reads "> 10 MiB", "<= 3" or a number, which is for equality.
func parseComparison(v any, octets bool) (comparison, error) {
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
		return parseComparisonText(n, octets)
	}
	return comparison{}, errors.New(`a number or a comparison such as "> 3" is needed`)
}

func parseComparisonText(s string, octets bool) (comparison, error) {
	c := comparison{operator: "="}
	rest := strings.TrimSpace(s)
	for _, op := range operators {
		if after, ok := strings.CutPrefix(rest, op); ok {
			c.operator, rest = op, strings.TrimSpace(after)
			break
		}
	}
	factor := int64(1)
	if octets {
		for _, u := range units {
			if before, ok := strings.CutSuffix(rest, u.name); ok {
				factor, rest = u.factor, strings.TrimSpace(before)
				break
			}
		}
	}
	n, err := parseThousandths(rest)
	if err != nil {
		example := `"> 3"`
		if octets {
			example = `"> 10 MiB"`
		}
		return c, fmt.Errorf("%q is not a comparison such as %s", s, example)
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
