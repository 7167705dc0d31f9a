package header

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
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

// Texts are the spellings of mailboxes that expressions are tried on: as they
// came and then, where these differ, without what nobody sees, with the domain in
// A-labels and in U-labels.
func Texts(all []mail.Mailbox) []string {
	texts := Addresses(all)
	return append(texts, Spellings(all)...)
}

// Spellings are those among Texts in which no mailbox came.
func Spellings(all []mail.Mailbox) (others []string) {
	var have map[string]bool
	for _, m := range all {
		visible := mail.Visible(m.Address)
		if visible == m.Address && !international(m) {
			continue
		}
		if have == nil {
			have = make(map[string]bool)
			for _, m := range all {
				have[m.Address] = true
			}
		}
		for _, text := range append([]string{visible}, address.Parse(visible).Texts()...) {
			if !have[text] {
				have[text] = true
				others = append(others, text)
			}
		}
	}
	return others
}

// international tells of a mailbox whose domain has another spelling.
func international(m mail.Mailbox) bool {
	return strings.Contains(m.Domain, "xn--") || !strings.HasSuffix(m.Address, m.Domain)
}

// Domains are those of mailboxes, each once, in A-labels and then in U-labels.
func Domains(all []mail.Mailbox) []string {
	texts := make([]string, 0, len(all))
	have := make(map[string]bool, len(all))
	for _, m := range all {
		if !have[m.Domain] {
			have[m.Domain] = true
			texts = append(texts, address.DomainTexts(m.Domain)...)
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
