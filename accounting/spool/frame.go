package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// A frame is the records of one message:
//
//	 0  4 bytes  magic
//	 4  uint32   CRC-32C of all that follows
//	 8  uint32   length of the payload, bytes
//	12  uint32   number of records
//	16  int64    time of the oldest record, Unix milliseconds
//	24  payload: a line of JSON for each record
//
// Numbers are little-endian.
const headerSize = 24

// magic begins with an octet that no UTF-8 text has, so that nothing a sender
// writes into an address can pass for the begin of a frame.
const magic = "\xfftg1"

// maxPayload bounds what a reader takes into memory on the word of a length:
// over 50,000 recipients fit.
const maxPayload = 64 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrTooLarge: the records of one message do not fit into a frame.
var ErrTooLarge = errors.New("spool: too many records for one message")

// appendFrame appends the frame of records, which must not be empty.
func appendFrame(b []byte, records []accounting.Record) ([]byte, error) {
	begin := len(b)
	b = append(b, make([]byte, headerSize)...)
	oldest := int64(math.MaxInt64)
	for i := range records {
		b = append(records[i].AppendJSON(b), '\n')
		oldest = min(oldest, records[i].Time.UnixMilli())
	}
	size := len(b) - begin - headerSize
	if size > maxPayload {
		return b[:begin], fmt.Errorf("%w: %d records, %d bytes", ErrTooLarge, len(records), size)
	}
	h := b[begin:]
	copy(h, magic)
	binary.LittleEndian.PutUint32(h[8:], uint32(size))
	binary.LittleEndian.PutUint32(h[12:], uint32(len(records)))
	binary.LittleEndian.PutUint64(h[16:], uint64(oldest))
	binary.LittleEndian.PutUint32(h[4:], crc32.Checksum(h[8:], castagnoli))
	return b, nil
}

// header is a frame's, not yet known to be true.
type header struct {
	sum     uint32
	length  int // of the payload
	records int
	oldest  time.Time
}

// parseHeader reports whether b begins with what may be a frame. A frame has
// at least one record and a record at least two bytes, so that neither zeros
// nor an absurd length passes.
func parseHeader(b []byte) (header, bool) {
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return header{}, false
	}
	length, records := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
	if length > maxPayload || records == 0 || records > length/2 {
		return header{}, false
	}
	return header{
		sum:     binary.LittleEndian.Uint32(b[4:]),
		length:  int(length),
		records: int(records),
		oldest:  time.UnixMilli(int64(binary.LittleEndian.Uint64(b[16:]))).UTC(),
	}, true
}

// size of the whole frame.
func (h header) size() int64 { return headerSize + int64(h.length) }

// holds reports whether b, a whole frame, is as it was written.
func (h header) holds(b []byte) bool { return crc32.Checksum(b[8:], castagnoli) == h.sum }

// decode appends the records of a payload. Those that cannot be read are left
// out; the error names the first of them.
func decode(records []accounting.Record, payload []byte) ([]accounting.Record, error) {
	var fault error
	for line := range bytes.Lines(payload) {
		r, err := accounting.ParseRecord(line)
		if err != nil {
			if fault == nil {
				fault = err
			}
			continue
		}
		records = append(records, r)
	}
	return records, fault
}
