package takeover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Files are descriptors by name, of their own: they stay open while what they were
// made of is closed.
type Files struct {
	names []string
	fds   []int
}

// Add takes a copy of the descriptor of a listener or a file. It is not switched to
// waiting, as (*os.File).Fd and File do: the mode is shared with what it is made of.
func (f *Files) Add(name string, of syscall.Conn) error {
	raw, err := of.SyscallConn()
	if err != nil {
		return fmt.Errorf("takeover: %s: %w", name, err)
	}
	made, failed := -1, error(nil)
	if err := raw.Control(func(fd uintptr) { made, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); err != nil || failed != nil {
		return fmt.Errorf("takeover: %s: %w", name, errors.Join(err, failed))
	}
	f.names, f.fds = append(f.names, name), append(f.fds, made)
	return nil
}

// Names of all, in their order.
func (f *Files) Names() []string { return f.names }

// Listener is a listener of the descriptor of a name, of which there is another copy.
func (f *Files) Listener(name string) (net.Listener, error) {
	for i, n := range f.names {
		if n == name {
			fd, err := unix.FcntlInt(uintptr(f.fds[i]), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				return nil, fmt.Errorf("takeover: %s: %w", name, err)
			}
			return listener(os.NewFile(uintptr(fd), name))
		}
	}
	return nil, fmt.Errorf("takeover: %s: %w", name, os.ErrNotExist)
}

// listener uses a file up.
func listener(file *os.File) (net.Listener, error) {
	l, err := net.FileListener(file) // of a copy
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("takeover: %w", err)
	}
	return l, nil
}

// Close closes all of them.
func (f *Files) Close() {
	for _, fd := range f.fds {
		_ = unix.Close(fd) // nothing is written to it
	}
	f.names, f.fds = nil, nil
}
