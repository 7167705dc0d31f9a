package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
)

// Sandbox is a folder in which daemons run. It is safe for use by many
// goroutines.
type Sandbox struct {
	// Dir can be entered by every user, for Postfix's processes are not root.
	Dir string

	mu      sync.Mutex
	closers []func() error // in the order of starting
}

// New makes a sandbox in the folder for temporary files.
func New() (*Sandbox, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("harness: Postfix starts only as root")
	}
	// A short name: the path of a unix socket has at most 104 octets.
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	return &Sandbox{Dir: dir}, nil
}

// Path is a path inside the sandbox.
func (s *Sandbox) Path(elem ...string) string {
	return filepath.Join(append([]string{s.Dir}, elem...)...)
}

// Close ends everything that was started, the last first, and removes Dir.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	closers := s.closers
	s.closers = nil
	s.mu.Unlock()
	var errs []error
	for i := len(closers) - 1; i >= 0; i-- {
		errs = append(errs, closers[i]())
	}
	errs = append(errs, os.RemoveAll(s.Dir))
	return errors.Join(errs...)
}

// OnClose has Close call f, before what was started earlier is ended.
func (s *Sandbox) OnClose(f func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, f)
}

// Logs are the ends of all log files of the sandbox, for the report of a
// failure.
func (s *Sandbox) Logs() string {
	const keep = 12 << 10
	names, err := filepath.Glob(s.Path("*.log"))
	if err != nil {
		return err.Error()
	}
	sort.Strings(names)
	var b bytes.Buffer
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintf(&b, "%v\n", err)
			continue
		}
		if len(text) == 0 {
			continue
		}
		fmt.Fprintf(&b, "--- %s\n", filepath.Base(name))
		if len(text) > keep {
			b.WriteString("[...]\n")
			text = text[len(text)-keep:]
		}
		b.Write(text)
	}
	return b.String()
}

// shared makes a folder whose files get group's group, so that both sides of
// a socket in it can open it: the set-group-ID bit hands the group down on
// Linux, and FreeBSD always does so.
func (s *Sandbox) shared(name, group string) (string, error) {
	dir := s.Path(name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", fmt.Errorf("harness: %w", err)
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return "", fmt.Errorf("harness: %w", err)
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		return "", fmt.Errorf("harness: group %s: %w", group, err)
	}
	if err := os.Chown(dir, -1, gid); err != nil {
		return "", fmt.Errorf("harness: %w", err)
	}
	// Chown may take the bit away again, so it is set last.
	if err := os.Chmod(dir, 0o755|os.ModeSetgid); err != nil {
		return "", fmt.Errorf("harness: %w", err)
	}
	return dir, nil
}
