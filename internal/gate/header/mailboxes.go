package header

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
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
		if f.Named(name) {
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

// Texts are the spellings of the mailboxes of a name that expressions are tried on:
// as they came and then, where these differ, without what nobody sees, without quotes
// that are not needed, with the domain in A-labels and in U-labels.
func (h *Header) Texts(name string) []string {
	return append(Addresses(h.Mailboxes(name)), h.Spellings(name)...)
}

// Spellings are those among Texts in which no mailbox came. They are found once.
func (h *Header) Spellings(name string) []string {
	return once(&h.spellings, name, func() (others []string) {
		all := h.Mailboxes(name)
		var have map[string]bool
		for _, m := range all {
			visible := fieldtext.Visible(m.Address)
			if visible == m.Address && !international(m) && !strings.ContainsAny(m.Address, `"\`) {
				continue
			}
			if have == nil {
				have = make(map[string]bool)
				for _, m := range all {
					have[m.Address] = true
				}
			}
			texts := []string{visible}
			if possible(m.Domain) {
				if h.Work.Charge(idnaSteps*len(visible)) != nil {
					return others // no rule looks at it any more
				}
				texts = append(texts, address.Parse(visible).Texts()...)
			}
			for _, text := range texts {
				if !have[text] {
					have[text] = true
					others = append(others, text)
				}
			}
		}
		return others
	})
}

// international tells of a mailbox whose domain has another spelling. Letter case is
// none: expressions mind it or not as they say.
func international(m mail.Mailbox) bool {
	n := len(m.Address) - len(m.Domain)
	return strings.Contains(m.Domain, "xn--") || n < 0 || !strings.EqualFold(m.Address[n:], m.Domain)
}

// Domains are those of the mailboxes of a name, each once, in A-labels and then in
// U-labels. They are found once.
func (h *Header) Domains(name string) []string {
	return once(&h.domains, name, func() []string {
		all := h.Mailboxes(name)
		texts := make([]string, 0, len(all))
		have := make(map[string]bool, len(all))
		for _, m := range all {
			switch {
			case have[m.Domain]:
				continue
			case !strings.Contains(m.Domain, "xn--") || !possible(m.Domain):
				texts = append(texts, m.Domain) // it has no other form
			case h.Work.Charge(idnaSteps*len(m.Domain)) != nil:
				return texts // no rule looks at it any more
			default:
				texts = append(texts, address.DomainTexts(m.Domain)...)
			}
			have[m.Domain] = true
		}
		return texts
	})
}

// once keeps what find finds for a name.
func once(kept *map[string][]string, name string, find func() []string) []string {
	if found, ok := (*kept)[name]; ok {
		return found
	}
	if *kept == nil {
		*kept = make(map[string][]string)
	}
	found := find()
	(*kept)[name] = found
	return found
}

// idnaSteps are what an octet costs that is mapped by IDNA both ways.
const idnaSteps = 64

// possible tells what can be a domain: a longer text is no name of DNS (RFC 1035
// §2.3.4), and has no other form than the one it came in.
func possible(domain string) bool { return len(domain) <= 253 }

// Names are the display names in the fields of that name, as readers may see
// them.
func (h *Header) Names(field string) []string {
	var all []string
	for _, m := range h.Mailboxes(field) {
		all = append(all, m.DisplayName(h.Work, h.Fallback())...)
	}
	return all
}
