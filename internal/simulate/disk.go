package simulate

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/spool"
)

// disk is a file system in memory of which a crash leaves what was synced and,
// of the rest, as much as chance has it.
type disk struct {
	random *rand.Rand
	now    func() time.Time

	names   map[string]*inode // as a process sees them
	durable map[string]*inode // as the last sync of their folder left them
	fault   error             // what the next write or sync fails with; nil: nothing
	room    int               // bytes that may still be written; below zero: no limit
	locked  bool
	flipped []byte // what stood in files around the bits that have turned over
}

// inode is the content of a file.
type inode struct {
	data    []byte
	synced  []byte // a prefix of data, or what data was before
	changed time.Time
	poison  bool // a sync failed: the pages are gone, and later syncs say nothing
}

func newDisk(random *rand.Rand, now func() time.Time) *disk {
	return &disk{random: random, now: now, names: map[string]*inode{}, durable: map[string]*inode{}, room: -1}
}

func notThere(name string) error { return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist} }

func (d *disk) MakeDir(string) error { return nil }

func (d *disk) Lock(string) (io.Closer, error) {
	if d.locked {
		return nil, spool.ErrLocked
	}
	d.locked = true
	return lock{d}, nil
}

// Holds tells whether it is locked: nobody removes files here.
func (d *disk) Holds(string, io.Closer) bool { return d.locked }

// OpenDir has a folder that nobody removes.
func (d *disk) OpenDir(string) (spool.Folder, error) { return folder{}, nil }

type folder struct{}

func (folder) Stands(string) bool { return true }
func (folder) Removed() bool      { return false }
func (folder) Close() error       { return nil }

func (d *disk) Stands(name string, f spool.File) (bool, error) {
	h, ok := f.(*handle)
	return ok && d.names[name] == h.n, nil
}

type lock struct{ d *disk }

func (l lock) Close() error {
	l.d.locked = false
	return nil
}

func (d *disk) Create(name string) (spool.File, error) {
	if d.names[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	if d.room == 0 {
		return nil, &fs.PathError{Op: "create", Path: name, Err: syscall.ENOSPC}
	}
	n := &inode{changed: d.now()}
	d.names[name] = n
	return &handle{d, n}, nil
}

func (d *disk) Open(name string) (spool.File, error) {
	n := d.names[name]
	if n == nil {
		return nil, notThere(name)
	}
	return &handle{d, n}, nil
}

func (d *disk) Rename(from, to string) error {
	n := d.names[from]
	if n == nil {
		return notThere(from)
	}
	d.names[to] = n
	delete(d.names, from)
	return nil
}

func (d *disk) Remove(name string) error {
	if d.names[name] == nil {
		return notThere(name)
	}
	delete(d.names, name)
	return nil
}

// SyncDir makes the names durable.
func (d *disk) SyncDir(string) error {
	if err := d.take(); err != nil {
		return err
	}
	clear(d.durable)
	for name, n := range d.names {
		d.durable[name] = n
	}
	return nil
}

func (d *disk) ReadFile(name string) ([]byte, error) {
	n := d.names[name]
	if n == nil {
		return nil, notThere(name)
	}
	return slices.Clone(n.data), nil
}

func (d *disk) List(string) ([]spool.Info, error) {
	var list []spool.Info
	for _, name := range sorted(d.names) {
		n := d.names[name]
		list = append(list, spool.Info{Name: path.Base(name), Size: int64(len(n.data)), Changed: n.changed})
	}
	return list, nil
}

func (d *disk) Stat(name string) (spool.Info, error) {
	n := d.names[name]
	if n == nil {
		return spool.Info{}, notThere(name)
	}
	return spool.Info{Name: path.Base(name), Size: int64(len(n.data)), Changed: n.changed}, nil
}

func (d *disk) SetTime(name string, t time.Time) error {
	n := d.names[name]
	if n == nil {
		return notThere(name)
	}
	n.changed = t
	return nil
}

// take is the fault that was asked for, once.
func (d *disk) take() error {
	err := d.fault
	d.fault = nil
	return err
}

// crash leaves what a crash of the machine leaves.
func (d *disk) crash() {
	names := map[string]*inode{}
	for _, name := range sorted(d.durable, d.names) {
		was, is := d.durable[name], d.names[name]
		n := is
		if was != is && d.random.IntN(2) == 0 {
			n = was // the folder was not synced since
		}
		if n == nil {
			continue
		}
		n.data = d.left(n)
		n.synced, n.poison = slices.Clone(n.data), false
		names[name] = n
	}
	d.names, d.durable, d.locked, d.fault = names, map[string]*inode{}, false, nil
	for name, n := range names {
		d.durable[name] = n
	}
}

// left is what a crash leaves of a file: what was synced, and of what was
// written behind it a part, zeros where pages never came.
func (d *disk) left(n *inode) []byte {
	if len(n.data) <= len(n.synced) {
		return slices.Clone(n.synced)
	}
	keep := len(n.synced) + d.random.IntN(len(n.data)-len(n.synced)+1)
	left := slices.Clone(n.data[:keep])
	if d.random.IntN(4) == 0 {
		clear(left[len(n.synced)+d.random.IntN(keep-len(n.synced)+1):])
	}
	return left
}

// flip turns one bit over in a segment that was synced, and remembers what
// stood around it: of that, records may be lost.
func (d *disk) flip() bool {
	var list []*inode
	for _, name := range sorted(d.names) {
		if n := d.names[name]; strings.HasSuffix(name, ".seg") && len(n.data) > 0 {
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return false
	}
	n := list[d.random.IntN(len(list))]
	at := d.random.IntN(len(n.data))
	// A frame is a message of at most three records.
	d.flipped = append(d.flipped, n.data[max(0, at-4096):min(len(n.data), at+4096)]...)
	n.data = slices.Clone(n.data)
	n.data[at] ^= 1 << d.random.IntN(8)
	if len(n.synced) > at {
		n.synced = slices.Clone(n.synced)
		n.synced[at] = n.data[at]
	}
	return true
}

// handle is an open file.
type handle struct {
	d *disk
	n *inode
}

func (h *handle) ReadAt(b []byte, off int64) (int, error) {
	if off >= int64(len(h.n.data)) {
		return 0, io.EOF
	}
	n := copy(b, h.n.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) Write(b []byte) (int, error) {
	err := h.d.take()
	n := len(b)
	switch {
	case err != nil:
		n = h.d.random.IntN(n + 1)
	case h.d.room >= 0 && n > h.d.room:
		n, err = h.d.room, syscall.ENOSPC
	}
	if h.d.room >= 0 {
		h.d.room -= n
	}
	h.n.data = append(slices.Clip(h.n.data), b[:n]...)
	h.n.changed = h.d.now()
	return n, err
}

// Sync makes the content durable. One that fails drops what was not written
// back yet; the next would say nothing of it.
func (h *handle) Sync() error {
	if err := h.d.take(); err != nil {
		h.n.poison = true
		return err
	}
	if h.n.poison {
		return nil // and nothing was made durable
	}
	h.n.synced = h.n.data
	return nil
}

func (h *handle) Truncate(size int64) error {
	if err := h.d.take(); err != nil {
		return err
	}
	if size > int64(len(h.n.data)) {
		return fmt.Errorf("truncate to %d: %w", size, errors.ErrUnsupported)
	}
	h.n.data = slices.Clip(h.n.data[:size])
	if int64(len(h.n.synced)) > size {
		h.n.synced = h.n.synced[:size]
	}
	return nil
}

func (h *handle) Close() error { return nil }
