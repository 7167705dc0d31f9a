package policyschema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/rules"
)

// kindName is what pages call the type of an attribute.
func kindName(k rules.Kind) string {
	switch k {
	case rules.KindText:
		return "text"
	case rules.KindIP:
		return "ip"
	case rules.KindNumber:
		return "number"
	case rules.KindEnum:
		return "enum"
	case rules.KindBool:
		return "bool"
	case rules.KindDNSBL:
		return "zone"
	}
	return ""
}

// told are the attributes of a page: each that there is has to be told once, and no other.
type told struct {
	rows map[string]rules.Attribute
	seen map[string]bool
}

func newTold() *told {
	t := &told{rows: map[string]rules.Attribute{}, seen: map[string]bool{}}
	for _, row := range rules.Catalogue() {
		t.rows[row.Attr.String()] = row
	}
	return t
}

// row is the attribute of a name.
func (t *told) row(name string) (rules.Attribute, error) {
	if family, all := strings.CutSuffix(name, `."*"`); all { // a row of its own beside that of the family
		row, ok := t.rows[family+".NAME"]
		if !ok {
			return row, fmt.Errorf("there is no attribute %s", name)
		}
		return row, nil
	}
	row, ok := t.rows[name]
	switch {
	case !ok:
		return row, fmt.Errorf("there is no attribute %s", name)
	case t.seen[name]:
		return row, fmt.Errorf("%s stands there twice", name)
	}
	t.seen[name] = true
	return row, nil
}

// missing is an error where the page does not tell of some.
func (t *told) missing() error {
	for _, row := range rules.Catalogue() {
		if name := row.Attr.String(); !t.seen[name] {
			return fmt.Errorf("%s is not told of: write what it is, as its neighbours are", name)
		}
	}
	return nil
}

var item = regexp.MustCompile(`(?m)^\.It Ic (\S+) Pq .*$`)

// ManualAttributes writes type and stage of each attribute into policy.toml(5), which
// tells of each in words and, of an enumeration, has all its values.
func ManualAttributes(page string) (string, error) {
	const begin = ".Sh ATTRIBUTES\n"
	head, rest, ok := strings.Cut(page, begin)
	end := strings.Index(rest, "\n.Sh ")
	if !ok || end < 0 {
		return "", fmt.Errorf("there is no section %q", strings.TrimSpace(begin))
	}
	section, tail := rest[:end], rest[end:]
	t := newTold()
	var b strings.Builder
	items := item.FindAllStringSubmatchIndex(section, -1)
	at := 0
	for i, m := range items {
		row, err := t.row(section[m[2]:m[3]])
		if err != nil {
			return "", err
		}
		text := section[m[1]:]
		if i+1 < len(items) {
			text = section[m[1]:items[i+1][0]]
		}
		for _, value := range row.Names {
			if !regexp.MustCompile(`\b` + regexp.QuoteMeta(value) + `\b`).MatchString(text) {
				return "", fmt.Errorf("%s: its value %s is not told of", row.Attr, value)
			}
		}
		fmt.Fprintf(&b, "%s.It Ic %s Pq %s, %s", section[at:m[0]], row.Attr, kindName(row.Kind), row.Stage)
		at = m[1]
	}
	b.WriteString(section[at:])
	return head + begin + b.String() + tail, t.missing()
}

// columns are how many of a table's columns are made: types and stages, or stages alone.
type columns int

// The tables of attributes that pages have.
const (
	Stages        columns = 1 // attributes | stage | words
	TypesAndStage columns = 2 // attributes | types | stage | words
)

// TableAttributes writes type and stage of each attribute into the table of a page in
// Markdown; a page with stages alone may leave attributes out.
func TableAttributes(page string, with columns) (string, error) {
	t := newTold()
	lines := strings.SplitAfter(page, "\n")
	inside := false // of such a table
	for i, line := range lines {
		inside = strings.HasPrefix(line, "| attribute |") || strings.HasPrefix(line, "| атрибут |") || inside && strings.HasPrefix(line, "|")
		if !inside {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) < int(with)+4 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		var types []string
		stage := ""
		for _, name := range namesOf(cells[1]) {
			row, err := t.row(name)
			if err != nil {
				return "", err
			}
			if stage != "" && stage != row.Stage.String() {
				return "", fmt.Errorf("%s is known at %s, and stands beside what is at %s", name, row.Stage, stage)
			}
			stage = row.Stage.String()
			types = append(types, kindName(row.Kind))
		}
		if len(slices.Compact(slices.Clone(types))) == 1 {
			types = types[:1]
		}
		cells[with+1] = " " + stage + " "
		if with == TypesAndStage {
			cells[2] = " " + strings.Join(types, ", ") + " "
		}
		lines[i] = strings.Join(cells, "|")
	}
	out := strings.Join(lines, "")
	if with == TypesAndStage {
		return out, t.missing()
	}
	return out, nil
}

// namesOf are the attributes of a cell: `module.NAME.score`, `.symbol`.
func namesOf(cell string) (all []string) {
	prefix := ""
	for _, name := range strings.Split(strings.TrimSpace(cell), ", ") {
		name = strings.Trim(name, "`")
		if strings.HasPrefix(name, ".") {
			name = prefix + name
		} else if at := strings.LastIndexByte(name, '.'); at > 0 {
			prefix = name[:at]
		}
		all = append(all, name)
	}
	return all
}

// ManualPlaceholders writes the list of placeholders into policy.toml(5).
func ManualPlaceholders(page string) (string, error) {
	const begin, end = ".Sh PLACEHOLDERS\nIn replies and tags:\n", ".Ql {ref}\nis tollgate's reference"
	head, rest, ok := strings.Cut(page, begin)
	_, tail, found := strings.Cut(rest, end)
	if !ok || !found {
		return "", fmt.Errorf("there is no list of placeholders")
	}
	var b strings.Builder
	names := rules.Placeholders()
	for i, name := range names {
		switch len(names) - i {
		case 1:
			fmt.Fprintf(&b, ".Ql {%s} .\n", name)
		case 2:
			fmt.Fprintf(&b, ".Ql {%s}\nand\n", name)
		default:
			fmt.Fprintf(&b, ".Ql {%s} ,\n", name)
		}
	}
	return head + begin + b.String() + end + tail, nil
}
