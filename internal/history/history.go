// Package history keeps each policy that was in force: when, from which files,
// by whom and why. It lies in the folder "history" of the state folder: an entry
// a file (000001.json, ...), and the contents of files, each once, packed, under
// the name of their hash in "objects". Passwords are in none of them.
package history

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/durable"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
)

// How a policy came in force.
const (
	Start     = "start"
	Reload    = "reload"
	Signal    = "signal" // SIGHUP
	Rollback  = "rollback"
	Canary    = "canary"     // for a part of the mail
	CanaryEnd = "canary end" // for all of it again
	Promote   = "promote"    // of a canary
)

// File is one of the files of a policy.
type File struct {
	Path string `json:"path"`
	Role string `json:"role"`           // policy, include, clients, list, domains
	Name string `json:"name,omitempty"` // of the list
	Size int64  `json:"size"`           // octets
	Hash string `json:"hash"`           // SHA-256 of it as it was
	Kept string `json:"kept"`           // hash of what is kept of it; "": too large, it is not kept
	// Masked: a password in a URL of it is not kept.
	Masked bool `json:"masked,omitempty"`
	// Built: it is a list that was built; Size and Hash are those of its text.
	Built bool `json:"built,omitempty"`
}

// Entry is a policy that came in force.
type Entry struct {
	Number  int       `json:"number"` // from 1, and on
	Version string    `json:"version"`
	Hash    string    `json:"hash"` // whose beginning is the version
	Time    time.Time `json:"time"`
	How     string    `json:"how"`
	By      string    `json:"by"`      // the user of the system; "" where it is not known
	File    string    `json:"file"`    // the main one
	Message string    `json:"message"` // why, for people
	// Proposed is who proposed what By approved; "" without that.
	Proposed  string `json:"proposed,omitempty"`
	Tollgate  string `json:"tollgate"`  // version of the program
	Canonical string `json:"canonical"` // hash of the policy's canonical form, which is kept
	Files     []File `json:"files"`
	// Problem is why the entry cannot be read: but for Number there is nothing else.
	Problem string `json:"problem,omitempty"`
}

// Bounds of a history. Zero values mean the defaults.
type Bounds struct {
	Entries int   // default 500
	Octets  int64 // of packed contents; default 256 MiB
}

// Store is the history of a state folder. Who writes must be the only one.
type Store struct {
	dir     string
	bounds  Bounds
	writing sync.Mutex
}

// New does not look at the folder yet.
func New(stateDir string, b Bounds) *Store {
	if b.Entries <= 0 {
		b.Entries = 500
	}
	if b.Octets <= 0 {
		b.Octets = 256 << 20
	}
	return &Store{dir: filepath.Join(stateDir, "history"), bounds: b}
}

const objectsName = "objects"

// Keep adds a policy that came in force, unless the last entry is of the same
// version. It returns the entry that stands for it then, and whether that is
// new. What only the caller knows stands in e.
func (s *Store) Keep(c *config.Config, e Entry) (Entry, bool, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := os.MkdirAll(filepath.Join(s.dir, objectsName), 0o750); err != nil {
		return e, false, fmt.Errorf("history: %w", err)
	}
	all, err := s.Log()
	if err != nil {
		return e, false, err
	}
	e.Number, e.Version, e.Hash = 1, c.Gate.Version, c.Hash
	if n := len(all); n > 0 {
		if last := all[n-1]; last.Hash == e.Hash && !e.marks() && last.How != Canary {
			return last, false, nil
		}
		e.Number = all[n-1].Number + 1
	}
	canonical, _ := mask(c.Canonical)
	if e.Canonical, err = s.put(canonical); err != nil {
		return e, false, fmt.Errorf("history: %w", err)
	}
	e.Files = make([]File, len(c.Sources))
	for i, src := range c.Sources {
		f := File{Path: absolute(src.Path), Role: src.Role, Name: src.Name, Size: src.Size, Hash: src.Hash, Built: src.Built}
		if src.Kept {
			text := []byte(src.Text)
			if src.Role == source.Policy || src.Role == source.Include {
				text, f.Masked = mask(text)
			}
			if f.Kept, err = s.put(text); err != nil {
				return e, false, fmt.Errorf("history: %w", err)
			}
		} else if !src.Built && s.has(src.Hash) {
			f.Kept = src.Hash
		}
		e.Files[i] = f
	}
	return s.write(e, all)
}

// Again adds an entry of a policy that the history has: it is in force for all
// mail again.
func (s *Store) Again(hash string, e Entry) (Entry, bool, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	all, err := s.Log()
	if err != nil {
		return e, false, err
	}
	for _, was := range slices.Backward(all) {
		if was.Hash != hash {
			continue
		}
		e.Number, e.Version, e.Hash, e.Canonical, e.Files = all[len(all)-1].Number+1, was.Version, was.Hash, was.Canonical, was.Files
		return s.write(e, all)
	}
	return e, false, fmt.Errorf("history: %w", ErrNotKept)
}

// write adds an entry whose contents are kept.
func (s *Store) write(e Entry, all []Entry) (Entry, bool, error) {
	text, err := json.MarshalIndent(e, "", " ")
	if err != nil {
		return e, false, fmt.Errorf("history: %w", err)
	}
	if err := durable.Replace(s.entryPath(e.Number), append(text, '\n'), 0o640); err != nil {
		return e, false, fmt.Errorf("history: %w", err)
	}
	return e, true, s.prune(append(all, e))
}

// absolute is a path that means the same wherever a command runs.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// marks tells whether the entry says more than that a policy is in force.
func (e *Entry) marks() bool { return e.How == Canary || e.How == CanaryEnd }

func (s *Store) entryPath(n int) string { return filepath.Join(s.dir, fmt.Sprintf("%06d.json", n)) }

func (s *Store) objectPath(hash string) string {
	return filepath.Join(s.dir, objectsName, hash+".gz")
}

func (s *Store) has(hash string) bool {
	_, err := os.Stat(s.objectPath(hash))
	return err == nil
}

// put keeps a content and returns its hash.
func (s *Store) put(content []byte) (string, error) {
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:])
	if s.has(hash) {
		return hash, nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return hash, durable.Replace(s.objectPath(hash), b.Bytes(), 0o640)
}

// mostContent bounds what a content unpacks to: a policy file at most.
const mostContent = 64 << 20

// ErrNotKept: a content is not in the history.
var ErrNotKept = errors.New("not kept in the history")

// Content is what is kept under a hash.
func (s *Store) Content(hash string) ([]byte, error) {
	if hash == "" {
		return nil, ErrNotKept
	}
	f, err := os.Open(s.objectPath(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotKept
	}
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("history: %s: %w", f.Name(), err)
	}
	content, err := io.ReadAll(io.LimitReader(r, mostContent))
	if err != nil {
		return nil, fmt.Errorf("history: %s: %w", f.Name(), err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != hash {
		return nil, fmt.Errorf("history: %s is damaged", f.Name())
	}
	return content, nil
}

// Log has all entries, the oldest first. One that cannot be read has a Problem; it
// takes none of the others away.
func (s *Store) Log() ([]Entry, error) {
	names, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	var all []Entry
	for _, name := range names {
		digits, found := strings.CutSuffix(name.Name(), ".json")
		n, err := strconv.Atoi(digits)
		if !found || err != nil || n <= 0 || name.Name() != filepath.Base(s.entryPath(n)) {
			continue
		}
		all = append(all, s.read(n))
	}
	slices.SortFunc(all, func(a, b Entry) int { return a.Number - b.Number })
	return all, nil
}

// read reads the entry of a number.
func (s *Store) read(n int) Entry {
	path := s.entryPath(n)
	text, err := os.ReadFile(path)
	if err != nil {
		return Entry{Number: n, Problem: err.Error()} // it names the path
	}
	var e Entry
	if err := json.Unmarshal(text, &e); err != nil {
		return Entry{Number: n, Problem: path + ": " + err.Error()}
	}
	if e.Number != n || e.Hash == "" || e.Problem != "" {
		return Entry{Number: n, Problem: path + ": it is no entry of this number"}
	}
	return e
}
