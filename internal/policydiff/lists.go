package policydiff

import "strings"

// lists compares [lists] by their entries.
func (d *diff) lists(before, after Policy, a, b tables) {
	for _, name := range union(a, b) {
		was, had := before.entries(name, a[name])
		is, has := after.entries(name, b[name])
		where := "list " + name
		switch {
		case a[name] == nil:
			d.add(Change{Where: where, What: Added, After: text(b[name])})
			continue
		case b[name] == nil:
			d.add(Change{Where: where, What: Removed, Before: text(a[name])})
			continue
		}
		if !had || !has {
			if h := before.Hashes[name]; h != after.Hashes[name] || text(a[name]) != text(b[name]) {
				d.add(Change{Where: where, What: Changed, Key: "entries", Before: "too large to be kept: " + h, After: after.Hashes[name]})
			}
			continue
		}
		c := Change{Where: where, What: Changed, Key: "entries", Added: without(is, was), Removed: without(was, is)}
		if len(c.Added)+len(c.Removed) > 0 {
			d.add(c)
		}
		was2, is2 := flat(table(a[name])), flat(table(b[name]))
		delete(was2, "entries")
		delete(is2, "entries")
		d.keys(where, was2, is2)
	}
}

// entries are those of a list, from the policy or its file; false where they
// are not kept.
func (p Policy) entries(name string, v any) ([]string, bool) {
	if t := table(v); t != nil {
		if _, fromFile := t["file"]; !fromFile {
			return values(t["entries"]), true
		}
		content, ok := p.Lists[name]
		if !ok {
			return nil, false
		}
		var all []string
		for line := range strings.Lines(string(content)) {
			if at := strings.IndexByte(line, '#'); at == 0 || at > 0 && (line[at-1] == ' ' || line[at-1] == '\t') {
				line = line[:at]
			}
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, line)
			}
		}
		return all, true
	}
	return values(v), true
}
