package milter

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unwaited tells whether the peer has closed the connection or said something
// that has not been read yet. An MTA that waits for a verdict does neither.
func unwaited(c syscall.RawConn) bool {
	spoke := false
	// Control, not Read: a read deadline that has passed meanwhile is no sign.
	err := c.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		spoke = err != unix.EAGAIN && err != unix.EINTR
	})
	return spoke || err != nil
}
