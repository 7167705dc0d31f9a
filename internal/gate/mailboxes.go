package gate

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/mail"
)

// mailboxes are those of all fields of that name.
func (h *head) mailboxes(name string) []mail.Mailbox {
	var all []mail.Mailbox
	for _, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, mail.ParseMailboxes(h.work, f.Value)...)
		}
	}
	return all
}

// addresses are those of mailboxes: none is no nil.
func addresses(all []mail.Mailbox) []string {
	texts := make([]string, len(all))
	for i, m := range all {
		texts[i] = m.Address
	}
	return texts
}

// domains are those of mailboxes, each once.
func domains(all []mail.Mailbox) []string {
	texts := make([]string, len(all))
	for i, m := range all {
		texts[i] = m.Domain
	}
	return appendNew(nil, texts)
}

// names are the display names in the fields of that name, as readers may see
// them.
func (h *head) names(field string) []string {
	var all []string
	for _, m := range h.mailboxes(field) {
		all = append(all, m.DisplayName(h.work, h.fallback())...)
	}
	return all
}
