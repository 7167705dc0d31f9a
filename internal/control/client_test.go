package control

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"
)

// What the kernel says, as the HTTP client wraps it.
func TestExplain(t *testing.T) {
	tests := []struct {
		err  error
		want error
	}{
		{syscall.ENOENT, ErrNoDaemon},
		{syscall.ECONNREFUSED, ErrNoDaemon},
		{syscall.EACCES, ErrDenied},
		{syscall.EPERM, ErrDenied},
		{fs.ErrPermission, ErrDenied},
		{io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		err := fmt.Errorf("Post: %w", &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", tt.err)})
		if got := NewClient("/state").explain(err); !errors.Is(got, tt.want) {
			t.Errorf("%v: %v", tt.err, got)
		}
	}
}
