package takeover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	mostWord  = 1 << 20 // octets
	mostFiles = 200     // descriptors in one message; Linux takes 253
)

// line is a conversation of JSON, a line a word, with descriptors beside.
type line struct {
	conn  *net.UnixConn
	text  []byte // received and not read
	files []int  // likewise
}

// say sends a word, and descriptors with it, which stay open here.
func (l *line) say(w word, files ...int) error {
	if len(files) > mostFiles {
		return fmt.Errorf("takeover: %d descriptors", len(files))
	}
	text, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("takeover: %w", err)
	}
	text = append(text, '\n')
	if err := l.conn.SetWriteDeadline(time.Now().Add(sayLimit)); err != nil {
		return fmt.Errorf("takeover: %w", err)
	}
	var beside []byte
	if len(files) > 0 {
		beside = unix.UnixRights(files...)
	}
	n, _, err := l.conn.WriteMsgUnix(text, beside, nil)
	if err == nil && n < len(text) {
		_, err = l.conn.Write(text[n:])
	}
	if err != nil {
		return fmt.Errorf("takeover: %w", err)
	}
	return nil
}

// hear waits for the next word until ctx ends. One that has come by then is heard: a
// process that was stopped for a while must not miss that the other has left. Its error
// is io.EOF, or wraps it, when the other side has gone.
func (l *line) hear(ctx context.Context) (w word, err error) {
	if err := l.conn.SetReadDeadline(time.Time{}); err != nil {
		return w, fmt.Errorf("takeover: %w", err)
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = l.conn.SetReadDeadline(time.Unix(1, 0))
		close(ended)
	})
	defer stop()
	over := false
	for {
		if i := bytes.IndexByte(l.text, '\n'); i >= 0 {
			one := l.text[:i]
			l.text = l.text[i+1:]
			if err := json.Unmarshal(one, &w); err != nil {
				return w, fmt.Errorf("takeover: %w", err)
			}
			return w, nil
		}
		if len(l.text) > mostWord {
			return w, errors.New("takeover: a word that does not end")
		}
		err := l.read()
		switch {
		case err == nil:
		case ctx.Err() == nil:
			return w, err
		case over:
			return w, fmt.Errorf("takeover: %w", context.Cause(ctx))
		default:
			const look = 50 * time.Millisecond
			<-ended
			_ = l.conn.SetReadDeadline(time.Now().Add(look))
			over = true
		}
	}
}

func (l *line) read() error {
	text, beside := make([]byte, 16<<10), make([]byte, unix.CmsgSpace(4*mostFiles))
	n, m, flags, _, err := l.conn.ReadMsgUnix(text, beside) // with the close-on-exec flag
	if m > 0 {
		files, e := rights(beside[:m])
		l.files = append(l.files, files...)
		if e != nil {
			return e
		}
	}
	l.text = append(l.text, text[:max(n, 0)]...) // it is negative with an error
	switch {
	case err != nil && (errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE)):
		return io.EOF
	case err != nil:
		return fmt.Errorf("takeover: %w", err)
	case flags&unix.MSG_CTRUNC != 0:
		return errors.New("takeover: descriptors were lost: too many are open")
	case n == 0 && m == 0:
		return io.EOF
	}
	return nil
}

// rights are the descriptors of control messages.
func rights(b []byte) (files []int, err error) {
	messages, err := unix.ParseSocketControlMessage(b)
	if err != nil {
		return nil, fmt.Errorf("takeover: %w", err)
	}
	for _, m := range messages {
		some, err := unix.ParseUnixRights(&m)
		if err != nil {
			return files, fmt.Errorf("takeover: %w", err)
		}
		files = append(files, some...)
	}
	return files, nil
}

// take names the descriptors that came.
func (l *line) take(names []string) (map[string]*os.File, error) {
	defer l.drop()
	if len(names) != len(l.files) {
		return nil, fmt.Errorf("takeover: %d names for %d descriptors", len(names), len(l.files))
	}
	files := make(map[string]*os.File, len(names))
	for i, name := range names {
		if before := files[name]; before != nil {
			_ = before.Close() // the same twice
		}
		files[name] = os.NewFile(uintptr(l.files[i]), name)
	}
	l.files = nil
	return files, nil
}

// drop closes descriptors that nobody has taken.
func (l *line) drop() {
	for _, fd := range l.files {
		_ = unix.Close(fd) // never used
	}
	l.files = nil
}
