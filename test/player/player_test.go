package player

import (
	"net"
	"path/filepath"
	"testing"
)

// TestPlay: each message is decided, and what ends a connection is told.
func TestPlay(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	go Idle(ln)
	mail, err := Mail([]byte("From: a@example.net\r\nSubject: one\r\n two\r\n\r\ntext\r\n"), "a@example.net", "user")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []Message{Ordinary(), mail} {
		took, err := Play(socket, 3, 25, func() Message { return m })
		if err != nil || len(took) != 25 {
			t.Errorf("%d messages, %v", len(took), err)
		}
	}
	ln.Close()
	if _, err := Play(socket, 2, 2, Ordinary); err == nil {
		t.Error("nobody listens, and no error")
	}
	for _, bad := range []string{"Subject: x\r\n", "no field\r\n\r\n"} {
		if _, err := Mail([]byte(bad), "a@example.net", "user"); err == nil {
			t.Errorf("%q is a message", bad)
		}
	}
}
