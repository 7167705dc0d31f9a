package harness

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// replyLimit is how long an SMTP reply may take: longer than Postfix waits
// for a milter's verdict on a command, for that must be seen.
const replyLimit = Patience

// Reply is an SMTP reply (RFC 5321 §4.2).
type Reply struct {
	Code  int
	Lines []string // each as it came, with the code
}

// String is the lines, joined by line feeds.
func (r Reply) String() string { return strings.Join(r.Lines, "\n") }

// OK tells whether the reply is positive: 2yz or 3yz.
func (r Reply) OK() bool { return r.Code >= 200 && r.Code < 400 }

// QueueID is the queue id in Postfix's reply to the end of a message; "" when
// there is none.
func (r Reply) QueueID() string {
	_, id, ok := strings.Cut(r.String(), "queued as ")
	if !ok {
		return ""
	}
	return strings.TrimSpace(id)
}

// Client is an SMTP client that sends exactly the octets it is given.
type Client struct {
	conn net.Conn
	in   *bufio.Reader

	// Dialogue hears each line of the conversation as it happens, if set:
	// 'C' for what the client says, 'S' for the server. A message's octets
	// are told as one line of description.
	Dialogue func(who byte, line string)
	// Patience is how long a reply, or the server's reading, may take.
	Patience time.Duration
}

// Dial connects and leaves the greeting to be read by Reply.
func Dial(addr string) (*Client, error) { return DialFrom("", addr) }

// DialFrom is Dial from an address of this machine, such as another one of
// loopback.
func DialFrom(local, addr string) (*Client, error) {
	dialer := net.Dialer{Timeout: Patience}
	if local != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(local)}
	}
	conn, err := dialer.Dial("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	return &Client{conn: conn, in: bufio.NewReader(conn), Patience: replyLimit}, nil
}

// Close drops the connection without a word.
func (c *Client) Close() error { return c.conn.Close() }

// Reply reads the next reply.
func (c *Client) Reply() (Reply, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(c.Patience)); err != nil {
		return Reply{}, fmt.Errorf("smtp: %w", err)
	}
	var r Reply
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return r, fmt.Errorf("smtp: reply after %q: %w", r.String(), err)
		}
		text := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		r.Lines = append(r.Lines, text)
		c.tell('S', text)
		if len(text) < 3 {
			return r, fmt.Errorf("smtp: malformed reply %q", text)
		}
		if r.Code, err = strconv.Atoi(text[:3]); err != nil {
			return r, fmt.Errorf("smtp: malformed reply %q", text)
		}
		if len(text) == 3 || text[3] != '-' {
			return r, nil
		}
	}
}

// Send sends a command line; CR LF is added.
func (c *Client) Send(line string) error {
	c.tell('C', line)
	return c.write([]byte(line + "\r\n"))
}

// Cmd sends a command line and reads the reply.
func (c *Client) Cmd(line string) (Reply, error) {
	if err := c.Send(line); err != nil {
		return Reply{}, err
	}
	return c.Reply()
}

// XClient says who the client is: Postfix's XCLIENT attributes as
// "NAME=value" in xtext where needed. The reply is a new greeting.
func (c *Client) XClient(attributes ...string) (Reply, error) {
	return c.Cmd("XCLIENT " + strings.Join(attributes, " "))
}

// Data sends DATA, and after its 354 the message, whose line ends are CR LF,
// with dots stuffed (RFC 5321 §4.5.2). A message that does not end in a line
// end gets one.
func (c *Client) Data(message []byte) (Reply, error) {
	r, err := c.Cmd("DATA")
	if err != nil || r.Code != 354 {
		return r, err
	}
	c.tell('C', fmt.Sprintf("[message of %d bytes]", len(message)))
	if err := c.write(append(stuff(message), ".\r\n"...)); err != nil {
		return Reply{}, err
	}
	return c.Reply()
}

// Half sends DATA, half of the message and then nothing more.
func (c *Client) Half(message []byte) (Reply, error) {
	r, err := c.Cmd("DATA")
	if err != nil || r.Code != 354 {
		return r, err
	}
	c.tell('C', "[half of a message]")
	return r, c.write(stuff(message[:len(message)/2]))
}

// Bdat sends a chunk (RFC 3030) and reads the reply.
func (c *Client) Bdat(chunk []byte, last bool) (Reply, error) {
	line := fmt.Sprintf("BDAT %d", len(chunk))
	if last {
		line += " LAST"
	}
	c.tell('C', line)
	if err := c.write(append([]byte(line+"\r\n"), chunk...)); err != nil {
		return Reply{}, err
	}
	return c.Reply()
}

// Raw sends octets as they are.
func (c *Client) Raw(p []byte) error {
	c.tell('C', fmt.Sprintf("%q", p))
	return c.write(p)
}

func (c *Client) write(p []byte) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.Patience)); err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	if _, err := c.conn.Write(p); err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	return nil
}

func (c *Client) tell(who byte, line string) {
	if c.Dialogue != nil {
		c.Dialogue(who, line)
	}
}

// stuff doubles leading dots and completes the last line.
func stuff(message []byte) []byte {
	out := make([]byte, 0, len(message)+len(message)/64+2)
	if bytes.HasPrefix(message, []byte(".")) {
		out = append(out, '.')
	}
	out = append(out, bytes.ReplaceAll(message, []byte("\r\n."), []byte("\r\n.."))...)
	if !bytes.HasSuffix(out, []byte("\r\n")) {
		out = append(out, "\r\n"...)
	}
	return out
}

// CRLF makes every line end CR LF, whatever it was: LF, CR LF or CR alone.
func CRLF(message []byte) []byte {
	m := bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
	m = bytes.ReplaceAll(m, []byte("\r"), []byte("\n"))
	return bytes.ReplaceAll(m, []byte("\n"), []byte("\r\n"))
}
