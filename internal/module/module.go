// Package module has what may see a whole message: the interface of an
// inspector, the stash that a message waits in while inspectors read it, and
// the guard that keeps each inspector within its limits.
package module

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/rules"
)

// Inspector looks at one message. It is safe for use by many goroutines.
//
// An error is never "clean": whatever an inspector did not see to the end, or
// did not understand the answer to, is an error. Inspect returns soon after
// ctx ends.
type Inspector interface {
	Inspect(ctx context.Context, m *Message) (Finding, error)
	// Ping asks whether the service behind the inspector answers, nil when it
	// does or when there is none. It costs the service next to nothing.
	Ping(ctx context.Context) error
	// Close releases what the inspector keeps open. Inspections under way are
	// not cut off.
	Close() error
}

// Envelope is what an inspector may be told besides the message.
type Envelope struct {
	Ref, Gateway, QueueID string
	ClientIP              netip.Addr // zero where there is none
	ClientHost            string     // verified name, "unknown" where there is none
	Helo                  string
	TLSVersion            string // "" when not encrypted
	AuthUser              string // "" when not authenticated
	Direction             string // "inbound", "outbound"
	Sender                string // "" is the null sender
	Recipients            []string
	// Subject is decoded.
	Subject string
}

// Message is a message under inspection.
type Message struct {
	Envelope
	Stash *Stash
}

// Finding is what an inspector says of a message. The zero Finding is that
// nothing was found.
type Finding struct {
	// Virus is the name of the signature that matched, "" when the message is
	// clean.
	Virus string
	// Score is the engine's own, in thousandths.
	Score rules.Weight
	// Symbols are the names of what was found.
	Symbols []string
	// Details are what is known of symbols besides, for people: no rule sees it,
	// and symbols of which nothing is known are not in it.
	Details map[string]Detail
	// Action is what the engine would do, in its own words; "" when it does
	// not say.
	Action string
	// Add and Remove are changes to the header that the engine wants. A value
	// begins with a space, folds are bare LF.
	Add    []Addition
	Remove []Removal
	// LeftOut tells of changes that the engine wants and nobody understands: the rest
	// of its answer stands. At most MostLeftOut, of bounded length.
	LeftOut []string
	// Names and Types are of the parts of the message: file names, decoded,
	// and media types, lower case.
	Names, Types []string
	// Text is what a reader sees of the message's texts, HiddenText what is
	// there besides. URLs are the addresses that it leads to, URLDomains their
	// domains, and "a.example shown as b.example" where the words of a link
	// name another.
	Text, HiddenText, URLs, URLDomains []string
}

// Detail is what is known of a symbol.
type Detail struct {
	// Score is the part of the symbol, in thousandths.
	Score rules.Weight
	// About is what the symbol tells of, the first few: of a file its name, with the
	// path within the archive it is in. Of bounded length, and in a sender's words.
	About []string
}

// The bounds of Detail.About.
const (
	MostAbout = 4   // texts
	LongAbout = 200 // octets of one
)

// Tell adds what a symbol is about, unless it has been told or there is enough of
// it.
func (d *Detail) Tell(text string) {
	if len(text) > LongAbout {
		text = strings.ToValidUTF8(text[:LongAbout], "") + "…"
	}
	if text != "" && len(d.About) < MostAbout && !slices.Contains(d.About, text) {
		d.About = append(d.About, text)
	}
}

// MostLeftOut bounds Finding.LeftOut.
const MostLeftOut = 4

// LeaveOut notes a change that cannot be read, and why.
func (f *Finding) LeaveOut(what string, why error) {
	const longest = 300 // octets
	text := what + ": " + why.Error()
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	if len(f.LeftOut) < MostLeftOut {
		f.LeftOut = append(f.LeftOut, text)
	}
}

// Addition is a field to add to a header.
type Addition struct {
	mail.Field
	Place Place
}

// Place is where in a header a field is added: 0 at its end, n before what is
// the n-th field then.
type Place int

// Where most fields go.
const (
	AtEnd Place = 0
	OnTop Place = 1
)

// PlaceOf is where a field of that name goes when nobody says: trace fields
// stand above what they tell of (RFC 5321 §4.4, RFC 6376 §5.6, RFC 8601 §4.1, RFC
// 8617 §4.1, RFC 7208 §9.1), others at the end.
func PlaceOf(name string) Place {
	name = strings.ToLower(name)
	switch name {
	case "received", "return-path", "received-spf", "dkim-signature", "authentication-results":
		return OnTop
	}
	if strings.HasPrefix(name, "arc-") {
		return OnTop
	}
	return AtEnd
}

// Removal is what is removed of the fields of a name.
type Removal struct {
	Name string
	// Index: 0 is all of them, n the n-th, -n the n-th from the end.
	Index int
}
