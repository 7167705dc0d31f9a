package state

import (
	"net/netip"
	"slices"
	"time"
)

// Terms are the times and numbers of greylisting.
type Terms struct {
	Delay         time.Duration // refused before, accepted after
	Window        time.Duration // a triplet waits so long for its second try
	Life          time.Duration // and passes so long after each use
	AutoWhitelist int           // a network with so many passed triplets is not delayed; 0: no network is
}

// Try is one try of a client to deliver a message to a recipient.
type Try struct {
	Network netip.Prefix // the client's
	Triplet ID           // network, sender and recipient
	Now     time.Time    // in whole milliseconds
	Terms   Terms
}

// Reason is why greylisting answers as it does.
type Reason string

const (
	New             Reason = "new"              // never seen, or too long ago
	Early           Reason = "early"            // came again before the delay was over
	Retried         Reason = "retried"          // came again in time: from now on it is known
	Known           Reason = "known"            // passed before
	AutoWhitelisted Reason = "auto-whitelisted" // enough triplets of its network did
)

// Answer is what greylisting says to a try.
type Answer struct {
	Pass   bool
	Wait   time.Duration // without Pass: until a try passes, more than zero
	Reason Reason
}

// Triplet is what is remembered of a triplet. The zero value is nothing.
type Triplet struct {
	Since  time.Time // of the first try or, when it passed, of its last use
	Passed bool
}

// Network is what is remembered of a client's network. The zero value is
// nothing.
type Network struct {
	Last   time.Time // when something of it passed
	Passed []ID      // triplets, at most Terms.AutoWhitelist when the last was added
}

// Change tells what a try has changed and is to be kept.
type Change uint8

const (
	TripletChanged Change = 1 << iota
	NetworkChanged
)

// Judge answers a try, and changes what is remembered. It is the semantics of
// every store.
//
// Gateways' clocks differ, and one may have been wrong: what was remembered in
// the future counts as remembered now.
func (t *Try) Judge(net *Network, tri *Triplet) (Answer, Change) {
	var change Change
	if tri.Since.After(t.Now) {
		tri.Since = t.Now
		change = TripletChanged
	}
	// What is in the future is fresh, too; the next pass sets it right.
	fresh := !net.Last.IsZero() && t.Now.Sub(net.Last) < t.Terms.Life
	if t.Terms.AutoWhitelist > 0 && fresh && len(net.Passed) >= t.Terms.AutoWhitelist {
		// The triplet is not touched: a large sender needs none any more.
		net.Last = t.Now
		return Answer{Pass: true, Reason: AutoWhitelisted}, NetworkChanged
	}
	age := t.Now.Sub(tri.Since)
	switch {
	case tri.Since.IsZero(), tri.Passed && age >= t.Terms.Life, !tri.Passed && age >= t.Terms.Window:
		*tri = Triplet{Since: t.Now}
		return Answer{Wait: t.Terms.Delay, Reason: New}, TripletChanged
	case !tri.Passed && age < t.Terms.Delay:
		return Answer{Wait: t.Terms.Delay - age, Reason: Early}, change
	}
	a := Answer{Pass: true, Reason: Retried}
	if tri.Passed {
		a.Reason = Known
	}
	*tri = Triplet{Since: t.Now, Passed: true}
	if t.Terms.AutoWhitelist == 0 {
		return a, TripletChanged
	}
	if !fresh {
		net.Passed = nil
	}
	// There are fewer than Terms.AutoWhitelist: else it were on the list.
	if !slices.Contains(net.Passed, t.Triplet) {
		net.Passed = append(net.Passed, t.Triplet)
	}
	net.Last = t.Now
	return a, TripletChanged | NetworkChanged
}
