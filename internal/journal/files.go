package journal

import (
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// stem is a rotated file's mark: a number (logrotate, newsyslog) or a date,
// put after the name or before its extension.
const stem = `(?:[.-][0-9][0-9T:_.+Z-]*)?`

// service is the mark of a journal that another service writes:
// "antivirus.jsonl-proxy".
const service = `(?:-([a-z][a-z0-9_]*))?`

// rotated tells the file names of a journal: "messages.jsonl",
// "messages.jsonl.1", "messages.jsonl-20261123.gz", "messages-20261123.jsonl".
var rotated = regexp.MustCompile(`^([a-z]+)` + stem + `\.jsonl` + service + stem + `(\.[A-Za-z][A-Za-z0-9]*)?$`)

// current are the names of the files of a kind that are written now: our own, and
// of the antivirus journal those of other services.
func current(dir, kind string) ([]string, error) {
	names := []string{fileName(kind)}
	if kind != Antivirus {
		return names, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	for _, entry := range entries {
		if of := rotated.FindStringSubmatch(entry.Name()); of != nil && of[2] != "" && entry.Name() == fileName(kind)+"-"+of[2] {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// part is one file of a journal, open.
type part struct {
	path   string
	f      *os.File
	unpack func(io.Reader) (io.Reader, error)
	packed bool     // unpack is not as it is
	index  *indexed // nil: it is read whole
}

func (p *part) close() {
	_ = p.f.Close() // was only read
	if p.index != nil {
		_ = p.index.file.Close()
	}
}

// unpacker reads files with that extension; nil: they cannot be searched.
func unpacker(extension string) func(io.Reader) (io.Reader, error) {
	switch extension {
	case "":
		return func(r io.Reader) (io.Reader, error) { return r, nil }
	case ".gz":
		return func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case ".bz2":
		return func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }
	}
	return nil
}

// packed tells extensions of compressed files that we do not read.
func packed(extension string) bool {
	switch extension {
	case ".xz", ".zst", ".lz4", ".lzma", ".Z":
		return true
	}
	return false
}

// readings is how often a folder is read anew that changes while its files are opened.
const readings = 20

// parts opens all files of the kinds, those of each kind and service apart. Opened
// they can be renamed or removed while they are searched.
func parts(dir string, kinds []string, report *Report) (map[string][]*part, error) {
	for n := 1; ; n++ {
		unsearched := len(report.Unsearched)
		found, moved, err := openParts(dir, kinds, report)
		if found == nil {
			return nil, err
		}
		moved = moved || !standing(dir, found)
		if !moved || n == readings {
			return once(found), err
		}
		// A file was renamed or packed meanwhile: what it has may stand in one that was
		// not there when the folder was read.
		closeAll(found)
		report.Unsearched = report.Unsearched[:unsearched]
	}
}

// standing tells whether what was opened stands where it was found, and no further file
// of a journal beside it: one that was rotated after the folder was read and before it
// was opened is another one, or the same twice.
func standing(dir string, found map[string][]*part) bool {
	open := map[string]bool{}
	for _, files := range found {
		for _, p := range files {
			is, err := p.f.Stat()
			if err != nil {
				return false
			}
			there, err := os.Stat(p.path)
			if err != nil || !os.SameFile(is, there) {
				return false
			}
			open[p.path] = true
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		of := rotated.FindStringSubmatch(entry.Name())
		if of == nil || entry.IsDir() || open[path] || open[strings.TrimSuffix(path, of[3])] {
			continue
		}
		if unpacker(of[3]) != nil && found[of[1]+"-"+of[2]] != nil {
			return false
		}
	}
	return true
}

// once drops files that were opened under two names.
func once(found map[string][]*part) map[string][]*part {
	for whose, files := range found {
		var all []*part
		var seen []fs.FileInfo
		for _, p := range files {
			is, err := p.f.Stat()
			if err == nil && slices.ContainsFunc(seen, func(other fs.FileInfo) bool { return os.SameFile(is, other) }) {
				p.close()
				continue
			}
			seen, all = append(seen, is), append(all, p)
		}
		found[whose] = all
	}
	return found
}

func openParts(dir string, kinds []string, report *Report) (found map[string][]*part, moved bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, false, fmt.Errorf("journal: %w", err)
	}
	found = make(map[string][]*part)
	plain := make(map[string]bool) // that are open
	var errs []error
	for _, entry := range entries {
		name := entry.Name()
		of := rotated.FindStringSubmatch(name)
		if of == nil || !slices.Contains(kinds, of[1]) || of[2] != "" && of[1] != Antivirus || entry.IsDir() {
			continue
		}
		path := filepath.Join(dir, name)
		unpack := unpacker(of[3])
		if unpack == nil {
			if packed(of[3]) {
				report.Unsearched = append(report.Unsearched, path)
			}
			continue
		}
		if of[3] != "" {
			whole := strings.TrimSuffix(path, of[3])
			if _, err := os.Stat(whole); err == nil || plain[whole] {
				continue // is being compressed just now; the other is whole
			}
		}
		f, err := os.Open(path)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				moved = true
				continue
			}
			errs = append(errs, fmt.Errorf("journal: %w", err))
			continue
		}
		plain[path] = true
		whose := of[1] + "-" + of[2]
		found[whose] = append(found[whose], &part{path: path, f: f, unpack: unpack, packed: of[3] != ""})
	}
	return found, moved, errors.Join(errs...)
}

// lines reads the part from its beginning.
func (p *part) lines() (*lines, error) {
	if p.index != nil {
		return newMemberLines(p.members(p.index.chosen)), nil
	}
	if _, first, ok := memberAt(p.f, 0); p.packed && ok && first == 0 {
		return newMemberLines(&membersOf{f: p.f, all: true}), nil
	}
	if _, err := p.f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	r, err := p.unpack(p.f)
	if err != nil {
		return nil, fmt.Errorf("journal: %s: %w", p.path, err)
	}
	return newLines(r), nil
}

// firstTime is the time text of the first line that has one; "" when none of
// the first has.
func (p *part) firstTime() (string, error) {
	if p.index != nil {
		return p.index.First, nil
	}
	l, err := p.lines()
	if err != nil {
		return "", err
	}
	for range 100 {
		line, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return "", nil
		case errors.Is(err, errLong):
			continue
		case err != nil:
			return "", fmt.Errorf("journal: %s: %w", p.path, err)
		}
		if t := timeOf(line); t != nil {
			return string(t), nil
		}
	}
	return "", nil
}
