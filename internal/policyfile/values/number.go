package values

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
)

// mostWhole bounds one number, so that no sum of them can overflow.
const mostWhole = 1_000_000_000

// Thousandths reads a number with up to three decimals.
func (r *Reader) Thousandths(into *int64) func(*document.Node) {
	return func(n *document.Node) {
		var text string
		switch v := n.Value.(type) {
		case int64:
			text = strconv.FormatInt(v, 10)
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				r.Errorf(n, "%s must be a finite number", n.Key)
				return
			}
			// The shortest form is the one that was written, but for zeros.
			text = strconv.FormatFloat(v, 'f', -1, 64)
		default:
			r.Errorf(n, "%s must be a number, not %s", document.QuoteKey(n.Key), n.What())
			return
		}
		whole, fraction, _ := strings.Cut(text, ".")
		if len(fraction) > 3 {
			r.Errorf(n, "%s %s has more than three decimals", n.Key, text)
			return
		}
		w, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
		if err != nil || w > 1000*mostWhole || w < -1000*mostWhole {
			r.Errorf(n, "%s is out of range: at most %d either way", n.Key, mostWhole)
			return
		}
		*into = w
	}
}

// Whole reads a whole number from least to most.
func (r *Reader) Whole(into *int, least, most int) func(*document.Node) {
	return func(n *document.Node) {
		v := int64(*into)
		r.WholeNumber(&v, int64(least), int64(most))(n)
		*into = int(v)
	}
}

// WholeNumber is Whole of 64 bits wherever tollgate runs.
func (r *Reader) WholeNumber(into *int64, least, most int64) func(*document.Node) {
	return func(n *document.Node) {
		v, ok := n.Value.(int64)
		if !ok || v < least || v > most {
			r.Errorf(n, "%s must be a whole number between %d and %d, not %s", n.Key, least, most, Shown(n))
			return
		}
		*into = v
	}
}

// Shown is a value as a message shows it.
func Shown(n *document.Node) string {
	if s, ok := n.Value.(string); ok {
		return strconv.Quote(s)
	}
	if n.Kind == document.Single {
		return fmt.Sprint(n.Value)
	}
	return n.What()
}
