// Package replay judges stored messages anew: a policy over Maildirs, mailboxes
// and folders, and what another policy would change.
package replay

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// mostMessage bounds one message, in octets; what is larger is left out.
const mostMessage = 256 << 20

// Stored is a stored message.
type Stored struct {
	Path string // of a mailbox or archive with the number or name in it
	Text []byte
	Err  error // it could not be read; the others can
}

// Walk visits every message of the paths: files of one message, folders and
// Maildirs with all below them, mailboxes (mbox) and tar archives of them. What
// is no message is passed over. Visit must not keep Text.
func Walk(ctx context.Context, paths []string, visit func(Stored) error) error {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			if err := file(ctx, path, visit); err != nil {
				return err
			}
			continue
		}
		taken, left := 0, 0
		err = filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return visit(Stored{Path: name, Err: err})
			case ctx.Err() != nil:
				return ctx.Err()
			case !e.Type().IsRegular():
				return nil
			case !isMessage(name):
				left++
				return nil
			}
			taken++
			return file(ctx, name, visit)
		})
		if err == nil && taken == 0 && left > 0 {
			err = visit(Stored{Path: path, Err: fmt.Errorf("none of its %d files is named .eml, .mbox or .tar, or lies in cur or new of a Maildir; name such files one by one", left)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isMessage tells of a file in a folder by its name whether it is a message, a
// mailbox or an archive: what lies in a Maildir's cur and new is.
func isMessage(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".eml", ".mbox", ".tar":
		return true
	}
	dir := filepath.Base(filepath.Dir(path))
	return (dir == "cur" || dir == "new") && !strings.HasPrefix(filepath.Base(path), ".")
}

// file visits the messages of one file.
func file(ctx context.Context, path string, visit func(Stored) error) error {
	f, err := os.Open(path)
	if err != nil {
		return visit(Stored{Path: path, Err: err})
	}
	defer f.Close()
	if strings.EqualFold(filepath.Ext(path), ".tar") {
		return archive(ctx, path, f, visit)
	}
	return messages(ctx, path, f, visit)
}

// messages visits what a file holds: one message, or the messages of a mailbox,
// which begins with "From " (RFC 4155).
func messages(ctx context.Context, path string, r io.Reader, visit func(Stored) error) error {
	in := bufio.NewReaderSize(r, 64<<10)
	if start, _ := in.Peek(len("From ")); string(start) == "From " {
		return mailbox(ctx, path, in, visit)
	}
	text, err := io.ReadAll(io.LimitReader(in, mostMessage+1))
	switch {
	case err != nil:
		return visit(Stored{Path: path, Err: err})
	case len(text) > mostMessage:
		return visit(Stored{Path: path, Err: errLarge})
	case len(text) == 0:
		return nil
	}
	return visit(Stored{Path: path, Text: text})
}

var errLarge = fmt.Errorf("larger than %d MiB", mostMessage>>20)

// mailbox visits the messages of an mbox. Each begins behind an empty line with
// a line "From "; a ">" before such lines within a message is taken off.
func mailbox(ctx context.Context, path string, in *bufio.Reader, visit func(Stored) error) error {
	var text []byte
	n, empty, large := 0, true, false
	end := func() error {
		if n == 0 {
			return nil
		}
		one := Stored{Path: fmt.Sprintf("%s#%d", path, n), Text: bytes.TrimSuffix(text, []byte("\n"))}
		if large {
			one = Stored{Path: one.Path, Err: errLarge}
		}
		text, large = text[:0], false
		return visit(one)
	}
	for {
		line, err := in.ReadBytes('\n')
		if empty && bytes.HasPrefix(line, []byte("From ")) {
			if err := errors.Join(end(), ctx.Err()); err != nil {
				return err
			}
			n++
			line = nil
		}
		if escaped := bytes.TrimLeft(line, ">"); len(escaped) < len(line) && bytes.HasPrefix(escaped, []byte("From ")) {
			line = line[1:]
		}
		if len(line) > 0 {
			empty = len(bytes.TrimRight(line, "\r\n")) == 0
			if large = large || len(text)+len(line) > mostMessage; !large {
				text = append(text, line...)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return end()
		case err != nil:
			return visit(Stored{Path: path, Err: err})
		}
	}
}

// archive visits the messages of a tar.
func archive(ctx context.Context, path string, r io.Reader, visit func(Stored) error) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return visit(Stored{Path: path, Err: err})
		case ctx.Err() != nil:
			return ctx.Err()
		case h.Typeflag != tar.TypeReg || !isMessage(h.Name) || strings.EqualFold(filepath.Ext(h.Name), ".tar"):
			continue
		}
		if err := messages(ctx, path+"#"+h.Name, t, visit); err != nil {
			return err
		}
	}
}

// sizes are the octets of all files that a walk reads.
func sizes(paths []string) (all int64) {
	for _, path := range paths {
		// What cannot be looked at is told when it is to be read.
		_ = filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() || name != path && !isMessage(name) {
				return nil
			}
			if info, err := e.Info(); err == nil {
				all += info.Size()
			}
			return nil
		})
	}
	return all
}
