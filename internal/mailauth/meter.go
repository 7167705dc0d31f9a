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

// meter reads a message, counts what its header has, and charges what verifying
// will cost.
type meter struct {
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
	named bool   // the colon of the field has been seen
	signs bool   // the field is a signature
	name  []byte // of the field, as far as it has been seen
	cr    bool   // the last octet was one
}

const (
	fromName      = "From"
	signatureName = "DKIM-Signature"
)

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	_ = m.budget.Octets(n) // the steps of a proportional budget; looked at with them
	if m.past {
		if m.budget.Charge(n*max(m.signatures, 1)) != nil {
			return 0, m.spent()
		}
		if len(bytes.TrimLeft(p[:n], "\r\n")) > 0 {
			m.empty = 0
		} else if m.empty += n; m.empty > maxEmptyLines {
			return 0, errEmptyLines
		}
		return n, err
	}
	for _, c := range p[:n] {
		if m.past {
			break
		}
		m.octets++
		m.see(c)
	}
	if m.past {
		m.charge()
	}
	return n, err
}

// charge charges what the header costs, before anything is computed: each name in
// h= is looked for in all fields, and what is signed is put together anew for each
// signature.
func (m *meter) charge() {
	const most = 1 << 40
	work := m.octets * m.signatures
	if m.names > 0 && m.fields > most/perField/m.names {
		work = most
	} else {
		work += m.fields * m.names * perField
	}
	_ = m.budget.Charge(work)
	m.refused = m.spent()
}

// spent is the error of a budget that is spent; that of a context is its own.
func (m *meter) spent() error {
	err := m.budget.Err()
	if errors.Is(err, budget.ErrSpent) {
		return errWork
	}
	return err
}

// see takes an octet of the header. Fields are those that the verifier finds, which
// cuts at line ends and at the first colon behind them, wherever it stands.
func (m *meter) see(c byte) {
	if m.line == 0 && (m.fields == 0 || c != ' ' && c != '\t') {
		m.fields++
		m.named, m.signs, m.name = false, false, m.name[:0]
	}
	switch {
	case c == '\n' && (m.line == 0 || m.line == 1 && m.cr):
		m.past = true
		return
	case !m.named && c == ':':
		m.named = true
		m.field(string(m.name))
	case !m.named:
		m.name = append(m.name, c)
	case c == ':' && m.signs:
		m.names++
	}
	m.line++
	m.cr = c == '\r'
	if c == '\n' {
		m.line = 0
	}
}

// field begins a field of that name. The verifier drops white space of any script
// around it, with which a field that others take for another one is From to it.
func (m *meter) field(name string) {
	switch name = strings.TrimSpace(name); {
	case strings.EqualFold(name, fromName):
		m.authors++
	case strings.EqualFold(name, signatureName):
		m.signs = true
		m.signatures = min(m.signatures+1, maxSignatures)
		m.names++
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
