package milter

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// quickACK tells whether this system can be asked to acknowledge at once.
const quickACK = true

// acknowledge has what was read from a TCP connection acknowledged now. Where
// no reply carries the acknowledgement it is delayed by 40 ms, and Postfix,
// with Nagle's algorithm on, waits for it. The kernel forgets the wish: it is
// told after each read. A failure costs those 40 ms and nothing else.
func acknowledge(c syscall.RawConn) {
	_ = c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
}
