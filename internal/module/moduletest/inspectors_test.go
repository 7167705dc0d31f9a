package moduletest_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/attachment"
	"github.com/tollgate-mail/tollgate/internal/module/clamav"
	httpmodule "github.com/tollgate-mail/tollgate/internal/module/http"
	"github.com/tollgate-mail/tollgate/internal/module/moduletest"
	"github.com/tollgate-mail/tollgate/internal/module/rspamd"
	"github.com/tollgate-mail/tollgate/internal/module/spamassassin"
	"github.com/tollgate-mail/tollgate/internal/module/text"
	"github.com/tollgate-mail/tollgate/internal/module/types"
)

// Every inspector of the house. A new one becomes a row here.
func TestInspectors(t *testing.T) {
	subjects := map[string]moduletest.Subject{
		"text": {New: func(string, string) (module.Inspector, error) { return text.New(text.Settings{}), nil }},
		"attachment": {New: func(string, string) (module.Inspector, error) {
			return attachment.New(attachment.Settings{Archives: true}), nil
		}},
		"clamav": {
			New: func(network, address string) (module.Inspector, error) {
				return clamav.New(clamav.Settings{Addr: network + ":" + address})
			},
			Service: &moduletest.Service{
				Networks: []string{"unix", "tcp"},
				Receive:  instream,
				Answers: []moduletest.Answer{
					{Text: "stream: OK\n"},
					{Text: "stream: Test.Signature FOUND\n", Finding: module.Finding{Virus: "Test.Signature"}},
				},
				ReceivePing: line("nPING\n"),
				Pong:        "PONG\n",
			},
			// All of these are ways of go-clamd, which has no means against them.
			Exceptions: map[string]string{
				"message given up":          partScanned,
				"message not kept":          partScanned,
				"message too large":         partScanned,
				"canceled while it arrives": partScanned,
				"ping without an answer":    pingStays,
				"endless lines to a ping":   pingStays,
				"endless line":              lineGrows,
				"endless zeros":             lineGrows,
				"endless answer":            lineGrows,
				"endless line to a ping":    lineGrows,
				"endless zeros to a ping":   lineGrows,
				"endless answer to a ping":  lineGrows,
			},
		},
		"rspamd": {
			New: func(_, address string) (module.Inspector, error) {
				return rspamd.New(rspamd.Settings{URL: "http://" + address})
			},
			Service: &moduletest.Service{
				Networks: []string{"tcp"},
				Receive:  request,
				Answers: []moduletest.Answer{
					{
						Text:    answer(`{"is_skipped": false, "score": 1.5, "required_score": 15, "action": "no action", "symbols": {"A": {"name": "A", "score": 1.5}}}`),
						Finding: module.Finding{Score: 1500, Action: "no action", Symbols: []string{"A"}, Details: map[string]module.Detail{"A": {Score: 1500}}},
					},
					{
						Text:    answer(`{"is_skipped": false, "score": 20, "required_score": 15, "action": "reject", "symbols": {}}`),
						Finding: module.Finding{Score: 20000, Action: "reject"},
					},
				},
				ReceivePing: func(r *bufio.Reader) error { _, err := request(r); return err },
				Pong:        answer("pong\r\n"),
			},
		},
		"spamassassin": {
			New: func(network, address string) (module.Inspector, error) {
				return spamassassin.New(spamassassin.Settings{Addr: network + ":" + address})
			},
			Service: &moduletest.Service{
				Networks: []string{"unix", "tcp"},
				Receive:  symbols,
				Answers: []moduletest.Answer{
					{
						Text:    "SPAMD/1.1 0 EX_OK\r\nContent-length: 7\r\nSpam: True ; 15.1 / 5.0\r\n\r\nA,TEST2",
						Finding: module.Finding{Score: 15100, Action: spamassassin.Spam, Symbols: []string{"A", "TEST2"}},
					},
					{
						Text:    "SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: False ; -1.0 / 5.0\r\n\r\n",
						Finding: module.Finding{Score: -1000, Action: spamassassin.Ham},
					},
				},
				ReceivePing: line("PING SPAMC/1.5\r\n"),
				Pong:        "SPAMD/1.5 0 PONG\r\n",
			},
		},
		"http": {
			New: func(_, address string) (module.Inspector, error) {
				return httpmodule.New(httpmodule.Settings{URL: "http://" + address + "/verdict"})
			},
			Service: &moduletest.Service{
				Networks: []string{"tcp"},
				Receive:  request,
				Answers: []moduletest.Answer{
					{Text: answer(`{"score": 0}`)},
					{Text: answer(`{"score": 2.5, "action": "hold"}`), Finding: module.Finding{Score: 2500, Action: "hold"}},
				},
				ReceivePing: func(r *bufio.Reader) error { _, err := request(r); return err },
				Pong:        answer(""),
			},
		},
	}
	for _, kind := range append(types.Modules(), types.Antivirus()) {
		if _, ok := subjects[kind.Name]; !ok {
			t.Errorf("type %q has no row here", kind.Name)
		}
	}
	for name, subject := range subjects {
		t.Run(name, func(t *testing.T) { moduletest.Run(t, subject) })
	}
}

// What go-clamd does.
const (
	partScanned = "ends the stream where the message cannot be read on; what clamd says of that is not believed"
	pingStays   = "ends a ping only with clamd's connection; two may be under way"
	lineGrows   = "reads a line of any length until ctx ends"
)

// line wants one line.
func line(want string) func(*bufio.Reader) error {
	return func(r *bufio.Reader) error {
		got, err := r.ReadString('\n')
		if err == nil && got != want {
			err = fmt.Errorf("%q, want %q", got, want)
		}
		return err
	}
}

// request reads a request of HTTP and returns its body.
func request(r *bufio.Reader) ([]byte, error) {
	q, err := http.ReadRequest(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(q.Body)
}

// answer is one of HTTP.
func answer(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// instream reads a message for clamd: chunks, each after its length.
func instream(r *bufio.Reader) ([]byte, error) {
	if err := line("nINSTREAM\n")(r); err != nil {
		return nil, err
	}
	var message []byte
	for {
		var length [4]byte
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return nil, err
		}
		n := int64(length[0])<<24 | int64(length[1])<<16 | int64(length[2])<<8 | int64(length[3])
		if n == 0 {
			return message, nil
		}
		chunk, err := io.ReadAll(io.LimitReader(r, n))
		if err != nil {
			return nil, err
		}
		if int64(len(chunk)) != n {
			return nil, io.ErrUnexpectedEOF
		}
		message = append(message, chunk...)
	}
}

// symbols reads a message for spamd, behind its length.
func symbols(r *bufio.Reader) ([]byte, error) {
	if err := line("SYMBOLS SPAMC/1.5\r\n")(r); err != nil {
		return nil, err
	}
	header, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(header.Get("Content-length"), 10, 31)
	if err != nil {
		return nil, err
	}
	message, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && uint64(len(message)) != n {
		err = io.ErrUnexpectedEOF
	}
	return message, err
}
