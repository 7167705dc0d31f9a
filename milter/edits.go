package milter

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	gomilter "github.com/d--j/go-milter"
	"github.com/d--j/go-milter/milterutil"
)

// Packets that change a message, and the sign of life (libmilter's mfdef.h).
const (
	putField       = 'h' // SMFIR_ADDHEADER
	putFieldAt     = 'i' // SMFIR_INSHEADER
	putFieldInTurn = 'm' // SMFIR_CHGHEADER
	putHold        = 'q' // SMFIR_QUARANTINE
	putProgress    = 'p' // SMFIR_PROGRESS
)

// maxPacket bounds the data of one packet: an MTA takes no larger ones.
const maxPacket = int(gomilter.DataSize64K)

// editor is told what is to become of a message at its end. The methods are the
// library's gomilter.Modifier's.
type editor interface {
	Quarantine(reason string) error
	AddHeader(name, value string) error
	ChangeHeader(index int, name, value string) error
	InsertHeader(index int, name, value string) error
	Progress() error
}

// Quarantine has the MTA hold the message.
func (c *conn) Quarantine(reason string) error {
	if c.session.agreed.actions&gomilter.OptQuarantine == 0 {
		return gomilter.ErrModificationNotAllowed
	}
	c.begin(putHold)
	c.out = append(append(c.out, milterutil.NewlineToSpace(reason)...), 0)
	return c.conclude()
}

// AddHeader adds a field at the end of the header.
func (c *conn) AddHeader(name, value string) error {
	return c.edit(putField, gomilter.OptAddHeader, -1, name, value)
}

// ChangeHeader replaces the index-th field of that name, from 1, or removes it.
func (c *conn) ChangeHeader(index int, name, value string) error {
	return c.edit(putFieldInTurn, gomilter.OptChangeHeader, index, name, value)
}

// InsertHeader puts a field at a place in the header. No action of its own allows
// it.
func (c *conn) InsertHeader(index int, name, value string) error {
	return c.edit(putFieldAt, gomilter.OptChangeHeader|gomilter.OptAddHeader, index, name, value)
}

// edit puts a change that one of the actions allows; an index below 0 is none.
func (c *conn) edit(code byte, allowed gomilter.OptAction, index int, name, value string) error {
	switch {
	case c.session.agreed.actions&allowed == 0:
		return gomilter.ErrModificationNotAllowed
	case code != putField && (index < 0 || index > math.MaxUint32):
		return fmt.Errorf("no place in a header: %d", index)
	case !validName(name):
		return fmt.Errorf("no name of a header field: %q", name)
	}
	c.begin(code)
	if code != putField {
		c.out = binary.BigEndian.AppendUint32(c.out, uint32(index))
	}
	if strings.ContainsAny(value, "\x00\r") {
		value = milterutil.CrLfToLf(value)
	}
	c.out = append(append(c.out, name...), 0)
	c.out = append(append(c.out, value...), 0)
	return c.conclude()
}

// conclude finishes the packet of a change, or takes it back.
func (c *conn) conclude() error {
	if n := len(c.out) - c.packet - 5; n > maxPacket {
		c.out = c.out[:c.packet]
		return fmt.Errorf("a change of %d octets, more than %d", n, maxPacket)
	}
	c.finish()
	return c.failure
}

// validName tells of a field's name that an MTA takes it.
func validName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return name != ""
}

// Progress tells the MTA that the verdict is still being made.
func (c *conn) Progress() error {
	if c.session.agreed.version < 6 {
		return gomilter.ErrVersionTooLow
	}
	c.put(putProgress, nil)
	return c.failure
}
