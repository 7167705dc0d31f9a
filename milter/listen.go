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

	"github.com/tollgate-mail/tollgate/internal/unixsocket"
)

// Socket is who may connect to a unix socket.
type Socket struct {
	Mode  fs.FileMode // 0: 0660
	Group string      // by name or number; "": as the folder and process have it
}

// ErrInUse means that another process answers on the address.
var ErrInUse = unixsocket.ErrInUse

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
		ln, err := unixsocket.Listen(where, socket.make)
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

// Inherit goes on with a listener that another process has opened at an address. The
// path of a unix socket stays when it is closed, until the server's Own.
func Inherit(address string, ln net.Listener, socket Socket) (net.Listener, error) {
	path, unix := strings.CutPrefix(address, "unix:")
	at, ok := ln.(*net.UnixListener)
	if unix != ok {
		return nil, fmt.Errorf("listen %q: what was inherited is %s", address, ln.Addr().Network())
	}
	if !unix {
		return ln, nil
	}
	l, err := unixsocket.Inherit(path, at, socket.make)
	if err != nil {
		return nil, fmt.Errorf("listen %q: %w", address, err)
	}
	return l, nil
}

// make listens on a path.
func (s Socket) make(path string) (*net.UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := permit(path, s); err != nil {
		return nil, errors.Join(err, ln.Close()) // which removes the path
	}
	return ln, nil
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
