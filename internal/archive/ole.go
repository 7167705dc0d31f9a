package archive

import (
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
)

// ole looks what is kept in an office document of old, a compound file
// ([MS-CFB] §2.6): storages of macros, an encrypted document. The entries of
// its directory stand anywhere, in a chain of sectors; a look at all that may
// be one finds them whatever the chain says.
func (l *listing) ole(r io.Reader) error {
	const entry, nameLength, objectType = 128, 64, 66
	var sector [4 * entry]byte
	for {
		_, err := io.ReadFull(r, sector[:])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := l.Budget.Charge(1); err != nil {
			return err
		}
		for e := sector[:]; len(e) >= entry; e = e[entry:] {
			n := int(binary.LittleEndian.Uint16(e[nameLength:]))
			if n < 4 || n > nameLength || n%2 != 0 || e[objectType] < 1 || e[objectType] > 2 {
				continue
			}
			units := make([]uint16, 0, nameLength/2)
			for i := 0; i+2 < n; i += 2 { // without the NUL at its end
				units = append(units, binary.LittleEndian.Uint16(e[i:]))
			}
			switch string(utf16.Decode(units)) {
			case "VBA", "_VBA_PROJECT", "_VBA_PROJECT_CUR", "Macros":
				l.Sign(Macro)
			case "EncryptedPackage":
				l.Sign(Encrypted)
			}
		}
	}
}
