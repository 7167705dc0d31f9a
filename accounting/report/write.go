package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var numbers = []string{"deliveries", "size", "charged"}

func (r *Row) numbers() []int64 { return []int64{r.Deliveries, r.Size, r.Charged} }

// WriteTable writes rows for people, with a line of totals where there are
// several. Control characters of an address are shown, not sent.
func WriteTable(w io.Writer, by []Column, rows []Row) error {
	head := make([]string, 0, len(by)+len(numbers))
	for _, c := range by {
		head = append(head, string(c))
	}
	lines := [][]string{append(head, numbers...)}
	var total Row
	for i := range rows {
		r := &rows[i]
		line := make([]string, 0, len(head))
		for _, c := range by {
			line = append(line, visible(r.text(c)))
		}
		for _, n := range r.numbers() {
			line = append(line, grouped(n))
		}
		lines = append(lines, line)
		total.Deliveries += r.Deliveries
		total.Size += r.Size
		total.Charged += r.Charged
	}
	if len(rows) > 1 && len(by) > 0 {
		line := make([]string, len(by))
		line[0] = "total"
		for _, n := range total.numbers() {
			line = append(line, grouped(n))
		}
		lines = append(lines, line)
	}
	return writeAligned(w, lines, len(by))
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

// WriteCSV writes rows by RFC 4180, with a header line.
func WriteCSV(w io.Writer, by []Column, rows []Row) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true // RFC 4180 §2.1
	line := make([]string, 0, len(by)+len(numbers))
	for _, name := range by {
		line = append(line, string(name))
	}
	if err := c.Write(append(line, numbers...)); err != nil {
		return err
	}
	for i := range rows {
		line = line[:0]
		for _, name := range by {
			line = append(line, neutral(rows[i].text(name)))
		}
		for _, n := range rows[i].numbers() {
			line = append(line, strconv.FormatInt(n, 10))
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
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

// WriteJSON writes rows as one JSON array, a row a line, with the columns
// asked for.
func WriteJSON(w io.Writer, by []Column, rows []Row) error {
	var b bytes.Buffer
	b.WriteByte('[')
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n{")
		for _, c := range by {
			text, err := json.Marshal(rows[i].text(c))
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "%q:%s,", string(c), text)
		}
		for k, n := range rows[i].numbers() {
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%q:%d", numbers[k], n)
		}
		b.WriteByte('}')
	}
	if len(rows) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString("]\n")
	_, err := w.Write(b.Bytes())
	return err
}
