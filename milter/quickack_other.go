//go:build !linux

package milter

import "syscall"

// quickACK is false: this system cannot be asked to acknowledge at once. On
// TCP the negotiation then keeps the reply to DATA, which carries the
// acknowledgement that Postfix waits for.
const quickACK = false

func acknowledge(syscall.RawConn) {}
