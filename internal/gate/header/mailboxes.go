package header

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/mail"
)

// Mailboxes are those of all fields of that name. They are read once: several
// attributes are of the same ones.
func (h *Header) Mailboxes(name string) []mail.Mailbox {
	if all, ok := h.mailboxes[name]; ok {
		return all
	}
	var all []mail.Mailbox
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, mail.ParseMailboxes(h.Work, f.Value)...)
		}
	}
	if h.mailboxes == nil {
		h.mailboxes = make(map[string][]mail.Mailbox)
	}
	h.mailboxes[name] = all
	return all
}

// Addresses are those of mailboxes: none is no nil.
func Addresses(all []mail.Mailbox) []string {
	texts := make([]string, len(all))
	for i, m := range all {
		texts[i] = m.Address
	}
	return texts
}

// Domains are those of mailboxes, each once.
func Domains(all []mail.Mailbox) []string {
	texts := make([]string, 0, len(all))
	have := make(map[string]bool, len(all))
	for _, m := range all {
		if !have[m.Domain] {
			have[m.Domain] = true
			texts = append(texts, m.Domain)
		}
	}
	return texts
}

// Names are the display names in the fields of that name, as readers may see
// them.
func (h *Header) Names(field string) []string {
	var all []string
	for _, m := range h.Mailboxes(field) {
		all = append(all, m.DisplayName(h.Work, h.Fallback())...)
	}
	return all
}
