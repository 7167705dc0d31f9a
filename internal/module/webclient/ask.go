package webclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// MaxAnswer is how many octets an answer may have.
const MaxAnswer = 4 << 20

var (
	// ErrEarly: the service answered before it had been sent the whole
	// message, so that its answer is not about the message.
	ErrEarly = errors.New("answered before it had the whole message")
	// ErrTooLong: the answer has more than MaxAnswer octets.
	ErrTooLong = fmt.Errorf("answers more than %d octets", MaxAnswer)
)

// Request is one question.
type Request struct {
	Method string
	// Path goes below the path of the service's URL.
	Path   string
	Header http.Header
	// Open opens the body, from its start each time: it is sent once more when
	// a connection that was kept turns out to be dead. Nil when there is none.
	// The context ends with the question.
	Open func(context.Context) io.Reader
}

// Ask returns the body of the answer. The request's body goes out in chunks,
// as fast as it can be read. Anything but an answer with status 200 within
// MaxAnswer is an error, and so is an answer that came before the end of the
// request's body.
func (c *Client) Ask(ctx context.Context, r Request) ([]byte, error) {
	// Whatever still sends after an early answer ends with this.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answer, err := c.ask(ctx, r)
	if err != nil {
		var outer *url.Error // names method and URL, which the caller's error has
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, err
	}
	return answer, nil
}

func (c *Client) ask(ctx context.Context, r Request) ([]byte, error) {
	u := c.url
	if r.Path != "" {
		u = u.JoinPath(r.Path)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	req.Header.Set("User-Agent", "tollgate")
	var last atomic.Pointer[body]
	if r.Open != nil {
		req.ContentLength = -1
		req.GetBody = func() (io.ReadCloser, error) {
			b := &body{r: r.Open(ctx)}
			last.Store(b)
			return b, nil
		}
		if req.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
		// To look at a message twice does no harm, so the transport may try
		// another connection. An empty list is not sent.
		req.Header["Idempotency-Key"] = []string{}
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(resp)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if len(answer) > MaxAnswer {
		return nil, ErrTooLong
	}
	if b := last.Load(); b != nil && !b.whole.Load() {
		return nil, ErrEarly
	}
	return answer, nil
}

// StatusError: the answer has a status other than 200.
type StatusError struct {
	Code   int
	Status string // the whole line of it
	Text   string // the start of what is said besides
}

func (e *StatusError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("answers %q", e.Status)
	}
	return fmt.Sprintf("answers %q: %q", e.Status, e.Text)
}

func refusal(resp *http.Response) error {
	const most = 200
	text, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		text = nil // the status says enough
	}
	return &StatusError{
		Code:   resp.StatusCode,
		Status: resp.Status[:min(len(resp.Status), most)],
		Text:   strings.TrimSpace(string(text)),
	}
}

// body is the body of a request that remembers whether it was read to its end.
// In chunks, the last of which follows the end, nobody can have the whole of
// it before.
type body struct {
	r     io.Reader
	whole atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		b.whole.Store(true)
	}
	return n, err
}

// Close does nothing: the reader ends with the context of its request.
func (b *body) Close() error { return nil }
