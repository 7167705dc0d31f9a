package script

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Delivery is what one delivered message must be: a paragraph of
// delivered.txt, whose first line is "to ADDRESS, ADDRESS".
type Delivery struct {
	To    []string
	lines []string
	dir   string // where the files that it names are
}

// ReadDeliveries reads a delivered.txt; a missing file means that nothing is
// delivered.
func ReadDeliveries(file string) ([]Delivery, error) {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	var all []Delivery
	begin := true
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimRight(line, " ")
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "":
			begin = true
		case begin:
			list, ok := strings.CutPrefix(line, "to ")
			if !ok {
				return nil, fmt.Errorf("script: %s:%d: a paragraph begins with \"to\"", file, i+1)
			}
			d := Delivery{dir: filepath.Dir(file)}
			for _, to := range strings.Split(list, ",") {
				d.To = append(d.To, strings.TrimSpace(to))
			}
			all = append(all, d)
			begin = false
		default:
			all[len(all)-1].lines = append(all[len(all)-1].lines, line)
		}
	}
	return all, nil
}

// Check compares a delivered message and returns each difference.
func (d Delivery) Check(from string, to []string, data []byte) []error {
	var errs []error
	if !sameSet(d.To, to) {
		errs = append(errs, fmt.Errorf("to %q, want %q", to, d.To))
	}
	m := ReadMessage(data)
	for _, line := range d.lines {
		if err := d.check(line, from, m); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", line, err))
		}
	}
	return errs
}

var assertion = regexp.MustCompile(`^([A-Za-z0-9-]+)(: ?| ~ | )(.*)$`)

func (d Delivery) check(line, from string, m Message) error {
	p := assertion.FindStringSubmatch(line)
	if p == nil {
		return fmt.Errorf("cannot be read")
	}
	word, sign, arg := p[1], strings.TrimSpace(p[2]), p[3]
	switch {
	case sign == ":":
		return first(m, word, true, func(got string) bool { return strings.TrimSpace(got) == arg })
	case sign == "~":
		re, err := regexp.Compile(arg)
		if err != nil {
			return err
		}
		return first(m, word, true, re.MatchString)
	case word == "from":
		if from != strings.Trim(arg, "<>") {
			return fmt.Errorf("is %q", from)
		}
	case word == "no":
		if all := m.All(arg); len(all) > 0 {
			return fmt.Errorf("there is %q", all)
		}
	case word == "count":
		name, n, _ := strings.Cut(arg, " ")
		if got := strconv.Itoa(len(m.All(name))); got != n {
			return fmt.Errorf("there are %s: %q", got, m.All(name))
		}
	case word == "raw":
		name, quoted, _ := strings.Cut(arg, ":")
		want, err := strconv.Unquote(`"` + quoted + `"`)
		if err != nil {
			return err
		}
		return first(m, name, false, func(got string) bool { return got == want })
	case word == "same":
		file, except, _ := strings.Cut(arg, " except ")
		return d.same(m, file, strings.Split(except, ","))
	default:
		return fmt.Errorf("unknown assertion %q", word)
	}
	return nil
}

// first tests the first field of that name, decoded or, raw, as it stands
// with "\n" for a fold.
func first(m Message, name string, decode bool, ok func(string) bool) error {
	all := m.All(name)
	if len(all) == 0 {
		return fmt.Errorf("there is no %s", name)
	}
	got := strings.ReplaceAll(all[0], "\r\n", "\n")
	if decode {
		var err error
		if got, err = Decode(all[0]); err != nil {
			return err
		}
	}
	if !ok(got) {
		return fmt.Errorf("is %q", got)
	}
	return nil
}

// same compares body and header with the message in file, but for the named
// fields and the Received field of our Postfix, which is on top.
func (d Delivery) same(m Message, file string, except []string) error {
	sent, err := os.ReadFile(filepath.Join(d.dir, file))
	if err != nil {
		return err
	}
	want := ReadMessage(bytes.ReplaceAll(sent, []byte("\n"), []byte("\r\n")))
	if len(m.Fields) > 0 && m.Fields[0].Name == "Received" {
		m.Fields = m.Fields[1:]
	}
	if got, want := m.Without(except...), want.Without(except...); !slices.Equal(got, want) {
		return fmt.Errorf("header is\n%q\nwant\n%q", got, want)
	}
	if !bytes.Equal(m.Body, want.Body) {
		return fmt.Errorf("body is\n%q\nwant\n%q", m.Body, want.Body)
	}
	return nil
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}
