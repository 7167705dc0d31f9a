package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Dialect is how CSV is written.
type Dialect struct {
	// Comma between values.
	Comma rune
	// Begin stands before all: a mark by which a spreadsheet knows UTF-8.
	Begin string
	// Point of decimal fractions.
	Point string
	// People: domains as people write them; else in A-labels.
	People bool
}

// RFC4180 is for programs. Its records end in CRLF, as those of every dialect.
func RFC4180() Dialect { return Dialect{Comma: ',', Point: "."} }

// Excel is what spreadsheets open by a double click where the decimal sign is a
// comma.
func Excel() Dialect { return Dialect{Comma: ';', Begin: "\ufeff", Point: ",", People: true} }

// WriteCSV writes rows with a header line, and a row for the total of each
// currency where that is asked for. Money is in units of the currency, as a
// decimal fraction; the columns are always the same for the same view.
func WriteCSV(w io.Writer, v View, rows []Row, d Dialect, totals []Row) error {
	if _, err := io.WriteString(w, d.Begin); err != nil {
		return err
	}
	c := csv.NewWriter(w)
	c.Comma, c.UseCRLF = d.Comma, true // RFC 4180 section 2.1
	alone := len(v.By) == 1 && v.By[0] == Client
	if err := c.Write(v.csvHead(alone)); err != nil {
		return err
	}
	money := func(n int64) string { return strings.Replace(price.FormatMoney(n), ".", d.Point, 1) }
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	write := func(r *Row, label string) error {
		var line []string
		for i, name := range v.By {
			text := r.text(name)
			if d.People && text != "" {
				text = forPeople(name, text)
			}
			if label != "" && i == 0 {
				text = label
			}
			line = append(line, neutral(text))
		}
		if v.charges() {
			line = append(line, whole(r.Deliveries), whole(r.Size), whole(r.Charged), whole(r.Included), money(r.Cost), r.Currency)
		}
		if alone {
			balance := ""
			if r.Balance != nil {
				balance = money(*r.Balance)
			}
			line = append(line, balance, neutral(r.Name))
		}
		if v.blocks() {
			line = append(line, whole(r.Blocks))
		}
		if alone {
			line = append(line, money(r.Fee))
		}
		return c.Write(line)
	}
	for i := range rows {
		if err := write(&rows[i], ""); err != nil {
			return err
		}
	}
	for i := range totals {
		if err := write(&totals[i], "total"); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func (v View) csvHead(alone bool) []string {
	var head []string
	for _, name := range v.By {
		head = append(head, string(name))
	}
	if v.charges() {
		head = append(append(head, numbers()...), "currency")
	}
	if alone {
		head = append(head, "balance", "name")
	}
	if v.blocks() {
		head = append(head, "blocks")
	}
	if alone {
		head = append(head, "fee") // last: those before stand where they always did
	}
	return head
}

// neutral keeps a spreadsheet from taking an address for a formula: addresses
// are whatever a sender likes. Spreadsheets hide the quote.
func neutral(s string) string {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \u00a0\u3000"))
	if s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
		return "'" + s
	}
	return s
}
