package http

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/webclient"
)

// extension begins the names of members that are the service's own.
const extension = "x_"

// parse reads a verdict. A member that it does not know is an error, because
// a misspelt one would otherwise go unnoticed; so is a missing score, because
// an answer of another kind must not pass for "nothing found".
func parse(text []byte) (module.Finding, error) {
	members, err := webclient.Object(text)
	if err != nil {
		return module.Finding{}, err
	}
	var (
		f      module.Finding
		scored bool
	)
	for _, m := range members {
		switch m.Name {
		case "score":
			f.Score, err = webclient.Score(m.Value)
			scored = true
		case "symbols":
			f.Symbols, err = symbols(m.Value)
		case "action":
			f.Action, err = webclient.String(m.Value)
		case "add_headers":
			f.Add, err = added(m.Value)
		case "remove_headers":
			f.Remove, err = removed(m.Value)
		default:
			if !strings.HasPrefix(m.Name, extension) {
				err = errors.New("is not known")
			}
		}
		if err != nil {
			return module.Finding{}, fmt.Errorf("%.100q: %w", m.Name, err)
		}
	}
	if !scored {
		return module.Finding{}, errors.New(`has no "score"`)
	}
	return f, nil
}

// strs reads an array of strings.
func strs(text []byte) ([]string, error) {
	elements, err := webclient.Array(text)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, element := range elements {
		s, err := webclient.String(element)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// symbols are sorted, each once.
func symbols(text []byte) ([]string, error) {
	names, err := strs(text)
	if err != nil {
		return nil, err
	}
	if slices.Contains(names, "") {
		return nil, errors.New("has an empty name")
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// added reads an object of a text, or an array of texts, for each name. They
// are texts, not values: encoding and folding is done here.
func added(text []byte) ([]module.Addition, error) {
	members, err := webclient.Object(text)
	if err != nil {
		return nil, err
	}
	var fields []module.Addition
	for _, m := range members {
		if err := webclient.CheckFieldName(m.Name); err != nil {
			return nil, err
		}
		texts := [][]byte{m.Value}
		if m.Value[0] == '[' {
			elements, err := webclient.Array(m.Value)
			if err != nil {
				return nil, err
			}
			texts = texts[:0]
			for _, element := range elements {
				texts = append(texts, element)
			}
		}
		for _, text := range texts {
			value, err := webclient.String(text)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", m.Name, err)
			}
			fields = append(fields, module.Addition{Field: mail.Field{Name: m.Name, Value: fieldtext.Encode(m.Name, value)}, Place: module.PlaceOf(m.Name)})
		}
	}
	return fields, nil
}

// removed reads an array of names.
func removed(text []byte) ([]module.Removal, error) {
	names, err := strs(text)
	if err != nil {
		return nil, err
	}
	var all []module.Removal
	for _, name := range names {
		if err := webclient.CheckFieldName(name); err != nil {
			return nil, err
		}
		all = append(all, module.Removal{Name: name})
	}
	return all, nil
}
