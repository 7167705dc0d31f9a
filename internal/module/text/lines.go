package text

import (
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"
)

// Texts that are neither plain nor HTML: RFC 1896, iCalendar, vCard.

// enriched takes a text with the marks of text/enriched or text/richtext: as HTML, as
// programs show it that take it for that, and without what those marks say is not shown
// (RFC 1896 §4.3, RFC 1341 §7.1.3).
func (in *inspection) enriched(text string) error {
	if err := in.html(text); err != nil {
		return err
	}
	if err := in.budget.Charge(2 * len(text)); err != nil {
		return err
	}
	shown := without(without(text, "param"), "comment")
	if shown = strings.ReplaceAll(shown, "<<", "&lt;"); shown == text {
		return nil
	}
	return in.html(shown)
}

// without is a text without elements of a name and what is in them.
func without(text, name string) string {
	var b strings.Builder
	begins, ends := "<"+name+">", "</"+name+">"
	for {
		from := indexFold(text, begins)
		if from < 0 {
			break
		}
		to := indexFold(text[from:], ends)
		if to < 0 {
			break
		}
		b.WriteString(text[:from])
		text = text[from+to+len(ends):]
	}
	b.WriteString(text)
	return b.String()
}

// indexFold is where an ASCII word in lower case, behind a "<", stands in a text in any
// case; -1 for nowhere.
func indexFold(text, word string) int {
	for at := 0; ; at++ {
		i := strings.IndexByte(text[at:], '<')
		if i < 0 {
			return -1
		}
		if at += i; beginsWith(text[at:], word) {
			return at
		}
	}
}

// card takes the lines of a card or a calendar: all of them as one text, and the values
// that are encoded or in HTML by themselves.
func (in *inspection) card(text string) error {
	if err := in.budget.Charge(2 * len(text)); err != nil {
		return err
	}
	whole := folds.Replace(text)
	if err := in.plain(characters.Replace(whole)); err != nil {
		return err
	}
	var encoded strings.Builder
	for line := range strings.Lines(whole) {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.IndexByte(name, ';') < 0 {
			continue
		}
		name = strings.ToLower(name)
		switch {
		case strings.Contains(name, "quoted-printable"): // below: its lines are not folded, but end with "="
		case strings.Contains(name, "fmttype=text/html"), strings.Contains(name, `fmttype="text/html"`):
			in.frame(characters.Replace(value))
		case strings.Contains(name, "encoding=b"), strings.Contains(name, "encoding=\"b"):
			octets, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(value), "="))
			if len(octets) > 0 && utf8.Valid(octets) {
				encoded.Write(octets)
				encoded.WriteByte('\n')
			}
		}
	}
	if encoded.Len() > 0 {
		if err := in.plain(encoded.String()); err != nil {
			return err
		}
	}
	if indexFold(strings.ReplaceAll(text, ";", "<"), "<encoding=quoted-printable") < 0 && indexFold(strings.ReplaceAll(text, ";", "<"), "<quoted-printable") < 0 {
		return nil
	}
	decoded, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(text)))
	if err != nil && len(decoded) == 0 {
		return nil //nolint:nilerr // what can be read of it is above
	}
	return in.plain(characters.Replace(folds.Replace(string(decoded))))
}

// folds join the lines that stand for one (RFC 5545 §3.1, RFC 6350 §3.2).
var folds = strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "")

// characters are those that are written with a backslash (RFC 5545 §3.3.11).
var characters = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";")
