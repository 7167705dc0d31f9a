package milter

import "encoding/binary"

// appendFrame appends a frame of the milter protocol.
func appendFrame(b []byte, code byte, data string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)+1))
	b = append(b, code)
	return append(b, data...)
}
