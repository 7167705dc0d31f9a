package keyfile

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/tollgate-mail/tollgate/internal/durable"
)

const (
	// Keys are sorted in so many parts, by the first bits of their hashes: a part has
	// to fit into memory, of a hundred million keys about 7 MiB.
	partBits = 9
	// chunkSize is what a part gathers before it is written, in octets.
	chunkSize = 1 << 16
	// manyTimes is from where on the keys of a part are looked at for those that came
	// before, in octets: a text may have the same line a hundred million times.
	manyTimes = 64 << 20
)

// Builder makes a file of keys that are added in any order, in bounded memory: what it
// sorts waits in a file without a name beside the new one. It is for one goroutine.
type Builder struct {
	path   string
	out    *os.File
	spill  *os.File
	parts  [1 << partBits]part
	header header
	end    int64 // of spill
	added  uint64

	syncDir func(path string) error
}

// part are the keys of a part: those that are in spill, and the last.
type part struct {
	chunks []chunk
	last   []byte
}

type chunk struct {
	at int64
	n  int32
}

// NewBuilder begins a file that will be at path. Finish or Abort ends it.
func NewBuilder(path string) (*Builder, error) {
	b := &Builder{path: path, syncDir: durable.SyncDir}
	if _, err := rand.Read(b.header.seed[:]); err != nil {
		return nil, err
	}
	dir, name := filepath.Split(path)
	var err error
	if b.out, err = os.CreateTemp(filepath.Clean(dir+"."), "."+name+".new*"); err != nil {
		return nil, err
	}
	if b.spill, err = os.CreateTemp(filepath.Clean(dir+"."), "."+name+".sort*"); err == nil {
		err = os.Remove(b.spill.Name()) // nothing is left of it however this ends
	}
	if err != nil {
		return nil, errors.Join(err, b.Abort())
	}
	return b, nil
}

// Abort leaves nothing.
func (b *Builder) Abort() error {
	err := errors.Join(b.out.Close(), os.Remove(b.out.Name()))
	if b.spill != nil {
		err = errors.Join(err, b.spill.Close())
	}
	return err
}

// Add puts a key in, as often as one likes.
func (b *Builder) Add(key []byte) error {
	if len(key) > MaxKey {
		return fmt.Errorf("a key of %d octets; at most %d are possible", len(key), MaxKey)
	}
	hash := b.header.hash(key)
	p := &b.parts[hash>>(64-partBits)]
	if len(p.last)+len(key)+8+binary.MaxVarintLen16 > chunkSize {
		if err := b.flush(p); err != nil {
			return err
		}
	}
	p.last = binary.LittleEndian.AppendUint64(p.last, hash)
	p.last = binary.AppendUvarint(p.last, uint64(len(key)))
	p.last = append(p.last, key...)
	b.added++
	return nil
}

func (b *Builder) flush(p *part) error {
	if _, err := b.spill.WriteAt(p.last, b.end); err != nil {
		return err
	}
	p.chunks = append(p.chunks, chunk{b.end, int32(len(p.last))})
	b.end += int64(len(p.last))
	p.last = p.last[:0]
	return nil
}

// ErrUnsure is wrapped where the new file is in its place, and may not survive a crash
// of the system there.
var ErrUnsure = errors.New("it is in its place, and may not be there after a crash")

// Finish puts the file in its place, durably, with what the owner says of it; mode and
// owner are those of like. With an error that does not wrap ErrUnsure nothing has
// changed; nothing is left beside it in any case.
func (b *Builder) Finish(about []byte, like fs.FileInfo) error {
	if err := b.finish(about, like); err != nil {
		return errors.Join(err, b.Abort())
	}
	_ = b.spill.Close() // has no name, and nobody needs it any more
	if err := b.out.Close(); err != nil {
		return errors.Join(err, os.Remove(b.out.Name()))
	}
	if err := os.Rename(b.out.Name(), b.path); err != nil {
		return errors.Join(err, os.Remove(b.out.Name()))
	}
	if err := b.syncDir(filepath.Dir(b.path)); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	return nil
}

func (b *Builder) finish(about []byte, like fs.FileInfo) error {
	if len(about) > MaxAbout {
		return fmt.Errorf("%d octets are said of the file; at most %d are possible", len(about), MaxAbout)
	}
	b.header.bits = uint64(max(0, bits.Len64(b.added/keysOfBucket)))
	w := writer{header: &b.header, out: bufio.NewWriterSize(b.out, 1<<18), at: headerSize}
	w.starts = make([]uint64, 0, b.header.buckets()+1)
	if _, err := w.out.Write(make([]byte, headerSize)); err != nil {
		return err
	}
	for i := range b.parts {
		keys, err := b.load(&b.parts[i])
		if err != nil {
			return err
		}
		if err := w.add(keys); err != nil {
			return err
		}
		b.parts[i] = part{}
	}
	if err := w.end(about); err != nil {
		return err
	}
	if _, err := b.out.WriteAt(b.header.encode(), 0); err != nil {
		return err
	}
	if owner, ok := like.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := b.out.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	if err := b.out.Chmod(like.Mode().Perm() & 0o666); err != nil {
		return err
	}
	return b.out.Sync()
}

// keys are some, each behind its length in text.
type keys struct {
	text []byte
	refs []ref
}

// ref is one of them.
type ref struct {
	hash uint64
	at   uint32 // where its length stands
	size uint16 // of length and key
}

// sort puts them in the order of their hashes, each once.
func (k *keys) sort() {
	slices.SortFunc(k.refs, func(a, b ref) int {
		if a.hash != b.hash {
			return cmp.Compare(a.hash, b.hash)
		}
		return bytes.Compare(k.of(a), k.of(b))
	})
	k.refs = slices.CompactFunc(k.refs, func(a, b ref) bool { return a.hash == b.hash && bytes.Equal(k.of(a), k.of(b)) })
}

func (k *keys) of(r ref) []byte { return k.text[r.at : int(r.at)+int(r.size)] }

// compact drops the text of keys that came before.
func (k *keys) compact() {
	k.sort()
	text := make([]byte, 0, len(k.text)/2)
	for i, r := range k.refs {
		k.refs[i].at = uint32(len(text))
		text = append(text, k.of(r)...)
	}
	k.text = text
}

// load reads a part and sorts it.
func (b *Builder) load(p *part) (*keys, error) {
	k := new(keys)
	most := manyTimes
	room := make([]byte, chunkSize)
	for i := range len(p.chunks) + 1 {
		records := p.last
		if i < len(p.chunks) {
			records = room[:p.chunks[i].n]
			if _, err := b.spill.ReadAt(records, p.chunks[i].at); err != nil {
				return nil, fmt.Errorf("what was put aside to be sorted: %w", err)
			}
		}
		for len(records) > 0 {
			hash := binary.LittleEndian.Uint64(records)
			n, size := binary.Uvarint(records[8:])
			size += int(n)
			k.refs = append(k.refs, ref{hash, uint32(len(k.text)), uint16(size)})
			k.text = append(k.text, records[8:8+size]...)
			records = records[8+size:]
		}
		if len(k.text) > most {
			k.compact()
			most = max(manyTimes, 2*len(k.text))
		}
		if len(k.text) > maxPart {
			return nil, errors.New("the list has too many keys")
		}
	}
	k.sort()
	return k, nil
}

// maxPart is where places of a part no longer fit.
const maxPart = 1 << 31
