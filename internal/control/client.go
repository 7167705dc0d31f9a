package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Client gives commands to the daemon of a state folder.
type Client struct {
	path string
	http *http.Client
}

// NewClient does not connect yet.
func NewClient(stateDir string) *Client {
	path := SocketPath(stateDir)
	var dialer net.Dialer
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.DialContext(ctx, "unix", path) },
		// One request a process: no connection is kept.
		DisableKeepAlives: true,
	}}}
}

// Call asks and decodes the answer into response, which may be nil. Its
// errors: ErrNoDaemon, ErrDenied, ErrProtocol, a *Refusal, or a fault of the
// line. How long it may take is ctx's to say.
func (c *Client) Call(ctx context.Context, command string, request, response any) error {
	r, err := newRequest(ctx, command, request)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return c.explain(err)
	}
	defer answer.Body.Close()
	return read(answer, response)
}

// Converse asks for a conversation, in which who asked speaks first. Its errors are
// those of Call.
func (c *Client) Converse(ctx context.Context, command string, request any) (*net.UnixConn, error) {
	r, err := newRequest(ctx, command, request)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", c.path)
	if err != nil {
		return nil, c.explain(err)
	}
	// A head that came says nothing of when the rest of a refusal does.
	ended := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = ask(conn, r)
	if !ended() {
		err = errors.Join(fmt.Errorf("control: %w", ctx.Err()), err)
	}
	if line, ok := conn.(*net.UnixConn); ok && err == nil {
		return line, nil
	}
	return nil, errors.Join(err, conn.Close())
}

// ask begins the conversation: nil when the other has changed over to it. Nobody speaks
// after the head until it was read.
func ask(conn net.Conn, r *http.Request) error {
	if err := r.Write(conn); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if answer.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	if err = read(answer, nil); err == nil {
		err = ErrProtocol
	}
	_ = answer.Body.Close() // was read
	return err
}

func newRequest(ctx context.Context, command string, request any) (*http.Request, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	// The host is not looked at: the dialer knows where to go.
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://tollgate/"+command, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	r.Header.Set(protocolHeader, Protocol)
	return r, nil
}

// read reads an answer into response, which may be nil.
func read(answer *http.Response, response any) error {
	if answer.Header.Get(protocolHeader) != Protocol {
		return ErrProtocol
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, mostResponse+1))
	if err != nil {
		return fmt.Errorf("control: the answer breaks off: %w", err)
	}
	if len(b) > mostResponse {
		return fmt.Errorf("control: an answer of more than %d MiB", mostResponse>>20)
	}
	if answer.StatusCode != http.StatusOK {
		refusal := new(Refusal)
		if err := json.Unmarshal(b, refusal); err != nil {
			return fmt.Errorf("control: answer %d: %w", answer.StatusCode, err)
		}
		return refusal
	}
	if response == nil {
		return nil
	}
	if err := json.Unmarshal(b, response); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}

// explain tells apart what a caller decides on.
func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w (%s)", ErrNoDaemon, c.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %s; run as root or as a member of %s", ErrDenied, c.path, groupOf(filepath.Dir(c.path)))
	}
	return fmt.Errorf("control: %w", err)
}

// groupOf is the group whose members may go where a folder is, for eyes.
func groupOf(dir string) string {
	info, err := os.Stat(dir)
	if err != nil {
		return "tollgate's group"
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "tollgate's group"
	}
	id := strconv.FormatUint(uint64(stat.Gid), 10)
	if g, err := user.LookupGroupId(id); err == nil {
		id = g.Name
	}
	return "group " + id
}
