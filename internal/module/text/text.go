// Package text gives rules the text of a message: what a reader sees of its
// text/plain and text/html parts, what is there and hidden from a reader, and the
// addresses that the text leads to.
package text

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/tollgate-mail/tollgate/internal/archive"
	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/letterform"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// The symbols of a Finding.
const (
	// SymbolCard: the text has the number of a payment card, its check digit
	// included (ISO/IEC 7812-1).
	SymbolCard = "CARD_NUMBER"
	// SymbolIBAN: the text has an account number (ISO 13616), its check digits
	// included.
	SymbolIBAN = "IBAN"
	// SymbolHidden: the text has words that a reader does not see.
	SymbolHidden = "HIDDEN_TEXT"
	// SymbolOtherDomain: what is shown of a link names another domain than the
	// link leads to.
	SymbolOtherDomain = "URL_OTHER_DOMAIN"
	// SymbolEncrypted: a part that only its recipient can read, so its text is not
	// known.
	SymbolEncrypted = "TEXT_ENCRYPTED"
	// SymbolUnreadable: a part that is said to be a message with a signature around
	// it, and cannot be read.
	SymbolUnreadable = "TEXT_UNREADABLE"
	// SymbolLimit: there is more text, or more addresses, than is looked at.
	SymbolLimit = "TEXT_LIMIT"
)

// Symbols are all of them.
func Symbols() []string {
	return []string{SymbolCard, SymbolIBAN, SymbolHidden, SymbolOtherDomain, SymbolEncrypted, SymbolUnreadable, SymbolLimit}
}

// What is looked at of one message.
const (
	maxText   = 256 << 10 // octets of text, as they are given to rules
	maxHidden = 64 << 10  // likewise
	maxRead   = 4 << 20   // octets of one part
	maxURLs   = 1000
	// Domains, of addresses beyond those that are given, too; and as many more that are
	// shown as others.
	maxDomains = 4000
	maxShown   = 1000
	maxURL     = 2048 // octets
	maxOctets  = 8 << 30
)

// Settings of an inspector.
type Settings struct {
	// Dir is for signed messages that are too long for memory, "" for the folder for
	// temporary files. The files have no name while they are in use.
	Dir settings.StateDir
}

// Check finds nothing wrong.
func (Settings) Check() error { return nil }

// Inspector reads texts. It implements module.Inspector.
type Inspector struct {
	settings Settings
	desks    sync.Pool // of *desk
}

// desk is memory of messages that are over, for those that come.
type desk struct {
	octets []byte
	page   page
}

// mostKept is how many octets of a text are kept room for.
const mostKept = 256 << 10

var _ module.Inspector = (*Inspector)(nil)

// New makes an inspector.
func New(s Settings) *Inspector { return &Inspector{settings: s} }

// Inspect gives texts, addresses and symbols. What is too much is a symbol, not
// an error.
//
// It begins when all of the message is there: to wait for each piece of it costs more
// than most texts.
func (i *Inspector) Inspect(ctx context.Context, m *module.Message) (module.Finding, error) {
	if _, err := m.Stash.Size(ctx); err != nil {
		return module.Finding{}, err
	}
	return i.inspect(ctx, m.Stash.Open(ctx))
}

// Ping has nobody to ask.
func (*Inspector) Ping(context.Context) error { return nil }

// Close has nothing to release.
func (*Inspector) Close() error { return nil }

func (i *Inspector) inspect(ctx context.Context, message io.Reader) (module.Finding, error) {
	d, ok := i.desks.Get().(*desk)
	if !ok {
		d = new(desk)
	}
	in := &inspection{budget: budget.Proportional(ctx, maxOctets), desk: d, dir: string(i.settings.Dir)}
	defer func() {
		if cap(d.octets) <= mostKept && d.page.small() {
			d.page.clear()
			i.desks.Put(d)
		}
	}()
	defer in.budget.Share(ctx)()
	err := mail.ReadParts(in.budget, in.budget.Arriving(message), in.part)
	switch {
	case errors.Is(err, mail.ErrComplex), errors.Is(err, budget.ErrSpent):
		in.found(SymbolLimit)
		err = nil
	case err != nil:
		return module.Finding{}, err
	}
	if whole := in.text.fill(maxText); !in.hidden.fill(maxHidden) || !whole {
		in.found(SymbolLimit)
	}
	slices.Sort(in.symbols)
	return module.Finding{
		Symbols: in.symbols, Text: in.text.all, HiddenText: in.hidden.all,
		URLs: in.urls.all, URLDomains: in.domains.all,
	}, nil
}

// inspection is that of one message.
type inspection struct {
	budget  *budget.Budget
	text    texts
	hidden  texts
	urls    addresses
	domains addresses
	symbols []string
	desk    *desk
	frames  []string        // pages in pages that are to be read
	framed  int             // how many there were
	dir     string          // of Settings
	lister  *archive.Lister // once there is something to open
	signed  int             // around what is read, within each other
}

func (in *inspection) found(symbol string) {
	if !slices.Contains(in.symbols, symbol) {
		in.symbols = append(in.symbols, symbol)
	}
}

// plain takes a text, and the addresses in it.
func (in *inspection) plain(text string) error {
	if err := in.textURLs(text); err != nil {
		return err
	}
	if err := in.show(text); err != nil || !strings.ContainsRune(text, override) {
		return err
	}
	return in.show(turned(text))
}

// show takes a text that a reader sees.
func (in *inspection) show(text string) error {
	if err := in.budget.Charge(len(text)); err != nil {
		return err
	}
	text, ascii := words(text)
	if strings.Contains(text, beginsPGP) {
		in.found(SymbolEncrypted)
	}
	if cardIn(text) {
		in.found(SymbolCard)
	}
	if ibanIn(text) {
		in.found(SymbolIBAN)
	}
	in.text.add(text, maxText)
	if ascii {
		return nil
	}
	if err := in.budget.Charge(2 * len(text)); err != nil {
		return err
	}
	latin, other := letterform.Lookalikes(text)
	if latin != text {
		in.text.add(latin, maxText)
	}
	if other != text {
		in.text.add(other, maxText)
	}
	if !letterform.Others(text) {
		return nil
	}
	if err := in.budget.Charge(len(text)); err != nil {
		return err
	}
	plain := letterform.Plain(text)
	if ibanIn(plain) {
		in.found(SymbolIBAN)
	}
	in.text.add(plain, maxText)
	return nil
}

// hide takes a text that a reader does not see.
func (in *inspection) hide(text string) error {
	if err := in.budget.Charge(len(text)); err != nil {
		return err
	}
	text = seen(text)
	if text == "" {
		return nil
	}
	in.found(SymbolHidden)
	in.hidden.add(text, maxHidden)
	return nil
}
