// Package archive keeps the records of a closed period in a file: those of all
// clients, in one order and one form, so that the SHA-256 of the file is the
// hash that the period was sealed with.
//
// The first line is a Header. Each line after it is a record as
// accounting.Record.AppendJSON writes it, with its period: client by client in
// the order of their ids, those of a client in the order of their ids.
package archive

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Header is the first line of an archive: what is sealed besides the records.
type Header struct {
	Period string `json:"period"`
	Number int    `json:"number"` // of the seal
	Before string `json:"before"` // the hash of the seal before; "" of the first
}

// HeaderOf is the header of a seal.
func HeaderOf(c accounting.Close) Header {
	return Header{Period: c.Period, Number: c.Number, Before: c.Before}
}

// Sum is what an archive comes to.
type Sum struct {
	Hash    string // SHA-256 of the file, hexadecimal
	Clients int
	Records int64
}

// Source has the records of a client's period.
type Source interface {
	RecordsOf(ctx context.Context, client, period string, fn func(accounting.Record) error) error
}

// Write writes an archive to w, which may be io.Discard. Clients are sorted, and
// each has records. What does not fit into memory is sorted in files in temp.
func Write(ctx context.Context, from Source, h Header, clients []string, w io.Writer, temp string) (Sum, error) {
	hash := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(hash, w), 64<<10)
	head, err := json.Marshal(h)
	if err != nil {
		return Sum{}, err
	}
	if _, err := out.Write(append(head, '\n')); err != nil {
		return Sum{}, err
	}
	sum := Sum{Clients: len(clients)}
	for _, c := range clients {
		n, err := writeClient(ctx, from, c, h.Period, out, temp)
		if err != nil {
			return Sum{}, err
		}
		sum.Records += n
	}
	if err := out.Flush(); err != nil {
		return Sum{}, err
	}
	sum.Hash = hex.EncodeToString(hash.Sum(nil))
	return sum, nil
}

func writeClient(ctx context.Context, from Source, client, period string, out io.Writer, temp string) (n int64, err error) {
	s := sorter{dir: temp, most: memory}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := from.RecordsOf(ctx, client, period, func(r accounting.Record) error {
		n++
		return s.add(&r)
	}); err != nil {
		return n, err
	}
	return n, s.write(out)
}

// Path is where the archive of a period stands in a folder.
func Path(dir, period string) string { return filepath.Join(dir, period+".jsonl") }

// Create writes an archive into a folder, durably, and reads it again: the sum
// is that of what is on the disk. On an error nothing is left of it.
func Create(ctx context.Context, from Source, h Header, clients []string, dir string) (sum Sum, err error) {
	path := Path(dir, h.Period)
	f, err := os.CreateTemp(dir, h.Period+".new*")
	if err != nil {
		return Sum{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if sum, err = Write(ctx, from, h, clients, f, dir); err == nil {
		err = errors.Join(f.Chmod(0o640), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return Sum{}, err
	}
	read, err := Open(f.Name())
	if err != nil {
		return Sum{}, err
	}
	if read.Sum() != sum {
		return Sum{}, fmt.Errorf("%s: what was written is not what can be read", f.Name())
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return Sum{}, err
	}
	return sum, syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ErrFormat: a file is no archive, or a damaged one.
var ErrFormat = errors.New("no archive of a closed period")

// File is an archive that was read once, to its end.
type File struct {
	path   string
	header Header
	sum    Sum
	parts  map[string]part // by client
}

// part is where a client's lines stand.
type part struct{ from, size int64 }

// maxLine bounds a line, in octets.
const maxLine = 4 << 20

// Open reads a file through: its order, its header and its hash.
func Open(path string) (file *File, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := sha256.New()
	file = &File{path: path, parts: map[string]part{}}
	fail := func(line int64, format string, args ...any) (*File, error) {
		return nil, fmt.Errorf("%s:%d: %w: %s", path, line, ErrFormat, fmt.Sprintf(format, args...))
	}
	var client, id string
	at, n := int64(0), int64(0)
	sc := bufio.NewScanner(f)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	sc.Split(wholeLines)
	for sc.Scan() {
		line := sc.Bytes()
		n++
		hash.Write(line)
		if line[len(line)-1] != '\n' {
			return fail(n, "the line does not end")
		}
		if n == 1 {
			d := json.NewDecoder(strings.NewReader(string(line)))
			d.DisallowUnknownFields()
			if err := d.Decode(&file.header); err != nil || file.header.Period == "" || file.header.Number < 1 {
				return fail(n, "the first line is no header")
			}
			at = int64(len(line))
			continue
		}
		r, err := accounting.ParseRecord(line)
		if err != nil {
			return fail(n, "%v", err)
		}
		if r.Period != file.header.Period {
			return fail(n, "a record of period %q", r.Period)
		}
		if r.Client < client || r.Client == client && r.ID <= id {
			return fail(n, "not in order")
		}
		if r.Client != client {
			file.sum.Clients++
			file.parts[r.Client] = part{from: at}
		}
		client, id = r.Client, r.ID
		p := file.parts[client]
		p.size += int64(len(line))
		file.parts[client] = p
		at += int64(len(line))
		file.sum.Records++
	}
	if err := sc.Err(); err != nil {
		return fail(n+1, "%v", err)
	}
	if n == 0 {
		return fail(1, "it is empty")
	}
	file.sum.Hash = hex.EncodeToString(hash.Sum(nil))
	return file, nil
}

// wholeLines splits into lines with their ends.
func wholeLines(data []byte, end bool) (int, []byte, error) {
	n, line, err := bufio.ScanLines(data, end)
	if n == 0 || line == nil {
		return n, line, err
	}
	return n, data[:n], err
}

// Sum is what the file came to when it was read.
func (f *File) Sum() Sum { return f.sum }

// Header is its first line.
func (f *File) Header() Header { return f.header }

// Records calls fn with each record of a client, in the order of their ids.
func (f *File) Records(ctx context.Context, client string, fn func(accounting.Record) error) (err error) {
	p, ok := f.parts[client]
	if !ok {
		return nil
	}
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	sc := bufio.NewScanner(io.NewSectionReader(in, p.from, p.size))
	sc.Buffer(make([]byte, 64<<10), maxLine)
	for sc.Scan() {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := accounting.ParseRecord(sc.Bytes())
		if err != nil {
			return fmt.Errorf("%s: %w: %w", f.path, ErrFormat, err)
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return sc.Err()
}
