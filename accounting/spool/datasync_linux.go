package spool

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// datasync spares the write of the times that fsync(2) also makes durable.
func datasync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
