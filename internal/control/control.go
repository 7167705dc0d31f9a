// Package control is the line between a running daemon and the commands: JSON
// over HTTP on a unix socket in the state folder, and the lock that says whose
// that folder is. Who may open the socket may look;
// Privileged handlers answer root and the daemon's own user.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
)

// Protocol is told by both sides; they talk only when it is the same.
const Protocol = "1"

const (
	protocolHeader = "Tollgate-Protocol"
	socketName     = "control.sock"
	bindName       = "control.new" // what becomes the socket; not longer than its name
	lockName       = "lock"

	mostRequest  = 1 << 20   // bytes
	mostWritten  = 64 << 20  // bytes: of who may change something, such as all clients
	mostResponse = 256 << 20 // bytes
)

var (
	// ErrNoDaemon: nobody serves this state folder.
	ErrNoDaemon = errors.New("no tollgate is running here")
	// ErrDenied: the socket may not be opened.
	ErrDenied = errors.New("permission denied")
	// ErrProtocol: the daemon is of a version that cannot be talked to.
	ErrProtocol = errors.New("the running tollgate speaks another control protocol: restart it after an upgrade")
)

// SocketPath is where the daemon of a state folder listens.
func SocketPath(stateDir string) string { return filepath.Join(stateDir, socketName) }

// Handler answers one kind of request. What it returns is sent as JSON; an
// error of type *Refusal as that, any other as a fault.
type Handler func(ctx context.Context, request json.RawMessage) (any, error)

// Conversation is an answer that goes on: it has the connection to itself, which is
// closed when it returns.
type Conversation func(conn *net.UnixConn)

// Refusal is an answer in the negative.
type Refusal struct {
	Code    string          `json:"code"` // what a program decides on
	Message string          `json:"message"`
	Detail  json.RawMessage `json:"detail,omitempty"`
}

func (r *Refusal) Error() string { return r.Message }

// CodeFault is the code of what went wrong in the daemon.
const CodeFault = "fault"
