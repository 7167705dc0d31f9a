package gate

import (
	"slices"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/rules"
)

// mailbox is an address of the envelope, as the client wrote it and, where
// that is another, as the MTA resolved it: u%elsewhere@ours is u@elsewhere
// to a Postfix whose own domain is ours.
type mailbox struct {
	address.Address
	resolved address.Address
	two      bool // resolved is another
}

// newMailbox reads what the client wrote, and what the MTA made of it; ""
// where it did not say.
func newMailbox(given, resolved string) mailbox {
	b := mailbox{Address: address.Parse(given)}
	if resolved == "" {
		return b
	}
	b.resolved = address.Internal(resolved)
	if !b.Valid() && b.resolved.Valid() {
		// The MTA found a single address where we do not: it is the one that gets
		// the mail.
		b.Address = b.resolved
		b.Given = given
		return b
	}
	b.two = b.resolved.Valid() && b.resolved.String() != b.String()
	return b
}

// given is the address as journals have it: as it came.
func (b *mailbox) given() string {
	if b.Null() {
		return ""
	}
	return b.Given
}

// each visits the address, and the other one if there is.
func (b *mailbox) each(visit func(address.Address)) {
	visit(b.Address)
	if b.two {
		visit(b.resolved)
	}
}

// texts are all that rules see of the address.
func (b *mailbox) texts() []string {
	if !b.two {
		return b.Texts()
	}
	return appendNew(b.Texts(), b.resolved.Texts())
}

// domains are all that rules see of its domain, none where there is none.
func (b *mailbox) domains() []string {
	var all []string
	b.each(func(a address.Address) {
		if a.Domain != "" {
			all = appendNew(all, address.DomainTexts(a.Domain))
		}
	})
	return all
}

// recipient is one that was named at RCPT TO.
type recipient struct {
	mailbox
	owner directory.Answer
	// other is what the directory says of the resolved address.
	other directory.Answer
	// bare is the mailbox without its tag, unless the tag is part of how it
	// was found.
	bare   address.Address
	tagged bool
}

func (m *Message) newRecipient(r Recipient) recipient {
	who := recipient{mailbox: newMailbox(r.Address, r.Resolved)}
	d := m.clients
	if d == nil {
		return who
	}
	who.owner = d.Find(who.Address)
	if who.two {
		who.other = d.Find(who.resolved)
	}
	who.bare, who.tagged = d.Untagged(who.Address, who.owner)
	return who
}

// texts are all that rules see of the recipient: with its tag and without.
func (r *recipient) texts() []string {
	all := r.mailbox.texts()
	if r.tagged {
		all = appendNew(all, r.bare.Texts())
	}
	return all
}

// clients are the ids of those who own it.
func (r *recipient) clients() []string {
	var all []string
	for _, found := range [...]directory.Answer{r.owner, r.other} {
		if found.Client != nil {
			all = appendNew(all, []string{found.Client.ID})
		}
	}
	return all
}

// correspondent is the address under which it is remembered who wrote to whom.
func (r *recipient) correspondent() string {
	if r.tagged {
		return r.bare.String()
	}
	return r.owner.Address
}

// textsValue is the value of an attribute with several spellings.
func textsValue(all []string) rules.Value {
	switch len(all) {
	case 0:
		return rules.Value{}
	case 1:
		return rules.TextValue(all[0])
	}
	return rules.TextValues(all)
}

// ofRecipients are texts of the current recipient at rcptto, of every accepted
// one later.
func (m *Message) ofRecipients(texts func(*recipient) []string) rules.Value {
	if m.current != nil {
		return textsValue(slices.DeleteFunc(texts(m.current), func(s string) bool { return s == "" }))
	}
	var all []string
	for i := range m.accepted {
		for _, t := range texts(&m.accepted[i]) {
			if t != "" {
				all = append(all, t)
			}
		}
	}
	return textsValue(all)
}
