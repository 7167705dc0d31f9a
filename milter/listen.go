package milter

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// Socket is who may connect to a unix socket.
type Socket struct {
	Mode  fs.FileMode // 0: 0660
	Group string      // by name or number; "": as the folder and process have it
}

// ErrInUse means that another process answers on the address.
var ErrInUse = errors.New("another process answers there")

// Listen opens an address as gateway.listen has it: "unix:/path",
// "inet:host:port" or "inet6:[addr]:port". Postfix must be able to write to a
// unix socket: put both into one group (mode 0660), and the folder within
// reach of it. A socket that nobody answers on is left over and replaced.
func Listen(address string, socket Socket) (net.Listener, error) {
	kind, where, ok := strings.Cut(address, ":")
	if !ok || where == "" {
		return nil, fmt.Errorf("listen %q: neither unix:/path nor inet:host:port", address)
	}
	network := ""
	switch kind {
	case "unix":
		ln, err := newUnixSocket(where, socket)
		if err != nil {
			return nil, fmt.Errorf("listen %q: %w", address, err)
		}
		return ln, nil
	case "inet":
		network = "tcp4"
		if strings.HasPrefix(where, "[") {
			network = "tcp6"
		}
	case "inet6":
		network = "tcp6"
	default:
		return nil, fmt.Errorf("listen %q: neither unix:/path nor inet:host:port", address)
	}
	ln, err := net.Listen(network, where)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = ErrInUse
	}
	if err != nil {
		return nil, fmt.Errorf("listen %q: %w", address, err)
	}
	return ln, nil
}

// removeStale removes a socket that a dead process left over; anything else
// that is there stays.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("a file that is no socket is there")
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close() // it was only asked whether somebody is there
		return ErrInUse
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

func permit(path string, socket Socket) error {
	if socket.Group != "" {
		gid, err := groupID(socket.Group)
		if err != nil {
			return err
		}
		if err := os.Chown(path, -1, gid); err != nil {
			return err
		}
	}
	mode := socket.Mode
	if mode == 0 {
		mode = 0o660
	}
	return os.Chmod(path, mode)
}

func groupID(name string) (int, error) {
	if gid, err := strconv.Atoi(name); err == nil {
		return gid, nil
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}
