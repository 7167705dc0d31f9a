package rspamd

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/webclient"
)

// milter reads what rspamd wants of the header. A field is added where its
// "order" says, 0 being on top, and without one where those of its name belong;
// of those to be removed a number says which, 0 all, n the n-th, -n the n-th from
// the end.
func milter(text []byte, f *module.Finding) error {
	if emptyTable(text) {
		return nil
	}
	members, err := webclient.Object(text)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Name != "add_headers" && m.Name != "remove_headers" {
			continue
		}
		if emptyTable(m.Value) {
			continue
		}
		fields, err := webclient.Object(m.Value)
		if err != nil {
			return fmt.Errorf("%q: %w", m.Name, err)
		}
		for _, field := range fields {
			if err := webclient.CheckFieldName(field.Name); err != nil {
				return fmt.Errorf("%q: %w", m.Name, err)
			}
			if m.Name == "remove_headers" {
				if err := remove(f, field.Name, field.Value); err != nil {
					return fmt.Errorf("%q: %q: %w", m.Name, field.Name, err)
				}
				continue
			}
			if err := add(f, field.Name, field.Value); err != nil {
				return fmt.Errorf("%q: %q: %w", m.Name, field.Name, err)
			}
		}
	}
	return nil
}

// emptyTable tells of nothing: Lua has one kind of table, so that an empty object
// comes as an empty array.
func emptyTable(text []byte) bool {
	text = bytes.TrimSpace(text)
	if string(text) == "null" {
		return true
	}
	inner, ok := bytes.CutPrefix(text, []byte("["))
	inner, closed := bytes.CutSuffix(inner, []byte("]"))
	return ok && closed && len(bytes.TrimSpace(inner)) == 0
}

// integer reads a whole number; Lua may write 1 as 1.0.
func integer(text []byte) (int, error) {
	const most = 1 << 20 // no header has as many fields
	w, err := webclient.Score(text)
	if n := int(w / 1000); err == nil && w%1000 == 0 && -most < n && n < most {
		return n, nil
	}
	return 0, fmt.Errorf("is no whole number: %.100q", text)
}

// remove removes fields of one name: a number, or an array of them.
func remove(f *module.Finding, name string, text []byte) error {
	numbers := [][]byte{text}
	if text[0] == '[' {
		elements, err := webclient.Array(text)
		if err != nil {
			return err
		}
		numbers = numbers[:0]
		for _, element := range elements {
			numbers = append(numbers, element)
		}
	}
	for _, number := range numbers {
		i, err := integer(number)
		if err != nil {
			return err
		}
		f.Remove = append(f.Remove, module.Removal{Name: name, Index: i})
	}
	return nil
}

// add adds fields of one name: a value, an object with a value, or an array of
// either.
func add(f *module.Finding, name string, text []byte) error {
	if emptyTable(text) {
		return nil
	}
	switch text[0] {
	case '[':
		elements, err := webclient.Array(text)
		if err != nil {
			return err
		}
		for _, element := range elements {
			if element[0] == '[' {
				return fmt.Errorf("is an array in an array: %.100q", text)
			}
			if err := add(f, name, element); err != nil {
				return err
			}
		}
		return nil
	case '{':
		members, err := webclient.Object(text)
		if err != nil {
			return err
		}
		var value []byte
		place := module.PlaceOf(name)
		for _, m := range members {
			switch m.Name {
			case "value":
				value = m.Value
			case "order":
				order, err := integer(m.Value)
				if err != nil {
					return fmt.Errorf(`"order": %w`, err)
				}
				// -1 is the end.
				place = module.Place(max(order+int(module.OnTop), int(module.AtEnd)))
			}
		}
		if value == nil {
			return fmt.Errorf(`has no "value": %.100q`, text)
		}
		return addValue(f, name, value, place)
	}
	return addValue(f, name, text, module.PlaceOf(name))
}

func addValue(f *module.Finding, name string, text []byte, place module.Place) error {
	value := string(text) // a number
	if c := text[0]; c != '-' && (c < '0' || c > '9') {
		var err error
		if value, err = webclient.String(text); err != nil {
			return err
		}
	}
	f.Add = append(f.Add, module.Addition{Field: mail.Field{Name: name, Value: folded(value)}, Place: place})
	return nil
}

// folded is a field's value with its folds as they came, for a DKIM signature
// may be over them, and nothing that could end the field or begin another.
func folded(value string) string {
	value = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(value)
	var b strings.Builder
	for line := range strings.SplitSeq(value, "\n") {
		line = strings.TrimRight(strings.Map(visible, line), " \t")
		if b.Len() == 0 {
			b.WriteString(" " + strings.TrimLeft(line, " \t"))
			continue
		}
		// A line of white space alone is the end of the header for some.
		if line == "" {
			continue
		}
		b.WriteByte('\n')
		if line[0] != ' ' && line[0] != '\t' {
			b.WriteByte('\t')
		}
		b.WriteString(line)
	}
	return b.String()
}

// visible drops control characters but the tab.
func visible(r rune) rune {
	if r != '\t' && control(r) {
		return -1
	}
	return r
}
