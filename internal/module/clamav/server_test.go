package clamav

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// serve has script play clamd on each connection, and tells the address. The
// test fails when the scanner leaves a connection open.
func serve(t testing.TB, script func(net.Conn)) *Scanner {
	t.Helper()
	// Not t.TempDir: the path of a socket has at most 104 octets.
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				script(conn)
			})
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		open.Wait()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	s, err := New(Settings{Addr: "unix:" + filepath.Join(dir, "s")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// answering is a clamd that takes a whole stream and answers with reply.
func answering(reply string) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := receiveStream(conn); err == nil {
			io.WriteString(conn, reply)
		}
	}
}

// untilClosed reads on until the other side has closed the connection.
func untilClosed(conn net.Conn) { io.Copy(io.Discard, conn) }

// receiveStream reads INSTREAM and its chunks.
func receiveStream(conn net.Conn) ([]byte, error) {
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if line != "nINSTREAM\n" {
		return nil, fmt.Errorf("command %q", line)
	}
	var stream []byte
	for {
		var length uint32
		if err := binary.Read(r, binary.BigEndian, &length); err != nil {
			return stream, err
		}
		if length == 0 {
			return stream, nil
		}
		if length > 1<<20 {
			return stream, errors.New("chunk too long")
		}
		chunk := make([]byte, length)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return stream, err
		}
		stream = append(stream, chunk...)
	}
}
