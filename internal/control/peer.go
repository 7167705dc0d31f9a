package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
)

// CodeDenied is the code of what the one who asks may not do.
const CodeDenied = "denied"

type peerKey struct{}

// withPeer keeps who opened a connection, by the kernel's word. Where that cannot
// be had nobody is kept, and nobody may change anything.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return ctx
	}
	var uid uint32
	var failed error
	if err := raw.Control(func(fd uintptr) { uid, failed = peerUID(int(fd)) }); err != nil || failed != nil {
		return ctx
	}
	return context.WithValue(ctx, peerKey{}, uid)
}

// AsSelf has a handler answer who runs this process, as if it had asked itself.
func AsSelf(ctx context.Context) context.Context {
	return context.WithValue(ctx, peerKey{}, uint32(os.Geteuid()))
}

// Privileged is a handler of what changes something: it answers root and the
// daemon's own user. Members of the group, who may open the socket, may look.
func Privileged(h Handler) Handler {
	return func(ctx context.Context, request json.RawMessage) (any, error) {
		if !privileged(ctx) {
			return nil, &Refusal{Code: CodeDenied, Message: fmt.Sprintf("permission denied: this is for root and for user %s", UserName(os.Geteuid()))}
		}
		return h(ctx, request)
	}
}

// privileged tells whether the one who asks may change something.
func privileged(ctx context.Context) bool {
	uid, known := ctx.Value(peerKey{}).(uint32)
	return known && (uid == 0 || int64(uid) == int64(os.Geteuid()))
}

// BySelf tells whether the command that a handler answers was given by the daemon's own
// user.
func BySelf(ctx context.Context) bool {
	uid, known := ctx.Value(peerKey{}).(uint32)
	return known && int64(uid) == int64(os.Geteuid())
}

// User is the name of the user who gave the command that a handler answers, or
// the number of one without a name; "" when the system does not tell.
func User(ctx context.Context) string {
	uid, known := ctx.Value(peerKey{}).(uint32)
	if !known {
		return ""
	}
	return UserName(int(uid))
}

// UserName is the name of a user of the system, or the number of one who has
// none.
func UserName(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
