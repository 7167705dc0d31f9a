package journal

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tollgate-mail/tollgate/internal/journal/index"
)

// indexDir is where the indexes are, below the journals: files are renamed when they
// are rotated on, and an index is found by what its file says of itself.
const indexDir = "index"

func indexPath(dir string, id index.ID) string {
	return filepath.Join(dir, indexDir, id.String()+".idx")
}

// A member is gzip with an extra field of ours (RFC 1952 §2.3.1.1): the file's ID and
// the member's number.
const (
	extraMark = "TG"
	extraSize = 2 + 2 + len(index.ID{}) + 4
)

func extra(id index.ID, number int) []byte {
	b := append(make([]byte, 0, extraSize), extraMark...)
	b = binary.LittleEndian.AppendUint16(b, uint16(extraSize-4))
	b = append(b, id[:]...)
	return binary.LittleEndian.AppendUint32(b, uint32(number))
}

// headSize is the gzip header of a member of ours: ten octets, the length of the extra
// field, that.
const headSize = 10 + 2 + extraSize

// memberAt is whose member begins there; false where none of ours does.
func memberAt(r io.ReaderAt, at int64) (id index.ID, number int, ok bool) {
	var b [headSize]byte
	if _, err := r.ReadAt(b[:], at); err != nil {
		return id, 0, false
	}
	const gzipBegin, onlyExtra = "\x1f\x8b\x08", 4 // RFC 1952 §2.3
	if string(b[:3]) != gzipBegin || b[3] != onlyExtra {
		return id, 0, false
	}
	return ours(b[12:], int(binary.LittleEndian.Uint16(b[10:])))
}

func ours(field []byte, size int) (id index.ID, number int, ok bool) {
	if size != extraSize || len(field) < extraSize || string(field[:2]) != extraMark || int(binary.LittleEndian.Uint16(field[2:])) != extraSize-4 {
		return id, 0, false
	}
	copy(id[:], field[4:])
	return id, int(binary.LittleEndian.Uint32(field[4+len(id):])), true
}

// indexOf opens the index of a packed file; nil where it has none that can be believed.
func indexOf(dir string, f *os.File) (*indexed, error) {
	id, first, ok := memberAt(f, 0)
	if !ok || first != 0 {
		return nil, nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	x, err := openIndex(indexPath(dir, id))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case x.ID != id || x.Size != info.Size():
		return nil, errors.Join(fmt.Errorf("%w: it is of another file", index.ErrDamaged), x.file.Close())
	}
	return x, nil
}

// indexed is an open index, and which members are to be read.
type indexed struct {
	*index.Index
	file   *os.File
	chosen []int
}

func openIndex(path string) (*indexed, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		var x *index.Index
		if x, err = index.Open(f, info.Size()); err == nil {
			return &indexed{Index: x, file: f}, nil
		}
	}
	return nil, errors.Join(err, f.Close())
}

// choose asks the index which members a query needs.
func (x *indexed) choose(f *os.File, m *match) error {
	chosen, err := x.Select(m.clauses())
	if err != nil {
		return err
	}
	for _, n := range chosen {
		member := &x.Members[n]
		switch {
		case member.Latest < member.Earliest: // no line of it is an entry
			continue
		case !m.Since.IsZero() && member.Latest < m.Since.UnixMilli():
			continue
		case !m.Until.IsZero() && member.Earliest > m.Until.UnixMilli():
			continue
		}
		id, number, ok := memberAt(f, member.Offset)
		if !ok || id != x.ID || number != n {
			return fmt.Errorf("%w: no member %d of its file is where it says", index.ErrDamaged, n)
		}
		x.chosen = append(x.chosen, n)
	}
	return nil
}

// narrow opens the indexes of packed files and asks them. A file whose index cannot be
// believed is read whole.
func narrow(dir string, found map[string][]*part, m *match, report *Report) {
	for _, files := range found {
		for _, p := range files {
			if !p.packed {
				continue
			}
			x, err := indexOf(dir, p.f)
			if x != nil {
				if err = x.choose(p.f, m); err == nil {
					p.index = x
					report.Indexed++
					report.Left += int64(len(x.Members) - len(x.chosen))
					continue
				}
				_ = x.file.Close() // was only read
			}
			if err != nil {
				report.Damaged = append(report.Damaged, p.path)
			}
		}
	}
}

// membersOf reads the text of members, one after the other: those that an index has
// chosen, or all of a file of ours. One that is damaged hides none of the others.
type membersOf struct {
	f    *os.File
	of   []index.Member // that are yet to come, with an index
	all  bool           // without one
	at   int64          // where the one that is read begins; behind the last, where it ended
	cut  bool           // the one before is damaged
	now  *io.SectionReader
	room bufio.Reader // of now
	unzi gzip.Reader

	harm []error // of members, and why
	more int     // damaged ones besides
}

// mostHarm is how many damaged members of a file are told one by one.
const mostHarm = 3

// damage is what could not be read; nil: nothing.
func (r *membersOf) damage() error {
	if r.more > 0 {
		return errors.Join(errors.Join(r.harm...), fmt.Errorf("journal: %s: %d more pieces are damaged", r.f.Name(), r.more))
	}
	return errors.Join(r.harm...)
}

func (r *membersOf) Read(p []byte) (int, error) {
	for {
		if r.now == nil && !r.begin() {
			return 0, io.EOF
		}
		if r.cut && len(p) > 0 {
			r.cut, p[0] = false, '\n' // what follows is no part of a line that was cut
			return 1, nil
		}
		n, err := r.unzi.Read(p)
		switch {
		case errors.Is(err, io.EOF):
			read, _ := r.now.Seek(0, io.SeekCurrent) // says where it is
			read -= int64(r.room.Buffered())
			if !r.all && read != r.now.Size() {
				r.broken(errors.New("it ends before its index says so"))
				break
			}
			r.at, r.now = r.at+read, nil
		case err != nil:
			r.broken(err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// broken leaves the rest of the member.
func (r *membersOf) broken(err error) {
	r.now, r.cut = nil, true
	if len(r.harm) == mostHarm {
		r.more++
		return
	}
	r.harm = append(r.harm, fmt.Errorf("journal: %s: the piece that begins at octet %d is damaged: %w", r.f.Name(), r.at, err))
}

// begin goes on with the next member; false after the last.
func (r *membersOf) begin() bool {
	for {
		size := int64(0)
		switch {
		case r.all:
			info, err := r.f.Stat()
			if err != nil {
				r.broken(err)
				return false
			}
			if r.cut && !r.seek() || r.at >= info.Size() {
				return false
			}
			size = info.Size() - r.at
		case len(r.of) == 0:
			return false
		default: // in pieces: how long a member is, the index says
			r.at, size = r.of[0].Offset, r.of[0].Size
			r.of = r.of[1:]
		}
		r.now = io.NewSectionReader(r.f, r.at, size)
		r.room.Reset(r.now)
		err := r.unzi.Reset(&r.room)
		if err == nil {
			r.unzi.Multistream(false)
			return true
		}
		r.broken(err)
	}
}

// seek finds the next member of ours behind the one that is damaged.
func (r *membersOf) seek() bool {
	begin := []byte("\x1f\x8b\x08\x04") // as memberAt wants it
	buf := make([]byte, 64<<10)
	for at := r.at + 1; ; {
		n, err := r.f.ReadAt(buf, at)
		for from := 0; from < n; {
			i := bytes.Index(buf[from:n], begin)
			if i < 0 {
				break
			}
			if _, _, ok := memberAt(r.f, at+int64(from+i)); ok {
				r.at = at + int64(from+i)
				return true
			}
			from += i + 1
		}
		if err != nil || n < len(begin) {
			return false
		}
		at += int64(n - len(begin) + 1)
	}
}

// members are the chosen ones of the part.
func (p *part) members(chosen []int) *membersOf {
	r := &membersOf{f: p.f}
	for _, n := range chosen {
		r.of = append(r.of, p.index.Members[n])
	}
	return r
}
