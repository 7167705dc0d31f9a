package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// cab lists a cabinet ([MS-CAB] §2).
func (l *listing) cab(r io.Reader) error {
	const header, entry, utf8Name = 36, 16, 0x80
	br := bufio.NewReader(r)
	var h [header]byte
	if _, err := io.ReadFull(br, h[:]); err != nil {
		return err
	}
	first, files := int64(binary.LittleEndian.Uint32(h[16:])), binary.LittleEndian.Uint16(h[28:])
	if first < header {
		return ErrUnreadable
	}
	if _, err := io.CopyN(io.Discard, br, first-header); err != nil {
		return err
	}
	for range files {
		if err := l.Budget.Charge(1); err != nil {
			return err
		}
		var e [entry]byte
		if _, err := io.ReadFull(br, e[:]); err != nil {
			return err
		}
		name, err := br.ReadSlice(0)
		if errors.Is(err, bufio.ErrBufferFull) {
			return ErrUnreadable
		}
		if err != nil {
			return err
		}
		text := string(name[:len(name)-1])
		if e[14]&utf8Name == 0 {
			text = toUTF8(text)
		}
		if err := l.file(nil, text); err != nil {
			return err
		}
	}
	return nil
}
