package rspamd

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/webclient"
)

// milter reads what rspamd wants of the header. A field is added where its
// "order" says, 0 being on top, and without one where those of its name belong;
// of those to be removed a number says which, 0 all, n the n-th, -n the n-th from
// the end. What cannot be read is left out, each change by itself.
func milter(text []byte, f *module.Finding) {
	for _, m := range members(f, "milter", text) {
		switch m.Name {
		case "add_headers":
			for _, field := range members(f, m.Name, m.Value) {
				add(f, m.Name, field.Name, field.Value)
			}
		case "remove_headers":
			for _, field := range members(f, m.Name, m.Value) {
				remove(f, m.Name, field.Name, field.Value)
			}
		}
	}
}

// members are those of an object; none of one that cannot be read, which is told.
func members(f *module.Finding, name string, text []byte) []webclient.Member {
	if emptyTable(text) {
		return nil
	}
	all, err := webclient.Object(text)
	if err != nil {
		f.LeaveOut(strconv.Quote(name), err)
	}
	return all
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

// each visits the elements of an array, or what is none; what cannot be read, and what
// visit does not take, is left out.
func each(f *module.Finding, of, name string, text []byte, visit func(one []byte) error) {
	place := fmt.Sprintf("%q: %.200q", of, name)
	if err := webclient.CheckFieldName(name); err != nil {
		f.LeaveOut(strconv.Quote(of), err)
		return
	}
	all := [][]byte{text}
	if text[0] == '[' {
		elements, err := webclient.Array(text)
		if err != nil {
			f.LeaveOut(place, err)
			return
		}
		all = all[:0]
		for _, one := range elements {
			all = append(all, one)
		}
	}
	for _, one := range all {
		if err := visit(one); err != nil {
			f.LeaveOut(place, err)
		}
	}
}

// remove removes fields of one name: a number, or an array of them.
func remove(f *module.Finding, of, name string, text []byte) {
	each(f, of, name, text, func(number []byte) error {
		i, err := integer(number)
		if err == nil {
			f.Remove = append(f.Remove, module.Removal{Name: name, Index: i})
		}
		return err
	})
}

// add adds fields of one name: a value, an object with a value, or an array of
// either.
func add(f *module.Finding, of, name string, text []byte) {
	if emptyTable(text) {
		return
	}
	each(f, of, name, text, func(one []byte) error {
		field, err := addition(name, one)
		if err == nil {
			f.Add = append(f.Add, field)
		}
		return err
	})
}

func addition(name string, text []byte) (module.Addition, error) {
	place, value := module.PlaceOf(name), text
	if text[0] == '{' {
		members, err := webclient.Object(text)
		if err != nil {
			return module.Addition{}, err
		}
		value = nil
		for _, m := range members {
			switch m.Name {
			case "value":
				value = m.Value
			case "order":
				order, err := integer(m.Value)
				if err != nil {
					return module.Addition{}, fmt.Errorf(`"order": %w`, err)
				}
				// -1 is the end.
				place = module.Place(max(order+int(module.OnTop), int(module.AtEnd)))
			}
		}
		if value == nil {
			return module.Addition{}, fmt.Errorf(`has no "value": %.100q`, text)
		}
	}
	said := string(value) // a number
	if c := value[0]; c != '-' && (c < '0' || c > '9') {
		var err error
		if said, err = webclient.String(value); err != nil {
			return module.Addition{}, err
		}
	}
	return module.Addition{Field: mail.Field{Name: name, Value: folded(said)}, Place: place}, nil
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
