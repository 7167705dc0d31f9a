package maillog

import (
	"bufio"
	"cmp"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ulikunitz/xz"

	"github.com/tollgate-mail/tollgate/internal/filenames"
)

// maxLine bounds a line; what is longer says nothing of a message.
const maxLine = 64 << 10

// Scan calls fn with every event of a log.
func (p *Parser) Scan(r io.Reader, fn func(Event) error) error {
	b := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := b.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = b.ReadSlice('\n')
		}
		if e, ok := p.Parse(strings.TrimRight(string(line), "\r\n")); ok && !long {
			if err := fn(e); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Files are a log and those that it was rotated into, the oldest first, as far
// as they were changed since a time: mail.log, mail.log.1, mail.log.2.gz,
// mail.log-20261123.xz.
func Files(path string, since time.Time) ([]string, error) {
	names, err := filenames.Matching(escape(path) + "*")
	if err != nil {
		return nil, err
	}
	type dated struct {
		name    string
		changed time.Time
	}
	var list []dated
	for _, name := range names {
		rest := strings.TrimPrefix(name, path)
		if rest != "" && rest[0] != '.' && rest[0] != '-' {
			continue
		}
		info, err := os.Stat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // rotated away meanwhile
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() && !info.ModTime().Before(since) {
			list = append(list, dated{name, info.ModTime()})
		}
	}
	slices.SortFunc(list, func(a, b dated) int { return cmp.Or(a.changed.Compare(b.changed), cmp.Compare(b.name, a.name)) })
	sorted := make([]string, len(list))
	for i, d := range list {
		sorted[i] = d.name
	}
	return sorted, nil
}

// escape takes the meaning from what Glob would read as a pattern.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// unpacked opens a file, which may be packed.
func unpacked(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var r io.Reader = f
	switch filepath.Ext(path) {
	case ".gz":
		r, err = gzip.NewReader(f)
	case ".bz2":
		r = bzip2.NewReader(f)
	case ".xz":
		r, err = xz.NewReader(bufio.NewReader(f))
	case ".zst":
		err = errors.New("packed with zstd, which cannot be read: unpack it first")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{r, f}, nil
}

// ScanFile calls fn with every event of a file, which may be packed. Its lines
// without a year are of before it was changed last.
func ScanFile(path string, loc *time.Location, fn func(Event) error) (err error) {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	in, err := unpacked(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	p := Parser{Now: info.ModTime, Location: loc}
	if err := p.Scan(in, fn); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func inodeOf(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}
