// Package takeover is how a gateway passes from the process that runs it to
// another one, without a pause: descriptors and what both say to each other over
// the control socket, and what the old one asks the new one for while its last
// sessions go on. docs/takeover.md has the steps.
package takeover

import (
	"encoding/json"
	"errors"
	"time"
)

// Command begins a hand-over. It takes Hello and answers with a conversation.
const Command = "takeover"

// Version is of what both say. They talk only when it is the same.
const Version = 1

var (
	// ErrRefused: the old process goes on. Nothing has changed.
	ErrRefused = errors.New("the running tollgate does not hand over")
	// ErrBack: the old process has gone back to serving.
	ErrBack = errors.New("the running tollgate has gone back to serving by itself")
	// ErrVersion: the other side is of a version that cannot be talked to.
	ErrVersion = errors.New("the running tollgate hands over by another protocol: restart it")
	// ErrSilent: the old process does not answer. Nothing has changed.
	ErrSilent = errors.New("the running tollgate does not answer")
	// ErrAway: the process that has the gateway now was not reached.
	ErrAway = errors.New("the tollgate that took over was not reached")
)

// Times of a hand-over.
const (
	// readyLimit is for the new process to look at what it was offered. Nothing has
	// changed until then.
	readyLimit = time.Minute
	// openLimit is for the new process to open what the old one has closed: it gives
	// up after that, and the old one goes back a little later.
	openLimit = 20 * time.Second
	backAfter = 30 * time.Second
	sayLimit  = 5 * time.Second // for one word to be taken
	// answerLimit is for the old process to begin: one that hangs has not.
	answerLimit = 15 * time.Second
)

// Hello is of who wants to take over.
type Hello struct {
	Protocol int    `json:"protocol"`
	PID      int    `json:"pid"`
	Version  string `json:"version"` // of tollgate
	// Drain is how long sessions of the old process may go on, in ms.
	Drain int64 `json:"drain_ms"`
}

// Offer is what the old process gives.
type Offer struct {
	PID     int    `json:"pid"`
	Version string `json:"version"`
	Notify  string `json:"notify"` // socket of its service manager; "" for none
	// Names are of the descriptors, in their order: addresses as the policy has them,
	// and those below.
	Names []string `json:"names"`
	// Kept is what else survives; the daemon's to read.
	Kept json.RawMessage `json:"kept"`
}

// Names of descriptors that are no address.
const (
	NameLock    = "lock"
	NameControl = "control"
	NameMetrics = "metrics:" // and the address
)

// word is one of the conversation.
type word struct {
	Say   string `json:"say"`
	Why   string `json:"why,omitempty"`
	Offer *Offer `json:"offer,omitempty"`
}

// What is said. Old and new side take turns.
const (
	sayReady   = "ready"   // new: what I can check I have checked
	sayOffer   = "offer"   // old: these are your descriptors
	sayTake    = "take"    // new: I have what I need
	sayYours   = "yours"   // old: I have closed what only one can have open
	sayServing = "serving" // new: I have opened it
	sayDone    = "done"    // old: it is yours for good
	sayBack    = "back"    // old: I serve again
)

// Step is one of a hand-over, as its side sees it.
type Step uint8

// Steps of the old side, and of the new one.
const (
	Offered    Step = iota // old: descriptors are on their way
	Yielded                // old: stores are closed
	Committing             // old: heard that the new one serves; has not said done
	Left                   // old: said done
	Resumed                // old: serves again
	Asked                  // new: has the descriptors
	Taken                  // new: heard that stores are closed
	Opened                 // new: all is open; has not said so
	Announced              // new: said serving
	Owned                  // new: it is ours
)

// Steps is told of each; for tests that end a process there.
type Steps interface{ Reached(s Step) }

// Silent is told nothing.
type Silent struct{}

// Reached does nothing.
func (Silent) Reached(Step) {}
