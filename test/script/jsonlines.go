package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
)

// Object is one line of JSON.
type Object map[string]any

// ReadObjects reads a file of JSON lines; lines that begin with # are
// comments. A missing file is no lines.
func ReadObjects(file string) ([]Object, error) {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	var all []Object
	for i, line := range bytes.Split(text, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		var o Object
		if err := json.Unmarshal(line, &o); err != nil {
			return nil, fmt.Errorf("script: %s:%d: %w", file, i+1, err)
		}
		all = append(all, o)
	}
	return all, nil
}

// Match returns what in got is not as want has it. Fields that want does not
// name may be anything. In want a text "~RE" is a regular expression, null
// means that the field is absent or empty, and an array of texts matches an
// array of objects by their names. The key "?" is for the caller.
func (want Object) Match(got Object) []error {
	var errs []error
	for key, w := range want {
		if key == "?" {
			continue
		}
		if err := match(w, got[key]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	return errs
}

func match(want, got any) error {
	switch w := want.(type) {
	case nil:
		if list, ok := got.([]any); ok && len(list) == 0 || got == nil || reflect.ValueOf(got).IsZero() {
			return nil
		}
	case string:
		if o, ok := got.(map[string]any); ok {
			got = o["name"]
		}
		text, ok := got.(string)
		if pattern, isRE := strings.CutPrefix(w, "~"); isRE {
			re, err := regexp.Compile(pattern)
			if err != nil {
				return err
			}
			if ok && re.MatchString(text) {
				return nil
			}
		} else if ok && text == w || w == "" && got == nil {
			return nil
		}
	case []any:
		list, _ := got.([]any)
		if len(list) != len(w) {
			break
		}
		for i := range w {
			if err := match(w[i], list[i]); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		o, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, err := range Object(w).Match(o) {
			return err
		}
		return nil
	default: // numbers and truth values
		if reflect.DeepEqual(want, got) {
			return nil
		}
	}
	return fmt.Errorf("is %s, want %s", compact(got), compact(want))
}

func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
