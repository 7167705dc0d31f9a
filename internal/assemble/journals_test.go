package assemble

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// Lines that ends before could not write are all in the journal at last, once and in
// their order, also where they are more than a journal has wait: ends on a full disk,
// one behind the other, have left them.
func TestTakeLeft(t *testing.T) {
	state, dir := t.TempDir(), t.TempDir()
	var want bytes.Buffer
	for i := 0; want.Len() < 20<<20; i++ {
		fmt.Fprintf(&want, "{\"line\":%d,\"text\":%q}\n", i, bytes.Repeat([]byte("x"), 1000))
	}
	j := &Journals{Log: slog.New(slog.DiscardHandler), stateDir: state}
	if err := j.Keep(journal.Messages, want.Bytes()); err != nil {
		t.Fatal(err)
	}
	for starts := 1; ; starts++ {
		opened, err := journal.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		j.journal = opened
		j.takeLeft()
		rest, _ := os.ReadFile(j.left(journal.Messages)) // nothing where all was taken
		if written, err := os.ReadFile(filepath.Join(dir, "messages.jsonl")); err != nil || len(written)+len(rest) < want.Len() {
			t.Errorf("%d octets are written and %d left of %d: a kill -9 would lose some; %v", len(written), len(rest), want.Len(), err)
		}
		if err := opened.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(j.left(journal.Messages)); os.IsNotExist(err) {
			break
		}
		if starts == 3 {
			t.Fatal("they are not taken")
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "messages.jsonl")); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d octets, want %d; %v", len(got), want.Len(), err)
	}
	if left, err := os.ReadDir(state); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}
