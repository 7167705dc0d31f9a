package main

import (
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
)

// sheet is a statement in lines: texts, and sums that end in one column.
type sheet struct {
	lines [][2]string
	width int // of the texts
}

// mostText is how wide a text may be: longer ones go on in further lines.
const mostText = 76

// add is a line with a sum; the sum stands at its end, where it has several.
func (s *sheet) add(text, sum string) {
	parts := wrapped(visible(text), mostText)
	for i, part := range parts {
		line := [2]string{part, ""}
		if i == len(parts)-1 {
			line[1] = sum
		}
		s.lines = append(s.lines, line)
		s.width = max(s.width, utf8.RuneCountInString(part))
	}
}

func (s *sheet) print(w io.Writer) error {
	most := 0
	for _, line := range s.lines {
		most = max(most, len(line[1]))
	}
	for _, line := range s.lines {
		text := line[0]
		if line[1] != "" {
			text += strings.Repeat(" ", s.width-utf8.RuneCountInString(text)+2+most-len(line[1])) + line[1]
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}

// wrapped breaks a text between words, and within one that is too long by itself.
func wrapped(text string, most int) (lines []string) {
	line := ""
	// A number stays with its unit.
	text = withUnit.ReplaceAllString(text, "$1\u00a0$2")
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
		for _, piece := range pieces(word, most-2) {
			switch {
			case line == "":
				line = piece
			case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(piece) > most:
				lines, line = append(lines, line), "  "+piece
			default:
				line += " " + piece
			}
		}
	}
	lines = append(lines, line)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], "\u00a0", " ")
	}
	return lines
}

var withUnit = regexp.MustCompile(`([0-9]) ([KMGT]?i?B)\b`)

func pieces(word string, most int) (all []string) {
	for r := []rune(word); ; r = r[most:] {
		if len(r) <= most {
			return append(all, string(r))
		}
		all = append(all, string(r[:most]))
	}
}

// decimals are those of a currency (ISO 4217): two but for these.
func decimals(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}

// rounding writes sums to some decimals so that what is written adds up: a line is the
// difference of two balances that were rounded, and so at most one last unit off.
type rounding struct {
	decimals int
	exact    *big.Rat // balance so far, in units of the currency
	shown    *big.Int // in the last decimal
}

// inUnits are millionths in units of the currency.
func inUnits(millionths *big.Rat) *big.Rat {
	return new(big.Rat).Mul(millionths, big.NewRat(1, 1_000_000))
}

// scaled is a sum in the last decimal, rounded half away from zero.
func (r *rounding) scaled(sum *big.Rat) *big.Int {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(r.decimals)), nil)
	x := new(big.Rat).Mul(sum, new(big.Rat).SetInt(scale))
	half := big.NewRat(1, 2)
	if x.Sign() < 0 {
		x.Sub(x, half)
	} else {
		x.Add(x, half)
	}
	return new(big.Int).Quo(x.Num(), x.Denom())
}

func (r *rounding) text(n *big.Int) string {
	digits := new(big.Int).Abs(n).String()
	if pad := r.decimals + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	if at := len(digits) - r.decimals; r.decimals > 0 {
		digits = digits[:at] + "." + digits[at:]
	}
	if n.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// opens begins with a balance.
func (r *rounding) opens(balance *big.Rat) string {
	r.exact = balance
	r.shown = r.scaled(balance)
	return r.text(r.shown)
}

// to is what leads from the balance so far to this one.
func (r *rounding) to(balance *big.Rat) string {
	now := r.scaled(balance)
	step := new(big.Int).Sub(now, r.shown)
	r.exact, r.shown = balance, now
	return r.text(step)
}

// betweenText is of what no entry of the statement explains.
const betweenText = "in the periods of another tariff, before it came back to this one"

// printStatement is a statement for a client: in the decimals of the currency.
func printStatement(w io.Writer, s *report.Statement, loc *time.Location) error {
	r := &rounding{decimals: decimals(s.Currency)}
	millionths := func(n int64) *big.Rat { return inUnits(new(big.Rat).SetInt64(n)) }
	sheet := &sheet{}
	sheet.add(headOf(s, loc), "")
	sheet.add("opening balance", r.opens(millionths(s.Opening)))
	for _, e := range s.Entries {
		what := e.Time.In(loc).Format("2006-01-02 15:04") + " " + e.Kind
		if !strings.HasPrefix(e.ID, e.Kind+"/") { // one that nobody named tells nothing
			what += " " + e.ID
		}
		sheet.add(what+moreOf(e), r.to(new(big.Rat).Add(r.exact, millionths(amountOf(e)))))
	}
	if s.Between != 0 {
		sheet.add(betweenText, r.to(new(big.Rat).Add(r.exact, millionths(s.Between))))
	}
	closing := millionths(s.Closing)
	versions := versionsOf(s.Usage)
	for n, u := range s.Usage {
		what := "usage without a tariff"
		if u.Tariff != "" {
			what = "usage, tariff " + u.Tariff
			if versions[u.Tariff] > 1 { // its price was changed meanwhile
				what += ", version " + u.Version[:min(8, len(u.Version))]
			}
		}
		what += bandOf(u) + fmt.Sprintf(": %s, %s charged", numberOf(u.Deliveries, "delivery", "deliveries"), bytesize(u.Charged))
		if u.Included > 0 {
			what += ", of it " + bytesize(u.Included) + " included"
		}
		if u.IncludedDeliveries > 0 {
			what += ", " + numberOf(u.IncludedDeliveries, "delivery", "deliveries") + " included"
		}
		amount, ok := new(big.Rat).SetString(u.Amount)
		switch {
		case ok:
		case u.Amount == "": // nothing was priced
			amount = new(big.Rat)
		default:
			return fmt.Errorf("the amount %q of %s cannot be read", u.Amount, what)
		}
		balance := new(big.Rat).Sub(r.exact, inUnits(amount))
		if n == len(s.Usage)-1 {
			balance = closing // what is less than a millionth is never owed
		}
		sheet.add(what, r.to(balance))
	}
	if left := r.to(closing); r.shown.Sign() != 0 && strings.Trim(left, "-0.") != "" {
		sheet.add("usage", left)
	}
	sheet.add("closing balance", r.text(r.shown))
	return sheet.print(w)
}

// versionsOf counts the versions of each tariff.
func versionsOf(lines []report.UsageLine) map[string]int {
	seen, count := map[[2]string]bool{}, map[string]int{}
	for _, u := range lines {
		if one := [2]string{u.Tariff, u.Version}; !seen[one] {
			seen[one] = true
			count[u.Tariff]++
		}
	}
	return count
}

func numberOf(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + more
}

func headOf(s *report.Statement, loc *time.Location) string {
	state := "open"
	if s.Closed {
		state = "closed"
	}
	head := fmt.Sprintf("%s, %s, %s, in %s; times of %s", s.Client, s.Period, state, or(s.Currency), loc)
	if s.Name != "" {
		head = s.Name + ": " + head
	}
	return head
}

func amountOf(e report.Entry) int64 {
	if e.Kind == accounting.Fee {
		return -e.Amount
	}
	return e.Amount
}

// moreOf is by whom and why.
func moreOf(e report.Entry) string {
	what := ""
	if e.By != "" {
		what += " by " + e.By
	}
	if e.Reverses != "" {
		what += ", reverses " + e.Reverses
	}
	if e.Note != "" {
		what += ": " + e.Note
	}
	return what
}

func bandOf(u report.UsageLine) string {
	what := ""
	switch {
	case u.When != "":
		what += fmt.Sprintf(", %s at %d %%", u.When, u.Percent)
	case u.Band > 0: // as an earlier daemon says it
		what += " band " + strconv.Itoa(u.Band)
	}
	if u.Sent {
		what += " sent"
	}
	if u.Late {
		what += " late"
	}
	return what
}

// exactStatement has what was computed.
func exactStatement(w io.Writer, s *report.Statement, loc *time.Location) error {
	sheet := &sheet{}
	sum := func(what string, n int64) { sheet.add(what, sixDecimals(n)) }
	sheet.add(headOf(s, loc), "")
	sum("opening balance", s.Opening)
	for _, e := range s.Entries {
		sum(e.Time.In(loc).Format(time.DateTime)+" "+e.Kind+" "+e.ID+moreOf(e), amountOf(e))
	}
	if s.Between != 0 {
		sum(betweenText, s.Between)
	}
	for _, u := range s.Usage {
		what := "usage " + or(u.Tariff)
		if u.Version != "" {
			what += " " + u.Version
		}
		sheet.add(fmt.Sprintf("%s: %s, %d B charged, %d B priced, %d B and %s included: %s millionths",
			what+bandOf(u), numberOf(u.Deliveries, "delivery", "deliveries"), u.Charged, u.Priced, u.Included, numberOf(u.IncludedDeliveries, "delivery", "deliveries"), or(u.Amount)), "")
	}
	sum("usage, less "+s.Remainder+" of a millionth", -s.Cost)
	sum("closing balance", s.Closing)
	return sheet.print(w)
}

// sixDecimals are all millionths.
func sixDecimals(n int64) string {
	text := price.FormatMoney(n)
	return text + strings.Repeat("0", 6-(len(text)-1-strings.IndexByte(text, '.')))
}
