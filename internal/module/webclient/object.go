package webclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Member is one of a JSON object.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Object reads a JSON object, its members in their order. A name that stands
// twice is an error, for readers differ on which one counts.
func Object(text []byte) ([]Member, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	start, err := d.Token()
	if err != nil {
		return nil, broken(err)
	}
	if start != json.Delim('{') {
		return nil, errors.New("is no JSON object")
	}
	var members []Member
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, broken(err)
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("is no JSON object")
		}
		if seen[name] {
			return nil, fmt.Errorf("has %.100q twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, broken(err)
		}
		members = append(members, Member{name, value})
	}
	if _, err := d.Token(); err != nil {
		return nil, broken(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("has more than one JSON value")
	}
	return members, nil
}

func broken(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("is no JSON: %w", err)
}

// Array reads a JSON array.
func Array(text []byte) ([]json.RawMessage, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(text, &elements); err != nil || elements == nil {
		return nil, fmt.Errorf("is no JSON array: %.100q", text)
	}
	return elements, nil
}

// String reads a JSON string.
func String(text []byte) (string, error) {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil || s == nil {
		return "", fmt.Errorf("is no JSON string: %.100q", text)
	}
	return *s, nil
}
