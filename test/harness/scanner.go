package harness

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Scanner is the server that docs/http-module.md shows: it finds SHOUTING, 3.5,
// in a Subject of capital letters, and has its field added.
type Scanner struct {
	URL, addr string
	binary    string
	log       string
	proc      *Process
}

// Scanner builds the server of the page and starts it.
func (s *Sandbox) Scanner() (*Scanner, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "http-module.md"))
	if err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	_, source, _ := strings.Cut(string(page), "```go\n")
	source, _, ok := strings.Cut(source, "```")
	if !ok {
		return nil, errors.New("harness: http-module.md shows no server")
	}
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("scanner%d", port)
	d := &Scanner{URL: "http://" + Loopback(port) + "/judge", addr: Loopback(port), binary: s.Path(name), log: s.Path(name + ".log")}
	if err := os.WriteFile(d.binary+".go", []byte(source), 0o600); err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	if out, err := exec.Command("go", "build", "-o", d.binary, d.binary+".go").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("harness: go build: %w\n%s", err, out)
	}
	s.OnClose(d.Stop)
	return d, d.Start()
}

// Start starts it again after Stop.
func (d *Scanner) Start() error {
	var err error
	if d.proc, err = start("scanner", d.log, syscall.SIGTERM, d.binary, d.addr); err != nil {
		return err
	}
	return d.proc.await(func() error {
		conn, err := net.Dial("tcp", d.addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}, Patience)
}

// Freeze stops it where it stands: the kernel still makes connections for it.
func (d *Scanner) Freeze() error { return d.proc.Signal(syscall.SIGSTOP) }

// Thaw lets it go on.
func (d *Scanner) Thaw() error { return d.proc.Signal(syscall.SIGCONT) }

// Stop ends it, also when it is frozen.
func (d *Scanner) Stop() error {
	if d.proc == nil || d.proc.Ended() {
		return nil
	}
	return d.proc.Kill()
}
