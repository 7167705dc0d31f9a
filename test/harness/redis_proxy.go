package harness

import (
	"bytes"
	"net"
	"sync/atomic"
)

// ReplicationProxy stands in front of a Redis master. Told to, it drops what
// replicas should get, while their connections stay: they lag, and neither they
// nor the master notice.
type ReplicationProxy struct {
	Addr string // host:port
	Port int
	to   string
	hold atomic.Bool
	list net.Listener
}

// ReplicationProxy starts one in front of a server.
func (s *Sandbox) ReplicationProxy(to string) (*ReplicationProxy, error) {
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	p := &ReplicationProxy{Addr: Loopback(port), Port: port, to: to}
	if p.list, err = net.Listen("tcp", p.Addr); err != nil {
		return nil, err
	}
	s.OnClose(p.list.Close)
	go func() {
		for {
			c, err := p.list.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p, nil
}

// Hold has replicas get nothing any more.
func (p *ReplicationProxy) Hold() { p.hold.Store(true) }

func (p *ReplicationProxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	var replica atomic.Bool
	go func() {
		defer server.Close()
		defer client.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := client.Read(buf)
			if bytes.Contains(buf[:n], []byte("PSYNC")) {
				replica.Store(true)
			}
			if _, failed := server.Write(buf[:n]); err != nil || failed != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if !p.hold.Load() || !replica.Load() {
			if _, failed := client.Write(buf[:n]); failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
