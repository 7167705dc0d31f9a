package tape

import (
	"net/netip"
	"sync"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// Answers are what was answered in one session, by question: DNS, inspectors,
// what is remembered. It is safe for use by many goroutines.
type Answers struct {
	room *Room

	mu    sync.Mutex
	known map[any]any
	size  int64 // octets of room
	users int   // the session and the tapes that hold it; at none the room is given back
}

// What is kept of one session; further answers are not known. A sender chooses the
// names that are asked for, and publishes what is answered.
const (
	mostAnswers      = 5000
	mostAnswerOctets = 1 << 20
)

func newAnswers(r *Room) *Answers { return &Answers{room: r, users: 1} }

func (a *Answers) use() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users++
}

// forget drops what inspectors said of a message that is judged: in a long session
// the texts of its messages would take the room of all answers.
func (a *Answers) forget(ref string) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for question, known := range a.known {
		if of, ok := question.(inspected); ok && of.ref == ref {
			n := weighed(question) + weighed(known)
			delete(a.known, question)
			a.size -= n
			a.room.give(n)
		}
	}
}

// leave gives the room back with the last user. Of a tape that no session made there
// are no answers.
func (a *Answers) leave() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users--; a.users == 0 {
		a.room.give(a.size)
		a.known, a.size = nil, 0
	}
}

func (a *Answers) keep(question, answer any) {
	n := weighed(question) + weighed(answer)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users == 0 || len(a.known) >= mostAnswers || a.size+n > mostAnswerOctets || !a.room.take(n) {
		return
	}
	if a.known == nil {
		a.known = map[any]any{}
	}
	a.size += n
	a.known[question] = answer
}

// weighed is about what a question or an answer takes in memory, in octets.
func weighed(v any) int64 {
	const each = 100
	n := each
	switch v := v.(type) {
	case mxQuestion:
		n += len(v.sender)
	case listQuestion:
		n += len(v.zone) + len(v.client)
	case domainQuestion:
		n += len(v.zone) + len(v.domain)
	case spfQuestion:
		n += len(v.client) + len(v.helo) + len(v.sender)
	case txtQuestion:
		n += len(v.name)
	case greyQuestion:
		n += len(v.client) + len(v.sender) + len(v.recipient)
	case wroteQuestion:
		n += len(v.local) + len(v.remote)
	case answer[[]string]:
		for _, text := range v.value {
			n += each + len(text)
		}
	case answer[[]netip.Addr]:
		n += each * len(v.value)
	case module.Result:
		f := v.Finding
		n += len(f.Virus) + len(f.Action)
		for _, texts := range [][]string{f.Symbols, f.Names, f.Types, f.Text, f.HiddenText, f.URLs, f.URLDomains} {
			for _, text := range texts {
				n += each + len(text)
			}
		}
		for name, d := range f.Details {
			n += each + len(name)
			for _, text := range d.About {
				n += each + len(text)
			}
		}
		for _, a := range f.Add {
			n += each + len(a.Name) + len(a.Value)
		}
		n += each * len(f.Remove)
	}
	return int64(n)
}

func (a *Answers) recall(question any) (any, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, ok := a.known[question]
	return answer, ok
}
