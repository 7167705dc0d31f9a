package document

import (
	"io/fs"
	"os"
	"syscall"
)

// Open opens a file to be read. What is no regular file is an error: a pipe that nobody
// writes to would be waited for without an end, and whoever made one of a file of the
// policy would keep a reload, and all that wait for it, from ending. Its errors do not
// name the file.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil {
		err = regular(info)
	}
	if err != nil {
		return nil, Plain(err)
	}
	// Something else may be there by now.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, Plain(err)
	}
	if info, err = f.Stat(); err == nil {
		err = regular(info)
	}
	if err != nil {
		_ = f.Close() // was not read
		return nil, Plain(err)
	}
	return f, nil
}

func regular(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return ErrDirectory
	case !info.Mode().IsRegular():
		return ErrNoFile
	}
	return nil
}
