package recordfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// octets writes records in two chains over some segments, and returns where they
// stand and what they say.
func octets(t *testing.T, dir string) (end int64, said map[int64]string, prev map[int64]int64) {
	t.Helper()
	f, err := Open(dir, Options{ID: [16]byte{1}, Size: 150})
	if err != nil {
		t.Fatal(err)
	}
	said, prev = map[int64]string{}, map[int64]int64{}
	var tails [2]int64
	for i := range 9 {
		text := fmt.Sprintf(`{"n":%d,"a":"\xfftr1 %c"}`, i, 'a'+i)
		at, err := f.Append(tails[i%2], func(b []byte) []byte { return append(b, text...) })
		if err != nil {
			t.Fatal(err)
		}
		said[at], prev[at], tails[i%2] = text, tails[i%2], at
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	end = f.End()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return end, said, prev
}

// A file that is cut, or has an octet flipped, anywhere: each record is what was
// written, or is said to be damaged; a search finds all others, and none that was
// never written.
func TestEveryOctet(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	end, said, prev := octets(t, whole)
	files, err := os.ReadDir(whole)
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	check := func(what string, dir string, most int) {
		t.Helper()
		f, err := Open(dir, Options{ID: [16]byte{1}, Size: 150, End: end})
		if err != nil {
			t.Fatal(what, err)
		}
		r := f.Reader()
		damaged := 0
		for at, text := range said {
			is, err := r.Read(at)
			switch {
			case errors.Is(err, ErrDamaged):
				damaged++
			case err != nil:
				t.Fatalf("%s: %v", what, err)
			case string(is.Payload) != text || is.Prev != prev[at]:
				t.Fatalf("%s: at %d %q behind %d, want %q behind %d", what, at, is.Payload, is.Prev, text, prev[at])
			}
		}
		if damaged > most {
			t.Errorf("%s: %d records are damaged", what, damaged)
		}
		found := 0
		if err := r.Scan(0, end, func(is Record) error {
			if found++; said[is.Position] != string(is.Payload) {
				t.Errorf("%s: at %d %q was never written", what, is.Position, is.Payload)
			}
			return nil
		}); err != nil {
			t.Fatal(what, err)
		}
		if found != len(said)-damaged {
			t.Errorf("%s: %d records are found, %d are damaged of %d", what, found, damaged, len(said))
		}
		// What comes now stands behind all that ever was.
		at, err := f.Append(0, func(b []byte) []byte { return append(b, "next"...) })
		if err != nil || at < end {
			t.Fatalf("%s: at %d, %v", what, at, err)
		}
		if is, err := f.Read(at); err != nil || !bytes.Equal(is.Payload, []byte("next")) {
			t.Fatalf("%s: %+v, %v", what, is, err)
		}
		if err := errors.Join(r.Close(), f.Close()); err != nil {
			t.Fatal(what, err)
		}
	}
	for i, file := range files {
		text, err := os.ReadFile(filepath.Join(whole, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for at := range text {
			if testing.Short() && at%7 != 0 {
				continue
			}
			for _, how := range []string{"flipped", "cut"} {
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
					t.Fatal(err)
				}
				bad, most := bytes.Clone(text), 1
				if bad[at] ^= 1 << (at % 8); how == "cut" {
					bad, most = bad[:at], len(said)
				}
				path := filepath.Join(dir, file.Name())
				if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, bad, 0o600)); err != nil {
					t.Fatal(err)
				}
				check(fmt.Sprintf("file %d %s at %d", i, how, at), dir, most)
			}
		}
	}
}
