package webclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
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
	// Open opens the body. Nil when there is none. The context ends with the
	// question.
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
	req, err := request(ctx, c.url, r)
	if err != nil {
		return nil, err
	}
	sent := &body{}
	if r.Open != nil {
		sent.r = r.Open(ctx)
		req.Body, req.ContentLength = sent, -1
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var outer *url.Error // names method and URL, which the caller's error has
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(resp)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("answer: %w", err)
	case len(answer) > MaxAnswer:
		return nil, ErrTooLong
	case r.Open != nil && !sent.whole.Load():
		return nil, ErrEarly
	}
	return answer, nil
}

// request is without its body.
func request(ctx context.Context, u *url.URL, r Request) (*http.Request, error) {
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
	return req, nil
}

// StatusError: the answer has a status other than 200.
type StatusError struct {
	Code   int
	Status string // the whole line of it
	Text   string // the start of what is said besides
}

func (e *StatusError) Error() string {
	if e.Text == "" {
		return "answered HTTP " + shown(e.Status)
	}
	return fmt.Sprintf("answered HTTP %s: %q", shown(e.Status), e.Text)
}

// shown is a status line without what is no ASCII text.
func shown(status string) string {
	quoted := strconv.QuoteToASCII(status)
	return quoted[1 : len(quoted)-1]
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

// body is the body of a request that remembers whether it was read to its end. In
// chunks, the last of which follows the end, nobody can have the whole of it before.
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
