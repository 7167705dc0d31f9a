package gate

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// edits are the changes to the header of an accepted message: forged fields
// go, then the marks come.
func (m *Message) edits(ctx context.Context) []Edit {
	edits := m.forgedResults(m.unforge(nil))
	var titles, aside []string
	var seen map[string]bool
	for _, k := range m.tagged {
		if m.s.hasObservers() {
			m.s.tell(Tagged{k.rule, k.tags})
		}
		value := func(name string) string {
			if name == "rule" {
				return k.rule
			}
			if text, ok := captured(k.captures, name); ok {
				return inTag(text)
			}
			return inTag(m.placeholder(name))
		}
		if k.tags.Subject != nil {
			t := strings.TrimSpace(oneLine(k.tags.Subject.Expand(value)))
			switch {
			case t == "" || slices.Contains(titles, t) || slices.Contains(aside, t):
			case k.tags.Signed == rules.TagHeader && m.header.Count("DKIM-Signature") > 0:
				// The signature most likely has the Subject (RFC 6376 §5.4.1).
				aside = append(aside, t)
			default:
				titles = append(titles, t)
			}
		}
		for _, h := range k.tags.Headers {
			text := h.Value.Expand(value)
			v := fieldtext.Encode(h.Name, text)
			if id := h.Name + ":" + v; !seen[id] {
				if seen == nil {
					seen = make(map[string]bool)
				}
				seen[id] = true
				edits = append(edits, Edit{Kind: AppendField, Name: h.Name, Value: v})
				m.mark(h.Name, text)
			}
		}
	}
	if len(titles) > 0 {
		edits = m.retitle(edits, titles)
		m.mark("Subject", strings.Join(titles, " "))
	}
	if len(aside) > 0 {
		text := strings.Join(aside, " ")
		edits = append(edits, Edit{Kind: AppendField, Name: m.j.tagField, Value: fieldtext.Encode(m.j.tagField, text)})
		m.mark(m.j.tagField, text)
	}
	edits = m.addFields(edits)
	if m.j.ReportHeader != "" && !m.outbound() {
		edits = append(edits, Edit{
			Kind: AppendField, Name: m.j.ReportHeader,
			Value: fieldtext.Encode(m.j.ReportHeader, m.report()),
		})
	}
	return m.auth.report(ctx, edits)
}

const (
	// maxInTag is how many octets a placeholder may put into a tag: what a sender
	// writes is not ours to repeat at any length.
	maxInTag = 500
	// maxMarks are journalled of one message.
	maxMarks = 16
	// maxEdit is how many octets of a field an MTA takes in one answer: a packet
	// of the milter protocol with what else is in it.
	maxEdit = 65_000
)

// mark keeps for the journal what was put on the message: an ordinary one has none.
func (m *Message) mark(name, value string) {
	if len(m.marks) < maxMarks {
		m.marks = append(m.marks, m.j.text(visible(name+": "+strings.TrimSpace(value))))
	}
}

// inTag is a text as it may stand in a tag.
func inTag(s string) string {
	if len(s) <= maxInTag {
		return s
	}
	n := maxInTag - len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// oversized is the field of the first edit that no MTA takes: its tag cannot be
// made.
func oversized(edits []Edit) (field string, ok bool) {
	for _, e := range edits {
		if len(e.Name)+len(e.Value) > maxEdit {
			return e.Name, true
		}
	}
	return "", false
}

// unforge removes every field whose name is ours to write, and what modules and
// rules want removed, from the highest index down: a deletion shifts those after it.
func (m *Message) unforge(edits []Edit) []Edit {
	type removal struct {
		name    string // as it was first asked for
		indexes map[int]bool
	}
	removals := make(map[string]removal)
	remove := func(name string, from, to int) {
		key := strings.ToLower(name)
		r, ok := removals[key]
		if !ok {
			r = removal{name, make(map[int]bool)}
			removals[key] = r
		}
		for i := from; i <= to; i++ {
			r.indexes[i] = true
		}
	}
	counts := make(map[string]int) // a module may ask for thousands of one name
	count := func(name string) int {
		n, ok := counts[name]
		if !ok {
			n = m.header.Count(name)
			counts[name] = n
		}
		return n
	}
	for name, n := range m.header.Forged {
		remove(name, 1, n)
	}
	m.inspection.eachFinding(func(f *module.Finding) {
		for _, r := range f.Remove {
			n := count(r.Name)
			switch i := r.Index; {
			case i == 0:
				remove(r.Name, 1, n)
			case i > 0 && i <= n:
				remove(r.Name, i, i)
			case i < 0 && -i <= n:
				remove(r.Name, n+1+i, n+1+i)
			}
		}
	})
	for _, k := range m.tagged {
		for _, name := range k.tags.Remove {
			remove(name, 1, count(name))
		}
	}
	if len(removals) == 0 {
		return edits
	}
	for _, key := range slices.Sorted(maps.Keys(removals)) {
		r := removals[key]
		for _, i := range slices.Backward(slices.Sorted(maps.Keys(r.indexes))) {
			edits = append(edits, Edit{Kind: DeleteField, Name: r.name, Index: i})
		}
	}
	return edits
}

// addFields adds what the modules want added. Whatever an engine answers, it
// cannot end a field early or write one of ours.
func (m *Message) addFields(edits []Edit) []Edit {
	m.inspection.eachFinding(func(f *module.Finding) {
		for _, field := range f.Add {
			ours := slices.ContainsFunc(m.j.strip, func(name string) bool { return field.Named(name) })
			if ours || !mail.ValidField(field.Field) {
				m.s.g.Log.Warn("a module's header field was not added", "ref", m.ref, "field", field.Name)
				continue
			}
			e := Edit{Kind: AppendField, Name: field.Name, Value: field.Value}
			if field.Place > module.AtEnd {
				e.Kind, e.Index = InsertField, int(field.Place-module.OnTop)
			}
			edits = append(edits, e)
		}
	})
	return edits
}

// retitle puts the tags before the first Subject, or makes one. Several tags
// go in together, so that a message that comes round again is not marked
// twice.
func (m *Message) retitle(edits []Edit, tags []string) []Edit {
	i := slices.IndexFunc(m.header.Fields, func(f mail.Field) bool { return f.Named("Subject") })
	if i < 0 {
		return append(edits, Edit{Kind: AppendField, Name: "Subject", Value: fieldtext.Encode("Subject", strings.Join(tags, " "))})
	}
	f := m.header.Fields[i]
	value, changed := fieldtext.TagSubject(f.Value, tags, m.header.Fallback())
	if !changed {
		return edits
	}
	// The name as the sender spelt it: Postfix writes the one we give.
	return append(edits, Edit{Kind: ChangeField, Name: f.Name, Index: 1, Value: value})
}

// report is what the report header says.
func (m *Message) report() string {
	text := m.j.Gateway + "; ref=" + m.ref + "; weight=" + m.weight.String()
	if m.inspection.scanned != "" {
		text += "; antivirus=" + m.inspection.scanned
		if virus := m.placeholder("virus"); virus != "" {
			text += " (" + oneLine(virus) + ")"
		}
	}
	for _, hit := range m.inspection.hits {
		text += "; " + hit.Name + "="
		if hit.Result == journal.ModuleOK {
			text += hit.Score
		} else {
			text += hit.Result
		}
	}
	if names := m.names(); len(names) > 0 {
		text += "; rules=" + strings.Join(names, ", ")
	}
	return text
}

// oneLine takes out what could end a header field.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
