package index

import "encoding/binary"

// Resum changes an octet and makes the checksums fit, so that a fuzzer comes behind
// them.
func Resum(b []byte, at int, v byte) {
	if at < len(b) {
		b[at] ^= v
	}
	for n := int64(0); (n+1)*blockSize <= int64(len(b)); n++ {
		block := b[n*blockSize : (n+1)*blockSize]
		binary.LittleEndian.PutUint32(block[blockData:], sum(n, block[:blockData]))
	}
}
