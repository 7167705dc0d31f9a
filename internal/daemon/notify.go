package daemon

import (
	"fmt"
	"net"
	"os"
)

// notifier tells the service manager what the daemon is at, by the protocol of
// sd_notify(3). Where there is no such manager it does nothing.
type notifier struct{ socket string }

// newNotifier takes the manager's socket from the environment.
func newNotifier() notifier { return notifier{os.Getenv("NOTIFY_SOCKET")} }

const (
	notifyReady     = "READY=1"
	notifyReloading = "RELOADING=1"
	notifyStopping  = "STOPPING=1"
)

func (n notifier) tell(state string) error {
	if n.socket == "" {
		return nil
	}
	// A leading @ is the abstract name space, which net understands as well.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("service manager cannot be told: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("service manager cannot be told: %w", err)
	}
	return nil
}
