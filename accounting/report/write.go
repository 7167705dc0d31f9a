package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/address"
)

// View is which columns of rows are written.
type View struct {
	By     []Column
	Blocks bool // what was refused was counted, too
}

// charges reports whether what was charged is a part of it.
func (v View) charges() bool { return !slices.Contains(v.By, Reason) }

// blocks reports whether what was refused is.
func (v View) blocks() bool { return v.Blocks || !v.charges() }

// WriteTable writes rows for people, with a line of totals for each currency
// where there are several rows. IDN domains are shown as people write them,
// control characters of an address are shown, not sent. Columns of money stand
// there where some row has any.
func WriteTable(w io.Writer, v View, rows []Row) error {
	by := v.By
	t := newTable(v, rows)
	lines := [][]string{t.head()}
	for i := range rows {
		lines = append(lines, t.line(&rows[i]))
	}
	if len(rows) > 1 && len(by) > 0 {
		for _, total := range Totals(rows) {
			line := t.line(&total)
			clear(line[:t.left()])
			line[0] = "total"
			lines = append(lines, line)
		}
	}
	return writeAligned(w, lines, t.left())
}

func numbers() []string { return []string{"deliveries", "size", "charged", "included", "cost"} }

func (r *Row) numbers() []int64 {
	return []int64{r.Deliveries, r.Size, r.Charged, r.Included, r.Cost}
}

// table is which columns a report for people has.
type table struct {
	View
	named, priced, feed, balanced bool
}

func newTable(v View, rows []Row) table {
	some := func(f func(r *Row) bool) bool {
		for i := range rows {
			if f(&rows[i]) {
				return true
			}
		}
		return false
	}
	return table{
		View: v, named: some(func(r *Row) bool { return r.Name != "" }),
		priced:   some(func(r *Row) bool { return r.Included != 0 || r.Cost != 0 || r.Frac != 0 || r.Currency != "" }),
		feed:     some(func(r *Row) bool { return r.Fee != 0 }),
		balanced: some(func(r *Row) bool { return r.Balance != nil && *r.Balance != 0 }),
	}
}

func (t table) left() int {
	if t.named {
		return len(t.By) + 1
	}
	return len(t.By)
}

func (t table) head() []string {
	var head []string
	for _, c := range t.By {
		if head = append(head, string(c)); c == Client && t.named {
			head = append(head, "name")
		}
	}
	if t.charges() {
		head = append(head, "deliveries", "size", "charged")
		if t.priced {
			head = append(head, "included", "cost")
		}
		if t.feed {
			head = append(head, "fee")
		}
		if t.balanced {
			head = append(head, "balance")
		}
	}
	if t.blocks() {
		head = append(head, "blocks")
	}
	return head
}

func (t table) line(r *Row) []string {
	var line []string
	for _, c := range t.By {
		if line = append(line, visible(forPeople(c, r.text(c)))); c == Client && t.named {
			line = append(line, visible(r.Name))
		}
	}
	if t.charges() {
		line = append(line, grouped(r.Deliveries), grouped(r.Size), grouped(r.Charged))
		if t.priced {
			cost := ""
			if r.Currency != "" || r.Cost != 0 || r.Frac != 0 {
				cost = strings.TrimSpace(price.FormatMoney(r.Cost) + " " + r.Currency)
			}
			line = append(line, grouped(r.Included), cost)
		}
		if t.feed {
			line = append(line, price.FormatMoney(r.Fee))
		}
		if t.balanced {
			balance := ""
			if r.Balance != nil {
				balance = price.FormatMoney(*r.Balance)
			}
			line = append(line, balance)
		}
	}
	if t.blocks() {
		line = append(line, grouped(r.Blocks))
	}
	return line
}

// forPeople writes domains in U-labels, and something for nothing.
func forPeople(c Column, text string) string {
	switch {
	case text == "":
		return "-"
	case c == Domain:
		return address.DisplayDomain(text)
	case c == Recipient:
		if i := strings.LastIndexByte(text, '@'); i >= 0 {
			return text[:i+1] + address.DisplayDomain(text[i+1:])
		}
	}
	return text
}

// writeAligned writes lines of equal length, the first columns to the left and
// the rest to the right.
func writeAligned(w io.Writer, lines [][]string, left int) error {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, text := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	var b bytes.Buffer
	for _, line := range lines {
		for i, text := range line {
			if i > 0 {
				b.WriteString("  ")
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if i < left {
				b.WriteString(text + pad)
			} else {
				b.WriteString(pad + text)
			}
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// visible writes what a terminal would act on, or not show, as an escape.
func visible(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) < 0 {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// grouped sets spaces between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return sign + digits
}

// WriteJSON writes rows as one JSON array, a row a line, with the columns
// asked for. Money is in units of its currency, as decimal texts: no reader's
// numbers round it.
func WriteJSON(w io.Writer, v View, rows []Row) error {
	var b bytes.Buffer
	b.WriteByte('[')
	text := func(name, value string) error {
		quoted, err := json.Marshal(value)
		fmt.Fprintf(&b, "%q:%s,", name, quoted)
		return err
	}
	for i := range rows {
		r := &rows[i]
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n{")
		for _, c := range v.By {
			if err := text(string(c), r.text(c)); err != nil {
				return err
			}
			if c == Client {
				if err := text("name", r.Name); err != nil {
					return err
				}
			}
		}
		number := func(name string, n int64) { fmt.Fprintf(&b, "%q:%d,", name, n) }
		if v.charges() {
			for k, n := range r.numbers() {
				if name := numbers()[k]; name == "cost" {
					fmt.Fprintf(&b, "%q:%q,", name, price.FormatMoney(n))
				} else {
					number(name, n)
				}
			}
			if err := text("currency", r.Currency); err != nil {
				return err
			}
			if r.Balance != nil {
				fmt.Fprintf(&b, "%q:%q,", "balance", price.FormatMoney(*r.Balance))
			}
			if len(v.By) == 1 && v.By[0] == Client {
				fmt.Fprintf(&b, "%q:%q,", "fee", price.FormatMoney(r.Fee))
			}
		}
		if v.blocks() {
			number("blocks", r.Blocks)
		}
		b.Truncate(b.Len() - 1) // the last comma
		b.WriteByte('}')
	}
	if len(rows) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString("]\n")
	_, err := w.Write(b.Bytes())
	return err
}
