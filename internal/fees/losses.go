package fees

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/tollgate-mail/tollgate/internal/durable"
)

// mostLosses bounds what is kept: the first ones, and the last.
const mostLosses = 10

// Losses are what a store has forgotten, until somebody says that it was booked again:
// also over restarts. It is for many goroutines.
type Losses struct {
	mu   sync.Mutex
	file string // "": they are kept in memory alone
	list []string
}

// Open reads what is kept in a file.
func (l *Losses) Open(file string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	l.file, l.list = file, strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
	return nil
}

// Note adds one. The error is that of the file: it stands in memory then.
func (l *Losses) Note(text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == mostLosses {
		l.list = l.list[:mostLosses-1]
	}
	l.list = append(l.list, strings.ReplaceAll(text, "\n", " "))
	if l.file == "" {
		return nil
	}
	return durable.Replace(l.file, []byte(strings.Join(l.list, "\n")+"\n"), 0o600)
}

// All are those that are kept, the oldest first.
func (l *Losses) All() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.list...)
}

// Settle forgets them, and returns what they were.
func (l *Losses) Settle() ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != "" {
		if err := os.Remove(l.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	was := l.list
	l.list = nil
	return was, nil
}
