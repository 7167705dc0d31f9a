package webclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
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
	// Open opens the body, each time from its start: it is sent once more when
	// a connection that was kept turns out to be dead. Nil when there is none.
	// The context ends with the question.
	Open func(context.Context) io.Reader
}

// Ask returns the body of the answer. The request's body goes out in chunks,
// as fast as it can be read. Anything but an answer with status 200 within
// MaxAnswer is an error, and so is an answer that came before the end of the
// request's body. A service may get the same question twice.
func (c *Client) Ask(ctx context.Context, r Request) ([]byte, error) {
	answer, again, err := attempt(ctx, c.kept, c.url, r)
	if again && ctx.Err() == nil {
		// The service has closed the connection since the last question, or
		// was started anew, and then the others that were kept are dead too;
		// so may be those that others bring back until then.
		c.kept.CloseIdleConnections()
		answer, _, err = attempt(ctx, c.fresh, c.url, r)
	}
	return answer, err
}

// attempt asks once. Again is whether the failure is that of a connection that
// was kept and says nothing of the service.
func attempt(ctx context.Context, client *http.Client, at *url.URL, r Request) (answer []byte, again bool, err error) {
	// Whatever still sends after an early answer ends with this.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var reused, answered atomic.Bool
	req, err := request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(info httptrace.GotConnInfo) { reused.Store(info.Reused) },
		GotFirstResponseByte: func() { answered.Store(true) },
	}), at, r)
	if err != nil {
		return nil, false, err
	}
	sent := &body{}
	if r.Open != nil {
		sent.r = r.Open(ctx)
		req.Body, req.ContentLength = sent, -1
	}
	resp, err := client.Do(req)
	if err != nil {
		var outer *url.Error // names method and URL, which the caller's error has
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, reused.Load() && !answered.Load() && !sent.failed.Load(), err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, false, refusal(resp)
	}
	answer, err = io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return nil, false, fmt.Errorf("answer: %w", err)
	case len(answer) > MaxAnswer:
		return nil, false, ErrTooLong
	case r.Open != nil && !sent.whole.Load():
		return nil, false, ErrEarly
	}
	return answer, false, nil
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

// body is the body of a request that remembers how far it was read. In chunks,
// the last of which follows the end, nobody can have the whole of it before
// its end was read.
type body struct {
	r             io.Reader
	whole, failed atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	switch {
	case err == io.EOF:
		b.whole.Store(true)
	case err != nil:
		b.failed.Store(true)
	}
	return n, err
}

// Close does nothing: the reader ends with the context of its request.
func (b *body) Close() error { return nil }
