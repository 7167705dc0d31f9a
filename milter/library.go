package milter

import (
	"errors"
	"net"

	gomilter "github.com/d--j/go-milter"
)

// converse waits for the negotiation and hands the connection to the library.
// Each connection has a library server of its own: only so do its callbacks
// know whose they are, and an MTA that takes no macro list gets none. It
// returns at once; the library has started its goroutine then.
func (s *Server) converse(c *conn) {
	if err := c.await(); err != nil {
		_ = c.Close() // the error has been logged
		return
	}
	options := make([]gomilter.Option, 0, 2+len(s.macros))
	options = append(options,
		gomilter.WithNegotiationCallback(c.negotiate),
		gomilter.WithDynamicMilter(func(version uint32, actions gomilter.OptAction, protocol gomilter.OptProtocol, _ gomilter.DataSize) gomilter.Milter {
			c.session = newSession(c, agreement{version, actions, protocol})
			return c.session
		}))
	if offersMacros(c.pending) {
		options = append(options, s.macros...)
	}
	_ = gomilter.NewServer(options...).Serve(&single{conn: c}) // errOnce
}

// single is a listener with one connection.
type single struct{ conn *conn }

var errOnce = errors.New("there was one connection only")

func (l *single) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, errOnce
	}
	c := l.conn
	l.conn = nil
	return c, nil
}

func (l *single) Close() error   { return nil }
func (l *single) Addr() net.Addr { return nil }
