package mailauth_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// verifier is dkimpy, another implementation of RFC 6376, in a process of its
// own.
type verifier struct {
	mu     sync.Mutex
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	broken error
}

// request is what dkimpy is to do: to sign where there is a key, else to
// verify.
type request struct {
	Message []byte `json:"message"`

	Server  string  `json:"server,omitempty"`  // whom to ask for keys, address:port
	Timeout float64 `json:"timeout,omitempty"` // of the question, seconds

	Key       string   `json:"key,omitempty"`       // PEM for RSA, the seed in base64 for Ed25519
	Algorithm string   `json:"algorithm,omitempty"` // a=
	Selector  string   `json:"selector,omitempty"`
	Domain    string   `json:"domain,omitempty"`
	Identity  string   `json:"identity,omitempty"`
	Canonical string   `json:"canonical,omitempty"` // c=
	Fields    []string `json:"fields,omitempty"`    // h=; default: those dkimpy takes, From once more than there are
	Length    bool     `json:"length,omitempty"`    // with l=
}

// opinion is dkimpy's answer.
type opinion struct {
	Signatures []struct{ Result, Reason string }
	Field      []byte // a DKIM-Signature field with its line end
	Error      string // why nothing could be signed, or verified at all
}

func (o opinion) results() []string {
	if o.Error != "" {
		return []string{"permerror"}
	}
	var all []string
	for _, s := range o.Signatures {
		all = append(all, s.Result)
	}
	return all
}

// startDKIMPy starts the interpreter that Debian's dkimverify has: the first
// python3 of PATH may be another, without the library.
func startDKIMPy() (*verifier, error) {
	path, err := exec.LookPath("dkimverify")
	if err != nil {
		return nil, fmt.Errorf("dkimpy is not installed: %w", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	argv := strings.Fields(strings.TrimPrefix(line, "#!"))
	if !strings.HasPrefix(line, "#!") || len(argv) == 0 {
		return nil, fmt.Errorf("%s is no script", path)
	}
	v := &verifier{cmd: exec.Command(argv[0], append(argv[1:], filepath.Join("testdata", "dkimpy.py"))...)}
	v.cmd.Stderr = os.Stderr
	if v.in, err = v.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	v.out = bufio.NewReader(out)
	return v, v.cmd.Start()
}

// ask has all requests done and returns the answers in their order.
func (v *verifier) ask(all []request) ([]opinion, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.broken != nil {
		return nil, v.broken
	}
	sent := make(chan error, 1)
	go func() {
		e := json.NewEncoder(v.in)
		var err error
		for i := 0; i < len(all) && err == nil; i++ {
			err = e.Encode(all[i])
		}
		sent <- err
	}()
	answers := make([]opinion, 0, len(all))
	for range all {
		var o opinion
		line, err := v.out.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, &o)
		}
		if err != nil {
			v.broken = fmt.Errorf("dkimpy: %w", err)
			break
		}
		answers = append(answers, o)
	}
	if v.broken != nil {
		v.in.Close() // nobody reads what is still being sent
	}
	if err := errors.Join(v.broken, <-sent); err != nil {
		return nil, err
	}
	return answers, nil
}

func (v *verifier) stop() error { return errors.Join(v.in.Close(), v.cmd.Wait()) }

// judge is what dkimpy says of messages.
func (v *verifier) judge(t *testing.T, server string, try time.Duration, all [][]byte) []opinion {
	t.Helper()
	requests := make([]request, len(all))
	for i, text := range all {
		requests[i] = request{Message: text, Server: server, Timeout: try.Seconds()}
	}
	opinions, err := v.ask(requests)
	if err != nil {
		t.Fatal(err)
	}
	return opinions
}
