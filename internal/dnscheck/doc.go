// Package dnscheck asks the DNS what rules want to know of a sender: whether
// its domain can be answered (SenderMX), whether a list names it (Listed,
// ListedDomain), and whether it may send from where it does (SPF).
//
// All questions go through one Resolver, a stub resolver: it asks recursive
// servers, keeps their answers as long as these allow, asks each question once
// however many wait for it, and never has more than a set number of questions
// under way. It does not search: every name is absolute.
//
// What could not be learned now is an error that wraps ErrTemporary, never a
// "no". A caller need not start anything in advance: a look-up in a goroutine
// of its own leaves its answer in the cache, and one that comes meanwhile
// waits for the same answer.
package dnscheck

import "errors"

// ErrTemporary is wrapped by every failure to learn something: no answer in
// time, SERVFAIL, REFUSED, answers that make no sense, CNAME loops, too many
// questions. That a name or a record does not exist is not among them.
var ErrTemporary = errors.New("dns: not to be had now")

var errClosed = errors.New("the resolver is closed")
