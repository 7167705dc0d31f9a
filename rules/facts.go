package rules

import (
	"context"
	"math"
	"net/netip"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules/expr"
)

// Key names one fact: an attribute of the catalogue and, of a family, which one.
type Key struct {
	Attr Attr
	// Name is that of a header field, upper case after the start and each
	// hyphen, else lower: "X-Mailer", "Message-Id". "*" is every field, each as
	// "Name: value". Of module.NAME it is the module, of DNS lists the zone: lower
	// case, A-labels, no dot at its end. It is "" where there is no family.
	Name string
}

// Facts is what is known of a message so far. An error is a passing fault
// (temperror): the value could not be had now. Where an enumeration has
// "temperror" among its names, that is the value instead. Of a DNS list the
// value is the addresses it answers with, none when it does not list.
type Facts interface {
	Value(ctx context.Context, k Key) (Value, error)
	// Work is what matching may still cost for the message; rules charge it, and
	// stop when it is spent. [Work] makes one.
	Work() *budget.Budget
}

// Recaller are facts that know of some rules what became of them when the message
// was judged before. Evaluate asks them where it has a tracer.
type Recaller interface {
	Facts
	// Recall tells whether a rule matched and what it gave; known is false of one
	// that has to be tried.
	Recall(r *Rule) (gave Weight, matched, known bool)
}

// Work is what the rules of a message may cost.
func Work() *budget.Budget {
	// Package regexp looks at no context either.
	return budget.New(context.Background(), expr.Budget, math.MaxInt64)
}

// Value is the value of one attribute. The zero Value is "nothing known": it
// matches nothing, but that a header field is absent.
type Value struct {
	Known bool     // of a single text, an enum, a bool or a number; of a DNS list: it was asked
	Text  string   // the text or enum name, when there is just one
	Texts []string // further or several texts
	IPs   []netip.Addr
	Num   int64 // number, in thousandths; bool: 0 or 1
	// Partial: there may be further texts that could not be read. What none of
	// these match is not known, as if it could not be had now (temperror).
	Partial bool
	// Mailboxes are the addresses in the texts of an address field (RFC 5322
	// §3.4): lists look at them and not at the texts. nil for other texts.
	Mailboxes []string
	// Refused are answers by which a DNS list says that it does not serve who
	// asked: only a filter that names them takes them.
	Refused []netip.Addr
}

// TextValue is one text.
func TextValue(s string) Value { return Value{Known: true, Text: s} }

// TextValues is any number of texts, in order.
func TextValues(s []string) Value { return Value{Texts: s} }

// EnumValue is one name of an enumeration; "" is nothing.
func EnumValue[T ~string](s T) Value { return Value{Known: s != "", Text: string(s)} }

// BoolValue is true or false.
func BoolValue(b bool) Value {
	if b {
		return Value{Known: true, Num: 1}
	}
	return Value{Known: true}
}

// NumberValue is a whole number. Beyond what thousandths can hold it is the
// greatest or least there is: a SIZE= of absurd length must not wrap around and
// pass for a small one.
func NumberValue(n int64) Value {
	return Value{Known: true, Num: min(max(n, math.MinInt64/1000), math.MaxInt64/1000) * 1000}
}

// IPValues is any number of addresses, IPv4-mapped ones unmapped by the caller.
func IPValues(a []netip.Addr) Value { return Value{IPs: a} }
