package harness

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below the range from which the kernel takes those of
// outgoing connections, so that nobody gets one by chance.
const (
	lowestPort  = 20000
	highestPort = 32000
)

// Port finds a TCP port that is free on loopback. Until the sandbox is closed
// no other sandbox, of this process or another, gets the same one: the UDP
// port of that number is held as the sign that it is taken.
func (s *Sandbox) Port() (int, error) {
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		sign, err := net.ListenPacket("udp", Loopback(port))
		if err != nil {
			continue // taken
		}
		listener, err := net.Listen("tcp", Loopback(port))
		if err != nil {
			sign.Close()
			continue // somebody listens there who knows nothing of signs
		}
		if err := listener.Close(); err != nil {
			sign.Close()
			return 0, fmt.Errorf("harness: %w", err)
		}
		s.OnClose(sign.Close)
		return port, nil
	}
	return 0, errors.New("harness: no free port")
}

// Loopback is the address of a port on 127.0.0.1.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// dialable tells whether something listens at the address; it greets nobody.
func dialable(network, address string) error {
	conn, err := net.Dial(network, address)
	if err != nil {
		return err
	}
	return conn.Close()
}
