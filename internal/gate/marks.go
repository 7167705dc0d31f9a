package gate

import (
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/mail"
)

// edits are the changes to the header of an accepted message: forged fields
// go, then the marks come.
func (m *Message) edits() []Edit {
	edits := m.unforge(nil)
	var titles []string
	var seen map[string]bool
	for _, k := range m.marks {
		value := func(name string) string {
			if name == "rule" {
				return k.rule
			}
			return m.placeholder(name)
		}
		if k.tags.Subject != nil {
			if t := strings.TrimSpace(oneLine(k.tags.Subject.Expand(value))); t != "" && !slices.Contains(titles, t) {
				titles = append(titles, t)
			}
		}
		for _, h := range k.tags.Headers {
			v := mail.FieldValue(h.Name, h.Value.Expand(value))
			if id := h.Name + ":" + v; !seen[id] {
				if seen == nil {
					seen = make(map[string]bool)
				}
				seen[id] = true
				edits = append(edits, Edit{Kind: AppendField, Name: h.Name, Value: v})
			}
		}
	}
	if len(titles) > 0 {
		edits = m.retitle(edits, strings.Join(titles, " "))
	}
	if m.j.ReportHeader != "" && !m.outbound() {
		edits = append(edits, Edit{
			Kind: AppendField, Name: m.j.ReportHeader,
			Value: mail.FieldValue(m.j.ReportHeader, m.report()),
		})
	}
	return edits
}

// unforge removes every field whose name is ours to write, from the highest
// index down: a deletion shifts those after it.
func (m *Message) unforge(edits []Edit) []Edit {
	names := make([]string, 0, len(m.head.forged))
	for name := range m.head.forged {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for i := m.head.forged[name]; i > 0; i-- {
			edits = append(edits, Edit{Kind: DeleteField, Name: name, Index: i})
		}
	}
	return edits
}

// retitle puts the tags before the first Subject, or makes one. Several tags
// go in together, so that a message that comes round again is not marked
// twice.
func (m *Message) retitle(edits []Edit, tag string) []Edit {
	i := slices.IndexFunc(m.head.fields, func(f mail.Field) bool { return strings.EqualFold(f.Name, "Subject") })
	if i < 0 {
		return append(edits, Edit{Kind: AppendField, Name: "Subject", Value: mail.FieldValue("Subject", tag)})
	}
	f := m.head.fields[i]
	value, changed := mail.TagSubject(f.Value, tag)
	if !changed {
		return edits
	}
	// The name as the sender spelt it: Postfix writes the one we give.
	return append(edits, Edit{Kind: ChangeField, Name: f.Name, Index: 1, Value: value})
}

// report is what the report header says.
func (m *Message) report() string {
	text := m.j.Gateway + "; ref=" + m.ref + "; weight=" + m.weight.String()
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
