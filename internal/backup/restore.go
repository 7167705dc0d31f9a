package backup

import (
	"archive/tar"
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
	"strings"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/internal/durable"
)

const (
	extractName    = "restore.new"        // what is being unpacked
	unfinishedName = "restore.unfinished" // stands there while files are moved to their places
	replacedPrefix = "replaced-"          // what was there before
)

var (
	// ErrNotEmpty: the state folder has something in it.
	ErrNotEmpty = errors.New("there is a state already")
	// ErrUnfinished: a restore was cut off; the folder is half of it.
	ErrUnfinished = errors.New(`a restore was cut off here: give "tollgate restore" again`)
)

// Unfinished tells whether a restore of the state folder was cut off.
func Unfinished(stateDir string) error {
	if _, err := os.Lstat(filepath.Join(stateDir, unfinishedName)); err == nil {
		return fmt.Errorf("%s: %w", stateDir, ErrUnfinished)
	}
	return nil
}

// Unpacked is a backup whose pieces were all read and compared; nothing is in its
// place yet.
type Unpacked struct {
	Manifest
	dir string // of the state folder
}

// Unpack reads a backup into a folder of the state folder, which must be the
// caller's (control.Lock). On an error nothing of it is left.
func Unpack(path, stateDir string) (u *Unpacked, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: no backup: %w", path, err)
	}
	u = &Unpacked{dir: stateDir}
	into := filepath.Join(stateDir, extractName)
	if err := os.RemoveAll(into); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(into))
		}
	}()
	have := map[string]Piece{}
	for in := tar.NewReader(packed); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: the backup is cut off or damaged, take another one: %w", path, err)
		}
		if h.Name == manifestName {
			if err := json.NewDecoder(io.LimitReader(in, 64<<20)).Decode(&u.Manifest); err != nil {
				return nil, fmt.Errorf("%s: the backup is cut off or damaged, take another one: its last piece, the manifest: %w", path, err)
			}
			continue
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) || !strings.HasPrefix(h.Name, statePrefix) && !strings.HasPrefix(h.Name, policyPrefix) {
			return nil, fmt.Errorf("%s: no piece of a backup: %q", path, h.Name)
		}
		piece, err := unpack(in, h, into)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, h.Name, err)
		}
		have[h.Name] = piece
	}
	if u.Format != format {
		return nil, fmt.Errorf("%s: the backup is cut off, or of another version: its manifest is %q", path, u.Format)
	}
	if len(have) != len(u.Pieces) {
		return nil, fmt.Errorf("%s: %d pieces, its manifest names %d", path, len(have), len(u.Pieces))
	}
	for _, p := range u.Pieces {
		if got := have[p.Name]; got.Hash != p.Hash || got.Size != p.Size {
			return nil, fmt.Errorf("%s: %s is damaged", path, p.Name)
		}
	}
	return u, nil
}

func unpack(in io.Reader, h *tar.Header, into string) (Piece, error) {
	path := filepath.Join(into, filepath.FromSlash(h.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return Piece{}, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(h.Mode).Perm())
	if err != nil {
		return Piece{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), in)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		// The spool goes by it: how long a segment is retained.
		err = os.Chtimes(path, h.ModTime, h.ModTime)
	}
	return Piece{Name: h.Name, Size: n, Hash: hex.EncodeToString(sum.Sum(nil))}, err
}

// Drop removes what was unpacked.
func (u *Unpacked) Drop() error { return os.RemoveAll(filepath.Join(u.dir, extractName)) }

// PolicyFiles are those of the policy, with their contents, the main one last.
func (u *Unpacked) PolicyFiles() ([]durable.File, error) {
	var files, main []durable.File
	for _, p := range u.Pieces {
		if p.Path == "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(u.dir, extractName, p.Name))
		if err != nil {
			return nil, err
		}
		f := durable.File{Path: p.Path, Content: text}
		if p.Path == u.Policy {
			main = append(main, f)
			continue
		}
		files = append(files, f)
	}
	return append(files, main...), nil
}

// Place moves the state to its place. What stands there is moved to a folder
// beside it, whose name is returned, "" where there was nothing; without replace
// that is ErrNotEmpty. Cut off in between, it is to be done again.
func (u *Unpacked) Place(replace Mode) (aside string, err error) {
	entries, err := os.ReadDir(u.dir)
	if err != nil {
		return "", err
	}
	again := Unfinished(u.dir) != nil
	var there []string
	for _, e := range entries {
		switch name := e.Name(); {
		case name == extractName, name == unfinishedName, name == "lock", name == "lost+found", strings.HasPrefix(name, replacedPrefix):
		default:
			there = append(there, name)
		}
	}
	if len(there) > 0 && replace == OnlyEmpty && !again {
		return "", fmt.Errorf("%s: %w", u.dir, ErrNotEmpty)
	}
	if err := durable.Replace(filepath.Join(u.dir, unfinishedName), nil, 0o640); err != nil {
		return "", err
	}
	if len(there) > 0 {
		if aside, err = os.MkdirTemp(u.dir, replacedPrefix+time.Now().UTC().Format("20060102T150405Z")+"-"); err != nil {
			return "", err
		}
		for _, name := range there {
			if err := os.Rename(filepath.Join(u.dir, name), filepath.Join(aside, name)); err != nil {
				return aside, err
			}
		}
	}
	from := filepath.Join(u.dir, extractName, statePrefix)
	pieces, err := os.ReadDir(from)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return aside, err
	}
	if err := own(from, u.dir); err != nil {
		return aside, err
	}
	for _, e := range pieces {
		if err := os.Rename(filepath.Join(from, e.Name()), filepath.Join(u.dir, e.Name())); err != nil {
			return aside, err
		}
	}
	if err := errors.Join(durable.SyncDir(u.dir), os.Remove(filepath.Join(u.dir, unfinishedName)), u.Drop()); err != nil {
		return aside, err
	}
	return aside, durable.SyncDir(u.dir)
}

// Mode says what a state that is there means.
type Mode uint8

// The modes.
const (
	OnlyEmpty Mode = iota
	Replace
)

// own gives files to the owner of the state folder: root unpacks them, the daemon
// uses them.
func own(tree, stateDir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(stateDir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return filepath.WalkDir(tree, func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	})
}

// Read has the manifest of a backup.
func Read(path string) (m Manifest, err error) {
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		return m, fmt.Errorf("%s: no backup: %w", path, err)
	}
	for in := tar.NewReader(packed); ; {
		h, err := in.Next()
		switch {
		case errors.Is(err, io.EOF):
			return m, fmt.Errorf("%s: the backup is cut off: it has no manifest", path)
		case err != nil:
			return m, fmt.Errorf("%s: %w", path, err)
		case h.Name == manifestName:
			return m, json.NewDecoder(io.LimitReader(in, 64<<20)).Decode(&m)
		}
	}
}
