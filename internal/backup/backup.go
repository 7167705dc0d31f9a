// Package backup packs what a gateway cannot lose into one file, and puts it back:
// the policy's files, and of the state folder all but what only a running daemon
// needs. The store goes in first and the spool after it: what the spool has
// besides is applied again, which changes nothing where it was applied before.
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
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/durable"
)

// Manifest is the last piece of a backup: without it the file is cut.
type Manifest struct {
	Format   string    `json:"format"`
	Time     time.Time `json:"time"`
	Gateway  string    `json:"gateway"`
	Tollgate string    `json:"tollgate"` // its version
	Version  string    `json:"version"`  // of the policy
	Policy   string    `json:"policy"`   // path of its main file
	StateDir string    `json:"state_dir"`
	Pieces   []Piece   `json:"pieces"`
}

// Piece is one file in a backup.
type Piece struct {
	Name string `json:"name"` // in the archive: "state/..." or "policy/NUMBER"
	Path string `json:"path"` // of a policy's file: where it was
	Size int64  `json:"size"`
	Hash string `json:"hash"` // SHA-256
}

const (
	format       = "tollgate backup 1"
	manifestName = "manifest.json"
	statePrefix  = "state/"
	policyPrefix = "policy/"
	spoolName    = "spool"
)

// Snapshots begin the names of folders with copies of databases that are in use.
const Snapshots = "snapshot-"

// left are names in the state folder that no backup has: they are of a running
// daemon, or of another restore. The spool's cursor is not taken along: without it
// the spool gets a new name and all that it retains is applied again.
func left(name string) bool {
	switch name {
	case "lock", "control.sock", "control.new", "spool/lock", "spool/cursor", "spool/cursor.new", unfinishedName:
		return true
	}
	first, _, _ := strings.Cut(name, "/")
	base := filepath.Base(name)
	return strings.HasPrefix(first, Snapshots) || strings.HasPrefix(first, replacedPrefix) || first == extractName ||
		strings.HasPrefix(base, ".") && strings.Contains(base, ".new")
}

// Source says what to pack.
type Source struct {
	Manifest             // Format, Time and Pieces are filled in
	Files       []string // of the policy
	SnapshotDir string   // with copies that stand for files of the state folder; "": none is in use
}

// Existing says what becomes of a file that has the name already.
type Existing int

// A file of the name stays, or gives way to the new one.
const (
	Keep Existing = iota
	Overwrite
)

// free tells whether a file may get this name.
func (o Existing) free(path string) error {
	if _, err := os.Lstat(path); err == nil && o == Keep {
		return &fs.PathError{Op: "backup", Path: path, Err: fs.ErrExist}
	}
	return nil
}

// Write packs a backup. The file is there when it is whole; one that was there before
// stays, with Keep, and is an error that is fs.ErrExist.
func Write(path string, s Source, over Existing) (m Manifest, err error) {
	if err := over.free(path); err != nil {
		return m, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new*")
	if err != nil {
		return m, err
	}
	defer func() {
		// Another may have been packed under the name meanwhile. There is no link(2) on
		// every file system that backups go to.
		if err = errors.Join(err, f.Close(), over.free(path)); err != nil {
			_ = os.Remove(f.Name()) // is not whole, or not wanted
			return
		}
		if err = os.Rename(f.Name(), path); err == nil {
			err = durable.SyncDir(filepath.Dir(path))
		}
	}()
	packed := gzip.NewWriter(f)
	p := packer{to: tar.NewWriter(packed), manifest: s.Manifest}
	p.manifest.Format, p.manifest.Time, p.manifest.Pieces = format, time.Now().UTC().Truncate(time.Second), nil
	for i, file := range s.Files {
		if err := p.add(file, fmt.Sprintf("%s%d", policyPrefix, i), file); err != nil {
			return m, err
		}
	}
	if err := p.state(s.StateDir, s.SnapshotDir); err != nil {
		return m, err
	}
	text, err := json.MarshalIndent(p.manifest, "", " ")
	if err != nil {
		return m, err
	}
	if err := p.to.WriteHeader(&tar.Header{Name: manifestName, Mode: 0o600, Size: int64(len(text)), ModTime: p.manifest.Time}); err != nil {
		return m, err
	}
	if _, err := p.to.Write(text); err != nil {
		return m, err
	}
	return p.manifest, errors.Join(p.to.Close(), packed.Close(), f.Sync())
}

type packer struct {
	to       *tar.Writer
	manifest Manifest
}

// state packs the state folder: copies of databases, then the files, then the
// spool.
func (p *packer) state(dir, snapshots string) error {
	copied := map[string]bool{}
	if snapshots != "" {
		if err := filepath.WalkDir(snapshots, func(path string, e fs.DirEntry, err error) error {
			name, err2 := filepath.Rel(snapshots, path)
			if err := errors.Join(err, err2); err != nil || name == "." {
				return err
			}
			copied[name] = true // of a folder: all that is in it
			if e.IsDir() {
				return nil
			}
			return p.add(path, statePrefix+name, "")
		}); err != nil {
			return err
		}
	}
	var names, spooled []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone meanwhile
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == "." {
			return err
		}
		switch {
		case e.IsDir() && (left(name) || copied[name]):
			return fs.SkipDir
		case left(name) || copied[name] || !e.Type().IsRegular():
		case strings.HasPrefix(name, spoolName+"/"):
			spooled = append(spooled, name)
		default:
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	// Listed once more: what was appended meanwhile may be in a new segment.
	if again, err := os.ReadDir(filepath.Join(dir, spoolName)); err == nil {
		for _, e := range again {
			if name := spoolName + "/" + e.Name(); e.Type().IsRegular() && !left(name) && !slices.Contains(spooled, name) {
				spooled = append(spooled, name)
			}
		}
	}
	slices.Sort(spooled)
	for _, name := range append(names, spooled...) {
		if err := p.add(filepath.Join(dir, name), statePrefix+name, ""); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// add packs one file as long as it is when it is opened: one that grows is a
// spool's segment, whose torn end is known as such.
func (p *packer) add(path, name, was string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := p.to.WriteHeader(&tar.Header{Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime()}); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(p.to, sum), f, info.Size()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	p.manifest.Pieces = append(p.manifest.Pieces, Piece{Name: name, Path: was, Size: info.Size(), Hash: hex.EncodeToString(sum.Sum(nil))})
	return nil
}
