package keyfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// build makes a file of keys.
func build(t *testing.T, keys [][]byte, about string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	b, err := NewBuilder(path)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Stat("keyfile.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if err := b.Add(k); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Finish([]byte(about), self); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 1 {
		t.Fatalf("beside the file: %v, %v", names, err)
	}
	return path
}

func open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	k, err := Open(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return k, nil
}

// Where the folder cannot be made durable the new file is in its place, and that is
// told.
func TestUnsure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	b, err := NewBuilder(path)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is gone")
	b.syncDir = func(string) error { return broken }
	self, err := os.Stat("keyfile.go")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Add([]byte("a")), b.Finish(nil, self)); !errors.Is(err, ErrUnsure) || !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 || names[0].Name() != "keys" {
		t.Errorf("%v, %v", names, err)
	}
	if k, err := open(path); err != nil || k.Verify() != nil {
		t.Errorf("%v", err)
	}
}

// Of any keys, written often and in any order, exactly these are found.
func TestSame(t *testing.T) {
	for _, n := range []int{0, 1, 2, 31, 32, 33, 500, 40_000} {
		r := rand.New(rand.NewPCG(uint64(n), 1))
		set := map[string]bool{}
		var all [][]byte
		for range n {
			key := make([]byte, r.IntN(40))
			for i := range key {
				key[i] = byte(r.IntN(4))
			}
			if r.IntN(100) == 0 {
				key = append(key, make([]byte, MaxKey-len(key))...)
			}
			set[string(key)] = true
			for range 1 + r.IntN(3) {
				all = append(all, key)
			}
		}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		k, err := open(build(t, all, "about"))
		if err != nil {
			t.Fatal(err)
		}
		if k.Len() != len(set) || string(k.About) != "about" {
			t.Fatalf("%d keys of %d, about %q", k.Len(), len(set), k.About)
		}
		if err := k.Verify(); err != nil {
			t.Fatal(err)
		}
		for key := range set {
			if ok, err := k.Has([]byte(key)); !ok || err != nil {
				t.Fatalf("%q: %v, %v", key, ok, err)
			}
			for _, other := range []string{key + "\x01", key + "\x00", "x" + key} {
				if ok, err := k.Has([]byte(other)); ok != set[other] || err != nil {
					t.Fatalf("%q: %v, %v", other, ok, err)
				}
			}
		}
		seen := 0
		for key, err := range k.Keys() {
			if err != nil || !set[string(key)] {
				t.Fatalf("%q, %v", key, err)
			}
			seen++
		}
		if seen != len(set) {
			t.Fatalf("%d keys seen of %d", seen, len(set))
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A bit that is turned over anywhere, or a cut, is told: when the file is opened, or
// of a key by who looks for it. What is not told of is right.
func TestDamage(t *testing.T) {
	var keys [][]byte
	for i := range 40 {
		keys = append(keys, fmt.Appendf(nil, "user%d@example.org", i))
	}
	path := build(t, keys, "said")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := open(path)
		if err != nil {
			return
		}
		defer func() { _ = k.Close() }()
		if err := k.Verify(); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%s: verified: %v", what, err)
		}
		for _, key := range keys {
			if ok, err := k.Has(key); err == nil && !ok {
				t.Fatalf("%s: %q is not there, and nothing is said of it", what, key)
			}
		}
	}
	for at := range good {
		bad := append([]byte(nil), good...)
		bad[at] ^= 1 << (at % 8)
		check(fmt.Sprintf("octet %d", at), bad)
	}
	for _, n := range []int{0, 1, headerSize - 1, headerSize, headerSize + 60, len(good) - 1} {
		check(fmt.Sprintf("%d octets", n), good[:n])
	}
	check("longer", append(append([]byte(nil), good...), 0))
}

// A file that is cut while it is open has no keys that are silently gone.
func TestCutWhileOpen(t *testing.T) {
	keys := [][]byte{[]byte("a"), []byte("b")}
	path := build(t, keys, "")
	k, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = k.Close() }()
	if err := os.Truncate(path, headerSize+2); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if _, err := k.Has(key); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// The same key very often takes no room.
func TestCompact(t *testing.T) {
	k := new(keys)
	for i := range 1000 {
		k.refs = append(k.refs, ref{hash: uint64(i % 3), at: uint32(len(k.text)), size: 2})
		k.text = append(k.text, 1, byte('a'+i%3))
	}
	k.compact()
	if len(k.refs) != 3 || string(k.text) != "\x01a\x01b\x01c" {
		t.Fatalf("%v %q", k.refs, k.text)
	}
}

// A failed build leaves nothing and changes nothing.
func TestAbort(t *testing.T) {
	path := build(t, [][]byte{[]byte("before")}, "")
	b, err := NewBuilder(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Add(make([]byte, MaxKey+1)); err == nil {
		t.Error("a key that is too long was taken")
	}
	if err := b.Finish(make([]byte, MaxAbout+1), nil); err == nil {
		t.Error("finished")
	}
	k, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = k.Close() }()
	if ok, err := k.Has([]byte("before")); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 1 {
		t.Errorf("left: %v, %v", names, err)
	}
}

// FuzzOpen has any octets opened, and looked into.
func FuzzOpen(f *testing.F) {
	h := header{bits: 0, directory: headerSize + 6, size: headerSize + 6 + 16, keys: 1}
	text := h.encode()
	text = append(text, 0, 0, 0, 0, 1, 'a')
	text = binary.LittleEndian.AppendUint64(text, headerSize)
	text = binary.LittleEndian.AppendUint64(text, headerSize+6)
	f.Add(text)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "keys")
		if len(content) >= headerSize { // the sums are made right, so that more is looked at
			binary.LittleEndian.PutUint32(content[headerSize-4:], checksum(content[:headerSize-4]))
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := open(path)
		if err != nil {
			return
		}
		_, _ = k.Has([]byte("a"))
		_ = k.Verify()
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
