package mailauth

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

const (
	// maxEmptyLines are octets of CR LF in a row: each piece that the verifier
	// reads of a run of empty lines costs it the run so far.
	maxEmptyLines = 256 << 10
	// perField is what a field costs that is looked at for a name in h=: some 50
	// ns. Ten signatures of 60 names over 100 fields are within the allowance.
	perField = 8
)

var (
	errWork       = errors.New("the signatures take too much work")
	errEmptyLines = errors.New("too many empty lines")
)

// watch reads a message, counts what its header has, and charges what verifying
// will cost.
type watch struct {
	r       io.Reader
	budget  *budget.Budget
	authors int // From fields
	fields  int
	// signatures are those that are verified, names what stands in the h= of all
	// of them at most.
	signatures, names int
	octets            int   // of the header
	refused           error // to verify anything; of a header that has been read

	past  bool   // the header
	empty int    // octets of the empty lines that the body has last
	line  int    // octets of the line
	told  bool   // what the line is
	signs bool   // the field is a signature
	name  []byte // of the field that begins with the line; no longer than is needed to tell
	cr    bool   // the last octet was one
}

const (
	fromName      = "From"
	signatureName = "DKIM-Signature"
)

func (w *watch) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	_ = w.budget.Octets(n) // the steps of a proportional budget; looked at with them
	if w.past {
		if w.budget.Charge(n*max(w.signatures, 1)) != nil {
			return 0, w.spent()
		}
		if len(bytes.TrimLeft(p[:n], "\r\n")) > 0 {
			w.empty = 0
		} else if w.empty += n; w.empty > maxEmptyLines {
			return 0, errEmptyLines
		}
		return n, err
	}
	for _, c := range p[:n] {
		if w.past {
			break
		}
		w.octets++
		w.see(c)
	}
	if w.past {
		w.charge()
	}
	return n, err
}

// charge charges what the header costs, before anything is computed: each name in
// h= is looked for in all fields, and what is signed is put together anew for each
// signature.
func (w *watch) charge() {
	const most = 1 << 40
	work := w.octets * w.signatures
	if w.names > 0 && w.fields > most/perField/w.names {
		work = most
	} else {
		work += w.fields * w.names * perField
	}
	_ = w.budget.Charge(work)
	w.refused = w.spent()
}

// spent is the error of a budget that is spent; that of a context is its own.
func (w *watch) spent() error {
	err := w.budget.Err()
	if errors.Is(err, budget.ErrSpent) {
		return errWork
	}
	return err
}

// see takes an octet of the header.
func (w *watch) see(c byte) {
	blank := c == ' ' || c == '\t'
	if w.line == 0 && !blank {
		w.fields++
		w.signs = false
	}
	switch {
	case c == '\n':
		w.past = w.line == 0 || w.line == 1 && w.cr
		w.line, w.told, w.name = 0, false, w.name[:0]
		return
	case w.told:
		if c == ':' && w.signs {
			w.names++
		}
	case c == ':':
		w.field(string(bytes.TrimRight(w.name, " \t")))
		w.told = true
	case w.line == 0 && blank:
		w.told = true // the line goes on with a field
	case len(w.name) > len(fromName) && blank:
		// However much white space stands before the colon.
	case len(w.name) > len(signatureName)+1:
		w.told = true // a longer name
	default:
		w.name = append(w.name, c)
	}
	w.line++
	w.cr = c == '\r'
}

// field begins a field of that name.
func (w *watch) field(name string) {
	switch {
	case strings.EqualFold(name, fromName):
		w.authors++
	case strings.EqualFold(name, signatureName):
		w.signs = true
		w.signatures = min(w.signatures+1, maxSignatures)
		w.names++
	}
}

// covers tells whether h= has every one of a number of From fields. One that it
// has not is shown to people as the author, though nobody signed it (RFC 6376
// §8.15).
func covers(signed []string, froms int) bool {
	for _, name := range signed {
		if strings.EqualFold(name, "From") {
			froms--
		}
	}
	return froms <= 0
}
